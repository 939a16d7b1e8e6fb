//! A host that sends every message back as it came: what the cases of Autobahn's test suite talk to.
//! Prints the port it listens on, and ends when its standard input does.

use std::io::Read;

use kraken_ws_core::{EmitFlags, Event, Options, RawMessage, Server};
use kraken_ws_tests::ECHO_OPTIONS;

const SHRINK: EmitFlags = EmitFlags::new();

fn main() {
    let mut options = Options::from_json(&serde_json::from_str(ECHO_OPTIONS).unwrap()).unwrap();
    options.raw = true;
    let (server, mut events) = Server::new(options).unwrap();
    println!("{}", server.listen_tcp("127.0.0.1", 0).unwrap().port());
    let closing = server.clone();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        closing.close();
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut batch = Vec::new();
        while events.recv_many(&mut batch, 256).await > 0 {
            for event in batch.drain(..) {
                match event {
                    Event::Message { conn, message: RawMessage::Text(text) } => {
                        server.raw_send_text(conn, &text, SHRINK, false).unwrap();
                    }
                    Event::Message { conn, message: RawMessage::Binary(bytes) } => {
                        server.raw_send_binary(conn, &bytes, SHRINK, false).unwrap();
                    }
                    Event::Closed => return,
                    _ => {}
                }
            }
        }
    });
}
