//! Requests of the local API: commands to the engine, questions to the reader.

mod finding;

use std::{str::FromStr, sync::Arc};

use tenet_apps::chat::file::File;
use tenet_log::ids::{EventId, SessionId};
use tenet_node::command::{Command, CommandError, Reply, TransferChange};
use tenet_rpc::{
    api,
    server::{Handler, Outcome, Pending, Subscription, answer},
};
use tenet_store::Store;

use super::{
    conversations, devices, doctor, entrances, groups,
    patience::give_up_after,
    pipes, present, profile, questions, search,
    shared::Shared,
    sync,
    transfer::{self, Sealing},
};

/// The node's end of the local API, behind the gate.
pub(super) struct NodeHandler(pub(super) Arc<Shared>);

impl Handler for NodeHandler {
    fn call(&self, request: api::Request) -> Pending {
        use api::Request as R;
        match request {
            R::Status(_) => self.ask(questions::status),
            R::Net(_) => self.ask(questions::net),
            R::Identity(_) => self.ask(|shared, _| Ok(questions::identity(shared))),
            R::Phrase(_) => self.ask(|_, store| questions::phrase(store)),
            R::Doctor(wanted) => Pending::future(doctor::doctor(Arc::clone(&self.0), wanted)),
            R::SettingsGet(get) => {
                self.ask(move |_, store| questions::settings_get(store, get.name))
            }
            R::Invites(_) => self.ask(|_, store| questions::invites(store)),
            R::Requests(_) => self.ask(|_, store| questions::requests(store)),
            R::Accepts(_) => self.ask(|_, store| questions::accepts(store)),
            R::Door(_) => self.ask(questions::door),
            R::Contacts(_) => self.ask(questions::contacts),
            R::ContactDevices(wanted) => {
                self.ask(move |shared, store| devices::of_contact(shared, store, &wanted.who))
            }
            R::ContactVerify(verify) => {
                self.ask(move |shared, store| questions::verification(shared, store, &verify.who))
            }
            R::History(wanted) => {
                self.ask(move |shared, store| questions::history(shared, store, &wanted))
            }
            request @ (R::Conversations(_) | R::Draft(_) | R::Timer(_)) => {
                conversations::asked(self, request)
            }
            R::Search(wanted) => search::when_kept(&self.0, wanted),
            R::Sync(wanted) => Pending::future(sync::sync(Arc::clone(&self.0), wanted)),
            R::Wait(wait) => self.naming(&wait.id.clone(), move |this, id| this.wait(&wait, id)),
            R::Files(files) => {
                self.ask(move |shared, store| transfer::files(shared, store, &files))
            }
            R::Transfers(_) => self.ask(transfer::transfers),
            R::TransferResume(named) => self.transfer(&named.id, TransferChange::Resume),
            R::TransferPause(named) => self.transfer(&named.id, TransferChange::Pause),
            R::TransferCancel(named) => self.transfer(&named.id, TransferChange::Cancel),
            R::FileRemove(named) => self.transfer(&named.id, TransferChange::Remove),
            R::Profile(_) => self.ask(profile::shown),
            R::ProfileSet(set) => self.set_profile(set),
            R::Devices(_) => self.ask(devices::list),
            request @ (R::DeviceLink(_)
            | R::DeviceConfirm(_)
            | R::DeviceRename(_)
            | R::DeviceSuspend(_)
            | R::DeviceResume(_)
            | R::DeviceRevoke(_)) => Pending::future(devices::change(Arc::clone(&self.0), request)),
            request @ (R::PipeOpen(_) | R::PipeWait(_) | R::PipeWrite(_) | R::PipeRead(_)) => {
                self.pipe(request)
            }
            R::Save(save) => self.naming(&save.id.clone(), move |this, id| this.save(save, id)),
            request => self.about_groups(request),
        }
    }

    fn subscribe(&self, since: Option<u64>) -> Result<Subscription, api::Error> {
        Ok(self.0.feed.subscribe(since))
    }
}

