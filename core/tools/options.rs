//! What follows from the tables of options: TypeScript's interfaces and lists of names, and tables of the documentation.

use std::collections::BTreeSet;
use std::fmt::{Error, Write};

use kraken_ws_core::options::{Bridge, JAVASCRIPT_OPTIONS, Kind, OPTIONS, OptionSpec, Source};

/// Longest line of TypeScript.
const WIDTH: usize = 118;

const UNITS: &str = "Times are in milliseconds, sizes in bytes.";

/// Interfaces that have some of an option's members, because more than one function takes them.
const PARTS: &[(&str, &str)] = &[
    ("ClusterFormat", "The wire format, which has to be that of the other nodes."),
    ("RedisOptions", "How to reach Redis."),
];

/// `generated/options.ts`.
pub(super) fn typescript(head: &str) -> Result<String, Error> {
    let mut body = String::new();
    for option in with_members() {
        members(&mut body, option)?;
    }
    let rows = OPTIONS.iter().filter(|row| row.hosts.is_empty()).chain(JAVASCRIPT_OPTIONS);
    interface(&mut body, "ServerOptions", &format!("Options of a server. {UNITS}"), rows, false)?;

    let own = names(OPTIONS.iter().filter(|row| row.bridge == Bridge::Own));
    writeln!(body, "\n/** Names of the options that are `bindNative`'s own. */\nexport type BridgeOption =")?;
    writeln!(body, "  | '{}';", own.join("'\n  | '"))?;
    list(&mut body, "The same as a set.", "BRIDGE_OWN: ReadonlySet<string>", "new Set([", &own, "])")?;
    let engine = names(OPTIONS.iter().filter(|row| row.bridge == Bridge::Engine));
    let about = "Options of engine.io that mean the same to the core.";
    list(&mut body, about, "FROM_ENGINE", "[", &engine, "] as const")?;
    let javascript = names(JAVASCRIPT_OPTIONS.iter());
    let about = "Options that the core never sees.";
    list(&mut body, about, "JAVASCRIPT_ONLY: ReadonlySet<string>", "new Set([", &javascript, "])")?;
    Ok(format!("{head}{}{body}", imports()))
}

/// Options that have a table of their own, those inside others first.
pub(super) fn with_members() -> Vec<&'static OptionSpec> {
    fn collect(rows: &'static [OptionSpec], found: &mut Vec<&'static OptionSpec>) {
        for row in rows.iter().filter(|row| !row.members.is_empty()) {
            collect(row.members, found);
            found.push(row);
        }
    }
    let mut found = Vec::new();
    collect(OPTIONS, &mut found);
    assert!(!found.is_empty(), "this build has no tables of members");
    found
}

/// The interface of an option's members, with those of its parts before it.
fn members(out: &mut String, option: &OptionSpec) -> Result<(), Error> {
    let mut parts: Vec<&str> =
        option.members.iter().map(|row| row.part).filter(|part| !part.is_empty()).collect();
    parts.sort_unstable();
    parts.dedup();
    for part in &parts {
        let about = PARTS.iter().find(|(name, _)| name == part).map_or("", |(_, about)| about);
        assert!(!about.is_empty(), "{part} has no line in PARTS");
        interface(
            out,
            part,
            &format!("{about} {UNITS}"),
            option.members.iter().filter(|row| row.part == *part),
            true,
        )?;
    }
    let name = match parts.join(", ") {
        none if none.is_empty() => option.typescript.to_owned(),
        parts => format!("{} extends {parts}", option.typescript),
    };
    let about = format!("The option `{}`: {}. {UNITS}", option.name, option.doc);
    interface(out, &name, &about, option.members.iter().filter(|row| row.part.is_empty()), true)
}

