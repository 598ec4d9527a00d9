//! How a request, an answer and an event stand on a line: JSON-RPC 2.0 (`API-3`).
//!
//! ```text
//! {"jsonrpc":"2.0","id":7,"method":"read","params":{"who":"Bob"}}
//! {"jsonrpc":"2.0","id":7,"result":{…}}
//! {"jsonrpc":"2.0","id":7,"error":{"code":-32004,"message":"…","data":{"kind":"not_found"}}}
//! {"jsonrpc":"2.0","method":"event","params":{"seq":12,"event":"message",…}}
//! ```

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::{Error, Gap, Kind};

/// The longest line that a node takes, its end not counted: a message of 64 KiB of which every
/// byte is escaped (`\u0000`) fits twice.
pub const MAX_REQUEST: usize = 1024 * 1024;
/// The longest line that a program needs to take: a page of history fits (`API-10`).
pub const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// The longest id of a request, as it stands on the line.
pub const MAX_ID: usize = 128;

/// The method of a notification that holds an [`api::Notice`](crate::api::Notice) (`API-6`).
pub const EVENT: &str = "event";
/// The method of a notification that holds a [`Gap`].
pub const GAP: &str = "gap";
/// The method of the notification that no further event comes.
pub const CLOSED: &str = "closed";

const VERSION: &str = "2.0";

/// A request, taken apart as far as it takes to know whose it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked<'l> {
    /// The id as it stands on the line; `None` where no answer is wanted.
    pub id: Option<&'l str>,
    /// The method's name.
    pub method: Cow<'l, str>,
    /// The parameters, as JSON; empty for none.
    pub params: &'l str,
}

/// What a node says.
#[derive(Debug)]
pub enum Told<'l> {
    /// The answer to the request with this id: its JSON, or why not.
    Answer(u64, Result<&'l str, Error>),
    /// A notification: its method and its parameters as JSON.
    Notice(Cow<'l, str>, &'l str),
    /// An error that belongs to no request.
    Stray(Error),
}

/// A line that is no request: the id to answer to, if it had one, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct NoRequest<'l> {
    /// The id as it stands on the line.
    pub id: Option<&'l str>,
    /// Why.
    pub error: Error,
}

/// Takes a line of a program apart; what is no request is refused, and the next line read
/// (`API-5`).
///
/// # Errors
/// [`Kind::Parse`] for what is not JSON, [`Kind::Request`] for what is no single request.
pub fn read_request(line: &[u8]) -> Result<Asked<'_>, NoRequest<'_>> {
    let refuse = |kind, message: &str| NoRequest {
        id: None,
        error: Error::new(kind, message),
    };
    let Ok(line) = std::str::from_utf8(line) else {
        return Err(refuse(Kind::Parse, "the line is not UTF-8"));
    };
    if line.trim_start().starts_with('[') {
        // API-4, as are parameters by place below.
        return Err(refuse(
            Kind::Request,
            "batches are not taken: send one request a line",
        ));
    }
    let frame: RequestFrame<'_> = match serde_json::from_str(line) {
        Ok(frame) => frame,
        Err(error) if error.is_data() => {
            return Err(refuse(
                Kind::Request,
                &format!("not a JSON-RPC request: {error}"),
            ));
        }
        Err(error) => return Err(refuse(Kind::Parse, &format!("not JSON: {error}"))),
    };
    let id = frame.id.map(RawValue::get);
    if id.is_some_and(|id| id.len() > MAX_ID || id.starts_with(['{', '[', 't', 'f'])) {
        return Err(refuse(
            Kind::Request,
            "the id must be a short string or a number",
        ));
    }
    if frame.jsonrpc != VERSION {
        let error = Error::new(Kind::Request, "jsonrpc must be \"2.0\"");
        return Err(NoRequest { id, error });
    }
    let params = frame.params.map_or("", RawValue::get);
    if params.starts_with('[') {
        let error = Error::usage("parameters are taken by name: an object, not an array");
        return Err(NoRequest { id, error });
    }
    Ok(Asked {
        id,
        method: frame.method,
        params,
    })
}

/// Takes a line of a node apart.
///
/// # Errors
/// Why it is none.
pub fn read_told(line: &[u8]) -> Result<Told<'_>, serde_json::Error> {
    let frame: ToldFrame<'_> = serde_json::from_slice(line)?;
    Ok(match (frame.id, frame.error, frame.method) {
        (Some(id), Some(error), _) => Told::Answer(id, Err(error.into())),
        (Some(id), None, _) => Told::Answer(id, Ok(frame.result.map_or("null", RawValue::get))),
        (None, Some(error), _) => Told::Stray(error.into()),
        (None, None, method) => Told::Notice(
            method.unwrap_or_default(),
            frame.params.map_or("null", RawValue::get),
        ),
    })
}

