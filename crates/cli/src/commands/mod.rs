//! The commands, one file each.

mod accept;
mod backup;
mod contact;
mod contact_file;
mod contacts;
mod conversations;
mod demo;
mod device;
mod doctor;
mod door;
mod draft;
mod edit;
mod export;
mod files;
mod forward;
mod group;
mod group_links;
mod history;
mod home;
mod id;
mod invite;
mod invites;
mod listen;
mod lock;
mod manual;
mod message;
mod net;
mod pin;
mod pipe;
mod profile;
mod react;
mod read;
mod requests;
mod save;
mod search;
mod send;
mod settings;
mod status;
mod sync;
mod text_file;
mod timer;
mod told;
mod transfer;
mod typing;
mod unsend;
mod up;

use std::time::Duration;

use tenet_rpc::api::{self, Error};

use crate::args::{Cli, Command, Global, Up};
use crate::caller::{Caller, Finder, Need};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::home::Paths;
use crate::host::Options;
use crate::input::Input;
use crate::log;
use crate::output::{Output, note};

/// What every command works with: where the home lies, what comes in, what goes out.
#[derive(Debug)]
struct Shell {
    paths: Paths,
    input: Input,
    output: Output,
    options: Options,
    id: Option<String>,
    timeout: Duration,
    /// What the home's `config.toml` says, or why it cannot be followed.
    configured: Result<String, Error>,
}

/// How long others are waited for if nothing is said, in seconds.
const TIMEOUT: u64 = 30;

/// Runs a command to its end.
///
/// # Errors
/// How it ends if not well.
pub fn run(cli: Cli) -> Outcome {
    let mut global = cli.global;
    let command = cli.command.unwrap_or(Command::Up(Up::default()));
    let paths = Paths::find(global.home.as_deref())?;
    let (config, configured) = configure(&paths, &mut global, &command)?;
    log::start(&global, config.log_level())?;
    let shell = Shell {
        paths,
        configured,
        input: Input::new(global.pin_file),
        output: Output { json: global.json },
        options: Options {
            network: true,
            listen: global.listen,
            lan: !global.no_lan.unwrap_or(false),
            allowance: config.allowance(),
        },
        id: global.id,
        timeout: Duration::from_secs(global.timeout.unwrap_or(TIMEOUT)),
    };
    if let Command::Demo(demo) = command {
        return demo::run(shell.output, &demo);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failure(format!("cannot start: {error}")))?;
    runtime.block_on(dispatch(&shell, command))
}

/// What the home's `config.toml` says, filled in where nothing else is given (`HOME-401`). A mistake in it
/// ends everything but the command that looks for what is wrong.
fn configure(
    paths: &Paths,
    global: &mut Global,
    command: &Command,
) -> Outcome<(Config, Result<String, Error>)> {
    if matches!(
        command,
        Command::Demo(_) | Command::Completions(_) | Command::Man(_)
    ) {
        return Ok((Config::default(), Ok(String::new())));
    }
    match Config::read(&paths.home) {
        Ok(config) => {
            let summary = config.summary(global);
            config.fill(global);
            Ok((config, Ok(summary)))
        }
        Err(error) if matches!(command, Command::Doctor(_)) => {
            Ok((Config::default(), Err(error.into())))
        }
        Err(error) => Err(Failure::Error(error.into())),
    }
}

async fn dispatch(shell: &Shell, command: Command) -> Outcome {
    match command {
        Command::Up(args) => up::run(shell, &args).await,
        Command::Demo(args) => demo::run(shell.output, &args),
        Command::Id(command) => id::run(shell, command).await,
        Command::Backup(command) => backup::run(shell, command).await,
        Command::Device(command) => device::run(shell, command).await,
        Command::Group(command) => group::run(shell, command).await,
        Command::Home(command) => home::run(shell, command).await,
        Command::Invite(args) => invite::run(shell, args).await,
        Command::Invites(args) => invites::run(shell, &args).await,
        Command::Accept(args) => accept::run(shell, args).await,
        Command::Requests(args) => requests::run(shell, &args).await,
        Command::Request(command) => requests::decide(shell, command).await,
        Command::Door(args) => door::run(shell, args).await,
        Command::Contacts => contacts::run(shell).await,
        Command::Contact(command) => contact::run(shell, command).await,
        Command::Send(args) => send::run(shell, args).await,
        Command::History(args) => history::run(shell, args).await,
        Command::Conversations(args) => conversations::list(shell, &args).await,
        Command::Conversation(command) => conversations::change(shell, command).await,
        Command::Draft(args) => draft::run(shell, args).await,
        Command::Timer(args) => timer::run(shell, args).await,
        Command::Typing(args) => typing::run(shell, args).await,
        Command::Forward(args) => forward::run(shell, args).await,
        Command::Export(args) => export::run(shell, args).await,
        Command::Search(args) => search::run(shell, args).await,
        Command::Listen(args) => listen::run(shell, &args).await,
        Command::Save(args) => save::run(shell, args).await,
        Command::Files(command) => files::run(shell, command).await,
        Command::Transfers => transfer::list(shell).await,
        Command::Transfer(command) => transfer::run(shell, command).await,
        Command::Profile(args) => profile::run(shell, args).await,
        Command::Pipe(args) => pipe::run(shell, args).await,
        Command::React(args) => react::run(shell, args).await,
        Command::Edit(args) => edit::run(shell, args).await,
        Command::Unsend(args) => unsend::run(shell, args).await,
        Command::Read(args) => read::run(shell, args).await,
        Command::Pin(command) => pin::run(shell, command).await,
        Command::Lock => lock::lock(shell).await,
        Command::Unlock => lock::unlock(shell).await,
        Command::Sync => sync::run(shell).await,
        Command::Status => status::run(shell).await,
        Command::Net => net::run(shell).await,
        Command::Settings(args) => settings::run(shell, args).await,
        Command::Doctor(args) => doctor::run(shell, args).await,
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
    }
}

impl Shell {
    fn finder(&self) -> Finder<'_> {
        Finder {
            paths: &self.paths,
            input: &self.input,
            options: &self.options,
            id: self.id.as_deref(),
            timeout: self.timeout,
        }
    }

    /// Finds whom to speak to, does the work, takes leave, whatever the work came to.
    async fn with<T>(
        &self,
        need: Need,
        work: impl AsyncFnOnce(&Caller) -> Outcome<T>,
    ) -> Outcome<T> {
        self.with_found(&self.finder(), need, work).await
    }

    /// As [`Self::with`], with the identity that this finder finds.
    async fn with_found<T>(
        &self,
        finder: &Finder<'_>,
        need: Need,
        work: impl AsyncFnOnce(&Caller) -> Outcome<T>,
    ) -> Outcome<T> {
        let caller = finder.find(need).await?;
        let outcome = work(&caller).await;
        caller.close().await;
        outcome
    }

    /// Where this process has the home open, brings what was just written to the others before it
    /// closes (`CLI-7`); a running node does so by itself.
    async fn settle(&self, caller: &Caller) -> Outcome {
        if caller.is_here() {
            let synced = caller
                .call(api::Sync {
                    timeout_ms: Some(self.timeout_ms()),
                })
                .await?;
            if synced.waits() {
                note("kept; it is sent when others can be reached: tenet up");
            }
        }
        Ok(())
    }

    fn timeout_ms(&self) -> u64 {
        u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX)
    }
}
