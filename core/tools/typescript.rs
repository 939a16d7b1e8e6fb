//! Writes `node-binding/src-ts/generated/*.ts` from the core's tables, or compares them with `--check`.

use kraken_ws_core::kraken::{CLIENT_EVENTS, EventName, RoomKind, SERVER_EVENTS};
use kraken_ws_core::{ErrorCode, Reason, Refusal};
use std::{error::Error, fmt::Write, fs, path::Path, process::ExitCode};

const HEAD: &str = "// Written from the core's tables by `make generated`; edits are lost.\n";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../node-binding/src-ts/generated");
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => return Err(format!("expected --check or nothing, got {other:?}").into()),
    };
    for (name, text) in [("kraken.ts", kraken()?), ("codes.ts", codes()?)] {
        let file = folder.join(name);
        if !check {
            fs::create_dir_all(&folder)?;
            fs::write(&file, text)?;
        } else if fs::read_to_string(&file).ok().as_ref() != Some(&text) {
            eprintln!(
                "node-binding/src-ts/generated/{name} differs from the core's tables: run `make generated`"
            );
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Events and rooms of the application.
fn kraken() -> Result<String, std::fmt::Error> {
    let mut out = String::from(HEAD);
    events(&mut out, "ServerEvents", "Events that the server sends.", SERVER_EVENTS)?;
    events(&mut out, "ClientEvents", "Events that clients send.", CLIENT_EVENTS)?;
    writeln!(out, "\n/** Names of rooms. */\nexport const rooms = {{")?;
    for kind in RoomKind::ALL {
        writeln!(out, "  /** {} */", kind.about())?;
        // The name is made by the same function that the core's own users call.
        let room = kind.room("${id}");
        writeln!(out, "  {}: (id: string | number) => `{room}` as const,", kind.prefix())?;
    }
    writeln!(out, "}};")?;
    Ok(out)
}

fn events(out: &mut String, name: &str, about: &str, table: &[EventName]) -> std::fmt::Result {
    writeln!(out, "\n/** {about} */\nexport enum {name} {{")?;
    for event in table {
        writeln!(out, "  /** {} */\n  {} = '{}',", event.about, event.constant, event.name)?;
    }
    writeln!(out, "}}")
}

/// Error codes, disconnect reasons, and the engine's refusals.
fn codes() -> Result<String, std::fmt::Error> {
    let mut out = String::from(HEAD);
    writeln!(out, "\n/** `code` of errors that come from the core. */\nexport type CoreErrorCode =")?;
    let codes = ErrorCode::ALL.iter().map(|(_, name)| format!("ERR_KRAKEN_WS_{name}"));
    union(&mut out, codes)?;
    writeln!(out, "\n/** Why a socket ended. `slow consumer` is ours: the client took too little of what")?;
    writeln!(out, " *  waited for it. */\nexport type DisconnectReason =")?;
    union(&mut out, Reason::ALL.iter().map(|reason| reason.as_str().to_owned()))?;
    writeln!(out, "\n/** Codes with which the engine refuses requests. */\nexport const errors = {{")?;
    for refusal in Refusal::ALL {
        writeln!(out, "  {}: {},", refusal.name(), *refusal as u8)?;
    }
    writeln!(out, "}};\n\n/** Messages by code. */\nexport const errorMessages = {{")?;
    for refusal in Refusal::ALL {
        writeln!(out, "  {}: '{}',", *refusal as u8, refusal.message())?;
    }
    writeln!(out, "}};")?;
    Ok(out)
}

fn union(out: &mut String, members: impl Iterator<Item = String>) -> std::fmt::Result {
    let members: Vec<String> = members.map(|member| format!("  | '{member}'")).collect();
    writeln!(out, "{};", members.join("\n"))
}
