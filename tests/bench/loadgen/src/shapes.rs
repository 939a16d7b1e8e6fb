//! The shapes of load, each with what it measures.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::Cpu;
use crate::server::Server;
use crate::swarm::Swarm;

/// Upper bound for any one phase; a server that is slower than this is a result of its own.
pub const LIMIT: Duration = Duration::from_secs(60);
/// No message for this long means that the rest was dropped.
pub const QUIET: Duration = Duration::from_secs(2);
/// Connections under way at a time while the swarm grows: well below a listen backlog.
pub const AT_ONCE: usize = 64;

/// The numbers that a shape takes, from the command line.
#[derive(Clone, Copy)]
pub struct Load {
    pub clients: usize,
    pub messages: u64,
    pub every_ms: u64,
    pub rounds: usize,
    pub bytes: usize,
    pub in_flight: u32,
    /// Process of the Redis between two nodes.
    pub redis_pid: u32,
}

/// Messages from the server to a room that everybody is in; all at once, or paced.
pub fn fanout(server: &mut Server, swarm: &mut Swarm, load: Load) -> Result<Value, String> {
    grow(server, swarm, load.clients)?;
    let paced_for = Duration::from_millis(load.every_ms * load.messages);
    let clients = load.clients as u64;
    // Once unmeasured: compilers and buffers warm up.
    let warm = load.messages.min(20);
    server.ask(&format!("emit {warm} 0 {}", load.bytes), LIMIT)?;
    swarm.await_messages(swarm.counts.messages + warm * clients, QUIET, LIMIT)?;

    let mut rounds = Rounds::default();
    swarm.latency = crate::histogram::Histogram::new();
    for _ in 0..load.rounds {
        server.ask("lag start", LIMIT)?;
        let meter = Meter::start(server, swarm)?;
        server.tell(&format!("emit {} {} {}", load.messages, load.every_ms, load.bytes))?;
        let goal = meter.messages + load.messages * clients;
        let last = swarm.await_messages(goal, QUIET, paced_for + LIMIT)?;
        rounds.add(meter.stop(server, swarm, last)?, load.messages * clients);
        let emit = server.answer(LIMIT)?;
        let lag = server.ask("lag stop", LIMIT)?;
        rounds.emits(&emit, load.messages);
        rounds.lag_ms = rounds.lag_ms.max(lag["maxMs"].as_f64().unwrap_or(0.0));
        refuse_losses(swarm)?;
    }
    Ok(rounds.report(swarm))
}

/// Events answered by the handler's acknowledgement, a fixed number in flight per client.
pub fn echo(server: &mut Server, swarm: &mut Swarm, load: Load) -> Result<Value, String> {
    grow(server, swarm, load.clients)?;
    swarm.echo(load.in_flight, load.messages / 4, LIMIT)?;
    let mut rounds = Rounds::default();
    swarm.latency = crate::histogram::Histogram::new();
    for _ in 0..load.rounds {
        server.ask("lag start", LIMIT)?;
        let meter = Meter::start(server, swarm)?;
        let last = swarm.echo(load.in_flight, load.messages, LIMIT)?;
        rounds.add(meter.stop(server, swarm, last)?, load.messages);
        let lag = server.ask("lag stop", LIMIT)?;
        rounds.lag_ms = rounds.lag_ms.max(lag["maxMs"].as_f64().unwrap_or(0.0));
        refuse_losses(swarm)?;
    }
    Ok(rounds.report(swarm))
}

/// Connections up to and including Socket.IO's CONNECT and the handler; the "messages" are connections.
pub fn connect(server: &mut Server, swarm: &mut Swarm, load: Load) -> Result<Value, String> {
    wave(server, swarm, load.clients / 4)?;
    let mut rounds = Rounds::default();
    swarm.latency = crate::histogram::Histogram::new();
    for _ in 0..load.rounds {
        swarm.disconnect();
        server.await_connections(0, LIMIT)?;
        server.ask("lag start", LIMIT)?;
        let meter = Meter::start(server, swarm)?;
        swarm.connect(server.address, load.clients, AT_ONCE, LIMIT)?;
        server.await_connections(load.clients, LIMIT)?;
        let mut round = meter.stop(server, swarm, Instant::now())?;
        round.messages = load.clients as u64;
        rounds.add(round, load.clients as u64);
        let lag = server.ask("lag stop", LIMIT)?;
        rounds.lag_ms = rounds.lag_ms.max(lag["maxMs"].as_f64().unwrap_or(0.0));
    }
    Ok(rounds.report(swarm))
}

/// Resident memory of connections that are joined to a room and silent.
pub fn idle(server: &mut Server, swarm: &mut Swarm, load: Load) -> Result<Value, String> {
    // Only so many that all code is loaded; memory that they leave behind would be counted for us.
    wave(server, swarm, 20)?;
    swarm.disconnect();
    server.await_connections(0, LIMIT)?;
    let before = server.settled_rss_kib()?;
    grow(server, swarm, load.clients)?;
    let after = server.settled_rss_kib()?;
    Ok(json!({
        "rssKibBefore": before,
        "rssKibAfter": after,
        "kibPerConnection": (after as f64 - before as f64) / load.clients as f64,
    }))
}

/// Emit calls that run back to back: few enough to fit the smallest send queue among the peers (socketioxide: 128
/// packets), and as many for each size, because some of the cost is that of the turn and not of the call.
const CALLS: u64 = 100;

/// Calls to an empty room before all others: a caller's code is compiled when it has run so often.
const WARM_CALLS: u64 = 5000;

