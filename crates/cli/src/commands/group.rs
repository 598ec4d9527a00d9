//! `tenet group …`: sessions of many.

use tenet_rpc::api::{
    BlockedMember, Change, Group, GroupBlocked, GroupChange, GroupMember, GroupMembers, GroupNew,
    GroupPin, GroupPins, GroupPolicy, GroupShow, Groups, Newcomers, Right, Role, Withdraw,
};

use super::{Shell, accept, group_links, message};
use crate::args::{self, GroupCommand};
use crate::caller::Need;
use crate::failure::Outcome;
use crate::input::absolute;
use crate::output::{note, shown_indented, shown_short};
use crate::time;

pub(super) async fn run(shell: &Shell, command: GroupCommand) -> Outcome {
    use GroupCommand as C;
    match command {
        C::New(args) => new(shell, args).await,
        C::List => list(shell).await,
        C::Members(args) => members(shell, args).await,
        C::Add(args::GroupAdd { group, who, role }) => {
            let role = as_role(role);
            change(shell, group, Change::Add { who, role }).await
        }
        C::Remove(args::GroupRemove { group, who, block }) => {
            change(shell, group, Change::Remove { who, block }).await
        }
        C::Role(args::GroupRole { group, who, role }) => {
            let role = as_role(role);
            change(shell, group, Change::Role { who, role }).await
        }
        C::Mute(args::GroupMute { group, who, lasts }) => {
            let seconds = lasts;
            change(shell, group, Change::Mute { who, seconds }).await
        }
        C::Unmute(args) => change(shell, args.group, Change::Unmute { who: args.who }).await,
        C::Rename(args) => change(shell, args.group, Change::Rename { name: args.name }).await,
        C::Show(args) => show(shell, args.group, about).await,
        C::Describe(args) => describe(shell, args).await,
        C::Avatar(args) => avatar(shell, args).await,
        C::Policy(args) => policy(shell, args).await,
        C::History(args) => newcomers(shell, args).await,
        C::Transfer(args) => change(shell, args.group, Change::Transfer { who: args.who }).await,
        C::Block(args::GroupMember { group, who }) => {
            let block = true;
            change(shell, group, Change::Remove { who, block }).await
        }
        C::Unblock(args) => change(shell, args.group, Change::Unblock { who: args.who }).await,
        C::Blocked(args) => blocked(shell, args).await,
        C::Invite(args) => group_links::invite(shell, args).await,
        C::Invites(args) => group_links::list(shell, args.group).await,
        C::Uninvite(args) => group_links::close(shell, args).await,
        C::Preview(args) => group_links::preview(shell, args).await,
        C::Join(args) => accept::join(shell, args).await,
        C::Requests(args) => group_links::requests(shell, args.group).await,
        C::Accept(args) => group_links::accept(shell, args).await,
        C::Reject(args) => group_links::reject(shell, args).await,
        C::Withdraw(args) => withdraw(shell, args).await,
        C::Pin(args) => pin(shell, args.id, true).await,
        C::Unpin(args) => pin(shell, args.id, false).await,
        C::Pins(args) => pins(shell, args.group).await,
        C::Leave(args) => change(shell, args.group, Change::Leave {}).await,
        C::Dissolve(args) => change(shell, args.group, Change::Dissolve {}).await,
    }
}

async fn new(shell: &Shell, args: args::GroupNew) -> Outcome {
    let (name, with) = (args.name, args.who);
    let group = shell
        .with(Need::Network, async |caller| {
            let group = caller.call(GroupNew { name, with }).await?;
            shell.settle(caller).await?;
            Ok(group)
        })
        .await?;
    shell.output.object(&group, || line(&group))
}

async fn list(shell: &Shell) -> Outcome {
    let list = shell
        .with(Need::Home, async |caller| caller.call(Groups {}).await)
        .await?;
    if list.groups.is_empty() {
        note("no groups yet: tenet group new NAME WHO…");
    }
    let mut groups = list.groups.iter();
    groups.try_for_each(|group| shell.output.object(group, || line(group)))
}

