//! What cfg.toml says about one repository, as far as the queue needs it.

use crate::command::Grammar;
use crate::ids::{BranchName, Login};
use crate::suite::OnMerge;

/// How one repository is to be tested and who may say so.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How comments are read: the bot's own login, and hooks.
    pub grammar: Grammar,
    /// Who may approve.
    pub reviewers: Vec<Login>,
    /// Who may try.
    pub try_users: Vec<Login>,
    /// Whether people with write access may approve.
    pub collaborators: Collaborators,
    /// The highest priority that can be given.
    pub max_priority: i64,
    /// How long a run's checks may take together, in seconds.
    pub timeout_s: u64,
    /// How long it may take until a run's commit is made, in seconds.
    pub setup_timeout_s: u64,
    /// The branch on which approved merges are tested.
    pub auto_branch: BranchName,
    /// The branch on which tries are tested.
    pub try_branch: BranchName,
    /// Commit statuses that a run waits for.
    pub statuses: Vec<StatusRule>,
    /// Check runs that a run waits for.
    pub check_runs: Vec<CheckRunRule>,
    /// Which suites of the commit a run waits for; `None` for no suites at all.
    pub suites: Option<OnMerge>,
}

/// Whether write access to the repository makes a reviewer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Collaborators {
    /// It does (`auth_collaborators = true`).
    MayApprove,
    /// Only `reviewers` counts.
    DoNotCount,
}

/// A commit status that a run waits for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusRule {
    /// Its key in cfg.toml.
    pub label: String,
    /// The context on GitHub.
    pub context: String,
    /// Whether tries wait for it too.
    pub in_tries: bool,
}

/// A check run that a run waits for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CheckRunRule {
    /// Its key in cfg.toml.
    pub label: String,
    /// Its name on GitHub.
    pub name: String,
    /// Its name on GitHub in tries; `None` for the same.
    pub try_name: Option<String>,
}
