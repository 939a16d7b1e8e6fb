//! The table of all functions, and the two functions that pass it on: to hosts that `dlopen` the library, and to modules.

use std::ffi::{c_char, c_int, c_void};

use kraken_ws_core::{Error, ErrorCode};

use crate::border::*;
use crate::calls::*;
use crate::event::*;
use crate::modules::*;
use crate::server::*;

/// Version of the table and of everything in this header. It changes when an item changes its
/// meaning or is removed; additions don't change it.
pub const KRAKEN_WS_ABI_VERSION: u32 = 1;

/// A function of any type.
#[repr(transparent)]
struct Function(#[allow(dead_code)] *const c_void);

// SAFETY: the address of a function is the same for every thread.
unsafe impl Sync for Function {}

macro_rules! table {
    ($($name:ident)*) => {
        /// The table's functions in their order, for the header and the list of exported symbols.
        pub const FUNCTIONS: &[&str] = &[$(stringify!($name)),*];

        static TABLE: Table = Table {
            head: kraken_ws_api {
                size: size_of::<Table>(),
                abi_version: KRAKEN_WS_ABI_VERSION,
                reserved: 0,
            },
            functions: [$(Function($name as *const c_void)),*],
        };
    };
}

#[repr(C)]
struct Table {
    head: kraken_ws_api,
    functions: [Function; FUNCTIONS.len()],
}

// New functions go to the end: compiled hosts and modules find functions by their position.
table! {
    kraken_ws_version
    kraken_ws_status_name
    kraken_ws_last_error
    kraken_ws_options_new
    kraken_ws_options_set_json
    kraken_ws_options_set
    kraken_ws_options_set_text
    kraken_ws_options_decide_connects
    kraken_ws_options_free
    kraken_ws_server_new
    kraken_ws_server_listen
    kraken_ws_server_listen_unix
    kraken_ws_server_stop_listening
    kraken_ws_server_reload_tls
    kraken_ws_server_adopt
    kraken_ws_server_close
    kraken_ws_server_free
    kraken_ws_server_stats
    kraken_ws_server_modules
    kraken_ws_server_create_namespace
    kraken_ws_server_poll
    kraken_ws_server_event_fd
    kraken_ws_set_server
    kraken_ws_send_to_room
    kraken_ws_send_to_all
    kraken_ws_server_send_to_room
    kraken_ws_server_send_to_all
    kraken_ws_server_publish
    kraken_ws_server_publish_with_ack
    kraken_ws_server_socket_emit
    kraken_ws_server_socket_emit_with_ack
    kraken_ws_server_socket_join
    kraken_ws_server_socket_leave
    kraken_ws_server_socket_disconnect
    kraken_ws_server_socket_set_data
    kraken_ws_server_socket_set_user
    kraken_ws_server_socket_user
    kraken_ws_server_sockets_join
    kraken_ws_server_sockets_leave
    kraken_ws_server_disconnect_sockets
    kraken_ws_server_has_room
    kraken_ws_server_count_sockets
    kraken_ws_server_fetch_sockets
    kraken_ws_socket_list_len
    kraken_ws_socket_list_get
    kraken_ws_socket_list_room
    kraken_ws_socket_list_free
    kraken_ws_event_retain
    kraken_ws_event_free
    kraken_ws_event_get_kind
    kraken_ws_event_server
    kraken_ws_event_socket
    kraken_ws_event_socket_id
    kraken_ws_event_user
    kraken_ws_event_namespace
    kraken_ws_event_name
    kraken_ws_event_is
    kraken_ws_event_arg_count
    kraken_ws_event_arg
    kraken_ws_event_attachment_count
    kraken_ws_event_attachment
    kraken_ws_event_ack_id
    kraken_ws_event_timed_out
    kraken_ws_event_expected
    kraken_ws_event_reason
    kraken_ws_event_reason_text
    kraken_ws_event_auth
    kraken_ws_event_address
    kraken_ws_event_method
    kraken_ws_event_url
    kraken_ws_event_header
    kraken_ws_event_is_pending
    kraken_ws_event_wants_ack
    kraken_ws_event_accept
    kraken_ws_event_reject
    kraken_ws_event_ack
    kraken_ws_event_reply
    kraken_ws_server_load_module
    kraken_ws_server_unload_module
    kraken_ws_module_set_filter
    kraken_ws_module_server
    kraken_ws_event_replace
    kraken_ws_event_allow
    kraken_ws_event_refuse
    kraken_ws_event_room
    kraken_ws_event_room_change
    kraken_ws_server_join_cluster
    kraken_ws_server_node_count
    kraken_ws_server_cluster_stats
    kraken_ws_server_side_emit
    kraken_ws_server_side_emit_with_ack
    kraken_ws_server_fleet_sockets
    kraken_ws_socket_list_missing
    kraken_ws_socket_list_missing_node
    kraken_ws_server_fleet_rooms
    kraken_ws_room_list_len
    kraken_ws_room_list_get
    kraken_ws_room_list_missing
    kraken_ws_room_list_free
    kraken_ws_event_cluster_change
    kraken_ws_event_lost
    kraken_ws_event_missing
    kraken_ws_event_missing_node
    kraken_ws_emitter_new
    kraken_ws_emitter_publish
    kraken_ws_emitter_sockets_join
    kraken_ws_emitter_sockets_leave
    kraken_ws_emitter_disconnect_sockets
    kraken_ws_emitter_server_side_emit
    kraken_ws_emitter_flush
    kraken_ws_emitter_stats
    kraken_ws_emitter_free
}

/// The table of this library.
pub(crate) fn table() -> *const kraken_ws_api {
    (&raw const TABLE).cast()
}

/// Loads a shared object as a module: it exports kraken_ws_module_on_load (`kraken_ws_module_on_load_fn`), which is
/// called with the module's context, the table of all functions and the arguments, and returns 0. From then on its filter
/// sees the events. Code of a module runs in the process and can do anything; load only what you trust.
///
/// Errors: `MODULE` (it can't be loaded, refuses to be, or another of its name is loaded), `BUSY` (another one is being
/// loaded or unloaded), `CLOSED`, `ARGUMENT`.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub unsafe extern "C" fn kraken_ws_server_load_module(
    server: *mut kraken_ws_server,
    path: kraken_ws_str,
    argc: c_int,
    argv: *const *const c_char,
) -> kraken_ws_status {
    // SAFETY: handle, text and arguments are as the header asks for.
    call(|| unsafe {
        let path = text(path, "path")?;
        if argc < 0 || (argc > 0 && argv.is_null()) {
            return Err(bad("argv", &format!("expected {argc} texts")));
        }
        with_open(server, |host| host.load_module(table(), path, argc, argv).map(drop))
    })
}

/// Returns the table of all functions, valid for ever, for hosts that load the library with `dlopen`: this is then the
/// only symbol to look up. Pass `KRAKEN_WS_ABI_VERSION` and `sizeof(kraken_ws_api)` of the header that the host was
/// built with. Null if the library has another version or fewer functions; `kraken_ws_last_error` says which.
#[cfg_attr(feature = "symbols", unsafe(no_mangle))]
pub extern "C" fn kraken_ws_get_api(abi_version: u32, size: usize) -> *const kraken_ws_api {
    value(std::ptr::null(), || {
        let refuse = |why: String| {
            fail(&Error::new(ErrorCode::Unsupported, format!("get_api: {why}")));
            std::ptr::null()
        };
        if abi_version != KRAKEN_WS_ABI_VERSION {
            return refuse(format!("the host needs version {abi_version}, this is {KRAKEN_WS_ABI_VERSION}"));
        }
        if size > TABLE.head.size {
            return refuse(format!(
                "the host needs a table of {size} bytes, this one has {}",
                TABLE.head.size
            ));
        }
        table()
    })
}
