//! Link arguments of `libkraken_ws.so`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // The soname carries KRAKEN_WS_ABI_VERSION: programs start with every library of that version.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libkraken_ws.so.1");
        // Threads of a server may still be on their way out when the library is closed.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
