//! `[repo.LABEL.branch]`: the branches that are the bot's own.

use super::section::Section;
use paprq_core::ids::BranchName;

/// The branches of a repository that are the bot's own and that it overwrites.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Branches {
    /// Where approved merges are tested. Default `auto`.
    pub auto: BranchName,
    /// Where tries are tested (key `try`). Default `try`.
    pub try_: BranchName,
    /// Where rollups are made, in the fork of who makes one. Default `rollup`.
    pub rollup: BranchName,
}

impl Branches {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let branches = Self {
            auto: branch(section, "auto"),
            try_: branch(section, "try"),
            rollup: branch(section, "rollup"),
        };
        branches.check(section);
        branches
    }

    /// Git can hold neither two branches of one name nor one below the other.
    fn check(&self, section: &Section<'_>) {
        let pairs = [
            ("try", &self.try_, &self.auto),
            ("rollup", &self.rollup, &self.auto),
            ("rollup", &self.rollup, &self.try_),
        ];
        for (key, branch, other) in pairs {
            if collide(branch.as_str(), other.as_str()) {
                let message = format!("our branches {branch} and {other} are in each other's way");
                section.error(key, message, "give each a name of its own");
            }
        }
    }
}

fn collide(one: &str, other: &str) -> bool {
    let below = |inner: &str, outer: &str| {
        let rest = inner.strip_prefix(outer);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    below(one, other) || below(other, one)
}

/// Names that a branch of ours must not have, because it is overwritten.
const KEPT_BRANCHES: [&str; 3] = ["main", "master", "homu-tmp"];

fn branch(section: &Section<'_>, key: &'static str) -> BranchName {
    let text = section.text(key).unwrap_or_else(|| key.to_owned());
    if text.starts_with('-') || !git2::Reference::is_valid_name(&format!("refs/heads/{text}")) {
        let message = format!("\"{key}\" is no branch name");
        section.error(
            key,
            message,
            "write a name that git accepts, without refs/heads/",
        );
    }
    if KEPT_BRANCHES.contains(&text.as_str()) {
        let message = format!("\"{key}\" is {text}, which the bot would overwrite");
        section.error(key, message, "take a branch that nobody else uses");
    }
    BranchName::new(text)
}
