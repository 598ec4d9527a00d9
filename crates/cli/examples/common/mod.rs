//! What benches share that make homes and measure whoever lives there.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tenet_identity::vault::VaultKey;

/// The key of all stores of a bench.
pub(crate) fn vault_key() -> VaultKey {
    VaultKey::generate(&mut ChaCha20Rng::from_seed([7; 32]))
}

/// How much memory this process has, in MB, where the system says so.
pub(crate) fn resident() -> f64 {
    let told = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = told.split(' ').nth(1);
    let pages = pages.and_then(|word| word.parse::<f64>().ok());
    pages.unwrap_or(f64::NAN) * 4096.0 / 1e6
}
