//! Writes `include/kraken_ws.h` and `ffi/symbols.txt` from this crate and the core's tables, or compares them
//! with `--check`.

use std::{
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use kraken_ws_core::kraken::{CLIENT_EVENTS, EventName, RoomKind, SERVER_EVENTS};
use kraken_ws_core::{ErrorCode, Reason};
use kraken_ws_ffi::api::{FUNCTIONS, KRAKEN_WS_ABI_VERSION};

const CONTRACT: &str = include_str!("contract.txt");
const HELPERS: &str = include_str!("helpers.h");

/// The types that hosts see as pointers only.
const HANDLES: &[&str] = &["options", "server", "event", "socket_list", "room_list", "emitter", "module"];

/// The one function that takes a handle first and is not named after it: it goes with `kraken_ws_send_to_room` and
/// `kraken_ws_send_to_all`.
const NOT_OF_ITS_HANDLE: &str = "kraken_ws_set_server";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<ExitCode> {
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => return Err(format!("expected --check or nothing, got {other:?}").into()),
    };
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut symbols: Vec<&str> = FUNCTIONS.iter().copied().chain(["kraken_ws_get_api"]).collect();
    symbols.sort_unstable();
    for (file, text) in
        [("../include/kraken_ws.h", header(crate_dir)?), ("symbols.txt", symbols.join("\n") + "\n")]
    {
        let path = crate_dir.join(file);
        if !check {
            fs::write(&path, text)?;
        } else if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            eprintln!("ffi/{file} differs from what ffi/src and core generate: run `make header`");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn header(crate_dir: &Path) -> Result<String> {
    let mut config = cbindgen::Config::from_file(crate_dir.join("cbindgen.toml"))?;
    config.header = Some(format!("/* SPDX-License-Identifier: MIT */\n{}", CONTRACT.trim_end()));
    config.after_includes = Some(constants(crate_dir)?);
    let sources = sources(&crate_dir.join("src"))?;
    let bindings = cbindgen::Builder::new().with_config(config).with_src(sources.join("lib.rs")).generate();
    fs::remove_dir_all(&sources)?;
    let mut generated = Vec::new();
    bindings?.write(&mut generated);
    let generated = String::from_utf8(generated)?;

    // The table and the helpers stand with the functions, inside `extern "C"`.
    let end = generated.rfind("\n#ifdef __cplusplus\n}").ok_or("cbindgen's extern \"C\" has no end")?;
    let (functions, tail) = generated.split_at(end);
    check_names(functions)?;
    Ok(format!("{functions}{}\n\n{}\n{tail}", table(functions)?, HELPERS.trim_end()))
}

/// The sources as they are with the feature `symbols`, in a folder of their own: cbindgen looks for `no_mangle` and
/// does not read `cfg_attr`.
fn sources(from: &Path) -> Result<PathBuf> {
    let to = std::env::temp_dir().join(format!("kraken-ws-header-{}", std::process::id()));
    for_each_source(from, &mut |path, text| {
        let copy = to.join(path.strip_prefix(from)?);
        fs::create_dir_all(copy.parent().unwrap_or(&to))?;
        let text =
            text.replace("#[cfg_attr(feature = \"symbols\", unsafe(no_mangle))]", "#[unsafe(no_mangle)]");
        Ok(fs::write(copy, text)?)
    })?;
    Ok(to)
}

/// Calls `act` with each source of a folder and its text.
fn for_each_source(folder: &Path, act: &mut dyn FnMut(&Path, String) -> Result<()>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            for_each_source(&path, act)?;
        } else {
            act(&path, fs::read_to_string(&path)?)?;
        }
    }
    Ok(())
}

fn constants(crate_dir: &Path) -> Result<String> {
    let mut out = String::new();
    let version = env!("CARGO_PKG_VERSION");
    let mut parts = version.split('.');
    writeln!(out, "/** Version of this header; `kraken_ws_version` is the library's. */")?;
    writeln!(out, "#define KRAKEN_WS_VERSION \"{version}\"")?;
    for (name, about) in [("MAJOR", "first"), ("MINOR", "second"), ("PATCH", "third")] {
        let number = parts.next().unwrap_or("0");
        writeln!(out, "/** Its {about} number. */\n#define KRAKEN_WS_VERSION_{name} {number}")?;
    }
    writeln!(
        out,
        "\n/** Statuses: see `kraken_ws_status`. */\nenum {{\n  /** Done. */\n  KRAKEN_WS_OK = 0,"
    )?;
    for (code, name) in ErrorCode::ALL {
        let number = *code as u16;
        let about = code.about();
        writeln!(out, "  /** {about} */\n  KRAKEN_WS_ERROR_{name} = {number},")?;
    }
    writeln!(out, "}};\n\n/** Why a socket ended: see `kraken_ws_event_reason`. */\nenum {{")?;
    for reason in Reason::ALL {
        let number = *reason as u8;
        let about = reason.about();
        let name = reason.as_str().replace(' ', "_").to_uppercase();
        writeln!(out, "  /** {about} */\n  KRAKEN_WS_REASON_{name} = {number},")?;
    }
    writeln!(out, "}};")?;
    let mut events = |title: &str, prefix: &str, events: &[EventName]| -> Result<()> {
        writeln!(out, "\n/* {title} */")?;
        for event in events {
            let EventName { constant, name, about, .. } = event;
            writeln!(out, "/** {about} */\n#define KRAKEN_WS_{prefix}_{constant} \"{name}\"")?;
        }
        Ok(())
    };
    events("Events of the Kraken application that clients send.", "CLIENT_EVENT", CLIENT_EVENTS)?;
    events("Events of the Kraken application that the server sends.", "SERVER_EVENT", SERVER_EVENTS)?;
    writeln!(out, "\n/* What the names of its rooms begin with; see kraken_ws_room. */")?;
    for kind in RoomKind::ALL {
        let name = kind.prefix().to_uppercase();
        writeln!(out, "/** {} */\n#define KRAKEN_WS_ROOM_{name} \"{}\"", kind.about(), kind.room(""))?;
    }
    let mut all = String::new();
    for_each_source(&crate_dir.join("src"), &mut |_, text| {
        all.push_str(&text);
        Ok(())
    })?;
    let about = docs(&all);
    for handle in HANDLES {
        let name = format!("kraken_ws_{handle}");
        let about = about(&format!("pub struct {name} {{"))?;
        writeln!(out, "\n/** {about} */\ntypedef struct {name} {name};")?;
    }
    writeln!(out, "\n/** All functions as one table: see `kraken_ws_get_api`. */")?;
    write!(out, "typedef struct kraken_ws_api kraken_ws_api;")?;
    Ok(out)
}

