//! The local API over a real socket: a node that echoes, and programs that behave and misbehave.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tenet_rpc::api::{self, Error, Kind, Request};
use tenet_rpc::client::{CallError, Client, ConnectError, Occurrence};
use tenet_rpc::frame;
use tenet_rpc::server::{self, Answerer, Feed, Handler, Pending, Server, Subscription};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Answers `edit` and `read` at once, keeps `wait` open, and remembers what it was asked.
struct Echo {
    feed: Feed,
    texts: Mutex<Vec<String>>,
    open: Mutex<Vec<Answerer>>,
}

struct Node {
    echo: Arc<Echo>,
    path: PathBuf,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// A program that speaks for itself.
struct Raw {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
}

impl Handler for Echo {
    fn call(&self, request: Request) -> Pending {
        match request {
            Request::Edit(edit) => {
                let event = self.texts.lock().unwrap().len().to_string();
                self.texts.lock().unwrap().push(edit.text);
                Pending::ready(server::answer(Ok(api::Changed {
                    id: edit.id,
                    event,
                    session: String::new(),
                })))
            }
            Request::Read(read) => Pending::future(async move {
                tokio::task::yield_now().await;
                server::answer(Ok(api::ReadUpTo {
                    session: read.who,
                    id: None,
                }))
            }),
            Request::Wait(_) => {
                let (answerer, pending) = Pending::channel();
                self.open.lock().unwrap().push(answerer);
                pending
            }
            Request::Invite(_) => Pending::ready(Ok(format!("\"{}\"", "x".repeat(1024 * 1024)))),
            _ => Pending::ready(Err(Error::refused("not by this one"))),
        }
    }

    fn subscribe(&self, since: Option<u64>) -> Result<Subscription, Error> {
        Ok(self.feed.subscribe(since))
    }
}

impl Node {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenet.sock");
        let echo = Arc::new(Echo {
            feed: Feed::new(0),
            texts: Mutex::default(),
            open: Mutex::default(),
        });
        let server = Server::bind(&path).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let handler: Arc<dyn Handler> = echo.clone();
        let serving = tokio::spawn(server.serve(handler, async {
            let _ = stopped.await;
        }));
        Self {
            echo,
            path,
            stop,
            serving,
            _folder: folder,
        }
    }

    async fn client(&self) -> Client {
        Client::connect(&self.path).await.unwrap()
    }

    async fn raw(&self) -> Raw {
        let (reader, writer) = UnixStream::connect(&self.path).await.unwrap().into_split();
        Raw {
            lines: BufReader::new(reader).lines(),
            writer,
        }
    }

    fn warn(&self, message: &str) -> u64 {
        self.echo.feed.publish(&api::Event::Warning {
            name: "test".into(),
            message: message.into(),
        })
    }
}

impl Raw {
    async fn say(&mut self, lines: &str) {
        self.writer.write_all(lines.as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> String {
        self.lines.next_line().await.unwrap().expect("a line")
    }
}

fn edit(id: &str, text: &str) -> api::Edit {
    api::Edit {
        id: id.into(),
        text: text.into(),
    }
}

fn edit_line(id: impl std::fmt::Display, text: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"edit","params":{{"id":"m","text":"{text}"}}}}"#
    ) + "\n"
}

#[tokio::test]
async fn many_calls_in_flight_keep_their_order() {
    let node = Node::start();
    let client = node.client().await;
    let calls: Vec<_> = (0..5_000)
        .map(|n| client.call(edit("m", &n.to_string())))
        .collect();
    let answers = futures_util::future::join_all(calls).await;
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap().event, n.to_string());
    }
    let texts = node.echo.texts.lock().unwrap();
    assert!(
        texts
            .iter()
            .map(|text| text.parse::<usize>().unwrap())
            .eq(0..5_000)
    );
}

#[tokio::test]
async fn an_answer_that_takes_longer_does_not_hold_up_the_others() {
    let node = Node::start();
    let client = node.client().await;
    let wait = api::Wait {
        id: "m".into(),
        state: api::State::Read,
        timeout_ms: None,
    };
    let mut slow = std::pin::pin!(client.call(wait));
    let read = api::Read { who: "s".into() };
    tokio::select! {
        biased;
        _ = &mut slow => panic!("nobody answered it"),
        quick = client.call(read) => assert_eq!(quick.unwrap().session, "s"),
    }
    let answerer = node.echo.open.lock().unwrap().pop().unwrap();
    drop(answerer);
    let Err(CallError::Refused(error)) = slow.await else {
        panic!()
    };
    assert_eq!(error.kind, Kind::Failure);
}

