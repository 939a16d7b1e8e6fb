//! socketioxide with its defaults on axum, driven by the lines of `PROTOCOL.md`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::Instant;

#[derive(Serialize)]
struct Message<'a> {
    t: u64,
    p: &'a str,
}

/// The clock that the load generator subtracts from.
fn monotonic_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec that outlives the call.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (layer, io) = SocketIo::new_layer();
    let connections = Arc::new(AtomicU64::new(0));
    let seen = connections.clone();
    io.ns("/", move |socket: SocketRef| {
        let seen = seen.clone();
        async move {
            socket.join("room");
            socket.on("echo", async |Data::<Value>(data), ack: AckSender| {
                ack.send(&data).ok();
            });
            seen.fetch_add(1, Ordering::Relaxed);
            socket.on_disconnect(move || {
                let seen = seen.clone();
                async move {
                    seen.fetch_sub(1, Ordering::Relaxed);
                }
            });
        }
    });

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    println!("{}", json!({ "port": port, "name": "socketioxide", "version": "0.18.9" }));
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().layer(layer)).await });

    let lag = Lag::default();
    let mut sampler = None;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match words[..] {
            ["count"] => json!({ "connections": connections.load(Ordering::Relaxed) }),
            ["emit", count, every_ms, bytes] => {
                emit(&io, count.parse()?, every_ms.parse()?, bytes.parse()?).await
            }
            ["lag", "start"] => {
                sampler = Some(tokio::spawn(lag.clone().sample()));
                json!({})
            }
            ["lag", "stop"] => {
                if let Some(task) = sampler.take() {
                    task.abort();
                }
                json!({ "maxMs": lag.take_max_ms() })
            }
            ["gc"] => json!({}),
            _ => json!({ "error": format!("unknown line: {line}") }),
        };
        println!("{answer}");
    }
    Ok(())
}

async fn emit(io: &SocketIo, count: usize, every_ms: u64, bytes: usize) -> Value {
    let pad = "x".repeat(bytes);
    let mut spent_us = Vec::with_capacity(count);
    let first = Instant::now();
    for i in 0..count as u64 {
        if every_ms > 0 {
            tokio::time::sleep_until(first + Duration::from_millis(i * every_ms)).await;
        }
        let began = std::time::Instant::now();
        let message = Message { t: monotonic_ns(), p: &pad };
        io.to("room").emit("m", &message).await.ok();
        spent_us.push(began.elapsed().as_secs_f64() * 1e6);
    }
    spent_us.sort_by(f64::total_cmp);
    json!({
        "calls": count,
        "meanUs": spent_us.iter().sum::<f64>() / count.max(1) as f64,
        "p50Us": spent_us.get(count / 2),
        "maxUs": spent_us.last(),
    })
}

/// How late a 2 ms timer fired at worst, in microseconds.
#[derive(Clone, Default)]
struct Lag(Arc<AtomicU64>);

impl Lag {
    async fn sample(self) {
        const STEP: Duration = Duration::from_millis(2);
        loop {
            let due = Instant::now() + STEP;
            tokio::time::sleep_until(due).await;
            self.0.fetch_max(due.elapsed().as_micros() as u64, Ordering::Relaxed);
        }
    }

    fn take_max_ms(&self) -> f64 {
        self.0.swap(0, Ordering::Relaxed) as f64 / 1000.0
    }
}
