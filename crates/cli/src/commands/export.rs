//! `tenet export`: a whole conversation in a file, page by page.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tenet_rpc::api::{self, Error, Message};

use super::{Shell, message};
use crate::args::{Export, Format};
use crate::caller::{Caller, Need};
use crate::failure::{Failure, Outcome};
use crate::input::absolute;
use crate::output::{note, shown_short};
use crate::time;

/// How many messages are in memory at a time.
const PAGE: u32 = 500;

/// What was made.
#[derive(Default, Serialize)]
struct Exported {
    path: String,
    messages: u64,
    files: Vec<String>,
}

pub(super) async fn run(shell: &Shell, args: Export) -> Outcome {
    let folder = args.files.then(|| beside(&args.file));
    let need = match args.files {
        true => Need::Network,
        false => Need::Home,
    };
    let exported = shell
        .with(need, async |caller| {
            // Whoever is not there is said before a file is made.
            page(caller, &args.who, 1, None).await?;
            let mut file = make(&args.file)?;
            let outcome = write(shell, caller, &args, &mut file, folder.as_deref()).await;
            if outcome.is_err() {
                // Half of a conversation must not be taken for the whole.
                let _ = fs::remove_file(&args.file);
            }
            outcome
        })
        .await?;
    note("what was exported is not encrypted: whoever can read the file can read the conversation");
    shell.output.object(&exported, || {
        format!("{} messages in {}", exported.messages, exported.path)
    })
}

/// The folder for the files of an export.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".files");
    name.into()
}

/// A new file that only its owner reads; nothing is ever overwritten.
fn make(path: &Path) -> Outcome<BufWriter<File>> {
    let mut options = File::options();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let file = file.map_err(|error| {
        Error::failure(format!("{}: {error}; nothing was exported", path.display()))
    })?;
    Ok(BufWriter::new(file))
}

async fn write(
    shell: &Shell,
    caller: &Caller,
    args: &Export,
    file: &mut BufWriter<File>,
    folder: Option<&Path>,
) -> Outcome<Exported> {
    let mut exported = Exported {
        path: absolute(&args.file)?,
        ..Exported::default()
    };
    if let Some(folder) = folder {
        fs::create_dir(folder)
            .map_err(|error| Error::failure(format!("{}: {error}", folder.display())))?;
    }
    file.write_all(head(args.format, &args.who).as_bytes())?;
    let mut after = None;
    loop {
        let page = page(caller, &args.who, PAGE, after).await?;
        for message in &page.messages {
            file.write_all(line(args.format, message)?.as_bytes())?;
            exported.messages += 1;
            if let Some(folder) = folder.filter(|_| !message.files.is_empty()) {
                save(shell, caller, message, folder, &mut exported.files).await?;
            }
        }
        after = page.messages.last().map(|message| message.id.clone());
        if !page.more || after.is_none() {
            break;
        }
    }
    file.write_all(tail(args.format).as_bytes())?;
    file.flush()?;
    file.get_ref().sync_all()?;
    Ok(exported)
}

async fn page(caller: &Caller, who: &str, limit: u32, after: Option<String>) -> Outcome<api::Page> {
    let wanted = api::History {
        who: who.to_owned(),
        limit: Some(limit),
        forwards: true,
        after,
        ..api::History::default()
    };
    caller.call(wanted).await
}

/// Saves what a message has; a file that nobody gives now is said and left out.
async fn save(
    shell: &Shell,
    caller: &Caller,
    message: &Message,
    folder: &Path,
    saved: &mut Vec<String>,
) -> Outcome {
    let params = api::Save {
        id: message.id.clone(),
        to: absolute(folder)?,
        timeout_ms: Some(shell.timeout_ms()),
    };
    match caller.call(params).await {
        Ok(done) => saved.extend(done.paths),
        Err(Failure::Error(error)) => note(&format!("tenet: {}: {}", message.id, error.message)),
        Err(error) => return Err(error),
    }
    Ok(())
}

fn head(format: Format, who: &str) -> String {
    match format {
        Format::Html => format!(
            "<!doctype html>\n<html><head><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <meta http-equiv=\"Content-Security-Policy\" \
             content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>{0}</title>\n<style>:root{{color-scheme:light dark;font-family:sans-serif}}\
             main{{max-width:45rem;margin:auto}}p{{white-space:pre-wrap;margin:.2rem 0 1rem}}\
             small{{opacity:.7}}</style></head>\n<body><main><h1>{0}</h1>\n",
            escaped(who)
        ),
        Format::Text | Format::Json => String::new(),
    }
}

fn tail(format: Format) -> &'static str {
    match format {
        Format::Html => "</main></body></html>\n",
        Format::Text | Format::Json => "",
    }
}

fn line(format: Format, message: &Message) -> Outcome<String> {
    Ok(match format {
        Format::Json => serde_json::to_string(message).map_err(std::io::Error::from)? + "\n",
        Format::Text => message::dated(message, &time::full(message.time)) + "\n",
        Format::Html => format!(
            "<article id=\"{}\"><b>{}</b> <small>{}</small><p>{}</p></article>\n",
            escaped(&message.id),
            escaped(&shown_short(&message.name)),
            time::full(message.time),
            escaped(&message::said(message)),
        ),
    })
}

/// A text that says nothing to a browser but itself.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            sign => escaped.push(sign),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_no_markup() {
        let message = Message {
            name: "<b>".into(),
            text: Some("<script>alert('&')</script>".into()),
            ..Message::default()
        };
        let line = line(Format::Html, &message).unwrap_or_default();
        assert!(
            line.contains("&lt;script&gt;alert(&#39;&amp;&#39;)"),
            "{line}"
        );
        assert!(
            !line.contains("<script") && line.contains("&lt;b&gt;"),
            "{line}"
        );
    }
}
