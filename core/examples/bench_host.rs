//! A Rust host for `make bench`: the application of `tests/bench/servers/app.mjs`, driven by the lines of
//! `tests/bench/PROTOCOL.md` on stdin.

use std::time::{Duration, Instant};

use kraken_ws_core::{EmitFlags, Event, Events, Namespace, Options, Server, Target};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The clock that the load generator subtracts from.
fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (server, events) = Server::new(Options::default())?;
    let addr = server.listen_tcp("127.0.0.1", 0)?;
    let main = server.namespace("/")?;
    println!(
        "{}",
        json!({ "port": addr.port(), "name": "kraken-ws-core", "version": env!("CARGO_PKG_VERSION") })
    );
    let handlers = tokio::task::LocalSet::new();
    handlers.spawn_local(handle(server.clone(), main.clone(), events));
    handlers.run_until(control(server, main)).await
}

/// Puts every socket into `room` and acknowledges `echo` with what it was given.
async fn handle(server: Server, nsp: Namespace, mut events: Events) {
    let mut batch = Vec::new();
    loop {
        events.recv_many(&mut batch, 256).await;
        for event in batch.drain(..) {
            match event {
                Event::Connect { socket, .. } => server.join(socket, &["room"]),
                Event::Event { socket, data, ack: Some(id), .. } => {
                    if let Some(args) = data.strip_prefix(r#"["echo","#) {
                        let _ = server.ack(&nsp, socket, id, &format!("[{args}"), vec![]);
                    }
                }
                Event::Closed => return,
                _ => {}
            }
        }
    }
}

async fn control(server: Server, nsp: Namespace) -> Result<(), Box<dyn std::error::Error>> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut lag = None;
    while let Some(line) = lines.next_line().await? {
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match words[..] {
            ["count"] => json!({ "connections": server.stats().sockets }),
            ["emit", count, every, bytes] => {
                emit(&server, &nsp, count.parse()?, Duration::from_millis(every.parse()?), bytes.parse()?)
                    .await?
            }
            ["lag", "start"] => {
                lag = Some(tokio::task::spawn_local(longest_lag()));
                json!({})
            }
            ["lag", "stop"] => match lag.take() {
                Some(task) => {
                    task.abort();
                    json!({ "maxMs": LAG.with(std::cell::Cell::take).as_secs_f64() * 1e3 })
                }
                None => json!({ "maxMs": 0 }),
            },
            ["gc"] => json!({}),
            _ => return Err(format!("unknown line {line:?}").into()),
        };
        println!("{answer}");
    }
    Ok(())
}

async fn emit(
    server: &Server,
    nsp: &Namespace,
    count: u32,
    every: Duration,
    bytes: usize,
) -> Result<serde_json::Value, Box<dyn std::error::Error>> {
    let filler = "x".repeat(bytes);
    let start = tokio::time::Instant::now();
    let mut took = Vec::with_capacity(count as usize);
    for i in 0..count {
        if !every.is_zero() {
            tokio::time::sleep_until(start + every * i).await;
        }
        let text = format!(r#"["m",{{"t":{},"p":"{filler}"}}]"#, monotonic_ns());
        let before = Instant::now();
        server.publish(nsp, Target::room("room"), &text, vec![], EmitFlags::default())?;
        took.push(before.elapsed().as_secs_f64() * 1e6);
    }
    took.sort_by(f64::total_cmp);
    let mean = took.iter().sum::<f64>() / took.len() as f64;
    Ok(
        json!({ "calls": count, "meanUs": mean, "p50Us": took[took.len() / 2], "maxUs": took[took.len() - 1] }),
    )
}

thread_local! {
    static LAG: std::cell::Cell<Duration> = const { std::cell::Cell::new(Duration::ZERO) };
}

/// Notes how late a timer of 2 ms is at the most.
async fn longest_lag() {
    const EVERY: Duration = Duration::from_millis(2);
    loop {
        let due = tokio::time::Instant::now() + EVERY;
        tokio::time::sleep_until(due).await;
        LAG.with(|lag| lag.set(lag.get().max(due.elapsed())));
    }
}