/// Puts a request onto the end of `out`.
///
/// # Errors
/// Parameters that have no JSON form.
pub fn write_request(
    out: &mut Vec<u8>,
    id: u64,
    method: &str,
    params: &impl Serialize,
) -> Result<(), serde_json::Error> {
    serde_json::to_writer(
        &mut *out,
        &Written {
            jsonrpc: VERSION,
            id,
            method,
            params,
        },
    )?;
    out.push(b'\n');
    Ok(())
}

/// Puts an answer onto the end of `out`; `result` is JSON.
pub fn write_answer(out: &mut Vec<u8>, id: &str, result: &str) {
    write_parts(
        out,
        &[
            "{\"jsonrpc\":\"2.0\",\"id\":",
            id,
            ",\"result\":",
            result,
            "}\n",
        ],
    );
}

/// Puts a refusal onto the end of `out`; without an id, the request's could not be read.
pub fn write_error(out: &mut Vec<u8>, id: Option<&str>, error: &Error) {
    let object = ErrorObject {
        code: error.code(),
        message: Cow::Borrowed(&error.message),
        data: Some(ErrorData {
            kind: Some(error.kind),
        }),
    };
    // Texts and integers always have a JSON form.
    let object = serde_json::to_string(&object).unwrap_or_default();
    let id = id.unwrap_or("null");
    write_parts(
        out,
        &[
            "{\"jsonrpc\":\"2.0\",\"id\":",
            id,
            ",\"error\":",
            &object,
            "}\n",
        ],
    );
}

/// Puts an event onto the end of `out`; `notice` is JSON.
pub fn write_event(out: &mut Vec<u8>, notice: &str) {
    write_parts(
        out,
        &[
            "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":",
            notice,
            "}\n",
        ],
    );
}

/// Puts the notification that events were missed onto the end of `out`.
pub fn write_gap(out: &mut Vec<u8>, gap: Gap) {
    let gap = format!("{{\"from\":{},\"to\":{}}}", gap.from, gap.to);
    write_parts(
        out,
        &[
            "{\"jsonrpc\":\"2.0\",\"method\":\"gap\",\"params\":",
            &gap,
            "}\n",
        ],
    );
}

/// Puts the notification that no further event comes onto the end of `out`.
pub fn write_closed(out: &mut Vec<u8>) {
    write_parts(
        out,
        &["{\"jsonrpc\":\"2.0\",\"method\":\"closed\",\"params\":{}}\n"],
    );
}

fn write_parts(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

#[derive(Deserialize)]
struct RequestFrame<'l> {
    #[serde(borrow)]
    jsonrpc: Cow<'l, str>,
    #[serde(borrow, default)]
    id: Option<&'l RawValue>,
    #[serde(borrow)]
    method: Cow<'l, str>,
    #[serde(borrow, default)]
    params: Option<&'l RawValue>,
}

#[derive(Deserialize)]
struct ToldFrame<'l> {
    #[serde(default)]
    id: Option<u64>,
    #[serde(borrow, default)]
    result: Option<&'l RawValue>,
    #[serde(borrow, default)]
    error: Option<ErrorObject<'l>>,
    #[serde(borrow, default)]
    method: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    params: Option<&'l RawValue>,
}

#[derive(Serialize)]
struct Written<'l, P> {
    jsonrpc: &'static str,
    id: u64,
    method: &'l str,
    params: &'l P,
}

#[derive(Serialize, Deserialize)]
struct ErrorObject<'l> {
    code: i64,
    #[serde(borrow)]
    message: Cow<'l, str>,
    #[serde(default)]
    data: Option<ErrorData>,
}

#[derive(Serialize, Deserialize)]
struct ErrorData {
    /// The same as the code, by name; a newer node's kind is skipped.
    #[serde(default, skip_deserializing)]
    kind: Option<Kind>,
}

