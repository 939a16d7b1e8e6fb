//! Writes `node-binding/src-ts/generated/*.ts` from the core's tables, or compares them with `--check`.

use kraken_ws_core::{ErrorCode, Reason};
use std::{error::Error, fmt::Write, fs, path::Path, process::ExitCode};

const HEAD: &str = "// Written from the core's tables by `make generated`; edits are lost.\n";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../node-binding/src-ts/generated");
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => return Err(format!("expected --check or nothing, got {other:?}").into()),
    };
    let files = [("codes.ts", codes()?)];
    for (name, text) in files {
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

/// Error codes and disconnect reasons.
fn codes() -> Result<String, std::fmt::Error> {
    let mut out = String::from(HEAD);
    writeln!(out, "\n/** `code` of errors that come from the core. */\nexport type CoreErrorCode =")?;
    let codes = ErrorCode::ALL.iter().map(|(_, name)| format!("ERR_KRAKEN_WS_{name}"));
    union(&mut out, codes)?;
    writeln!(
        out,
        "\n/** Why a socket ended. `slow consumer` is ours: the client did not read and its outbox"
    )?;
    writeln!(out, " *  passed `maxOutboxBytes`. */\nexport type DisconnectReason =")?;
    union(&mut out, Reason::ALL.iter().map(|reason| reason.as_str().to_owned()))?;
    Ok(out)
}

fn union(out: &mut String, members: impl Iterator<Item = String>) -> std::fmt::Result {
    let members: Vec<String> = members.map(|member| format!("  | '{member}'")).collect();
    writeln!(out, "{};", members.join("\n"))
}
