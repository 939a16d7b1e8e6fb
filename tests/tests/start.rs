//! A server that can't start returns an error.

use kraken_ws_core::{ErrorCode, Options, Server};
use kraken_ws_tests::{eventually, process};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

#[test]
fn a_thread_without_descriptors_is_an_error_and_ends_the_others() {
    let options = Options::from_json(&json!({ "shards": 8 })).unwrap();
    let open = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    // Enough descriptors for some of the threads.
    setrlimit(Resource::Nofile, Rlimit { current: Some(open + 12), ..getrlimit(Resource::Nofile) }).unwrap();
    let Err(refused) = Server::new(options) else { panic!("a server whose threads can't run") };
    assert_eq!(refused.code(), ErrorCode::System);
    eventually("its threads are gone", || process::shards().is_empty());
}
