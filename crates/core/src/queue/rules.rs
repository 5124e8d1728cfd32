//! What cfg.toml says about one repository, as far as the queue needs it.

use std::collections::BTreeMap;

use super::effect::History;
use super::labels::{LabelChange, LabelEvent};
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
    /// Who else is asked about people's rights, live.
    pub authorities: Vec<Authority>,
    /// The hooks, by trigger.
    pub hooks: BTreeMap<String, HookRule>,
    /// Which labels events move.
    pub labels: BTreeMap<LabelEvent, LabelChange>,
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
    /// How pulls come into the base.
    pub history: History,
    /// Whether `fixup!` commits are put where they belong first.
    pub fixups: Fixups,
    /// Whether the messages of merges may mention people.
    pub mentions: Mentions,
    /// Whether what is known to be green lands without a test.
    pub exemption: ExemptionRule,
    /// What `try=CHOOSER` takes, with the names of the checks that it waits for; none named means
    /// all.
    pub choosers: BTreeMap<String, Vec<String>>,
    /// The builds of Buildbot that a run waits for.
    pub buildbot: Option<BuildbotRule>,
    /// The branch to which a commit is pushed that needs no test.
    pub temporary_branch: BranchName,
    /// Commit statuses that a run waits for.
    pub statuses: Vec<StatusRule>,
    /// Check runs that a run waits for.
    pub check_runs: Vec<CheckRunRule>,
    /// Which suites of the commit a run waits for; `None` for no suites at all.
    pub suites: Option<OnMerge>,
    /// Which pulls are tested by themselves.
    pub pulls: PullTests,
    /// Whose pulls are tested without anybody being asked, beside reviewers and `try_users`.
    pub trusted: Vec<Login>,
    /// Whether what passed before on the same tree is tested again.
    pub reuse: Reuse,
    /// Whether pulls are merged.
    pub merging: Merging,
    /// Whether GitHub is told anything.
    pub reporting: Reporting,
}

/// What a check run counts as that neither passed nor failed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Counts {
    /// As passed (`"pass"`), as GitHub has it for required checks.
    #[default]
    Passed,
    /// As failed (`"fail"`).
    Failed,
}

/// Who may call a hook.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HookAccess {
    /// Who may approve.
    Reviewer,
    /// Who may try.
    Try,
}

/// Which pulls are tested by themselves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PullTests {
    /// Those of authors who are trusted, and those that a reviewer lets be tested.
    Trusted,
    /// All.
    All,
    /// None.
    None,
}

/// What becomes of a suite that passed before on the same tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reuse {
    /// It counts as passed (`reuse = true`).
    Passes,
    /// It is executed again.
    Never,
}

/// Whether approved pulls are merged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Merging {
    /// They are.
    On,
    /// They are, once their pull request test is green (`require_green_pull = true`).
    OnceGreen,
    /// Somebody else merges: what is said about merging is not for us (`merges = false`).
    Off,
}

/// Whether GitHub is told anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reporting {
    /// It is.
    On,
    /// No status, comment or label is posted (`report = false`).
    Off,
}

/// Somebody who is asked whether a person may approve or try.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Authority {
    /// GitHub: collaborators are reviewers (`auth_collaborators = true`).
    Collaborators,
    /// The Rust project's team service (`rust_team = true`).
    RustTeam,
}

/// A command that calls another service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HookRule {
    /// Who may give it.
    pub access: HookAccess,
    /// Whether it is called again when comments are read anew.
    pub replay: Replay,
}

/// Whether a hook is called again when comments are read anew.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Replay {
    /// Only when the comment is made (`realtime = true`).
    Never,
    /// Also when the pull is taken up again from its comments.
    AtRestore,
}

/// Whether `fixup!`, `squash!` and `amend!` commits are put where they belong before a merge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fixups {
    /// They stay as they are.
    Keep,
    /// They are (`autosquash = true`).
    Squash,
}

/// What becomes of `@name` in the messages of merges.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mentions {
    /// It stays.
    AsWritten,
    /// It goes into backticks (`escape_mentions = true`).
    Escaped,
}

/// Whether a merge that is known to be green lands without a test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExemptionRule {
    /// Every merge is tested.
    Never,
    /// It does (`status_based_exemption = true`).
    ByStatuses,
}

/// The builds of Buildbot that a run waits for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BuildbotRule {
    /// The builders of merges.
    pub builders: Vec<String>,
    /// The builders of tries.
    pub try_builders: Vec<String>,
    /// The builders of `try=CHOOSER`, by chooser.
    pub choosers: BTreeMap<String, Vec<String>>,
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
    /// The context of its equal on a pull's own commits.
    pub pr_context: String,
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
    /// What `neutral` counts as.
    pub neutral: Counts,
    /// What `skipped` counts as, where no check run of the name was carried out.
    pub skipped: Counts,
}
