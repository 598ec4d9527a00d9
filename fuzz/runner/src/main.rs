//! The fuzzer: libFuzzer around one target of `tenet-fuzz`, which `TENET_FUZZ` names.
//!
//! `cargo xtask fuzz` builds it with the instrumentation and runs it. With `TENET_SEEDS` instead of a
//! target it writes the seeds of all targets into folders below that path, and ends.
#![no_main]

use std::{path::Path, sync::OnceLock};

use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<&tenet_fuzz::Target> = OnceLock::new();

fuzz_target!(
    init: {
        if let Some(folder) = std::env::var_os("TENET_SEEDS") {
            write_seeds(Path::new(&folder)).expect("the seeds can be written");
            std::process::exit(0);
        }
        let name = std::env::var("TENET_FUZZ").expect("TENET_FUZZ names the target");
        let target = tenet_fuzz::target(&name).expect("TENET_FUZZ names a target");
        TARGET.get_or_init(|| target);
    },
    |data: &[u8]| {
        if let Some(target) = TARGET.get() {
            (target.run)(data);
        }
    }
);

/// A folder for each target, with its seeds; one line for each on standard output: name, longest input.
fn write_seeds(folder: &Path) -> std::io::Result<()> {
    for target in tenet_fuzz::targets() {
        let folder = folder.join(target.name);
        std::fs::create_dir_all(&folder)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
        println!("{} {}", target.name, target.max_len);
    }
    Ok(())
}
