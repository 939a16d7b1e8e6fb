//! A chat server in Rust: `cargo run --example chat`, then connect any socket.io-client to the URL.
//!
//! Clients emit `joinRoom` with a channel id and `sendMessage` with `{ channelId, text }`; everybody in the
//! channel gets `newMessage`, and the sender's ack gets the message's number.

use std::collections::HashMap;

use kraken_ws_core::{EmitFlags, Event, Options, Server, SocketHandle, Target};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kraken_ws_core::Error> {
    let options = Options::from_json(&json!({ "cors": { "origin": true } }))?;
    let (server, mut events) = Server::new(options)?;
    let port = std::env::var("PORT").ok().and_then(|p| p.parse().ok()).unwrap_or(3000);
    let addr = server.listen_tcp("127.0.0.1", port)?;
    println!("chat: http://{addr}");

    let main = server.namespace("/")?;
    let mut ids: HashMap<SocketHandle, Box<str>> = HashMap::new();
    let mut sent = 0u64;
    let mut batch = Vec::new();
    loop {
        events.recv_many(&mut batch, 256).await;
        for event in batch.drain(..) {
            match event {
                Event::Connect { socket, id, .. } => {
                    println!("{id} connected");
                    ids.insert(socket, id);
                }
                Event::Event { socket, data, ack, .. } => {
                    let packet: Value = serde_json::from_str(&data).unwrap_or_default();
                    match packet[0].as_str() {
                        Some("joinRoom") => {
                            if let Some(channel) = packet[1].as_str() {
                                server.join(socket, &[&format!("channel:{channel}")]);
                            }
                        }
                        Some("sendMessage") => {
                            sent += 1;
                            let room =
                                format!("channel:{}", packet[1]["channelId"].as_str().unwrap_or_default());
                            let message = json!(["newMessage", { "from": ids.get(&socket), "text": packet[1]["text"], "number": sent }]);
                            server.publish(
                                &main,
                                Target::room(room),
                                &message.to_string(),
                                vec![],
                                EmitFlags::default(),
                            )?;
                        }
                        _ => {}
                    }
                    if let Some(id) = ack {
                        server.ack(&main, socket, id, &json!([sent]).to_string(), vec![])?;
                    }
                }
                Event::Disconnect { socket, reason, .. } => {
                    if let Some(id) = ids.remove(&socket) {
                        println!("{id} left: {}", reason.as_str());
                    }
                }
                Event::Closed => return Ok(()),
                _ => {}
            }
        }
    }
}