async fn members(shell: &Shell, args: args::GroupNamed) -> Outcome {
    let group = args.group;
    let list = shell
        .with(Need::Home, async |caller| {
            caller.call(GroupMembers { group }).await
        })
        .await?;
    let mut members = list.members.iter();
    members.try_for_each(|member| shell.output.object(member, || member_line(member)))
}

async fn blocked(shell: &Shell, args: args::GroupNamed) -> Outcome {
    let group = args.group;
    let list = shell
        .with(Need::Home, async |caller| {
            caller.call(GroupBlocked { group }).await
        })
        .await?;
    if list.blocked.is_empty() {
        note("nobody is blocked: links let anybody in who has them");
    }
    let mut blocked = list.blocked.iter();
    let words = |one: &BlockedMember| format!("{}, {}", shown_short(&one.name), one.did);
    blocked.try_for_each(|one| shell.output.object(one, || words(one)))
}

/// Shows how a group stands.
async fn show(shell: &Shell, group: String, words: fn(&Group) -> String) -> Outcome {
    let group = shell
        .with(Need::Home, async |caller| {
            caller.call(GroupShow { group }).await
        })
        .await?;
    shell.output.object(&group, || words(&group))
}

async fn describe(shell: &Shell, args: args::GroupDescribe) -> Outcome {
    let text = match args.text {
        None if args.clear => String::new(),
        None => return show(shell, args.group, description).await,
        Some(text) => shell.input.text(&text)?,
    };
    change_and_show(shell, args.group, Change::Describe { text }, about).await
}

async fn withdraw(shell: &Shell, args: args::GroupWithdraw) -> Outcome {
    let args::GroupWithdraw { id, reason } = args;
    let changed = shell
        .with(Need::Network, async |caller| {
            let changed = caller.call(Withdraw { id, reason }).await?;
            shell.settle(caller).await?;
            Ok(changed)
        })
        .await?;
    shell.output.object(&changed, || changed.id.clone())
}

async fn pin(shell: &Shell, id: String, pinned: bool) -> Outcome {
    let group = shell
        .with(Need::Network, async |caller| {
            let group = caller.call(GroupPin { id, pinned }).await?;
            shell.settle(caller).await?;
            Ok(group)
        })
        .await?;
    shell.output.object(&group, || line(&group))
}

async fn pins(shell: &Shell, group: String) -> Outcome {
    let pins = shell
        .with(Need::Home, async |caller| {
            caller.call(GroupPins { group }).await
        })
        .await?;
    let mut messages = pins.messages.iter();
    messages.try_for_each(|one| shell.output.object(one, || message::words(one, true)))
}

async fn avatar(shell: &Shell, args: args::GroupAvatar) -> Outcome {
    let path = args.file.map(|path| absolute(&path)).transpose()?;
    let path = path.unwrap_or_default();
    change_and_show(shell, args.group, Change::Avatar { path }, about).await
}

async fn policy(shell: &Shell, args: args::GroupPolicy) -> Outcome {
    let Some((what, role)) = args.what.zip(args.role) else {
        return show(shell, args.group, rights).await;
    };
    let (what, role) = (as_right(what), as_role(role));
    change_and_show(shell, args.group, Change::Policy { what, role }, rights).await
}

async fn newcomers(shell: &Shell, args: args::GroupHistory) -> Outcome {
    let Some(what) = args.what else {
        return show(shell, args.group, past).await;
    };
    let history = match what {
        args::Newcomers::None => Newcomers::None,
        args::Newcomers::Last(count) => Newcomers::Last(count),
        args::Newcomers::All => Newcomers::All,
    };
    change_and_show(shell, args.group, Change::History { history }, past).await
}

async fn change(shell: &Shell, group: String, change: Change) -> Outcome {
    change_and_show(shell, group, change, line).await
}

