//! Modules in C: the shared objects that a C host loads with `kraken_ws_server_load_module`, unchanged. They see
//! connections, events and disconnects on the JavaScript thread, before JavaScript does.

use std::ffi::CString;

use kraken_ws_core::{ErrorCode, Event, Namespace, Stage};
use kraken_ws_ffi::ModuleHost;
use napi_derive::napi;

use crate::exports::server::NativeServer;
use crate::parts::error::{Result, coded, thrown};
use crate::parts::text::Text;

/// Figures of a module.
#[napi(object)]
pub struct NativeModule {
    pub name: String,
    pub path: String,
    pub calls: f64,
    pub dropped: f64,
    pub replaced: f64,
    pub rejected: f64,
}

/// The modules of a server; their host is created with the first one.
#[derive(Default)]
pub(crate) struct Modules(Option<ModuleHost>);

impl Stage for Modules {
    fn pass(&self, event: Event) -> Option<Event> {
        match &self.0 {
            Some(host) => host.pass(event),
            None => Some(event),
        }
    }
}

impl Modules {
    /// Tells the modules that a namespace was created.
    pub(crate) fn add_namespace(&self, namespace: &Namespace) {
        if let Some(host) = &self.0 {
            host.add_namespace(namespace);
        }
    }

    /// Tells the modules that a namespace was removed.
    pub(crate) fn remove_namespace(&self, name: &str) {
        if let Some(host) = &self.0 {
            host.remove_namespace(name);
        }
    }

    /// Figures of the modules, in the order in which they were loaded.
    pub(crate) fn figures(&self) -> Vec<NativeModule> {
        let figures = self.0.as_ref().map(ModuleHost::figures).unwrap_or_default();
        figures
            .into_iter()
            .map(|figures| NativeModule {
                name: figures.name.to_string(),
                path: figures.path,
                calls: figures.calls as f64,
                dropped: figures.dropped as f64,
                replaced: figures.replaced as f64,
                rejected: figures.rejected as f64,
            })
            .collect()
    }
}

#[napi]
impl NativeServer {
    /// Loads a module; returns its name.
    #[napi]
    pub fn load_module(&self, path: Text, args: Vec<Text>) -> Result<String> {
        let texts =
            args.into_iter().map(|arg| CString::new(arg.0)).collect::<std::result::Result<Vec<_>, _>>();
        let args =
            texts.map_err(|_| coded(ErrorCode::Argument, "args: expected texts without a NUL character"))?;
        let mut modules = self.modules.borrow_mut();
        if modules.0.is_none() {
            let namespaces = self.namespaces.borrow();
            modules.0 = Some(ModuleHost::new(&self.server, namespaces.iter().flatten()).map_err(thrown)?);
        }
        let Some(host) = &modules.0 else {
            return Err(coded(ErrorCode::Internal, "modules: there is no host"));
        };
        // SAFETY: an application that loads a module asserts that the module's code may run in this process.
        let name = unsafe { host.load(&path, &args) }.map_err(thrown)?;
        Ok(name.to_string())
    }

    /// Unloads a module by its name.
    #[napi]
    pub fn unload_module(&self, name: Text) -> Result<()> {
        match &self.modules.borrow().0 {
            Some(host) => host.unload(&name).map_err(thrown),
            None => Err(coded(ErrorCode::Module, &format!("module {}: it is not loaded", &*name))),
        }
    }
}
