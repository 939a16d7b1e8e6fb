//! Load generator of the bench: raw Socket.IO clients on one thread, cheap enough not to be what is measured.
//!
//! `loadgen SHAPE [--clients N] [--messages N] [--every-ms N] [--rounds N] [--bytes N] [--in-flight N] -- SERVER…`
//! starts SERVER, puts the shape's load on it and prints one line of JSON.
//!
//! ```text
//! shapes     what is done and measured       server     the child process and its lines
//! swarm      the clients                     process    CPU, memory, limits from the kernel
//! frame      WebSocket                       packet     Engine.IO and Socket.IO
//! histogram  latencies                       fleet      shapes over two nodes and Redis
//! ```

mod fleet;
mod frame;
mod histogram;
mod packet;
mod process;
mod server;
mod shapes;
mod swarm;

use std::process::ExitCode;

use serde_json::Value;

use server::Server;
use shapes::Load;
use swarm::Swarm;

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("loadgen: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Result<Value, String> {
    let at = arguments.iter().position(|word| word == "--").ok_or("no -- before the server's command")?;
    let (options, command) = (&arguments[..at], &arguments[at + 1..]);
    let (shape, options) = options.split_first().ok_or("no shape")?;
    let shape = match shape.as_str() {
        "fanout" => shapes::fanout,
        "echo" => shapes::echo,
        "connect" => shapes::connect,
        "idle" => shapes::idle,
        "emit" => shapes::emit,
        "fleet" => fleet::fleet,
        "foreign" => fleet::foreign,
        other => {
            return Err(format!(
                "shape: expected fanout, echo, connect, idle, emit, fleet or foreign, got {other}"
            ));
        }
    };
    let load = parse(options)?;
    // Descriptors for the clients on this side, and as many on the server's, plus what a runtime needs.
    process::raise_descriptor_limit(2 * load.clients as u64 + 200)?;
    let mut server = Server::start(command)?;
    let mut swarm = Swarm::new().map_err(|error| format!("epoll: {error}"))?;
    let mut report = shape(&mut server, &mut swarm, load)?;
    report["server"] = server.greeting.clone();
    Ok(report)
}

fn parse(options: &[String]) -> Result<Load, String> {
    let mut load =
        Load { clients: 1000, messages: 200, every_ms: 0, rounds: 3, bytes: 64, in_flight: 10, redis_pid: 0 };
    for pair in options.chunks(2) {
        let [name, value] = pair else {
            return Err(format!("{}: no value", pair[0]));
        };
        let number: u64 = value.parse().map_err(|_| format!("{name}: expected a number, got {value}"))?;
        match name.as_str() {
            "--clients" => load.clients = number as usize,
            "--messages" => load.messages = number,
            "--every-ms" => load.every_ms = number,
            "--rounds" => load.rounds = number as usize,
            "--bytes" => load.bytes = number as usize,
            "--in-flight" => load.in_flight = number as u32,
            "--redis-pid" => load.redis_pid = number as u32,
            _ => return Err(format!("unknown option {name}")),
        }
    }
    Ok(load)
}
