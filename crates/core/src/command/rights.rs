//! Who may give which command. Whether somebody is a reviewer is for others to find out.

use serde::{Deserialize, Serialize};

use super::Command;

/// How far a repository trusts somebody. Each step includes those before it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Anybody.
    Outsider,
    /// Named in `try_users`.
    Trier,
    /// Named in `reviewers`, a collaborator where that suffices, the pull's delegate, or the bot.
    Reviewer,
}

/// Whether somebody opened the pull that is spoken of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Authorship {
    /// The pull is theirs.
    Author,
    /// It is somebody else's.
    Other,
}

/// Somebody who gives a command on a pull.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Speaker {
    /// How far the repository trusts them.
    pub permission: Permission,
    /// Whether the pull is theirs.
    pub authorship: Authorship,
}

/// What it takes to give a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Right {
    /// Nothing.
    Anyone,
    /// At least [`Permission::Trier`].
    Try,
    /// [`Permission::Reviewer`].
    Reviewer,
    /// [`Permission::Reviewer`], or to be the pull's author.
    ReviewerOrAuthor,
}

impl Right {
    /// Whether this speaker has the right.
    pub fn is_held_by(self, speaker: Speaker) -> bool {
        let reviews = speaker.permission >= Permission::Reviewer;
        match self {
            Self::Anyone => true,
            Self::Try => speaker.permission >= Permission::Trier,
            Self::Reviewer => reviews,
            Self::ReviewerOrAuthor => reviews || speaker.authorship == Authorship::Author,
        }
    }
}

impl Command {
    /// What it takes to give this command.
    ///
    /// For a hook this is only the least: its `access` in the configuration may ask for more.
    pub fn right(&self) -> Right {
        match self {
            Self::Ping | Self::Portal | Self::Info => Right::Anyone,
            Self::Unapprove => Right::ReviewerOrAuthor,
            Self::Approve { .. }
            | Self::Delegate { .. }
            | Self::DelegateAuthor
            | Self::Ok
            | Self::OkAuthor
            | Self::TreeClosed { .. }
            | Self::TreeOpen => Right::Reviewer,
            Self::Priority { .. }
            | Self::Undelegate
            | Self::Retry { .. }
            | Self::Test { .. }
            | Self::Cancel
            | Self::Hold
            | Self::Unhold
            | Self::Try { .. }
            | Self::Untry
            | Self::Rollup { .. }
            | Self::Squash
            | Self::Unsquash
            | Self::Force
            | Self::Clean
            | Self::Hook { .. } => Right::Try,
        }
    }
}
