//! What can go wrong with git, sorted by what the caller does next.

use std::io;

use paprq_core::ids::CommitId;

/// Why a git operation failed. Messages fit "failed to {error}" and hold no token.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The remote was out of reach, slow or overloaded, and nothing changed there: try again later.
    #[error("reach the remote: {0}")]
    Transient(String),
    /// The remote refuses us and will go on doing so (credentials, rights): someone must act.
    #[error("be let in by the remote: {0}")]
    Rejected(String),
    /// The remote has no such repository, branch, pull or commit (any more).
    #[error("find it at the remote: {0}")]
    Gone(String),
    /// The mirror does not hold this commit: fetch it, then ask again.
    #[error("find commit {0} in the mirror")]
    Missing(CommitId),
    /// What others made needs more memory, time or space than is allowed here; the same again would.
    #[error("stay within the limits for what others made: {0}")]
    TooLarge(String),
    /// A push was sent, its answer was lost and the branch does not show it: the same push may be
    /// sent again, but nothing may be decided that needs it not to have happened.
    #[error("learn whether the push arrived: {0}")]
    Unknown(String),
    /// A branch name that git itself would refuse.
    #[error("take {0:?} for a branch name")]
    BadName(String),
    /// A remote URL of a kind that is not allowed, or with credentials in it.
    #[error("use the remote's URL: {0}")]
    BadUrl(&'static str),
    /// The `git` program is missing, too old or failed on this machine: someone must act.
    #[error("run git: {0}")]
    Program(String),
    /// libgit2 failed on the mirror (full disk, damaged files): someone must act.
    #[error("use the mirror: {}", .0.message())]
    Mirror(#[from] git2::Error),
    /// The file system or a pipe failed on this machine.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl GitError {
    /// For `map_err`: names what was being done.
    pub(super) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }

    /// Sorts what git wrote when a remote operation failed.
    ///
    /// The texts are those of git 2.38 to 2.5x under `LC_ALL=C` and of GitHub's servers. What is
    /// not known counts as transient: trying again is harmless, giving up is not.
    pub(super) fn from_stderr(stderr: &str) -> Self {
        const GONE: [&str; 6] = [
            "couldn't find remote ref",
            "not our ref",
            "unadvertised object",
            "repository not found",
            "' not found",
            "does not appear to be a git repository",
        ];
        const REJECTED: [&str; 6] = [
            "authentication failed",
            "could not read username",
            "permission denied",
            "returned error: 401",
            "returned error: 403",
            "host key verification failed",
        ];
        // What the remote's hooks say proves nothing: git says the same in its own words.
        let own = stderr.lines().filter(|line| !line.starts_with("remote: "));
        let text = own.collect::<Vec<_>>().join("\n").to_ascii_lowercase();
        let says = |needles: &[&str]| needles.iter().any(|needle| text.contains(needle));
        let message = stderr.trim().to_owned();
        if names_a_limit(&text) {
            Self::TooLarge(message)
        } else if says(&GONE) {
            Self::Gone(message)
        } else if says(&REJECTED) {
            Self::Rejected(message)
        } else {
            Self::Transient(message)
        }
    }
}

/// Whether git says that it met one of the limits of its process.
pub(super) fn names_a_limit(said: &str) -> bool {
    const LIMITS: [&str; 5] = [
        "out of memory",
        "cannot allocate memory",
        "unable to create thread",
        "file too large",
        "exceeded maximum allowed tree depth",
    ];
    let own = said.lines().filter(|line| !line.starts_with("remote: "));
    let mut own = own.map(str::to_ascii_lowercase);
    own.any(|line| LIMITS.iter().any(|limit| line.contains(limit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_is_sorted_by_what_to_do_next() {
        for (text, kind) in [
            ("fatal: couldn't find remote ref refs/heads/x", "find"),
            (
                "fatal: Out of memory, malloc failed (tried 9 bytes)",
                "stay",
            ),
            ("remote: fatal: Out of memory\nfatal: hung up", "reach"),
            ("fatal: write error: File too large", "stay"),
            ("fatal: repository 'http://h/a.git/' not found", "find"),
            ("fatal: Authentication failed for 'http://h/'", "be"),
            ("The requested URL returned error: 403", "be"),
            ("The requested URL returned error: 503", "reach"),
            ("remote: 'x' not found\nfatal: hung up", "reach"),
            ("fatal: the remote end hung up unexpectedly", "reach"),
            ("", "reach"),
        ] {
            let message = GitError::from_stderr(text).to_string();
            assert_eq!(message.split(' ').next(), Some(kind), "{text}");
        }
    }
}
