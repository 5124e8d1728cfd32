//! Names of things, each a type of its own, so that none can be taken for another.
//!
//! Nothing here knows what the things do. Every type checks its form where it is made.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The key of a repository in cfg.toml: `LABEL` in `[repo.LABEL]`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RepoLabel(String);

/// A branch name without `refs/heads/`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BranchName(String);

/// What a worker calls itself; unique among the workers of one token.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkerId(String);

macro_rules! text_name {
    ($($name:ident),+) => {$(
        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}
text_name!(RepoLabel, BranchName, WorkerId);

/// The number by which GitHub knows a repository, however it is called.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GitHubRepoId(pub u64);

/// The number of a pull request in its repository.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PullNumber(pub u64);

/// A run, unique over all repositories of one database.
///
/// The last four decimal digits are the repository's ordinal, the digits before them count that
/// repository's runs: run 12 of repository 3 is 120003.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u64);

/// How many repositories one database can number; see [`RunId`].
pub const REPOS_MAX: u64 = 10_000;

impl RunId {
    /// The id before the first run of the repository with this ordinal (below [`REPOS_MAX`]).
    pub fn before_first(repo_ordinal: u64) -> Self {
        Self(repo_ordinal % REPOS_MAX)
    }

    /// The id of the same repository's next run.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + REPOS_MAX)
    }
}

/// A job: one suite of one run, to be executed by a worker.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub u64);

/// Which attempt at a job, from 1. It fences results of workers that were given up.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptNumber(pub u32);

macro_rules! number_name {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}
number_name!(PullNumber, RunId, JobId, AttemptNumber);

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The moment this many milliseconds later; the end of time where that overflows.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add_unsigned(ms))
    }

    /// The moment this many seconds later; the end of time where that overflows.
    #[must_use]
    pub fn plus_s(self, seconds: u64) -> Self {
        self.plus_ms(seconds.saturating_mul(1000))
    }

    /// Milliseconds from `earlier` to this moment; 0 if `earlier` is later.
    pub fn ms_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}

/// A git commit: 40 hexadecimal digits.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CommitId([u8; 20]);

/// Why a text is no [`CommitId`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a commit id has 40 hexadecimal digits")]
pub struct BadCommitId;

impl CommitId {
    /// The all-zero id, by which GitHub says that a ref was made, is gone, or is not known yet.
    pub const ZERO: Self = Self([0; 20]);

    /// From the 20 bytes themselves.
    pub fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The first seven digits, as git shows them to people.
    pub fn short(self) -> String {
        self.to_string().chars().take(7).collect()
    }

    /// Whether the id, written out, begins with these hexadecimal digits (in any case).
    pub fn starts_with(self, digits: &str) -> bool {
        self.to_string().starts_with(&digits.to_ascii_lowercase())
    }
}

impl FromStr for CommitId {
    type Err = BadCommitId;

    fn from_str(text: &str) -> Result<Self, BadCommitId> {
        let mut bytes = [0; 20];
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) => Ok(Self(bytes)),
            Err(_) => Err(BadCommitId),
        }
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

impl Serialize for CommitId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CommitId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A GitHub account's name. Compared without regard to case, shown as it was written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Login(String);

impl Login {
    /// Takes the name as it is written.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn folded(&self) -> impl Iterator<Item = char> + '_ {
        self.0.chars().flat_map(char::to_lowercase)
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        self.folded().eq(other.folded())
    }
}

impl Eq for Login {}

impl Ord for Login {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl PartialOrd for Login {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Login {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for letter in self.folded() {
            letter.hash(state);
        }
    }
}

/// Whether two names of labels, contexts or check runs are the same on GitHub, which does not tell
/// them apart by their case.
pub fn is_same_name(one: &str, other: &str) -> bool {
    let folded = |name: &str| {
        name.chars()
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    one == other || folded(one) == folded(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_id_is_40_hex_digits_and_nothing_else() {
        let text = "0123456789abcdef0123456789ABCDEF01234567";
        let commit: CommitId = text.parse().unwrap();
        assert_eq!(commit.to_string(), text.to_lowercase());
        assert_eq!(commit.short(), "0123456");
        assert!(commit.starts_with("0123AB") || commit.starts_with("012345"));
        for bad in [
            "",
            "0123",
            &text[1..],
            &format!("{text}0"),
            &text.replace('a', "g"),
        ] {
            assert_eq!(bad.parse::<CommitId>(), Err(BadCommitId), "{bad}");
        }
    }

    #[test]
    fn logins_ignore_case() {
        assert_eq!(Login::new("Octo-Cat"), Login::new("octo-cat"));
        assert_ne!(Login::new("octocat"), Login::new("octo-cat"));
    }

    #[test]
    fn names_on_github_ignore_case_and_nothing_else() {
        assert!(is_same_name("CI/Test", "ci/test") && is_same_name("Über", "über"));
        assert!(!is_same_name("ci/test", "ci-test") && !is_same_name("ci", "ci "));
    }

    #[test]
    fn run_ids_of_two_repos_never_meet() {
        let mut first = RunId::before_first(1);
        let mut second = RunId::before_first(2);
        for _ in 0..100 {
            first = first.next();
            second = second.next();
            assert_ne!(first, second);
            assert_eq!(first.0 % REPOS_MAX, 1);
        }
    }
}
