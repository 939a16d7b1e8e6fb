//! Shapes over two nodes that Redis joins. The first node sends, both have clients or only the first.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::histogram::Histogram;
use crate::process::Cpu;
use crate::server::Server;
use crate::shapes::{AT_ONCE, LIMIT, Load, QUIET, grow, median, refuse_losses};
use crate::swarm::Swarm;

/// What a node that gets nothing out of a message does with it is over by then.
const SETTLE: Duration = Duration::from_millis(300);

/// One room over both nodes; every client is to get everything.
pub fn fleet(server: &mut Server, swarm: &mut Swarm, load: Load) -> Result<Value, String> {
    let mut other = server.another()?;
    grow(server, swarm, load.clients)?;
    swarm.connect(other.address, load.clients, AT_ONCE, LIMIT)?;
    other.await_connections(load.clients, LIMIT)?;
    run(server, &other, swarm, load, "emit", 2 * load.clients as u64)
}

/// Rooms that only the first node has, of `in_flight` members each: the other hears of them in vain.
pub fn foreign(server: &mut Server, swarm: &mut Swarm, load: Load) -> Result<Value, String> {
    let mut other = server.another()?;
    grow(server, swarm, load.clients)?;
    other.await_connections(0, LIMIT)?;
    run(server, &other, swarm, load, "scatter", u64::from(load.in_flight))
}

/// CPU of the sending node, the other one and Redis.
struct Spent([Cpu; 3]);

impl Spent {
    fn now(server: &Server, other: &Server, redis: u32) -> Result<Self, String> {
        Ok(Self([server.cpu()?, other.cpu()?, Cpu::of(redis)?]))
    }

    /// Microseconds of each since then.
    fn since(&self, earlier: &Self) -> [f64; 3] {
        std::array::from_fn(|i| self.0[i].since(earlier.0[i]).total().as_secs_f64() * 1e6)
    }
}

fn run(
    server: &mut Server,
    other: &Server,
    swarm: &mut Swarm,
    load: Load,
    command: &str,
    each: u64,
) -> Result<Value, String> {
    let paced_for = Duration::from_millis(load.every_ms * load.messages);
    // Adapters subscribe on their own time: the first messages may not reach everybody.
    thread::sleep(SETTLE);
    for _ in 0..2 {
        let warm = load.messages.min(50);
        let goal = swarm.counts.messages + warm * each;
        server.ask(&format!("{command} {warm} 1 {}", load.bytes), LIMIT)?;
        swarm.await_messages(goal, QUIET, LIMIT)?;
    }
    swarm.latency = Histogram::new();
    let mut rates = Vec::new();
    let mut spent: [Vec<f64>; 3] = Default::default();
    let mut lost = 0;
    for _ in 0..load.rounds {
        let (before, began, had) =
            (Spent::now(server, other, load.redis_pid)?, Instant::now(), swarm.counts.messages);
        server.tell(&format!("{command} {} {} {}", load.messages, load.every_ms, load.bytes))?;
        let wanted = load.messages * each;
        let last = swarm.await_messages(had + wanted, QUIET, paced_for + LIMIT)?;
        thread::sleep(SETTLE);
        let after = Spent::now(server, other, load.redis_pid)?;
        server.answer(LIMIT)?;
        refuse_losses(swarm)?;
        let arrived = swarm.counts.messages - had;
        lost += wanted.saturating_sub(arrived);
        rates.push(arrived as f64 / last.saturating_duration_since(began).as_secs_f64().max(1e-9));
        for (list, us) in spent.iter_mut().zip(after.since(&before)) {
            list.push(us / load.messages as f64);
        }
    }
    let [own, there, redis] = spent.map(|list| median(list).unwrap_or_default());
    let ms = |ns: u64| ns as f64 / 1e6;
    Ok(json!({
        "messagesPerSecond": median(rates),
        "cpuUs": (own + there) / each as f64,
        "otherNodeUs": there,
        "redisUs": redis,
        "latencyMs": {
            "p50": ms(swarm.latency.quantile(0.5)),
            "p99": ms(swarm.latency.quantile(0.99)),
            "max": ms(swarm.latency.max()),
        },
        "lost": lost,
        "wanted": load.messages * each * load.rounds as u64,
    }))
}
