//! What leaves a file before it is sent, and what is shown of it before it is opened (`API-20`).

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use tenet_apps::chat::file::Shows;
use tenet_media::{self as media, Cleaned, Format, PICTURE_LIMIT};
use tenet_rpc::api::{self, FileKind};

use super::seal::{Sealing, unreadable};

/// A file as it is to be sent.
pub(super) struct Prepared {
    pub(super) cleaned: Cleaned,
    pub(super) shows: Shows,
}

impl Default for Prepared {
    fn default() -> Self {
        Self {
            cleaned: Cleaned::Unknown,
            shows: Shows::default(),
        }
    }
}

/// Finds both; leaves the file at its beginning.
pub(super) fn prepare(
    source: &mut File,
    path: &Path,
    how: Sealing,
) -> Result<Prepared, api::Error> {
    let io = |error: std::io::Error| unreadable(path, &error);
    let cleaned = match how.keep_metadata {
        true => Cleaned::Unknown,
        false => media::clean(source).map_err(|error| refused(path, error))?,
    };
    let mut shows = match picture(source, &cleaned).map_err(io)? {
        Some(preview) => Shows {
            width: Some(preview.width),
            height: Some(preview.height),
            preview: Some(preview.jpeg.into()),
            ..Shows::default()
        },
        None => Shows::default(),
    };
    let name = path.file_name().and_then(|name| name.to_str());
    let kind = FileKind::of(name.unwrap_or_default());
    if how.voice || matches!(kind, FileKind::Audio | FileKind::Video) {
        source.rewind().map_err(io)?;
        shows.duration_ms = media::duration_ms(source);
    }
    if how.voice {
        if shows.duration_ms.is_none() {
            let message = format!("{} is no recording that is known here", path.display());
            return Err(api::Error::usage(message));
        }
        shows.voice = Some(true);
    }
    source.rewind().map_err(io)?;
    Ok(Prepared { cleaned, shows })
}

/// The preview of a picture, made of what is sent of it.
fn picture(source: &mut File, cleaned: &Cleaned) -> std::io::Result<Option<media::Preview>> {
    if let Cleaned::Rewritten(bytes) = cleaned {
        return Ok(media::preview(bytes));
    }
    let size = source.metadata()?.len();
    let mut head = Vec::new();
    source.seek(SeekFrom::Start(0))?;
    source.by_ref().take(16).read_to_end(&mut head)?;
    match Format::of(&head, size) {
        Some(Format::Film) | None => Ok(None),
        Some(_) if size > PICTURE_LIMIT => Ok(None),
        Some(_) => {
            source.rewind()?;
            let mut bytes = Vec::new();
            source.take(PICTURE_LIMIT).read_to_end(&mut bytes)?;
            Ok(media::preview(&bytes))
        }
    }
}

fn refused(path: &Path, error: media::Error) -> api::Error {
    let shown = path.display();
    match error {
        media::Error::Read(error) => unreadable(path, &error),
        error => api::Error::usage(format!(
            "{shown}: {error}; --keep-metadata (keep_metadata) sends it with all that it tells"
        )),
    }
}