impl NodeHandler {
    /// What is asked about groups; else what is a command.
    fn about_groups(&self, request: api::Request) -> Pending {
        use api::Request as R;
        match request {
            request @ (R::GroupNew(_)
            | R::Groups(_)
            | R::GroupShow(_)
            | R::GroupMembers(_)
            | R::GroupBlocked(_)
            | R::GroupPin(_)
            | R::GroupPins(_)
            | R::GroupChange(_)) => groups::asked(self, request),
            request @ (R::GroupInvite(_)
            | R::GroupInvites(_)
            | R::GroupUninvite(_)
            | R::GroupPreview(_)
            | R::GroupRequests(_)
            | R::GroupAccept(_)
            | R::GroupReject(_)) => match entrances::asked(self, request) {
                Ok(pending) => pending,
                Err(error) => Pending::ready(Err(error)),
            },
            request => self.command(request),
        }
    }

    /// What is asked about pipes.
    fn pipe(&self, request: api::Request) -> Pending {
        use api::Request as R;
        match request {
            R::PipeOpen(open) => {
                let this = Arc::clone(&self.0);
                self.ask(move |_, store| pipes::open(&this, store, &open.who))
            }
            R::PipeWait(wait) => pipes::wait(&self.0, &wait),
            R::PipeWrite(write) => pipes::write(&self.0, &write),
            R::PipeRead(read) => pipes::read(&self.0, &read),
            request => Pending::ready(Err(not_ours(&request))),
        }
    }

    /// A question: answered by the reader.
    pub(super) fn ask<T: serde::Serialize>(
        &self,
        question: impl FnOnce(&Shared, &Store) -> Result<T, api::Error> + Send + 'static,
    ) -> Pending {
        let (answerer, pending) = Pending::channel();
        let shared = Arc::clone(&self.0);
        self.0
            .reader
            .read(move |store| answerer.answer(answer(question(&shared, store))));
        pending
    }

    fn set_profile(&self, set: api::ProfileSet) -> Pending {
        let set = profile::set(Arc::clone(&self.0), set);
        Pending::future(async move { answer(set.await) })
    }

    /// A command: its place in the engine's queue is fixed before this returns.
    fn command(&self, request: api::Request) -> Pending {
        match self.enqueue(request) {
            Ok(pending) => pending,
            Err(error) => Pending::ready(Err(error)),
        }
    }

    fn enqueue(&self, request: api::Request) -> Result<Pending, api::Error> {
        use api::Request as R;
        Ok(match request {
            request @ (R::Send(_)
            | R::Forward(_)
            | R::Edit(_)
            | R::Unsend(_)
            | R::Withdraw(_)
            | R::React(_)) => {
                return self.message(request);
            }
            R::Read(read) => self.simple(Command::Read { who: read.who }, |reply| match reply {
                Reply::Read { session, id } => Some(api::ReadUpTo {
                    session: session.to_string(),
                    id: id.map(|id| id.to_string()),
                }),
                _ => None,
            }),
            R::ConversationSet(set) => conversations::set(self, set),
            R::DraftSet(set) => conversations::set_draft(self, set),
            R::TimerSet(set) => conversations::set_timer(self, set),
            R::Typing(typing) => conversations::typing(self, typing),
            request @ (R::Invite(_)
            | R::InviteRevoke(_)
            | R::Accept(_)
            | R::RequestAccept(_)
            | R::RequestReject(_)
            | R::DoorOpen(_)
            | R::DoorClose(_)
            | R::ContactCard(_)
            | R::ContactAdd(_)
            | R::ContactConfirm(_)
            | R::ContactRename(_)
            | R::ContactBlock(_)
            | R::ContactUnblock(_)
            | R::ContactRemove(_)) => return self.people(request),
            R::SettingsSet(set) => {
                let name = set.name.clone();
                let command = Command::Set {
                    name: set.name,
                    value: set.value,
                };
                self.then_read(command, move |_, store, _| {
                    Ok(questions::settings_get(store, Some(name))?.settings.pop())
                })
            }
            request => return Err(not_ours(&request)),
        })
    }

