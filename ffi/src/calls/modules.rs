//! Unloading of modules, and their figures. `api.rs` loads modules, because they get its table.

use std::ffi::c_char;

use serde_json::json;

use crate::border::{bad, call, kraken_ws_server, kraken_ws_status, kraken_ws_str, out, text};
use crate::server::with;

/// Unloads a module by its name, after its `drop`.
///
/// Errors: `BUSY` (a call of its filter is under way, this one perhaps; or another one is being loaded or unloaded),
/// `MODULE` (not loaded), `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_unload_module(
    server: *mut kraken_ws_server,
    name: kraken_ws_str,
) -> kraken_ws_status {
    // SAFETY: handle and text are as the header asks for.
    call(|| unsafe {
        let name = text(name, "name")?;
        with(server, |host| host.unload_module(name))
    })
}

/// The figures of the server's modules as JSON, for instance
/// `[{"name":"profanity","path":"…","calls":12,"dropped":1,"replaced":3,"rejected":0}]`. Copies it into `buf`,
/// NUL-terminated if it fits, and the length without the NUL into `*needed`; call with a `len` of 0 to ask.
///
/// Errors: `ARGUMENT` (also if it does not fit).
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_modules(
    server: *mut kraken_ws_server,
    buf: *mut c_char,
    len: usize,
    needed: *mut usize,
) -> kraken_ws_status {
    // SAFETY: handle and buffers are as the header asks for.
    call(|| unsafe {
        let needed = out(needed, "needed")?;
        let modules = with(server, |host| Ok(host.modules.figures()))?;
        let figures: Vec<_> = modules
            .into_iter()
            .map(|f| {
                json!({
                    "name": &*f.name,
                    "path": f.path,
                    "calls": f.calls,
                    "dropped": f.dropped,
                    "replaced": f.replaced,
                    "rejected": f.rejected,
                })
            })
            .collect();
        let text = json!(figures).to_string();
        needed.write(text.len());
        if len == 0 {
            return Ok(());
        }
        if buf.is_null() || len <= text.len() {
            return Err(bad("buf", &format!("expected {} bytes", text.len() + 1)));
        }
        std::ptr::copy_nonoverlapping(text.as_ptr(), buf.cast::<u8>(), text.len());
        *buf.add(text.len()) = 0;
        Ok(())
    })
}
