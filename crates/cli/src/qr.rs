//! A QR code in the terminal.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// The code in half blocks, light on dark as most terminals are, or `None` if the text is too long
/// for one or the picture too wide for `columns`.
///
/// The lowest error correction: a screen has no scratches, and the picture stays small.
pub(crate) fn picture(text: &str, columns: Option<u16>) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let picture = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .build();
    let width = picture.lines().map(|line| line.chars().count()).max()?;
    columns
        .is_none_or(|columns| width <= usize::from(columns))
        .then_some(picture)
}

/// How wide the terminal on stdout or stderr is, if there is one.
pub(crate) fn columns() -> Option<u16> {
    let width = |size: Result<rustix::termios::Winsize, _>| size.ok().map(|size| size.ws_col);
    width(rustix::termios::tcgetwinsize(std::io::stdout()))
        .or_else(|| width(rustix::termios::tcgetwinsize(std::io::stderr())))
        .filter(|columns| *columns > 0)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn a_code_that_does_not_fit_is_not_drawn() {
        let picture = picture("tenet:abc..def", None).unwrap();
        let width = picture.lines().next().unwrap().chars().count();
        let width = u16::try_from(width).unwrap();
        assert_eq!(super::picture("tenet:abc..def", Some(width)), Some(picture));
        assert_eq!(super::picture("tenet:abc..def", Some(width - 1)), None);
        assert_eq!(super::picture(&"x".repeat(10_000), None), None);
    }
}
