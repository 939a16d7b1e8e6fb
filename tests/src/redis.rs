//! A real `redis-server` of the test's own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::PATIENCE;

/// A server on a free port of the loopback, without persistence. Ends with this value.
pub struct Redis {
    port: u16,
    process: Option<Child>,
}

impl Redis {
    /// Starts one; `None`, and a word about it, where `redis-server` is not installed.
    pub fn start() -> Option<Self> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            eprintln!("skipped: redis-server is not installed (Debian: apt-get install redis-server)");
            return None;
        }
        // Another process may take the port first.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
            let mut redis = Self { port, process: None };
            if redis.run() {
                return Some(redis);
            }
        }
        panic!("redis-server does not start");
    }

    /// `redis://…`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn run(&mut self) -> bool {
        let port = self.port.to_string();
        let child = Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server");
        self.process = Some(child);
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if self.command("PING").is_some_and(|answer| answer.starts_with("+PONG")) {
                return true;
            }
            let ended =
                self.process.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|end| end.is_some()));
            if ended {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Sends one inline command; its answer, as far as one read brings it.
    pub fn command(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.write_all(format!("{command}\r\n").as_bytes()).ok()?;
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer[..length]).into_owned())
    }

    /// Publishes bytes, as another node would.
    pub fn publish(&self, channel: &str, payload: &[u8]) {
        self.publish_many(channel, payload, 1);
    }

    /// Publishes the same bytes `times` times, 1 or some hundreds, and waits until Redis has taken all.
    pub fn publish_many(&self, channel: &str, payload: &[u8], times: u32) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("redis");
        stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
        let mut command = format!("*3\r\n$7\r\nPUBLISH\r\n${}\r\n{channel}\r\n", channel.len()).into_bytes();
        command.extend(format!("${}\r\n", payload.len()).bytes());
        command.extend(payload);
        command.extend(b"\r\n");
        let mut answers = stream.try_clone().expect("a second handle");
        let reading = std::thread::spawn(move || {
            let (mut left, mut buffer) = (times as usize, [0; 4096]);
            while left > 0 {
                let length = answers.read(&mut buffer).expect("answers");
                left -= buffer[..length].iter().filter(|byte| **byte == b'\n').count();
            }
        });
        let batch = times.min(100);
        let commands = command.repeat(batch as usize);
        for _ in 0..times / batch {
            stream.write_all(&commands).expect("publish");
        }
        reading.join().expect("all answers");
    }

    /// Kills the process.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.process.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again on the same port.
    pub fn restart(&mut self) {
        assert!(self.run(), "redis-server does not start again");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
    }
}