/// Types that rows name: those of Node, and the hand-written ones.
fn imports() -> String {
    let tables = with_members();
    let made: Vec<&str> = tables.iter().map(|option| option.typescript).collect();
    let nested = tables.iter().flat_map(|option| option.members);
    let rows = OPTIONS.iter().chain(nested).chain(JAVASCRIPT_OPTIONS);
    let mut named: BTreeSet<&str> = rows
        .flat_map(|row| row.typescript.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| word.starts_with(|c: char| c.is_uppercase()))
        .filter(|word| !["Buffer", "Partial"].contains(word) && !made.contains(word))
        .collect();
    let node = if named.remove("IncomingMessage") {
        "import type { IncomingMessage } from 'node:http';\n"
    } else {
        ""
    };
    let named: Vec<_> = named.into_iter().map(|name| format!("  {name},\n")).collect();
    format!("{node}import type {{\n{}}} from '../shapes/options';\n", named.concat())
}

fn names<'a>(rows: impl Iterator<Item = &'a OptionSpec>) -> Vec<&'static str> {
    rows.map(|row| row.name).collect()
}

fn list(
    out: &mut String,
    about: &str,
    name: &str,
    open: &str,
    names: &[&str],
    end: &str,
) -> Result<(), Error> {
    writeln!(out, "\n/** {about} */\nexport const {name} = {open}")?;
    for name in names {
        writeln!(out, "  '{name}',")?;
    }
    writeln!(out, "{end};")
}

/// An interface; with `optional` its members may be left out, but for required ones.
fn interface<'a>(
    out: &mut String,
    name: &str,
    about: &str,
    members: impl Iterator<Item = &'a OptionSpec>,
    optional: bool,
) -> Result<(), Error> {
    writeln!(out)?;
    comment(out, "", about)?;
    writeln!(out, "export interface {name} {{")?;
    for row in members {
        comment(out, "  ", &sentences(row))?;
        let mark = if optional && !row.required { "?" } else { "" };
        writeln!(out, "  {}{mark}: {};", row.name, type_of(row))?;
    }
    writeln!(out, "}}")
}

/// A comment, on one line if it fits.
fn comment(out: &mut String, indent: &str, text: &str) -> Result<(), Error> {
    if indent.len() + text.chars().count() + "/**  */".len() <= WIDTH {
        return writeln!(out, "{indent}/** {text} */");
    }
    writeln!(out, "{indent}/**")?;
    let mut line = String::new();
    for word in text.split(' ') {
        if indent.len() + line.chars().count() + word.chars().count() + " * ".len() > WIDTH {
            writeln!(out, "{indent} *{line}")?;
            line.clear();
        }
        write!(line, " {word}")?;
    }
    writeln!(out, "{indent} *{line}\n{indent} */")
}

/// What a member is for, its default and its range.
fn sentences(row: &OptionSpec) -> String {
    let mut letters = row.doc.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let mut text: String = first.chain(letters).collect();
    text.push('.');
    if !row.node.is_empty() {
        text = format!("{text} {}", row.node);
    }
    let (least, most, default): (_, _, &dyn Fn(u64) -> String) = match row.kind {
        _ if row.required => return text,
        Kind::Millis(least, most, _) | Kind::Count(least, most, _) => (least, most, &|n| n.to_string()),
        Kind::Bytes(least, most, _) => (least, most, &size),
        _ => return format!("{text} Default {}.", default_in(row, "TypeScript")),
    };
    let (Kind::Millis(_, _, it) | Kind::Count(_, _, it) | Kind::Bytes(_, _, it)) = row.kind else {
        unreachable!("a number, as above")
    };
    format!("{text} Default {}, from {} to {}.", default(it), default(least), default(most))
}

/// `16 MiB`.
fn size(bytes: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = units.iter().find(|(_, bits)| bytes > 0 && bytes.trailing_zeros() >= *bits);
    unit.map_or_else(|| bytes.to_string(), |(name, bits)| format!("{} {name}", bytes >> bits))
}

fn type_of(row: &OptionSpec) -> String {
    let union = |words: &[&str]| format!("'{}'", words.join("' | '"));
    match row.kind {
        _ if !row.typescript.is_empty() => row.typescript.to_owned(),
        Kind::Bool(_) => "boolean".to_owned(),
        Kind::Millis(..) | Kind::Bytes(..) | Kind::Count(..) => "number".to_owned(),
        Kind::Text(_) => "string".to_owned(),
        Kind::Word(words) => union(words),
        Kind::Words(words) => format!("({})[]", union(words)),
        Kind::Compression(..) => "boolean | { threshold?: number; [option: string]: unknown }".to_owned(),
        Kind::Shape(_) => panic!("{}: a shape needs the note `typescript`", row.name),
    }
}

