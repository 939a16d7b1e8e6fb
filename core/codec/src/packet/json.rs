//! A tokenizer for JSON text that builds no tree and never recurses.
//!
//! The text must be well-formed: [`super::parse`] has checked it with serde_json, or a host's `JSON.stringify` has
//! produced it. On other text it still terminates without a panic, but the results have no meaning.

use std::borrow::Cow;

/// One token; commas and colons are skipped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token<'a> {
    /// `{`
    ObjectStart,
    /// `}`
    ObjectEnd,
    /// `[`
    ArrayStart,
    /// `]`
    ArrayEnd,
    /// A string or a key, without its quotes and with its escapes; see [`unescape`].
    String(&'a str),
    /// A number.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// `null`
    Null,
}

/// Iterates over the tokens of a text.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    /// Starts at the beginning of `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn string(&mut self) -> &'a str {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut end = start;
        while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(end..).unwrap_or(&[])) {
            end += found;
            if bytes[end] == b'"' {
                self.at = end + 1;
                return &self.text[start..end];
            }
            end += 2;
        }
        self.at = bytes.len();
        &self.text[start..]
    }

    /// Skips the rest of a container whose start was the last token; calls `on_start` for each container inside.
    pub fn skip_container(&mut self, on_start: &mut dyn FnMut()) {
        let mut depth = 1;
        while depth > 0 {
            match self.next() {
                Some(Token::ObjectStart | Token::ArrayStart) => {
                    on_start();
                    depth += 1;
                }
                Some(Token::ObjectEnd | Token::ArrayEnd) => depth -= 1,
                Some(_) => {}
                None => break,
            }
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let bytes = self.text.as_bytes();
        let blank = |b: &u8| matches!(b, b' ' | b'\n' | b'\r' | b'\t' | b',' | b':');
        while bytes.get(self.at).is_some_and(blank) {
            self.at += 1;
        }
        let start = self.at;
        let byte = *bytes.get(start)?;
        self.at += 1;
        Some(match byte {
            b'{' => Token::ObjectStart,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayStart,
            b']' => Token::ArrayEnd,
            b'"' => Token::String(self.string()),
            _ => {
                let more = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
                while bytes.get(self.at).is_some_and(more) {
                    self.at += 1;
                }
                match byte {
                    b't' => Token::Bool(true),
                    b'f' => Token::Bool(false),
                    b'-' | b'0'..=b'9' => Token::Number(&self.text[start..self.at]),
                    b'n' => Token::Null,
                    // Not JSON: end here.
                    _ => {
                        self.at = bytes.len();
                        return None;
                    }
                }
            }
        })
    }
}

