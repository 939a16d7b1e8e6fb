//! Writes `include/kraken_ws.h` from this crate, or compares it with `--check`.

use std::{error::Error, fs, path::Path, process::ExitCode};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = crate_dir.join("../include/kraken_ws.h");

    let config = cbindgen::Config::from_file(crate_dir.join("cbindgen.toml"))?;
    let mut generated = Vec::new();
    cbindgen::generate_with_config(crate_dir, config)?.write(&mut generated);

    match std::env::args().nth(1).as_deref() {
        None => fs::write(&header, generated)?,
        Some("--check") if fs::read(&header).ok().as_ref() == Some(&generated) => {}
        Some("--check") => {
            eprintln!("include/kraken_ws.h differs from what ffi/src generates: run `make header`");
            return Ok(ExitCode::FAILURE);
        }
        Some(other) => return Err(format!("expected --check or nothing, got {other:?}").into()),
    }
    Ok(ExitCode::SUCCESS)
}
