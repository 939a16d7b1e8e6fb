//! Modules: shared objects that a server loads and that see events before the host does.

use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};
use std::mem::offset_of;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};

use kraken_ws_core::{Error, ErrorCode, Result, Stage};
use libloading::Library;

use crate::border::{
    Guarded, Handle, Handled, call, in_module, kraken_ws_api, kraken_ws_server, kraken_ws_status,
    kraken_ws_str, lock, message, sized, text, value,
};
use crate::event::{Content, HostEvent, SharedEvent, kraken_ws_event, kraken_ws_event_kind as Kind};

/// Returned by a filter: the event goes to the next module, and then to the host.
pub const KRAKEN_WS_FILTER_PASS: i32 = 0;
/// Returned by a filter: the host does not get the event. A connect is refused with `Unauthorized`, unless the filter has
/// called `kraken_ws_event_reject`; an event that wants an ack may have been acknowledged.
pub const KRAKEN_WS_FILTER_DROP: i32 = 1;

/// Functions of a module that are called with each event, before the host and on the host's thread: that of the
/// callbacks, or the one that polls. Set `size` to `sizeof(kraken_ws_filter)`, and what you don't need to null.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kraken_ws_filter {
    /// `sizeof(kraken_ws_filter)`.
    pub size: usize,
    /// The module's name in errors and figures; empty takes the file's name. It is copied.
    pub name: kraken_ws_str,
    /// Given to each of the functions.
    pub userdata: *mut c_void,
    /// Called once, last, before the module is unloaded.
    pub drop: Option<unsafe extern "C" fn(userdata: *mut c_void)>,
    /// A client connects to a namespace: returns `KRAKEN_WS_FILTER_PASS` or `KRAKEN_WS_FILTER_DROP`.
    pub on_connect: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event) -> i32>,
    /// A client sent an event: returns `KRAKEN_WS_FILTER_PASS` or `KRAKEN_WS_FILTER_DROP`; `kraken_ws_event_replace` changes it.
    pub on_event: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event) -> i32>,
    /// A socket has disconnected.
    pub on_disconnect: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const kraken_ws_event)>,
}

// SAFETY: the functions and the pointer are meant for the host's threads: the documentation says so.
unsafe impl Send for kraken_ws_filter {}
// SAFETY: as above.
unsafe impl Sync for kraken_ws_filter {}

/// What a module is given when it is loaded; valid until it is unloaded.
#[repr(C)]
pub struct kraken_ws_module {
    _private: [u8; 0],
}

/// What is behind a `kraken_ws_module`.
struct Context {
    server: *mut kraken_ws_server,
    /// Set by the module while it is loaded, with its name.
    filter: Mutex<Option<(kraken_ws_filter, String)>>,
}

// SAFETY: the server's handle is usable from any thread.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Handled for Context {
    type Opaque = kraken_ws_module;
    const MAGIC: u64 = 0x6b72_616b_656e_6d6f;
    const KIND: &'static str = "module";
    const MADE_BY: &'static str = "kraken_ws_module_on_load";
}

type OnLoad = unsafe extern "C" fn(
    *const kraken_ws_module,
    *const kraken_ws_api,
    c_int,
    *const *const c_char,
) -> kraken_ws_status;

struct Module {
    name: Arc<str>,
    path: String,
    filter: Option<kraken_ws_filter>,
    /// Counts the calls of the filter that are under way.
    guarded: Guarded<()>,
    calls: AtomicU64,
    dropped: AtomicU64,
    replaced: AtomicU64,
    rejected: AtomicU64,
    /// Taken out when the module is unloaded, with the context that the module may still use until then.
    library: Mutex<Option<(Library, Box<Handle<Context>>)>>,
}

/// What a module has done; `kraken_ws_server_modules` shows it.
pub struct ModuleFigures {
    /// Its name.
    pub name: Arc<str>,
    /// What was loaded.
    pub path: String,
    /// Calls of its filter.
    pub calls: u64,
    /// Events that it dropped.
    pub dropped: u64,
    /// Events whose arguments it replaced.
    pub replaced: u64,
    /// Clients that it refused.
    pub rejected: u64,
}

/// The modules of one server, in the order in which they were loaded.
#[derive(Default)]
pub(crate) struct Modules {
    loaded: RwLock<Arc<[Arc<Module>]>>,
    /// A filter has an `on_connect`.
    decides: AtomicBool,
    /// One load or unload at a time.
    changing: Mutex<()>,
}

thread_local! {
    /// The event that a filter is called with on this thread, and the content that the filter has replaced it by.
    static FILTERED: RefCell<Option<(*const kraken_ws_event, Option<Content>)>> = const { RefCell::new(None) };
}

impl Module {
    /// Runs one function of the filter; `None` while the module is being unloaded.
    fn run<T>(&self, act: impl FnOnce() -> T) -> Option<T> {
        let _call = self.guarded.enter()?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        Some(in_module(&self.name, act))
    }