/// What one emit call costs its caller, as the room grows: of each size the median round.
pub fn emit(server: &mut Server, swarm: &mut Swarm, load: Load) -> Result<Value, String> {
    let mut sizes = Vec::new();
    server.ask(&format!("emit {WARM_CALLS} 0 {}", load.bytes), LIMIT)?;
    for members in [10, 1000, load.clients] {
        if members > load.clients {
            continue; // A quick run stops at a smaller room.
        }
        grow(server, swarm, members)?;
        let mut measured = Vec::new();
        for round in 0..=load.rounds {
            let goal = swarm.counts.messages + CALLS * members as u64;
            server.tell(&format!("emit {CALLS} 0 {}", load.bytes))?;
            swarm.await_messages(goal, QUIET, LIMIT)?;
            let answer = server.answer(LIMIT)?;
            // The first round warms up.
            if round > 0 {
                measured.push(answer);
            }
        }
        measured.sort_by(|a, b| {
            a["meanUs"].as_f64().unwrap_or(0.0).total_cmp(&b["meanUs"].as_f64().unwrap_or(0.0))
        });
        let middle = &measured[measured.len() / 2];
        sizes.push(json!({
            "members": members,
            "meanUs": middle["meanUs"],
            "p50Us": middle["p50Us"],
            "maxUs": middle["maxUs"],
        }));
    }
    Ok(json!({ "emitCost": sizes }))
}

pub fn grow(server: &mut Server, swarm: &mut Swarm, clients: usize) -> Result<(), String> {
    let missing = clients.saturating_sub(swarm.len());
    swarm.connect(server.address, missing, AT_ONCE, LIMIT)?;
    server.await_connections(clients, LIMIT)
}

fn wave(server: &mut Server, swarm: &mut Swarm, clients: usize) -> Result<(), String> {
    swarm.connect(server.address, clients, AT_ONCE, LIMIT)?;
    server.await_connections(clients, LIMIT)
}

pub fn refuse_losses(swarm: &Swarm) -> Result<(), String> {
    match swarm.counts.closed {
        0 => Ok(()),
        closed => Err(format!("the server closed {closed} connections")),
    }
}

/// The counters at the start of a round.
struct Meter {
    server: Cpu,
    own: Cpu,
    messages: u64,
    at: Instant,
}

/// What one round took.
struct Round {
    server: Cpu,
    own: Cpu,
    messages: u64,
    elapsed: Duration,
}

impl Meter {
    fn start(server: &Server, swarm: &Swarm) -> Result<Self, String> {
        Ok(Self {
            server: server.cpu()?,
            own: Cpu::of(std::process::id())?,
            messages: swarm.counts.messages,
            at: Instant::now(),
        })
    }

    fn stop(&self, server: &Server, swarm: &Swarm, last: Instant) -> Result<Round, String> {
        Ok(Round {
            server: server.cpu()?.since(self.server),
            own: Cpu::of(std::process::id())?.since(self.own),
            messages: swarm.counts.messages - self.messages,
            elapsed: last.saturating_duration_since(self.at),
        })
    }
}

/// Rounds of the same load. Rates and CPU are medians over the rounds; lag is the worst of all.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    cpu_us: Vec<f64>,
    /// Over all rounds: the kernel's split is too coarse for one.
    user: Duration,
    system: Duration,
    own_share: Vec<f64>,
    emit_total_ms: Vec<f64>,
    emit_mean_us: Vec<f64>,
    lag_ms: f64,
    wanted: u64,
    arrived: u64,
}

impl Rounds {
    fn add(&mut self, round: Round, wanted: u64) {
        let messages = round.messages.max(1) as f64;
        let seconds = round.elapsed.as_secs_f64().max(1e-9);
        self.rates.push(round.messages as f64 / seconds);
        self.cpu_us.push(round.server.total().as_secs_f64() * 1e6 / messages);
        self.user += round.server.user;
        self.system += round.server.system;
        self.own_share.push(round.own.total().as_secs_f64() / seconds);
        self.wanted += wanted;
        self.arrived += round.messages;
    }

    fn emits(&mut self, answer: &Value, calls: u64) {
        if let Some(mean_us) = answer["meanUs"].as_f64() {
            self.emit_mean_us.push(mean_us);
            self.emit_total_ms.push(mean_us * calls as f64 / 1000.0);
        }
    }

    fn report(self, swarm: &Swarm) -> Value {
        let latency_ms = |ns: u64| ns as f64 / 1e6;
        let cpu_us = median(self.cpu_us);
        let total = (self.user + self.system).as_secs_f64().max(1e-9);
        let part_us = |part: Duration| cpu_us.map(|cpu| cpu * part.as_secs_f64() / total);
        json!({
            "messagesPerSecond": median(self.rates),
            "cpuUs": cpu_us,
            "userUs": part_us(self.user),
            "systemUs": part_us(self.system),
            "latencyMs": {
                "p50": latency_ms(swarm.latency.quantile(0.5)),
                "p99": latency_ms(swarm.latency.quantile(0.99)),
                "max": latency_ms(swarm.latency.max()),
            },
            "lagMaxMs": self.lag_ms,
            "emitMeanUs": median(self.emit_mean_us),
            "emitTotalMs": median(self.emit_total_ms),
            "lost": self.wanted.saturating_sub(self.arrived),
            "wanted": self.wanted,
            "loadgenCpuShare": median(self.own_share),
        })
    }
}

pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
