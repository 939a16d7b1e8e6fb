//! Writes what follows from the tables of the core and the addon, or compares it with `--check`: TypeScript in
//! `node-binding/src-ts/generated`, C's structs of figures, and the tables of `docs`.

use kraken_ws_core::kraken::{CLIENT_EVENTS, EventName, RoomKind, SERVER_EVENTS};
use kraken_ws_core::reason::{Ends, Layer, Recovery};
use kraken_ws_core::{CLUSTER_FIGURES, ErrorCode, FIGURES, Figure, FigureKind, Hooks, Reason, Refusal};
use std::{error::Error, fmt::Write, fs, path::Path, process::ExitCode};

#[path = "../../node-binding/src/parts/wire.rs"]
#[allow(unreachable_pub)] // another crate has this file as well
mod wire;

mod options;

const HEAD: &str = "// Written from tables in Rust by `make generated`; edits are lost.\n";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => return Err(format!("expected --check or nothing, got {other:?}").into()),
    };
    let structs = "ffi/src/calls/figures.rs";
    let mut files = vec![
        ("node-binding/src-ts/generated/kraken.ts", kraken()?),
        ("node-binding/src-ts/generated/codes.ts", codes()?),
        ("node-binding/src-ts/generated/figures.ts", figures()?),
        ("node-binding/src-ts/generated/options.ts", options::typescript(HEAD)?),
        ("node-binding/src-ts/generated/wire.ts", wire_numbers()?),
        (structs, c_figures(&fs::read_to_string(root.join(structs)).unwrap_or_default())?),
    ];
    let mut tables = vec![
        ("docs/figures.md", "server", rows(FIGURES)?),
        ("docs/figures.md", "cluster", rows(CLUSTER_FIGURES)?),
        ("docs/options.md", "options", options::rows()?),
        ("docs/options.md", "javascript", options::javascript_rows()?),
        ("docs/options.md", "hooks", hooks()),
        ("docs/bridge.md", "own", options::bridge_names()),
        ("docs/errors.md", "errors", errors()),
    ];
    for option in options::with_members() {
        tables.push((option.page, option.name, options::member_rows(option)?));
    }
    for (name, table, text) in tables {
        if !files.iter().any(|(file, _)| *file == name) {
            files.push((name, fs::read_to_string(root.join(name))?));
        }
        let (_, page) = files.iter_mut().find(|(file, _)| *file == name).expect("it was put there");
        replace(page, table, &text).map_err(|e| format!("{name}: {e}"))?;
    }
    for (name, text) in files {
        let file = root.join(name);
        if !check {
            fs::write(&file, text)?;
        } else if fs::read_to_string(&file).ok().as_ref() != Some(&text) {
            eprintln!("{name} differs from the tables: run `make generated`");
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
    writeln!(
        out,
        "\n/** Why a socket ended. Beside socket.io's words stand ours: `slow consumer`, a client that took too little of what"
    )?;
    writeln!(out, " *  waited for it. */\nexport type DisconnectReason =")?;
    union(&mut out, Reason::ALL.iter().map(|reason| reason.as_str().to_owned()))?;
    let reasons = |is: &dyn Fn(&Reason) -> bool| -> String {
        let names: Vec<_> =
            Reason::ALL.iter().filter(|reason| is(reason)).map(|r| format!("  '{}',", r.as_str())).collect();
        format!("new Set([\n{}\n])", names.join("\n"))
    };
    let set = "ReadonlySet<DisconnectReason>";
    writeln!(out, "\n/** Reasons after which a client may come back to its socket. */")?;
    writeln!(out, "export const RECOVERABLE: {set} = {};", reasons(&|r| r.recovery() == Recovery::Possible))?;
    writeln!(out, "\n/** Reasons that end one socket; with all others the connection is gone. */")?;
    writeln!(out, "export const ENDS_SOCKET: {set} = {};", reasons(&|r| r.ends() == Ends::Socket))?;
    writeln!(out, "\n/** Socket.IO's own reasons: engine.io calls them all `forced close`. */")?;
    writeln!(out, "export const OF_SOCKET_IO: {set} = {};", reasons(&|r| r.layer() == Layer::SocketIo))?;
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

/// `messages_out` is `messagesOut`.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(1);
        out += &first.to_uppercase();
        out += rest;
    }
    out
}

/// Figures for TypeScript: the addon gives values in the order of the table.
fn figures() -> Result<String, std::fmt::Error> {
    let mut out = String::from(HEAD);
    for (name, about, read, table) in [
        ("ServerFigures", "Figures of a server.", "serverFigures", FIGURES),
        ("ClusterFigures", "Figures of a server's part in its fleet.", "clusterFigures", CLUSTER_FIGURES),
    ] {
        writeln!(out, "\n/** {about} */\nexport interface {name} {{")?;
        for figure in table {
            writeln!(out, "  /** {} */\n  {}: number;", figure.about, camel(figure.name))?;
        }
        writeln!(out, "}}\n\n/** The figures behind the addon's values; a value that is missing is 0. */")?;
        writeln!(out, "export function {read}(values: readonly number[]): {name} {{\n  return {{")?;
        for (at, figure) in table.iter().enumerate() {
            writeln!(out, "    {}: values[{at}] ?? 0,", camel(figure.name))?;
        }
        writeln!(out, "  }};\n}}")?;
    }
    Ok(out)
}