/// Changes a group, tells the others, and shows how it stands.
async fn change_and_show(
    shell: &Shell,
    group: String,
    change: Change,
    words: fn(&Group) -> String,
) -> Outcome {
    let group = shell
        .with(Need::Network, async |caller| {
            let group = caller.call(GroupChange { group, change }).await?;
            shell.settle(caller).await?;
            Ok(group)
        })
        .await?;
    shell.output.object(&group, || words(&group))
}

pub(super) fn line(group: &Group) -> String {
    let id: String = group.session.chars().take(8).collect();
    let people = match group.members {
        1 => "1 person".to_owned(),
        many => format!("{many} people"),
    };
    let role = match (group.dissolved, group.role) {
        (true, _) => "dissolved".to_owned(),
        (false, None) => "you are out".to_owned(),
        (false, Some(role)) => format!("you are {}", role_word(role)),
    };
    format!("{} ({id}), {people}, {role}", shown_short(&group.name))
}

/// All that there is to say of a group.
fn about(group: &Group) -> String {
    let mut words = line(group);
    if let Some(text) = &group.description {
        words += &format!("\n    {}", shown_indented(text, 4));
    }
    if group.avatar.is_some() {
        words += "\nwith a picture";
    }
    format!("{words}\n{}\n{}", rights(group), past(group))
}

fn description(group: &Group) -> String {
    match &group.description {
        Some(text) => shown_indented(text, 0),
        None => "nobody has said what it is about: tenet group describe GROUP TEXT".into(),
    }
}

fn rights(group: &Group) -> String {
    policy_words(&group.policy)
}

/// Who may do what, a line each.
pub(super) fn policy_words(policy: &GroupPolicy) -> String {
    let words = [
        ("add", "let others in", policy.add),
        ("links", "open and close links", policy.links),
        (
            "remove",
            "take out, take the role or the word",
            policy.remove,
        ),
        ("settings", "name, describe and picture it", policy.settings),
        ("write", "write", policy.write),
    ];
    let lines = words.map(|(what, does, role)| {
        let who = match role {
            Role::Owner => "owners",
            Role::Moderator => "moderators and above",
            Role::Member => "members and above",
            Role::Observer => "everybody",
        };
        format!("{what:<9} {who} {does}")
    });
    lines.join("\n")
}

fn past(group: &Group) -> String {
    newcomers_words(group.history)
}

/// What newcomers get.
pub(super) fn newcomers_words(history: Newcomers) -> String {
    match history {
        Newcomers::None => "newcomers get nothing of what was said before".into(),
        Newcomers::Last(1) => "newcomers get the last message".into(),
        Newcomers::Last(count) => format!("newcomers get the last {count} messages"),
        Newcomers::All => "newcomers get all that was said before".into(),
    }
}

fn member_line(member: &GroupMember) -> String {
    let mut line = format!(
        "{}{}, {}, {}",
        shown_short(&member.name),
        if member.me { " (you)" } else { "" },
        role_word(member.role),
        match member.devices {
            1 => "1 device".to_owned(),
            many => format!("{many} devices"),
        }
    );
    match (member.muted, member.muted_until) {
        (false, _) => {}
        (true, None) => line += ", muted",
        (true, Some(until)) => line += &format!(", muted until {}", time::full(until)),
    }
    line
}

pub(super) const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Moderator => "moderator",
        Role::Member => "member",
        Role::Observer => "observer",
    }
}

fn as_right(right: args::Right) -> Right {
    match right {
        args::Right::Add => Right::Add,
        args::Right::Links => Right::Links,
        args::Right::Remove => Right::Remove,
        args::Right::Settings => Right::Settings,
        args::Right::Write => Right::Write,
    }
}

pub(super) fn as_role(role: args::Role) -> Role {
    match role {
        args::Role::Owner => Role::Owner,
        args::Role::Moderator => Role::Moderator,
        args::Role::Member => Role::Member,
        args::Role::Observer => Role::Observer,
    }
}