    fn message(&self, request: api::Request) -> Result<Pending, api::Error> {
        use api::Request as R;
        Ok(match request {
            R::Send(mut send) => match send.reply.take() {
                None => self.send(send, None),
                Some(reply) => self.naming(&reply, |this, id| this.send(send, Some(id))),
            },
            R::Edit(api::Edit { id, text }) => {
                self.naming(&id, |this, id| this.change(Command::Edit { id, text }))
            }
            R::Unsend(unsend) => {
                self.naming(&unsend.id, |this, id| this.change(Command::Unsend { id }))
            }
            R::Withdraw(api::Withdraw { id, reason }) => self.naming(&id, |this, id| {
                this.change(Command::Withdraw { id, reason })
            }),
            R::Forward(forward) => self.naming(&forward.id.clone(), |this, id| {
                this.simple(
                    Command::Forward {
                        id,
                        who: forward.who,
                    },
                    |reply| match reply {
                        Reply::Sent { id, session } => Some(sent(id, session)),
                        _ => None,
                    },
                )
            }),
            R::React(react) => self.naming(&react.id, move |this, id| {
                this.change(Command::React {
                    id,
                    emoji: react.emoji,
                    remove: react.remove,
                })
            }),
            request => return Err(not_ours(&request)),
        })
    }

    fn send(&self, send: api::Send, reply: Option<EventId>) -> Pending {
        if send.files.is_empty() {
            self.send_text(send, reply, Vec::new())
        } else if send.contact.is_some() {
            let error = "a message tells of a contact or has files; send two";
            Pending::ready(Err(api::Error::usage(error)))
        } else {
            self.send_files(send, reply)
        }
    }

    fn send_text(&self, send: api::Send, reply: Option<EventId>, files: Vec<File>) -> Pending {
        let (who, text) = (send.who, send.text);
        let command = match send.contact {
            Some(contact) => Command::Introduce {
                who,
                contact,
                text,
                reply,
            },
            None => Command::Send {
                who,
                text,
                reply,
                files,
            },
        };
        let (answerer, pending) = Pending::channel();
        let shared = Arc::clone(&self.0);
        let wanted = send.wait.unwrap_or_default();
        let timeout = send.timeout_ms;
        self.0.engine.command(
            command,
            Box::new(move |result| match result {
                Ok(Reply::Sent { id, session }) if wanted == api::State::Queued => {
                    answerer.answer(queued(id, session));
                }
                Ok(Reply::Sent { id, session }) => {
                    let number = shared.waiters.for_message(id, session, wanted, answerer);
                    give_up_after(&shared, number, timeout);
                }
                result => answerer.answer(not_expected(result)),
            }),
        );
        pending
    }

    /// API-17: files are sealed before their message is written, so what is sent meanwhile stands
    /// before it.
    fn send_files(&self, mut send: api::Send, reply: Option<EventId>) -> Pending {
        let node = Self(Arc::clone(&self.0));
        Pending::future(async move {
            let paths = std::mem::take(&mut send.files);
            let how = Sealing {
                keep_metadata: send.keep_metadata,
                voice: send.voice,
            };
            let files = transfer::seal(&node.0, paths, how).await?;
            let contents: Vec<_> = files.iter().map(File::content).collect();
            let outcome = node.send_text(send, reply, files).await;
            // Of any other failure nobody knows whether the message was written.
            if outcome.as_ref().is_err_and(|error| was_refused(error.kind)) {
                node.0.transfers.discard(contents).await;
            }
            outcome
        })
    }

    fn save(&self, save: api::Save, id: EventId) -> Pending {
        let shared = Arc::clone(&self.0);
        Pending::future(async move { answer(transfer::save(shared, id, save).await) })
    }

