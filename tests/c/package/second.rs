//! Another library that is written in Rust, as a program may link one beside ours: it allocates, has a thread-local,
//! starts a thread, and catches a panic.

use std::cell::Cell;
use std::collections::HashMap;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// How often it caught a panic on this thread, this time included; 0 if it did not.
#[unsafe(no_mangle)]
pub extern "C" fn second_catches() -> usize {
    let caught = std::panic::catch_unwind(|| {
        let map = HashMap::from([("text".to_owned(), vec![1, 2, 3])]);
        let beyond = std::thread::spawn(move || map["text"].len()).join().unwrap();
        let list = vec![0; CALLS.get().min(beyond)];
        list[beyond]
    });
    if caught.is_ok() {
        return 0;
    }
    CALLS.set(CALLS.get() + 1);
    CALLS.get()
}
