//! Options of a server, with the same names as in Node.

use kraken_ws_core::options::OPTIONS;
use kraken_ws_core::{Error, ErrorCode, Hooks, Options, Result};
use serde_json::{Map, Value};

use crate::border::{Handle, Handled, call, kraken_ws_status, kraken_ws_str, parse_json, text, value};

/// Options for `kraken_ws_server_new`. Not thread-safe: only one thread may use them at a time.
#[repr(C)]
pub struct kraken_ws_options {
    _private: [u8; 0],
}

/// The value behind a `kraken_ws_options`.
#[derive(Default)]
pub(crate) struct Settings {
    json: Map<String, Value>,
    /// Connects wait for the host.
    pub(crate) decide: bool,
}

impl Handled for Settings {
    type Opaque = kraken_ws_options;
    const MAGIC: u64 = 0x6b72_616b_656e_6f70;
    const KIND: &'static str = "options";
    const MADE_BY: &'static str = "kraken_ws_options_new";
}

/// Applies `change` to the options, unless the result is invalid.
///
/// # Safety
/// As [`Handle::get_mut`].
unsafe fn update(
    options: *mut kraken_ws_options,
    change: impl FnOnce(&mut Map<String, Value>) -> Result<()>,
) -> Result<()> {
    // SAFETY: the caller's promise is the same.
    let settings = unsafe { Handle::<Settings>::get_mut(options)? };
    let mut json = settings.json.clone();
    change(&mut json)?;
    check_hooks(&json)?;
    let mut complete = json.clone();
    // Certificate and key are set by two calls, so `tls` is checked when the server is made.
    if complete.get("tls").is_some_and(|tls| tls.get("cert").is_none() != tls.get("key").is_none()) {
        complete.remove("tls");
    }
    read(complete)?;
    settings.json = json;
    Ok(())
}

/// An unknown name is an error unless `strictOptions` is false.
fn read(mut json: Map<String, Value>) -> Result<Options> {
    json.entry("strictOptions").or_insert(Value::Bool(true));
    Options::from_json(&Value::Object(json))
}

/// Refuses hooks that a polling host can't set. With callbacks a hook is set when its function is there.
fn check_hooks(json: &Map<String, Value>) -> Result<()> {
    let known: Vec<_> = Hooks::named()
        .filter(|(hook, ..)| Hooks::OF_POLLING.contains(*hook))
        .map(|(_, name, _)| name)
        .collect();
    let hooks = json.get("hooks").and_then(Value::as_object);
    let asked =
        |(name, on): &(&String, &Value)| !known.contains(&name.as_str()) && **on != Value::Bool(false);
    match hooks.into_iter().flatten().find(asked) {
        None => Ok(()),
        Some((name, _)) => {
            let why = format!("hooks.{name}: expected one of {} in C", known.join(", "));
            Err(Error::new(ErrorCode::Option, why))
        }
    }
}

impl Settings {
    pub(crate) fn read(&self) -> Result<Options> {
        read(self.json.clone())
    }
}

/// Makes options with all defaults. Free them with `kraken_ws_options_free`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub extern "C" fn kraken_ws_options_new() -> *mut kraken_ws_options {
    value(std::ptr::null_mut(), || Handle::boxed(Settings::default()))
}

/// Sets options from a JSON object with the names of docs/options.md, such as
/// `{"pingTimeout":60000,"cors":{"origin":true}}`. Options that it does not name stay as they are; if one is
/// wrong, all stay as they are and the message names it with the accepted values. An unknown name is an error, unless
/// `strictOptions` is false: then `on_log` gets a line about it when the server is made.
///
/// Errors: `OPTION`, `PAYLOAD` (no JSON), `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_options_set_json(
    options: *mut kraken_ws_options,
    json: kraken_ws_str,
) -> kraken_ws_status {
    // SAFETY: handle and text are as the header asks for.
    call(|| unsafe {
        let parsed: Value = parse_json(text(json, "json")?, "json")?;
        let Value::Object(given) = parsed else {
            return Err(Error::new(ErrorCode::Option, "options: expected an object"));
        };
        update(options, |json| {
            json.extend(given);
            Ok(())
        })
    })
}

/// Sets one option; `value` is JSON: `true`, `60000`, `"text"`, `{"origin":true}`.
///
/// Errors: `OPTION`, `PAYLOAD` (no JSON), `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_options_set(
    options: *mut kraken_ws_options,
    name: kraken_ws_str,
    value: kraken_ws_str,
) -> kraken_ws_status {
    // SAFETY: handle and texts are as the header asks for.
    call(|| unsafe {
        let (name, value) = (text(name, "name")?, parse_json(text(value, "value")?, "value")?);
        update(options, |json| {
            json.insert(name.to_owned(), value);
            Ok(())
        })
    })
}

/// Sets an option whose value is text, without JSON quotes: a path, a certificate. A dot separates the name of a
/// member: `tls.cert`.
///
/// Errors: `OPTION`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_options_set_text(
    options: *mut kraken_ws_options,
    name: kraken_ws_str,
    value: kraken_ws_str,
) -> kraken_ws_status {
    // SAFETY: handle and texts are as the header asks for.
    call(|| unsafe {
        let (name, value) = (text(name, "name")?, Value::from(text(value, "value")?));
        // `tls` is valid only with both members, so it is checked when the server is made.
        if let Some((outer, inner)) = name.split_once('.') {
            let settings = Handle::<Settings>::get_mut(options)?;
            if !OPTIONS.iter().any(|option| option.name == outer) {
                return Err(Error::new(ErrorCode::Option, format!("{outer}: no such option")));
            }
            match settings.json.entry(outer).or_insert_with(|| Value::Object(Map::new())) {
                Value::Object(map) => map.insert(inner.to_owned(), value),
                _ => return Err(Error::new(ErrorCode::Option, format!("{outer}: is no object"))),
            };
            return Ok(());
        }
        update(options, |json| {
            json.insert(name.to_owned(), value);
            Ok(())
        })
    })
}

/// For hosts that poll: whether each connect waits for `kraken_ws_event_accept` or `_reject`. With callbacks
/// this is so when there is an `on_connect`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_options_decide_connects(
    options: *mut kraken_ws_options,
    decide: bool,
) -> kraken_ws_status {
    // SAFETY: the handle is as the header asks for.
    call(|| unsafe {
        Handle::<Settings>::get_mut(options)?.decide = decide;
        Ok(())
    })
}

/// Frees options; null is fine. Servers that were made with them keep what they read.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_options_free(options: *mut kraken_ws_options) {
    // SAFETY: the handle is as the header asks for.
    value((), || unsafe { Handle::<Settings>::free(options) });
}
