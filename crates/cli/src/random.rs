//! Randomness of the operating system, for the cores that take it as an argument.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use zeroize::Zeroizing;

/// A generator seeded by the operating system.
///
/// # Errors
/// The operating system has none to give.
pub(crate) fn generator() -> Result<ChaCha20Rng, getrandom::Error> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice())?;
    Ok(ChaCha20Rng::from_seed(*seed))
}

/// `N` random bytes in hexadecimal.
///
/// # Errors
/// As [`generator`].
pub(crate) fn hexadecimal<const N: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
