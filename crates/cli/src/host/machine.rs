//! How the machine is on which this runs: what the system tells anybody who asks.
//!
//! Linux says it in files under `/proc`; elsewhere what is not known stays absent, but for the disk.

use std::fs;
use std::path::{Path, PathBuf};

use tenet_apps::own::status::Status;

/// Where this program's data lies, and with it the machine.
#[derive(Debug)]
pub(super) struct Machine {
    folder: PathBuf,
}

impl Machine {
    /// The machine whose disk holds this folder.
    pub(super) fn at(folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self { folder }
    }

    /// How it is now.
    pub(super) fn status(&self) -> Status {
        let (memory_used, memory) = proc("meminfo").and_then(|text| memory(&text)).unzip();
        let (disk_free, disk) = disk(&self.folder).unzip();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cpu: proc("loadavg").and_then(|text| load(&text, processors())),
            memory_used,
            memory,
            disk_free,
            disk,
            uptime: proc("uptime").and_then(|text| whole(&text)),
        }
    }
}

fn proc(name: &str) -> Option<String> {
    match cfg!(target_os = "linux") {
        true => fs::read_to_string(Path::new("/proc").join(name)).ok(),
        false => None,
    }
}

fn processors() -> u64 {
    let counted = std::thread::available_parallelism();
    counted.map_or(1, |count| count.get() as u64)
}

/// Bytes that are free for us, and all, of the disk that holds a folder.
fn disk(folder: &Path) -> Option<(u64, u64)> {
    let told = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(told.f_frsize);
    Some((bytes(told.f_bavail), bytes(told.f_blocks)))
}

/// The mean over the last minute, in percent of all processors (`proc_loadavg(5)`).
fn load(text: &str, processors: u64) -> Option<u64> {
    let minute: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some((minute * 100.0 / processors as f64).round() as u64)
}

/// Bytes in use and all bytes (`proc_meminfo(5)`): what is not available without swapping is in use.
fn memory(text: &str) -> Option<(u64, u64)> {
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kibibytes.saturating_mul(1024))
    };
    let (all, available) = (of("MemTotal:")?, of("MemAvailable:")?);
    Some((all.saturating_sub(available), all))
}

/// The whole seconds of a number of seconds (`proc_uptime(5)`).
fn whole(text: &str) -> Option<u64> {
    text.split(['.', ' ']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_read() {
        assert_eq!(load("0.50 0.58 0.59 1/389 11\n", 2), Some(25));
        assert_eq!(load("9.00", 2), Some(450));
        assert_eq!(load("", 2), None);
        let told = "MemTotal:       8000 kB\nMemFree: 1 kB\nMemAvailable:   6000 kB\n";
        assert_eq!(memory(told), Some((2000 << 10, 8000 << 10)));
        assert_eq!(memory("MemTotal: 1 kB\n"), None);
        assert_eq!(whole("350735.47 234388.90\n"), Some(350_735));
    }

    #[test]
    fn the_disk_of_a_folder_is_known() {
        let (free, all) = disk(&std::env::temp_dir()).unwrap_or_default();
        assert!(free <= all && all > 0);
    }
}
