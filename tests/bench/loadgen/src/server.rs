//! The server under test: a child process driven by the lines of `PROTOCOL.md`.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{Cpu, rss_kib};

pub struct Server {
    command: Vec<String>,
    child: Child,
    stdin: Option<ChildStdin>,
    answers: Receiver<String>,
    pub address: SocketAddr,
    /// The first line it printed: name and version.
    pub greeting: Value,
}

const START_LIMIT: Duration = Duration::from_secs(20);

impl Server {
    pub fn start(command: &[String]) -> Result<Self, String> {
        let (program, arguments) = command.split_first().ok_or("no server command after --")?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or("no stdout")?;
        let (send, answers) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let command = command.to_vec();
        let mut server = Self { command, child, stdin, answers, address, greeting: Value::Null };
        server.greeting = server.answer(START_LIMIT)?;
        let port = server.greeting["port"].as_u64().and_then(|port| u16::try_from(port).ok());
        server.address.set_port(port.ok_or("the server's first line names no port")?);
        Ok(server)
    }

    /// A second one by the same command.
    pub fn another(&self) -> Result<Self, String> {
        Self::start(&self.command)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn cpu(&self) -> Result<Cpu, String> {
        Cpu::of(self.pid())
    }

    /// Sends one line; its answer is fetched with [`Server::answer`].
    pub fn tell(&mut self, line: &str) -> Result<(), String> {
        let stdin = self.stdin.as_mut().ok_or("stdin is closed")?;
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).map_err(|error| format!("{line}: {error}"))
    }

    pub fn answer(&mut self, limit: Duration) -> Result<Value, String> {
        let line =
            self.answers.recv_timeout(limit).map_err(|error| format!("no line from the server: {error}"))?;
        let value: Value = serde_json::from_str(&line).map_err(|error| format!("{line}: {error}"))?;
        match value.get("error") {
            Some(error) => Err(format!("the server says: {error}")),
            None => Ok(value),
        }
    }

    pub fn ask(&mut self, line: &str, limit: Duration) -> Result<Value, String> {
        self.tell(line)?;
        self.answer(limit)
    }

    /// Waits until the handler has seen exactly `wanted` connections.
    pub fn await_connections(&mut self, wanted: usize, limit: Duration) -> Result<(), String> {
        let until = Instant::now() + limit;
        loop {
            let seen = self.ask("count", limit)?["connections"].as_u64();
            if seen == Some(wanted as u64) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(format!("the handler has seen {seen:?} connections, not {wanted}"));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Resident KiB after garbage collection, once it has stopped moving (or after 3 s).
    pub fn settled_rss_kib(&mut self) -> Result<u64, String> {
        let mut last = 0;
        let mut steady = 0;
        for _ in 0..15 {
            self.ask("gc", Duration::from_secs(10))?;
            thread::sleep(Duration::from_millis(200));
            let now = rss_kib(self.pid())?;
            steady = if now.abs_diff(last) <= 64 { steady + 1 } else { 0 };
            last = now;
            if steady == 3 {
                break;
            }
        }
        Ok(last)
    }
}

impl Drop for Server {
    /// End of input asks the server to go; one that stays is ended.
    fn drop(&mut self) {
        drop(self.stdin.take());
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