impl From<ErrorObject<'_>> for Error {
    fn from(object: ErrorObject<'_>) -> Self {
        Self::new(Kind::from_code(object.code), object.message)
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use proptest::prelude::*;

    use super::*;
    use crate::api::{self, Call, Request};

    fn refused(line: &str) -> Kind {
        read_request(line.as_bytes()).unwrap_err().error.kind
    }

    #[test]
    fn a_request_stands_on_its_line() {
        let mut out = Vec::new();
        let read = api::Read { who: "Bob".into() };
        write_request(&mut out, 7, api::Read::METHOD, &read).unwrap();
        let text = r#"{"jsonrpc":"2.0","id":7,"method":"read","params":{"who":"Bob"}}"#;
        assert_eq!(std::str::from_utf8(&out).unwrap(), format!("{text}\n"));

        let asked = read_request(text.as_bytes()).unwrap();
        assert_eq!(asked.id, Some("7"));
        assert_eq!(
            Request::parse(&asked.method, asked.params),
            Ok(Request::Read(read))
        );
    }

    #[test]
    fn ids_are_texts_or_numbers_and_may_be_absent() {
        let line = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"status"}}"#);
        assert_eq!(
            read_request(line("\"a\"").as_bytes()).unwrap().id,
            Some("\"a\"")
        );
        assert_eq!(
            read_request(line("-1.5").as_bytes()).unwrap().id,
            Some("-1.5")
        );
        assert_eq!(read_request(line("null").as_bytes()).unwrap().id, None);
        for id in ["{}", "[1]", "true", "false"] {
            assert_eq!(refused(&line(id)), Kind::Request, "{id}");
        }
        assert_eq!(refused(&line(&"1".repeat(MAX_ID + 1))), Kind::Request);
    }

    #[test]
    fn what_is_no_request_says_why() {
        assert_eq!(refused("nonsense"), Kind::Parse);
        assert_eq!(refused("{\"jsonrpc\":"), Kind::Parse);
        assert_eq!(refused("[]"), Kind::Request);
        assert_eq!(refused("{}"), Kind::Request);
        assert_eq!(refused("17"), Kind::Request);
        assert_eq!(
            refused(r#"{"jsonrpc":"1.0","method":"status"}"#),
            Kind::Request
        );
        assert_eq!(
            refused(r#"{"jsonrpc":"2.0","method":"status","params":[]}"#),
            Kind::Usage
        );
    }

    #[test]
    fn answers_and_events_stand_on_their_lines() {
        let mut out = Vec::new();
        write_answer(&mut out, "7", "{\"a\":1}");
        write_error(
            &mut out,
            Some("\"x\""),
            &Error::not_found("nobody is called \"Bo\""),
        );
        write_error(&mut out, None, &Error::new(Kind::Parse, "no"));
        write_event(&mut out, "{\"seq\":1}");
        write_gap(&mut out, Gap { from: 3, to: 9 });
        write_closed(&mut out);
        let expected = concat!(
            r#"{"jsonrpc":"2.0","id":7,"result":{"a":1}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":"x","error":{"code":-32004,"#,
            r#""message":"nobody is called \"Bo\"","data":{"kind":"not_found"}}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no","#,
            r#""data":{"kind":"parse"}}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","method":"event","params":{"seq":1}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","method":"gap","params":{"from":3,"to":9}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","method":"closed","params":{}}"#,
            "\n",
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn what_a_node_says_is_read_back() {
        let line = br#"{"jsonrpc":"2.0","id":7,"error":{"code":-32005,"message":"no","data":{"kind":"newer"}}}"#;
        let Told::Answer(7, Err(error)) = read_told(line).unwrap() else {
            panic!()
        };
        assert_eq!(error, Error::refused("no"));
        let line = br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}"#;
        assert!(matches!(read_told(line).unwrap(), Told::Stray(_)));
        let line = br#"{"jsonrpc":"2.0","method":"event","params":{"seq":1}}"#;
        let Told::Notice(method, params) = read_told(line).unwrap() else {
            panic!()
        };
        assert_eq!((&*method, params), (EVENT, "{\"seq\":1}"));
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_request(&line);
            let _ = read_told(&line);
        }

        #[test]
        fn no_parameters_make_it_panic(method in prop::sample::select(Request::METHODS), params in ".{0,80}") {
            let _ = Request::parse(method, &params);
        }

        #[test]
        fn any_text_is_carried(who in any::<String>(), text in any::<String>(), id in any::<u64>()) {
            let send = api::Send { who, text, ..api::Send::default() };
            let mut out = Vec::new();
            write_request(&mut out, id, "send", &send).unwrap();
            let line = out.strip_suffix(b"\n").unwrap();
            prop_assert!(!line.contains(&b'\n'));
            let asked = read_request(line).unwrap();
            let id = id.to_string();
            prop_assert_eq!(asked.id, Some(id.as_str()));
            prop_assert_eq!(Request::parse(&asked.method, asked.params), Ok(Request::Send(send)));
        }
    }
}