/// Figures for C. The order of the structs as they are stays, and figures that are new go to their ends: a host that was
/// built with an older header reads what it knows.
fn c_figures(before: &str) -> Result<String, std::fmt::Error> {
    let mut out = String::from(HEAD);
    let uses = "use kraken_ws_core::{ClusterStats, Stats};";
    writeln!(out, "\n//! Structs of figures, and how they are filled.\n\n{uses}")?;
    for (name, of, source, table) in [
        ("kraken_ws_stats", "Figures of a server at one moment.", "Stats", FIGURES),
        (
            "kraken_ws_cluster_stats",
            "Figures of a node of a fleet, or of an emitter.",
            "ClusterStats",
            CLUSTER_FIGURES,
        ),
    ] {
        writeln!(out, "\n/// {of} Set `size` to `sizeof({name})` before the call; a version that")?;
        writeln!(out, "/// knows fewer members leaves the others as they are.")?;
        writeln!(out, "#[repr(C)]\n#[derive(Clone, Copy)]\npub struct {name} {{")?;
        writeln!(out, "    /// `sizeof({name})`.\n    pub size: usize,")?;
        let known = before.split_once(&format!("pub struct {name} {{")).map_or("", |(_, rest)| rest);
        let known = known.split_once('}').map_or("", |(fields, _)| fields);
        let mut rows: Vec<_> = table.iter().enumerate().collect();
        rows.sort_by_key(|(at, figure)| {
            (known.find(&format!("pub {}: u64", figure.name)).unwrap_or(usize::MAX), *at)
        });
        for (_, figure) in &rows {
            writeln!(out, "    /// {}\n    pub {}: u64,", figure.about, figure.name)?;
        }
        writeln!(out, "}}\n\nimpl {name} {{")?;
        writeln!(out, "    pub(super) fn of(size: usize, stats: &{source}) -> Self {{")?;
        writeln!(out, "        let values = stats.values();\n        Self {{\n            size,")?;
        for (at, figure) in &rows {
            writeln!(out, "            {}: values[{at}],", figure.name)?;
        }
        writeln!(out, "        }}\n    }}\n}}")?;
    }
    Ok(out)
}

/// The table of errors.
fn errors() -> String {
    let mut out = String::from("| number | name | when |\n|---|---|---|\n");
    for (code, name) in ErrorCode::ALL {
        out += &format!("| {} | `{name}` | {} |\n", *code as u16, code.about());
    }
    out
}

/// The table of hooks that the option knows.
fn hooks() -> String {
    let mut out = String::from("| hook | C, on polling | what it asks for |\n|---|---|---|\n");
    for (hook, name, about) in Hooks::named() {
        let polling = if Hooks::OF_POLLING.contains(hook) { " yes " } else { " " };
        out += &format!("| `{name}` |{polling}| {about} |\n");
    }
    out
}

/// Replaces what stands between `<!-- name -->` and `<!-- /name -->`.
fn replace(page: &mut String, name: &str, text: &str) -> Result<(), Box<dyn Error>> {
    let (start, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let mut from = page.find(&start).ok_or(format!("it is without {start}"))? + start.len();
    from += usize::from(page[from..].starts_with('\n'));
    let to = from + page[from..].find(&end).ok_or(format!("it is without {end}"))?;
    page.replace_range(from..to, text);
    Ok(())
}

fn rows(table: &[Figure]) -> Result<String, std::fmt::Error> {
    let mut out = String::from("| Node | C, Rust | kind | what it says |\n|---|---|---|---|\n");
    for figure in table {
        let kind = match figure.kind {
            FigureKind::Counter => "counter",
            _ => "gauge",
        };
        writeln!(out, "| `{}` | `{}` | {kind} | {} |", camel(figure.name), figure.name, figure.about)?;
    }
    Ok(out)
}

/// Numbers that cross between the addon and TypeScript.
fn wire_numbers() -> Result<String, std::fmt::Error> {
    let mut out = String::from(HEAD);
    for (name, about, table) in wire::KINDS {
        let mut numbers: Vec<_> = table.iter().map(|(_, number, _)| number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), table.len(), "{name}: a number has one meaning");
        writeln!(out, "\n/** {about} */\nexport const enum {name} {{")?;
        for (name, number, about) in *table {
            writeln!(out, "  /** {} */\n  {name} = {number},", about.trim())?;
        }
        writeln!(out, "}}")?;
    }
    writeln!(out, "\n/** Hooks: what the core asks or tells the host beyond what it always does. */")?;
    writeln!(out, "export const enum Hook {{")?;
    for (name, hook) in Hooks::all().iter_names() {
        writeln!(out, "  {name} = {},", hook.bits())?;
    }
    writeln!(out, "}}")?;
    let (prefix, _, table) = wire::lane::TABLE;
    for (name, number, about) in table {
        writeln!(out, "\n/** {} */\nexport const {prefix}_{name} = {number};", about.trim())?;
    }
    Ok(out)
}
