//! How plain values are read from a JSON object, by the table of its names.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::options::rows::{Kind, OptionSpec};
use crate::options::{Compression, HAS_COMPRESSION};
use crate::types::error::{Error, ErrorCode, Result};

/// The error for an invalid option; all options share its form.
pub(crate) fn refuse(path: &str, expected: &str, got: &Value) -> Error {
    let mut shown = got.to_string();
    if shown.len() > 80 {
        shown = format!("{}…", shown.chars().take(79).collect::<String>());
    }
    Error::new(ErrorCode::Option, format!("{path}: expected {expected}, got {shown}"))
}

/// `a, b or c`, for error messages.
pub(crate) fn listed(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// The given values by name; `null` means absent.
pub(crate) struct Given<'a> {
    /// The option that has these values as members; empty at the top.
    path: &'static str,
    table: &'static [OptionSpec],
    map: Option<&'a Map<String, Value>>,
}

impl<'a> Given<'a> {
    pub(crate) fn new(
        path: &'static str,
        table: &'static [OptionSpec],
        map: Option<&'a Map<String, Value>>,
    ) -> Self {
        Self { path, table, map }
    }

    /// Everything given that is not `null`.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let given = self.map.into_iter().flatten();
        given.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.as_str(), value))
    }

    /// The names that no row has, with their values.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let table = self.table;
        self.all().filter(move |(name, _)| !table.iter().any(|row| row.name == *name))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.and_then(|map| map.get(name)).filter(|value| !value.is_null())
    }

    /// The error for a value of this object.
    pub(crate) fn refuse(&self, name: &str, expected: &str, got: &Value) -> Error {
        match self.path {
            "" => refuse(name, expected, got),
            path => refuse(&format!("{path}.{name}"), expected, got),
        }
    }

    /// Refuses a name that no row has.
    pub(crate) fn only_known(&self) -> Result<()> {
        let Some((name, value)) = self.unknown().next() else { return Ok(()) };
        let names: Vec<_> = self.table.iter().map(|row| row.name).collect();
        Err(self.refuse(name, &listed(&names), value))
    }

    fn kind(&self, name: &str) -> Kind {
        let row = self.table.iter().find(|row| row.name == name);
        row.expect("only names of the table are asked for").kind
    }

    fn number(&self, name: &str) -> Result<u64> {
        let (unit, least, most, default) = match self.kind(name) {
            Kind::Millis(a, b, d) => ("a number of milliseconds", a, b, d),
            Kind::Bytes(a, b, d) => ("a number of bytes", a, b, d),
            Kind::Count(a, b, d) => ("a whole number", a, b, d),
            _ => unreachable!("{name} is not a number in the table"),
        };
        let Some(value) = self.get(name) else { return Ok(default) };
        let whole = value.as_f64().filter(|f| f.fract() == 0.0 && *f >= least as f64 && *f <= most as f64);
        let expected = format!("{unit} from {least} to {most}");
        whole.map(|f| f as u64).ok_or_else(|| self.refuse(name, &expected, value))
    }

    /// Text that is not empty.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(other) => Err(self.refuse(name, "text", other)),
        }
    }

    /// One of these words; the first is the default.
    pub(crate) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<T> {
        let Some(value) = self.get(name) else { return Ok(words[0].1) };
        let found = words.iter().find(|(word, _)| value.as_str() == Some(word));
        let quoted: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        found.map(|(_, it)| *it).ok_or_else(|| self.refuse(name, &quoted.join(" or "), value))
    }
}

/// A type that a plain kind of option is read as.
pub(crate) trait Plain: Sized {
    /// The value of that name, or its default.
    fn read(given: &Given<'_>, name: &str) -> Result<Self>;
}

impl Plain for bool {
    fn read(given: &Given<'_>, name: &str) -> Result<Self> {
        let Kind::Bool(default) = given.kind(name) else { unreachable!("{name} is not a bool in the table") };
        match given.get(name) {
            None => Ok(default),
            Some(Value::Bool(b)) => Ok(*b),
            Some(other) => Err(given.refuse(name, "true or false", other)),
        }
    }
}

impl Plain for Duration {
    fn read(given: &Given<'_>, name: &str) -> Result<Self> {
        given.number(name).map(Duration::from_millis)
    }
}

impl Plain for usize {
    fn read(given: &Given<'_>, name: &str) -> Result<Self> {
        given.number(name).map(|n| n as usize)
    }
}

impl Plain for u32 {
    fn read(given: &Given<'_>, name: &str) -> Result<Self> {
        given.number(name).map(|n| n as u32)
    }
}

impl Plain for String {
    fn read(given: &Given<'_>, name: &str) -> Result<Self> {
        let Kind::Text(default) = given.kind(name) else { unreachable!("{name} is not text in the table") };
        Ok(given.text(name)?.unwrap_or(default).to_owned())
    }
}

impl Plain for Option<String> {
    fn read(given: &Given<'_>, name: &str) -> Result<Self> {
        Ok(given.text(name)?.map(str::to_owned))
    }
}

impl Plain for Option<Compression> {
    fn read(given: &Given<'_>, name: &str) -> Result<Self> {
        let Kind::Compression(on, threshold) = given.kind(name) else { unreachable!("{name}") };
        let on = on && HAS_COMPRESSION;
        let default = Compression { threshold: threshold as usize };
        match given.get(name) {
            None => Ok(on.then_some(default)),
            Some(Value::Bool(on)) => Ok(on.then_some(default)),
            Some(Value::Object(map)) => match map.get("threshold") {
                None | Some(Value::Null) => Ok(Some(default)),
                Some(value) => value
                    .as_u64()
                    .map(|n| Some(Compression { threshold: n as usize }))
                    .ok_or_else(|| refuse(&format!("{name}.threshold"), "a number of bytes from 0", value)),
            },
            Some(other) => Err(given.refuse(name, "true, false or { threshold }", other)),
        }
    }
}