/// The default; where hosts have different ones, `host` has its own.
fn default_in(row: &OptionSpec, host: &str) -> String {
    match row.kind {
        // "`false`; C: `true`"
        _ if !row.default.is_empty() && host == "TypeScript" => {
            row.default.split(';').next().unwrap_or_default().to_owned()
        }
        _ if !row.default.is_empty() => row.default.to_owned(),
        _ if row.required => "required".to_owned(),
        Kind::Bool(on) | Kind::Compression(on, _) => format!("`{on}`"),
        Kind::Millis(_, _, it) | Kind::Bytes(_, _, it) | Kind::Count(_, _, it) => it.to_string(),
        Kind::Text("") | Kind::Shape(_) => "none".to_owned(),
        Kind::Text(text) | Kind::Word(&[text, ..]) => format!("`{text}`"),
        Kind::Word(_) | Kind::Words(_) => "all".to_owned(),
    }
}

fn range(row: &OptionSpec) -> String {
    let quoted = |words: &[&str]| format!("`{}`", words.join("`, `"));
    match row.kind {
        _ if !row.range.is_empty() => row.range.to_owned(),
        Kind::Bool(_) | Kind::Text(_) => String::new(),
        Kind::Millis(least, most, _) | Kind::Bytes(least, most, _) | Kind::Count(least, most, _) => {
            format!("{least} – {most}")
        }
        Kind::Word(words) | Kind::Words(words) => quoted(words),
        Kind::Compression(..) => "`true`, `false`, `{ threshold }`".to_owned(),
        Kind::Shape(text) => text.to_owned(),
    }
}

fn range_cell(row: &OptionSpec) -> String {
    let text = range(row);
    if text.is_empty() { " ".to_owned() } else { format!(" {text} ") }
}

fn meaning(row: &OptionSpec) -> String {
    match row.kind {
        Kind::Compression(_, threshold) => format!("{}; threshold {threshold}{}", row.doc, row.more),
        _ => format!("{}{}", row.doc, row.more),
    }
}

/// Whose option it is, behind its name.
fn label(row: &OptionSpec) -> String {
    match (row.hosts, row.source) {
        ("", Source::SocketIo) => String::new(),
        ("", _) => " (ours)".to_owned(),
        (hosts, _) => format!(" ({hosts})"),
    }
}

/// The table of the core's options.
pub(super) fn rows() -> Result<String, Error> {
    let mut out = String::from("| option | default | range | meaning |\n|---|---|---|---|\n");
    for row in OPTIONS {
        let (label, default) = (label(row), default_in(row, "documentation"));
        writeln!(out, "| `{}`{label} | {default} |{}| {} |", row.name, range_cell(row), meaning(row))?;
    }
    Ok(out)
}

/// The table of options that only JavaScript reads.
pub(super) fn javascript_rows() -> Result<String, Error> {
    let mut out = String::from("| option | default | meaning |\n|---|---|---|\n");
    for row in JAVASCRIPT_OPTIONS {
        let (label, default) = (label(row), default_in(row, "documentation"));
        writeln!(out, "| `{}`{label} | {default} | {} |", row.name, meaning(row))?;
    }
    Ok(out)
}

/// The table of an option's members.
pub(super) fn member_rows(option: &OptionSpec) -> Result<String, Error> {
    let mut out = format!("| `{}: {{ … }}` | default | range | meaning |\n|---|---|---|---|\n", option.name);
    for row in option.members {
        let default = default_in(row, "documentation");
        writeln!(out, "| `{}` | {default} |{}| {} |", row.name, range_cell(row), meaning(row))?;
    }
    Ok(out)
}

/// The options that are `bindNative`'s own, as part of a sentence.
pub(super) fn bridge_names() -> String {
    let own = names(OPTIONS.iter().filter(|row| row.bridge == Bridge::Own));
    let (last, rest) = own.split_last().expect("the bridge has options");
    format!("`{}` and `{last}`", rest.join("`, `"))
}
