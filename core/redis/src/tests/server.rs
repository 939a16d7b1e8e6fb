//! Real Redis servers for tests. Dropping the value ends the server.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::address::Address;
use crate::connection::Connection;
use crate::resp::Value;
use crate::settings::Settings;

/// A temporary directory, removed on drop.
pub(super) struct Folder(pub PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        let name = format!("kraken-ws-redis-{}-{:08x}", std::process::id(), fastrand::u32(..));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(super) fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A `redis-server` that can be stopped and started again on the same port.
pub(super) struct Server {
    pub port: u16,
    arguments: Vec<String>,
    /// The configuration of a sentinel.
    sentinel: Option<String>,
    process: Option<Child>,
    pub folder: Folder,
}

/// Whether the program is installed.
pub(super) fn installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
    if !found {
        eprintln!(
            "skipped: {program} is not installed (Debian: apt-get install redis-server redis-sentinel)"
        );
    }
    found
}

pub(super) fn free_port() -> u16 {
    // Redis Cluster uses a second port, 10000 higher.
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if port < 55_000 && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}

impl Server {
    /// Starts a server without persistence and with these arguments. `None`, with a note, if `redis-server` is not
    /// installed.
    pub(super) fn start(arguments: &[&str]) -> Option<Self> {
        if !installed("redis-server") {
            return None;
        }
        // Another test may take the port first.
        for _ in 0..5 {
            let mut server = Self::stopped(arguments);
            if server.run() {
                return Some(server);
            }
        }
        panic!("redis-server does not start with {arguments:?}");
    }

    /// A server with a reserved port that does not run yet.
    pub(super) fn stopped(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| argument.to_string()).collect();
        Self { port: free_port(), arguments, sentinel: None, process: None, folder: Folder::new() }
    }

    /// A running sentinel.
    pub(super) fn sentinel(config: &str) -> Self {
        let mut server = Self::stopped(&[]);
        server.sentinel = Some(config.to_owned());
        assert!(server.run(), "the sentinel does not start");
        server
    }

    /// Starts the process and waits until it serves; `false` if it exits instead.
    pub(super) fn run(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        if let Some(config) = &self.sentinel {
            // A sentinel rewrites its configuration file.
            command.arg(self.folder.file("sentinel.conf", config)).arg("--sentinel");
        } else {
            command.args(["--save", "", "--appendonly", "no"]);
        }
        if !self.arguments.iter().any(|argument| argument == "--port") {
            command.args(["--port", &self.port.to_string()]);
        }
        command
            .args(["--bind", "127.0.0.1", "--dir"])
            .arg(&self.folder.0)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut log = BufReader::new(process.stdout.take().unwrap()).lines();
        self.process = Some(process);
        let serves = log
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line.contains("Ready to accept connections") || line.contains("Sentinel ID is"));
        // The rest of the log must be drained, or the pipe fills up.
        std::thread::spawn(move || log.for_each(drop));
        serves
    }

    /// Kills the process, as `kill -9` does.
    pub(super) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(super) fn options(&self) -> Config {
        classic(&self.url())
    }

    /// Sends a command on a connection of its own and returns the reply.
    pub(super) async fn ask(&self, command: &str) -> Value {
        self.ask_as(&self.options(), command).await
    }

    pub(super) async fn ask_as(&self, options: &Config, command: &str) -> Value {
        let settings = Settings::new(options, Arc::new(Dialer)).unwrap();
        let Servers::Url(url) = &options.servers else { panic!("one server only") };
        let mut address = Address::parse("test", url).unwrap();
        address.login.password = options.password.as_deref().map(Into::into).or(address.login.password);
        let mut connection = Connection::open(&settings, &address, "test").await.unwrap();
        let parts: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        connection.ask(&parts).await.unwrap()
    }

    /// Sends a command that must succeed.
    pub(super) async fn tell(&self, command: &str) {
        let answer = self.ask(command).await;
        assert_eq!(answer.error(), None, "{command}");
    }

    /// Names of the bus connections to this server.
    pub(super) async fn clients(&self) -> Vec<String> {
        let list = self.ask("CLIENT LIST").await;
        let names = list
            .text()
            .unwrap_or_default()
            .split_whitespace()
            .filter_map(|field| field.strip_prefix("name="));
        names.filter(|name| name.starts_with("kraken-ws")).map(str::to_owned).collect()
    }

    /// Kills the connections with this name.
    pub(super) async fn kill_clients(&self, name: &str) {
        let list = self.ask("CLIENT LIST").await;
        for line in list.text().unwrap().lines().filter(|line| line.contains(&format!("name={name} "))) {
            let id = line.split_whitespace().find_map(|field| field.strip_prefix("id=")).unwrap();
            self.tell(&format!("CLIENT KILL ID {id}")).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let _ = process.kill();
        let started = Instant::now();
        while matches!(process.try_wait(), Ok(None)) && started.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