#[tokio::test]
async fn errors_keep_their_kind_and_nobody_there_is_told_apart() {
    let node = Node::start();
    let client = node.client().await;
    let Err(CallError::Refused(error)) = client.call(api::Status {}).await else {
        panic!()
    };
    assert_eq!(error, Error::refused("not by this one"));
    let Err(CallError::Refused(error)) = client.ask("dance", &()).await else {
        panic!()
    };
    assert_eq!(error.kind, Kind::Method);

    let nobody = node.path.with_file_name("other.sock");
    let Err(ConnectError::NoNode) = Client::connect(&nobody).await else {
        panic!()
    };
}

#[tokio::test]
async fn malformed_lines_get_their_error_and_the_connection_goes_on() {
    let node = Node::start();
    let mut raw = node.raw().await;
    let bad = [
        ("nonsense", -32700),
        (r#"{"jsonrpc":"2.0","id":1"#, -32700),
        ("[]", -32600),
        ("{}", -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"dance"}"#, -32601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"edit"}"#, -32602),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"edit","params":{"id":1,"text":""}}"#,
            -32602,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"status","params":{"extra":1}}"#,
            -32602,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"since":"x"}}"#,
            -32602,
        ),
    ];
    for (line, code) in bad {
        raw.say(&format!("{line}\n")).await;
        let heard = raw.hear().await;
        assert!(
            heard.contains(&format!(r#""code":{code},"#)),
            "{line}: {heard}"
        );
    }
    raw.say("\n  \n").await;
    raw.say(&edit_line("\"still here\"", "a")).await;
    assert!(
        raw.hear()
            .await
            .starts_with(r#"{"jsonrpc":"2.0","id":"still here","result":"#)
    );
}

#[tokio::test]
async fn a_line_that_is_too_long_is_refused_and_the_next_is_taken() {
    let node = Node::start();
    let mut raw = node.raw().await;
    raw.say(&edit_line(1, &"x".repeat(frame::MAX_REQUEST)))
        .await;
    raw.say(&edit_line(2, &"x".repeat(frame::MAX_REQUEST / 2)))
        .await;
    assert!(raw.hear().await.contains("-32600"));
    assert!(
        raw.hear()
            .await
            .starts_with(r#"{"jsonrpc":"2.0","id":2,"result":"#)
    );
}

#[tokio::test]
async fn a_notification_is_done_and_not_answered() {
    let node = Node::start();
    let mut raw = node.raw().await;
    raw.say(r#"{"jsonrpc":"2.0","method":"edit","params":{"id":"m","text":"quiet"}}"#)
        .await;
    raw.say("\n").await;
    raw.say(&edit_line(1, "loud")).await;
    assert!(raw.hear().await.contains(r#""id":1,"#));
    assert_eq!(*node.echo.texts.lock().unwrap(), ["quiet", "loud"]);
}

#[tokio::test]
async fn no_more_is_read_than_may_be_in_flight() {
    let node = Node::start();
    let mut raw = node.raw().await;
    let wait = |id| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"wait","params":{{"id":"m","state":"read"}}}}"#
        ) + "\n"
    };
    let lines: String = (0..1_024).map(wait).collect();
    raw.say(&lines).await;
    raw.say(&edit_line(5_000, "after")).await;
    while node.echo.open.lock().unwrap().len() < 1_024 {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(
        node.echo.texts.lock().unwrap().is_empty(),
        "it is not taken yet"
    );

    let answerer = node.echo.open.lock().unwrap().remove(0);
    answerer.answer(Ok("{}".into()));
    let heard = [raw.hear().await, raw.hear().await];
    assert!(heard[0].contains(r#""id":0,"#) && heard[1].contains(r#""id":5000,"#));
    assert_eq!(*node.echo.texts.lock().unwrap(), ["after"]);
}

#[tokio::test]
async fn a_program_that_does_not_read_is_not_written_for() {
    let node = Node::start();
    let mut raw = node.raw().await;
    // Each answer has 1 MiB: far more than socket and connection hold together.
    for id in 0..64 {
        let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"invite"}}"#);
        raw.say(&(line + "\n")).await;
    }
    raw.say(&edit_line(64, "last")).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(
        node.echo.texts.lock().unwrap().is_empty(),
        "it is not taken yet"
    );
    for _ in 0..64 {
        assert!(raw.hear().await.len() > 1024 * 1024);
    }
    assert!(raw.hear().await.contains(r#""id":64,"#));
}

#[tokio::test]
async fn one_program_too_many_is_turned_away_with_a_reason() {
    let node = Node::start();
    let mut programs = Vec::new();
    for _ in 0..server::MAX_CONNECTIONS {
        let client = node.client().await;
        client.call(edit("m", "x")).await.unwrap();
        programs.push(client);
    }
    let mut raw = node.raw().await;
    assert!(raw.hear().await.contains("-32007"));
    assert_eq!(raw.lines.next_line().await.unwrap(), None);
}

#[tokio::test]
async fn a_program_that_only_asks_once_gets_its_answer() {
    let node = Node::start();
    let mut raw = node.raw().await;
    raw.say(r#"{"jsonrpc":"2.0","id":1,"method":"read","params":{"who":"s"}}"#)
        .await;
    raw.say("\n").await;
    raw.writer.shutdown().await.unwrap();
    assert!(raw.hear().await.contains(r#""session":"s""#));
    assert_eq!(raw.lines.next_line().await.unwrap(), None);
}

#[tokio::test]
async fn events_come_with_numbers_and_can_be_had_again() {
    let node = Node::start();
    let first = node.warn("before");
    let client = node.client().await;
    let (subscribed, mut events) = client.subscribe(None).await.unwrap();
    assert_eq!(
        subscribed,
        api::Subscribed {
            seq: first,
            gap: false
        }
    );
    node.warn("one");
    node.warn("two");
    for expected in ["one", "two"] {
        let Some(Occurrence::Event(notice)) = events.next().await else {
            panic!()
        };
        assert!(
            matches!(&notice.event, api::Event::Warning { message, .. } if message == expected)
        );
    }

    let (subscribed, mut again) = client.subscribe(Some(first)).await.unwrap();
    assert!(!subscribed.gap);
    assert_eq!(
        events.next().await,
        None,
        "the second subscription ends the first"
    );
    let Some(Occurrence::Event(notice)) = again.next().await else {
        panic!()
    };
    assert_eq!(notice.seq, first + 1);
}

#[tokio::test]
async fn a_slow_program_is_told_of_the_gap() {
    let node = Node::start();
    let client = node.client().await;
    let (_, mut events) = client.subscribe(None).await.unwrap();
    let total = 30_000;
    for n in 0..total {
        node.warn("burst");
        // The reading side runs now and then, the program not at all.
        if n % 1_000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let (mut seen, mut missed, mut next) = (0, 0, 1);
    while next <= total {
        match events.next().await.unwrap() {
            Occurrence::Event(notice) => {
                assert_eq!(notice.seq, next);
                (seen, next) = (seen + 1, next + 1);
            }
            Occurrence::Gap(gap) => {
                assert_eq!(gap.from, next);
                missed += gap.to - gap.from + 1;
                next = gap.to + 1;
            }
        }
    }
    assert_eq!(seen + missed, total);
    assert!(missed > 0);
}

#[tokio::test]
async fn a_node_that_stops_answers_what_it_can_and_takes_its_socket_away() {
    let node = Node::start();
    let client = node.client().await;
    client.call(edit("m", "x")).await.unwrap();
    let (_, mut events) = client.subscribe(None).await.unwrap();
    node.stop.send(()).unwrap();
    node.serving.await.unwrap();
    assert_eq!(events.next().await, None);
    assert!(matches!(
        client.call(edit("m", "y")).await,
        Err(CallError::Closed)
    ));
    assert!(!node.path.exists());
}

#[test]
fn every_event_is_read_back_and_a_newer_one_is_skipped() {
    let text = r#"{"seq":7,"event":"levitation","height":3}"#;
    let notice: api::Notice = serde_json::from_str(text).unwrap();
    assert_eq!(notice.event, api::Event::Unknown);

    let connection = api::Connection {
        device: "d".into(),
        did: "i".into(),
        path: api::Path::Direct,
        addr: None,
    };
    let notice = api::Notice {
        seq: 1,
        event: api::Event::Connection(connection),
    };
    let text = serde_json::to_string(&notice).unwrap();
    assert_eq!(
        text,
        r#"{"seq":1,"event":"connection","device":"d","did":"i","path":"direct","addr":null}"#
    );
    assert_eq!(serde_json::from_str::<api::Notice>(&text).unwrap(), notice);
}