    fn end(&self) {
        let library = lock(&self.library).take();
        if library.is_some()
            && let Some(kraken_ws_filter { drop: Some(drop), userdata, .. }) = self.filter
        {
            // SAFETY: the module's own function and pointer; the library is still loaded.
            in_module(&self.name, || unsafe { drop(userdata) });
        }
        drop(library);
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        self.end();
    }
}

impl Modules {
    fn loaded(&self) -> Arc<[Arc<Module>]> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, loaded: Vec<Arc<Module>>) {
        let asked = loaded.iter().any(|m| m.filter.is_some_and(|f| f.on_connect.is_some()));
        self.decides.store(asked, Ordering::Release);
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded.into();
    }

    /// A module decides about connects.
    pub(crate) fn decide(&self) -> bool {
        self.decides.load(Ordering::Acquire)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Allows one load or unload at a time. A module that loads another one from within would otherwise wait for itself.
    fn change(&self, module: &str) -> Result<MutexGuard<'_, ()>> {
        match self.changing.try_lock() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                let why = format!("module {module}: another one is being loaded or unloaded");
                Err(Error::new(ErrorCode::Busy, why))
            }
        }
    }

    pub(crate) fn figures(&self) -> Vec<ModuleFigures> {
        let figures = |m: &Arc<Module>| ModuleFigures {
            name: m.name.clone(),
            path: m.path.clone(),
            calls: m.calls.load(Ordering::Relaxed),
            dropped: m.dropped.load(Ordering::Relaxed),
            replaced: m.replaced.load(Ordering::Relaxed),
            rejected: m.rejected.load(Ordering::Relaxed),
        };
        self.loaded().iter().map(figures).collect()
    }

    /// Loads a shared object and returns the name of the module. `changed` is called when its filter is in place.
    ///
    /// # Safety
    /// The shared object is what it says, and `argv` has `argc` texts that end with a NUL.
    pub(crate) unsafe fn load(
        &self,
        server: *mut kraken_ws_server,
        table: *const kraken_ws_api,
        path: &str,
        argc: c_int,
        argv: *const *const c_char,
        changed: impl FnOnce(),
    ) -> Result<Arc<str>> {
        let fail =
            |why: &dyn std::fmt::Display| Error::new(ErrorCode::Module, format!("module {path}: {why}"));
        let _one = self.change(path)?;
        // SAFETY: loading runs the object's initialisers; that it is sound is the caller's promise.
        let library = unsafe { Library::new(path) }.map_err(|e| fail(&e))?;
        // SAFETY: the type is the one that the header asks a module for.
        let on_load = *unsafe { library.get::<OnLoad>(b"kraken_ws_module_on_load\0") }
            .map_err(|_| fail(&"it does not export kraken_ws_module_on_load"))?;
        let stem = Path::new(path).file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let context = Box::new(Handle::new(Context { server, filter: Mutex::default() }));
        // SAFETY: the context and the table live as long as the module, the arguments for the call.
        let status = in_module(&stem, || unsafe { on_load(context.pointer(), table, argc, argv) });
        let filter = lock(&context.filter).take();
        let (filter, name) = match filter {
            Some((filter, name)) if !name.is_empty() => (Some(filter), name),
            Some((filter, _)) => (Some(filter), stem),
            None => (None, stem),
        };
        let module = Arc::new(Module {
            name: name.into(),
            path: path.to_owned(),
            filter,
            guarded: Guarded::new(()),
            calls: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            replaced: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            library: Mutex::new(Some((library, context))),
        });
        if status != 0 {
            return Err(fail(&format!("kraken_ws_module_on_load returned {status}"))); // dropping it unloads it
        }
        let mut loaded = self.loaded().to_vec();
        if loaded.iter().any(|other| other.name == module.name) {
            return Err(fail(&format!("a module called {:?} is loaded already", module.name)));
        }
        let name = module.name.clone();
        loaded.push(module);
        self.replace(loaded);
        changed();
        Ok(name)
    }

    /// Unloads a module. `changed` is called when its filter is out of place.
    pub(crate) fn unload(&self, name: &str, changed: impl FnOnce()) -> Result<()> {
        let _one = self.change(name)?;
        let mut loaded = self.loaded().to_vec();
        let Some(at) = loaded.iter().position(|module| &*module.name == name) else {
            return Err(Error::new(ErrorCode::Module, format!("module {name}: it is not loaded")));
        };
        if !loaded[at].guarded.free_idle() {
            return Err(Error::new(ErrorCode::Busy, format!("module {name}: a call of it is under way")));
        }
        let module = loaded.remove(at);
        self.replace(loaded);
        changed();
        module.end();
        Ok(())
    }

    /// Unloads every module, because the server ends. One with a call under way is unloaded with the host.
    pub(crate) fn end(&self) {
        let Ok(_one) = self.change("") else { return };
        let (idle, busy): (Vec<_>, Vec<_>) =
            self.loaded().iter().cloned().partition(|module| module.guarded.free_idle());
        self.replace(busy);
        idle.iter().for_each(|module| module.end());
    }
}