/// Looks up the documentation of a variant in the source that declares it.
fn docs(source: &str) -> impl Fn(&str) -> Result<String> + use<> {
    let lines: Vec<String> = source.lines().map(|line| line.trim().to_owned()).collect();
    move |variant| {
        let at = lines.iter().position(|l| l == variant).ok_or(format!("no {variant} in the source"))?;
        // Attributes may stand between the comment and what it is about.
        let at = lines[..at].iter().rposition(|l| !l.starts_with("#[")).map_or(0, |i| i + 1);
        let start = lines[..at].iter().rposition(|l| !l.starts_with("///")).map_or(0, |i| i + 1);
        if start == at {
            return Err(format!("{variant} has no comment").into());
        }
        let text: Vec<&str> = lines[start..at].iter().map(|l| l.trim_start_matches("///").trim()).collect();
        Ok(text.join(" "))
    }
}

/// The table's struct: each prototype as a pointer, in the order of the table.
fn table(functions: &str) -> Result<String> {
    let mut out = format!(
        "\n/** All functions, each as in its prototype, without the prefix. New ones are added at the end. */\n\
         struct kraken_ws_api {{\n  /** Bytes of the whole table. */\n  size_t size;\n  \
         /** {KRAKEN_WS_ABI_VERSION}. */\n  uint32_t abi_version;\n  /** 0. */\n  uint32_t reserved;\n"
    );
    for name in FUNCTIONS {
        let (returns, parameters) = prototype(functions, name)?;
        let short = name.trim_start_matches("kraken_ws_");
        writeln!(out, "  /** `{name}`. */\n  {returns}(*{short})({parameters});")?;
    }
    Ok(out + "};")
}

/// What a function returns, and its parameters on one line.
fn prototype<'h>(functions: &'h str, name: &str) -> Result<(&'h str, String)> {
    let call = format!("{name}(");
    let (line, at) = functions
        .match_indices(&call)
        .map(|(at, _)| (functions[..at].rfind('\n').map_or(0, |line| line + 1), at))
        .find(|(line, _)| !functions[*line..].starts_with([' ', '/']))
        .ok_or(format!("{name} is in the table but not in the header"))?;
    let from = at + call.len();
    let len = functions[from..].find(");").ok_or("a prototype has no end")?;
    let parameters = functions[from..from + len].split_whitespace().collect::<Vec<_>>().join(" ");
    Ok((&functions[line..at], parameters))
}

/// A function is named after the handle that it takes first, and only then: `kraken_ws_server_close(server, …)`.
/// `kraken_ws_…_new` makes the handle. A Rust name that begins with the handle's word does not repeat it:
/// `kraken_ws_server_server_side_emit` reads as a slip.
fn check_names(functions: &str) -> Result<()> {
    for name in FUNCTIONS {
        let (_, parameters) = prototype(functions, name)?;
        let first = parameters.trim_start_matches("const ");
        for handle in HANDLES {
            let made = *name == format!("kraken_ws_{handle}_new");
            let named = name.starts_with(&format!("kraken_ws_{handle}_"));
            if name.starts_with(&format!("kraken_ws_{handle}_{handle}_")) {
                return Err(format!("{name} says {handle} twice").into());
            }
            let takes = first.starts_with(&format!("kraken_ws_{handle} *"));
            if takes && !named && !name.ends_with("_new") && *name != NOT_OF_ITS_HANDLE {
                return Err(
                    format!("{name} takes kraken_ws_{handle} first: name it kraken_ws_{handle}_…").into()
                );
            }
            if named && !takes && !made {
                return Err(format!(
                    "{name} reads as a function of kraken_ws_{handle}, and takes none first"
                )
                .into());
            }
        }
    }
    Ok(())
}