/// Whether containers are nested more than `limit` deep.
pub fn is_deeper_than(json: &str, limit: usize) -> bool {
    let mut depth = 0_usize;
    Tokens::new(json).any(|token| {
        match token {
            Token::ArrayStart | Token::ObjectStart => depth += 1,
            Token::ArrayEnd | Token::ObjectEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > limit
    })
}

/// The content of a [`Token::String`] with its escapes resolved. Unpaired surrogates, which are possible in
/// JavaScript strings but not in UTF-8, become U+FFFD.
pub fn unescape(raw: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', raw.as_bytes()) else {
        return Cow::Borrowed(raw);
    };
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    let mut next = Some(first);
    while let Some(at) = next {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut chars = rest.chars();
        let escape = chars.next();
        rest = chars.as_str();
        match escape {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => out.push(unicode_escape(&mut rest)),
            Some(other) => out.push(other),
            None => {}
        }
        next = memchr::memchr(b'\\', rest.as_bytes());
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character of a `\u` escape; `rest` starts with its four digits. Consumes the second half of a surrogate pair
/// too.
fn unicode_escape(rest: &mut &str) -> char {
    let Some(unit) = take_hex(rest) else { return char::REPLACEMENT_CHARACTER };
    if let Some(c) = char::from_u32(unit) {
        return c;
    }
    let mut after = *rest;
    if unit < 0xdc00
        && let Some(tail) = after.strip_prefix("\\u")
    {
        after = tail;
        if let Some(low @ 0xdc00..=0xdfff) = take_hex(&mut after) {
            *rest = after;
            let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
    }
    char::REPLACEMENT_CHARACTER
}

fn take_hex(rest: &mut &str) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(4)?;
    let unit = u32::from(u16::from_str_radix(digits, 16).ok()?);
    *rest = after;
    Some(unit)
}

/// Detects whether an object is a placeholder, from its keys and values.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlaceholderScan {
    /// The value of `_placeholder` is `true`.
    marked: bool,
    /// The value of `num`, if it is a valid index.
    num: Option<usize>,
    /// Which of the two keys the next value belongs to.
    key: Key,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Key {
    #[default]
    Other,
    Mark,
    Num,
}

impl PlaceholderScan {
    /// Records a key.
    pub fn key(&mut self, raw: &str) {
        // Escapes are resolved first: `"\u005fplaceholder"` is the same key in JavaScript.
        self.key = match &*unescape(raw) {
            "_placeholder" => Key::Mark,
            "num" => Key::Num,
            _ => Key::Other,
        };
    }

    /// Records the value of the last key. Of two equal keys the later counts, as in `JSON.parse`.
    pub fn value(&mut self, token: Token<'_>) {
        match self.key {
            Key::Mark => self.marked = token == Token::Bool(true),
            Key::Num => {
                self.num = match token {
                    Token::Number(text) => index(text),
                    _ => None,
                }
            }
            Key::Other => {}
        }
        self.key = Key::Other;
    }

    /// `Some` if the object is a placeholder, with the index of its attachment; the inner `None` is an invalid index.
    pub fn finish(&self) -> Option<Option<usize>> {
        self.marked.then_some(self.num)
    }
}

/// A JSON number as an index: `2`, and as in JavaScript also `2.0` and `2e0`.
fn index(text: &str) -> Option<usize> {
    if let Ok(index) = text.parse() {
        return Some(index);
    }
    let value: f64 = text.parse().ok()?;
    (value >= 0.0 && value <= f64::from(u32::MAX) && value.fract() == 0.0).then_some(value as usize)
}

/// Calls `on` for each placeholder until it returns false; returns whether `on` accepted all of them.
pub fn placeholders(json: &str, on: &mut dyn FnMut(Option<usize>) -> bool) -> bool {
    // A cheap test first. The `_` of the key may be written as an escape, so it is not searched for.
    if memchr::memmem::find(json.as_bytes(), b"placeholder").is_none() && !json.contains("\\u") {
        return true;
    }
    let mut walk = Walk::default();
    for token in Tokens::new(json) {
        if let Some(Closed::Object(scan)) = walk.step(token)
            && let Some(num) = scan.finish()
            && !on(num)
        {
            return false;
        }
    }
    true
}

/// JSON in which `with` has replaced each placeholder for an attachment. All other text is kept byte for byte.
pub fn replace_placeholders(json: &str, mut with: impl FnMut(usize, &mut String)) -> String {
    let (mut walk, mut tokens) = (Walk::default(), Tokens::new(json));
    let mut starts = Vec::new();
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            Token::ObjectStart | Token::ArrayStart => starts.push(tokens.at - 1),
            Token::ObjectEnd | Token::ArrayEnd => {}
            _ => {
                walk.step(token);
                continue;
            }
        }
        let Some(closed) = walk.step(token) else { continue };
        let start = starts.pop().unwrap_or(0);
        if let Closed::Object(scan) = closed
            && let Some(Some(num)) = scan.finish()
        {
            // Placeholders inside this one are part of it.
            while found.pop_if(|(inner, ..)| *inner > start).is_some() {}
            found.push((start, tokens.at, num));
        }
    }
    let (mut out, mut copied) = (String::with_capacity(json.len()), 0);
    for (start, end, num) in found {
        out.push_str(&json[copied..start]);
        with(num, &mut out);
        copied = end;
    }
    out.push_str(&json[copied..]);
    out
}

/// Tracks the position of a tokenizer: the open containers, and in an object whether a key or a value comes next.
#[derive(Debug, Default)]
pub struct Walk {
    open: Vec<Open>,
}

#[derive(Debug)]
enum Open {
    Array,
    Object { scan: PlaceholderScan, want_value: bool },
}

/// A container that was just closed.
#[derive(Debug)]
pub enum Closed {
    /// An array.
    Array,
    /// An object, with the placeholder scan of its members.
    Object(PlaceholderScan),
}

impl Walk {
    /// Whether a string at this position is a key.
    pub fn at_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Object { want_value: false, .. }))
    }

    /// Whether the innermost open container is an object.
    pub fn in_object(&self) -> bool {
        matches!(self.open.last(), Some(Open::Object { .. }))
    }

    /// Number of open containers.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Processes a token; returns the container that it closes.
    pub fn step(&mut self, token: Token<'_>) -> Option<Closed> {
        if matches!(token, Token::ArrayEnd | Token::ObjectEnd) {
            return self.open.pop().map(|open| match open {
                Open::Array => Closed::Array,
                Open::Object { scan, .. } => Closed::Object(scan),
            });
        }
        if let Some(Open::Object { scan, want_value }) = self.open.last_mut() {
            match token {
                Token::String(raw) if !*want_value => scan.key(raw),
                token => scan.value(token),
            }
            *want_value = !*want_value;
        }
        match token {
            Token::ArrayStart => self.open.push(Open::Array),
            Token::ObjectStart => {
                self.open.push(Open::Object { scan: PlaceholderScan::default(), want_value: false })
            }
            _ => {}
        }
        None
    }
}

/// Appends a JSON string.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    let escaped = |b: u8| b < 0x20 || matches!(b, b'"' | b'\\');
    while let Some(at) = rest.bytes().position(escaped) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => out.push_str(&format!("\\u{control:04x}")),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}