/// Each filter sees an event that those before it let pass.
impl Stage<SharedEvent> for Modules {
    fn pass(&self, mut event: SharedEvent) -> Option<SharedEvent> {
        for module in self.loaded().iter() {
            let Some(filter) = &module.filter else { continue };
            let pointer = event.pointer().cast_const();
            match event.kind {
                Kind::Connect => {
                    let Some(on_connect) = filter.on_connect else { continue };
                    // SAFETY: the module's own function; the event lives for the call.
                    let verdict = module.run(|| unsafe { on_connect(filter.userdata, pointer) });
                    if verdict.unwrap_or(KRAKEN_WS_FILTER_PASS) != KRAKEN_WS_FILTER_PASS {
                        module.rejected.fetch_add(1, Ordering::Relaxed);
                        event.turn_away();
                        return None;
                    }
                }
                Kind::Event => {
                    let Some(on_event) = filter.on_event else { continue };
                    let outer = FILTERED.replace(Some((pointer, None)));
                    // SAFETY: as above.
                    let verdict = module.run(|| unsafe { on_event(filter.userdata, pointer) });
                    let replacement = FILTERED.replace(outer).and_then(|(_, content)| content);
                    if verdict.unwrap_or(KRAKEN_WS_FILTER_PASS) != KRAKEN_WS_FILTER_PASS {
                        module.dropped.fetch_add(1, Ordering::Relaxed);
                        return None;
                    }
                    if let Some(content) = replacement {
                        module.replaced.fetch_add(1, Ordering::Relaxed);
                        event = with_content(event, content);
                    }
                }
                Kind::Disconnect => {
                    let Some(on_disconnect) = filter.on_disconnect else { continue };
                    // SAFETY: as above.
                    module.run(|| unsafe { on_disconnect(filter.userdata, pointer) });
                }
                _ => return Some(event),
            }
        }
        Some(event)
    }
}

/// The same event with other content.
fn with_content(mut event: SharedEvent, content: Content) -> SharedEvent {
    if let Some(own) = Arc::get_mut(&mut event) {
        own.content = content;
        return event;
    }
    // The event is retained, so it stays as it is for its reader. Its question moves to the copy.
    let mut copy = HostEvent::new(event.owner.clone(), event.kind);
    copy.socket = event.socket;
    (copy.id, copy.namespace) = (event.id.clone(), event.namespace.clone());
    copy.content = content;
    copy.question = Mutex::new(event.take_question());
    copy.shared()
}

/// Sets the filter of a module, in its kraken_ws_module_on_load. The struct is copied; its `drop` is called also if the load
/// then fails.
///
/// Errors: `STATE` (set before), `UNSUPPORTED` (a filter of a newer header), `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_module_set_filter(
    module: *const kraken_ws_module,
    filter: *const kraken_ws_filter,
) -> kraken_ws_status {
    // SAFETY: context and struct are as the header asks for; all members of the struct may be zero.
    call(|| unsafe {
        let module = Handle::<Context>::get(module)?;
        let filter = sized(filter, offset_of!(kraken_ws_filter, on_connect), "filter")?;
        let name = text(filter.name, "name")?.to_owned();
        let mut slot = lock(&module.filter);
        if slot.is_some() {
            return Err(Error::new(ErrorCode::State, "set_filter: it has one"));
        }
        *slot = Some((filter, name));
        Ok(())
    })
}

/// The server that loads a module.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_module_server(module: *const kraken_ws_module) -> *mut kraken_ws_server {
    value(std::ptr::null_mut(), || {
        // SAFETY: the context is as the header asks for.
        unsafe { Handle::<Context>::get(module) }.map_or(std::ptr::null_mut(), |module| module.server)
    })
}

/// Replaces the arguments of the event that a filter's `on_event` is called with, for the modules after it and the host. The
/// event keeps its name and its attachments. `payload` is JSON of the one argument, or with `KRAKEN_WS_FLAG_SPREAD` an array of all.
///
/// Errors: `STATE` (not the event that the filter is called with), `PAYLOAD`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_event_replace(
    event: *const kraken_ws_event,
    payload: kraken_ws_str,
    flags: u32,
) -> kraken_ws_status {
    // SAFETY: event and text are as the header asks for.
    call(|| unsafe {
        let (owner, payload) = (Handle::<HostEvent>::get(event)?, text(payload, "payload")?);
        let data = message(&owner.content.name, payload, flags)?;
        let content = Content::event(data.into(), owner.content.attachments.clone());
        FILTERED.with_borrow_mut(|filtered| match filtered {
            Some((at, replacement)) if *at == event => {
                *replacement = Some(content);
                Ok(())
            }
            _ => Err(Error::new(ErrorCode::State, "replace: only in on_event of a filter, for its event")),
        })
    })
}
