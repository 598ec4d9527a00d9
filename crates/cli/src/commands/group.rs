//! `tenet group …`: sessions of many.

use tenet_rpc::api::{
    Change, Group, GroupChange, GroupMember, GroupMembers, GroupNew, Groups, Role,
};

use super::Shell;
use crate::args::{self, GroupCommand};
use crate::caller::Need;
use crate::failure::Outcome;
use crate::output::{note, shown_short};
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

/// Changes a group, tells the others, and shows how it stands.
async fn change(shell: &Shell, group: String, change: Change) -> Outcome {
    let group = shell
        .with(Need::Network, async |caller| {
            let group = caller.call(GroupChange { group, change }).await?;
            shell.settle(caller).await?;
            Ok(group)
        })
        .await?;
    shell.output.object(&group, || line(&group))
}

fn line(group: &Group) -> String {
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

fn member_line(member: &GroupMember) -> String {
    let mut line = format!(
        "{}, {}, {}",
        shown_short(&member.name),
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

const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Moderator => "moderator",
        Role::Member => "member",
        Role::Observer => "observer",
    }
}

fn as_role(role: args::Role) -> Role {
    match role {
        args::Role::Owner => Role::Owner,
        args::Role::Moderator => Role::Moderator,
        args::Role::Member => Role::Member,
        args::Role::Observer => Role::Observer,
    }
}