    /// A command of which there is nothing to say but that it was done.
    fn done(&self, command: Command) -> Pending {
        self.simple(command, |reply| match reply {
            Reply::Done => Some(api::Done {}),
            _ => None,
        })
    }

    fn wait(&self, wait: &api::Wait, id: EventId) -> Pending {
        let (wanted, timeout) = (wait.state, wait.timeout_ms);
        let (answerer, pending) = Pending::channel();
        let shared = Arc::clone(&self.0);
        self.0
            .reader
            .read(move |store| match questions::shown(&shared, store, id) {
                Ok(sent) if sent.state.reaches(wanted) || sent.state == api::State::Failed => {
                    answerer.answer(answer(Ok(sent)));
                }
                Ok(sent) => {
                    let Ok(session) = SessionId::from_str(&sent.session) else {
                        return;
                    };
                    let number = shared.waiters.for_message(id, session, wanted, answerer);
                    give_up_after(&shared, number, timeout);
                    // What was reached between looking and waiting.
                    if let Ok(now) = questions::shown(&shared, store, id)
                        && now.state.reaches(wanted)
                    {
                        shared.waiters.reached(&[id], now.state);
                    }
                }
                Err(error) => answerer.answer(Err(error)),
            });
        pending
    }

    fn change(&self, command: Command) -> Pending {
        self.simple(command, |reply| match reply {
            Reply::Changed { id, event, session } => Some(api::Changed {
                id: id.to_string(),
                event: event.to_string(),
                session: session.to_string(),
            }),
            _ => None,
        })
    }

    /// A command whose reply is all there is to say.
    pub(super) fn simple<T: serde::Serialize>(
        &self,
        command: Command,
        say: impl FnOnce(Reply) -> Option<T> + Send + 'static,
    ) -> Pending {
        let (answerer, pending) = Pending::channel();
        self.0.engine.command(
            command,
            Box::new(move |result| {
                let said = result
                    .map_err(|error| present::command_error(&error))
                    .and_then(|reply| {
                        say(reply).ok_or_else(|| api::Error::internal("an unexpected reply"))
                    });
                answerer.answer(answer(said));
            }),
        );
        pending
    }

    /// A command after which the answer is read.
    pub(super) fn then_read<T: serde::Serialize>(
        &self,
        command: Command,
        read: impl FnOnce(&Shared, &Store, Reply) -> Result<Option<T>, api::Error> + Send + 'static,
    ) -> Pending {
        let (answerer, pending) = Pending::channel();
        let shared = Arc::clone(&self.0);
        self.0.engine.command(
            command,
            Box::new(move |result| match result {
                Ok(reply) => {
                    let again = Arc::clone(&shared);
                    shared.reader.read(move |store| {
                        let read = read(&again, store, reply);
                        let gone = || api::Error::not_found("it is gone");
                        answerer.answer(answer(read.and_then(|read| read.ok_or_else(gone))));
                    });
                }
                Err(error) => answerer.answer(Err(present::command_error(&error))),
            }),
        );
        pending
    }
}

pub(super) fn not_ours(request: &api::Request) -> api::Error {
    api::Error::internal(format!("{} is not for the node", request.method()))
}

/// Whether such an error says that nothing was done.
fn was_refused(kind: api::Kind) -> bool {
    use api::Kind as K;
    matches!(kind, K::NotFound | K::Usage | K::Refused)
}

fn queued(id: EventId, session: SessionId) -> Outcome {
    answer(Ok(sent(id, session)))
}

fn sent(id: EventId, session: SessionId) -> api::Sent {
    api::Sent {
        id: id.to_string(),
        session: session.to_string(),
        state: api::State::Queued,
        reason: None,
    }
}

pub(super) fn not_expected(result: Result<Reply, CommandError>) -> Outcome {
    Err(match result {
        Ok(_) => api::Error::internal("an unexpected reply"),
        Err(error) => present::command_error(&error),
    })
}
