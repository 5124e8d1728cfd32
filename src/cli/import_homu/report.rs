//! What became of an import, in plain words.

use std::collections::BTreeMap;
use std::fmt;

use crate::store::RepoTakeover;
use paprq_core::ids::{RepoLabel, Timestamp};
use paprq_core::queue::Tree;
use paprq_core::queue::imported::{Left, Part, Takeover, TreeTaken};

/// What became of an import.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) written_at: Timestamp,
    pub(super) repos: Vec<RepoReport>,
    /// Configured repositories that are not in the file.
    pub(super) absent: Vec<RepoLabel>,
    /// Repositories that are not configured, with their numbers of pulls.
    pub(super) unknown: BTreeMap<String, usize>,
    /// What belongs to no repository.
    pub(super) remarks: Vec<String>,
}

/// What became of a repository.
#[derive(Debug)]
pub(super) struct RepoReport {
    pub(super) label: RepoLabel,
    pub(super) takeover: RepoTakeover,
    /// Whether the tree is closed, if Homu says so.
    pub(super) tree: Option<Tree>,
    pub(super) retries: usize,
    pub(super) remarks: Vec<String>,
}

/// What is counted, in the order in which it is told.
const COUNTED: [(Part, &str, &str); 9] = [
    (Part::Approval, "approval", "approvals"),
    (Part::Priority, "priority", "priorities"),
    (Part::Rollup, "rollup mark", "rollup marks"),
    (Part::Delegate, "delegation", "delegations"),
    (Part::Squash, "squash mark", "squash marks"),
    (Part::Try, "wanted try", "wanted tries"),
    (
        Part::Running,
        "test under way, which goes on",
        "tests under way, which go on",
    ),
    (Part::Test, "test result", "test results"),
    (
        Part::Mergeability,
        "pull that is known to merge or not",
        "pulls that are known to merge or not",
    ),
];

/// Why a tree was left.
const TREE_LEFT: &str = "the tree: somebody closed or opened it here, or it was taken over before";

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written_at = jiff::Timestamp::from_millisecond(self.written_at.0).unwrap_or_default();
        writeln!(
            f,
            "Homu wrote this file last at {}. What was said on GitHub since then is acted on when \
             the server starts.",
            written_at.strftime("%F %T UTC")
        )?;
        for repo in &self.repos {
            write!(f, "{repo}")?;
        }
        self.show_absent(f)?;
        if !self.unknown.is_empty() {
            writeln!(
                f,
                "\nLeft out, because the configuration has no such repository:"
            )?;
            for (label, pulls) in &self.unknown {
                writeln!(
                    f,
                    "  - [repo.{}]: {}",
                    label.escape_debug(),
                    pulls_of(*pulls)
                )?;
            }
        }
        list(f, "\nLeft out, because it cannot be read:", &self.remarks)
    }
}

impl Report {
    fn show_absent(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.repos.is_empty() {
            let nothing = "Nothing is taken over: none of the configured repositories is in it.";
            return writeln!(f, "\n{nothing}");
        }
        if self.absent.is_empty() {
            return Ok(());
        }
        let absent: Vec<_> = self
            .absent
            .iter()
            .map(|label| format!("[repo.{label}]"))
            .collect();
        let absent = absent.join(", ");
        writeln!(f, "\nNot in this file, and left as they are: {absent}")
    }
}

impl fmt::Display for RepoReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n[repo.{}]", self.label)?;
        let pulls = &self.takeover.pulls;
        let new = pulls.iter().filter(|pull| pull.taken.contains(&Part::Pull));
        let new = new.count();
        let same = pulls.iter().filter(|pull| pull.taken.is_empty()).count();
        let completed = pulls.len() - new - same;
        writeln!(
            f,
            "  {}: {new} taken over, {completed} known here and completed, {same} already there.",
            pulls_of(pulls.len())
        )?;
        for line in counts(pulls).into_iter().chain(self.beside()) {
            writeln!(f, "  - {line}")?;
        }
        list(f, "  Not taken over:", &self.left())
    }
}

impl RepoReport {
    /// What is taken over beside pulls.
    fn beside(&self) -> Vec<String> {
        let retries = match self.retries {
            0 => None,
            1 => Some("1 entry of the retry log".to_owned()),
            count => Some(format!("{count} entries of the retry log")),
        };
        let is_taken = self.takeover.tree == Some(TreeTaken::Yes);
        let tree = self.tree.as_ref().filter(|_| is_taken);
        let tree = tree.map(|tree| match tree {
            Tree::Open => "the tree: open".to_owned(),
            Tree::Closed { below, .. } => format!("the tree: closed below priority {below}"),
        });
        retries.into_iter().chain(tree).collect()
    }

    fn left(&self) -> Vec<String> {
        let left = self.takeover.pulls.iter().flat_map(|pull| {
            let number = pull.pull.number();
            let left = pull.left.iter();
            left.map(move |(part, why)| format!("#{number}: {}: {}", noun(*part), reason(*why)))
        });
        let is_left = self.takeover.tree == Some(TreeTaken::No);
        let tree = is_left.then(|| TREE_LEFT.to_owned());
        let odd = self.remarks.iter().cloned();
        tree.into_iter().chain(left).chain(odd).collect()
    }
}

fn list(f: &mut fmt::Formatter<'_>, heading: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(f, "{heading}")?;
    lines.iter().try_for_each(|line| writeln!(f, "  - {line}"))
}

fn counts(pulls: &[Takeover]) -> Vec<String> {
    let counted = COUNTED.iter().filter_map(|(part, one, many)| {
        let count = pulls.iter().filter(|pull| pull.taken.contains(part));
        match count.count() {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        }
    });
    counted.collect()
}

fn pulls_of(count: usize) -> String {
    match count {
        1 => "1 pull".to_owned(),
        count => format!("{count} pulls"),
    }
}

fn noun(part: Part) -> &'static str {
    match part {
        Part::Pull => "the pull",
        Part::Approval => "the approval",
        Part::Priority => "the priority",
        Part::Rollup => "the rollup mark",
        Part::Delegate => "the delegation",
        Part::Squash => "the squash mark",
        Part::Try => "the wanted try",
        Part::Running => "the test under way, which begins again",
        Part::Test => "the test result",
        Part::Mergeability => "whether it merges",
    }
}

fn reason(why: Left) -> &'static str {
    match why {
        Left::Closed => "the pull is closed by now",
        Left::Changed => "the pull has changed since",
        Left::Unfinished => "its title says that it is not finished",
        Left::Approved => "what is approved is not tried",
        Left::NotApproved => "the pull has no approval that counts",
        Left::NoCommit => "Homu did not write down which commit it tests",
        Left::NoCheck => "the configuration has no status, check or builder that it could wait for",
        Left::Another => "another run is to land before it",
        Left::TestedHere => "the pull was tested or tried here",
    }
}
