//! Commits that close pulls by what their messages say.
//!
//! Source: GitHub's documentation, "Linking a pull request to an issue using a keyword".

use paprq_core::ids::{CommitId, Login, PullNumber};

use super::PracticeError;
use super::core::Core;
use super::disk::Disk;

/// How many commits of one push are read.
const COMMITS_MAX: usize = 1000;

const KEYWORDS: [&str; 9] = [
    "close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved",
];

/// A default branch that has moved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Advanced<'a> {
    pub(super) repo: &'a str,
    pub(super) old: CommitId,
    pub(super) new: CommitId,
    pub(super) by: &'a Login,
}

impl Core {
    /// Closes the open pulls that new commits of the default branch say to close.
    pub(super) fn close_what_commits_close(
        &self,
        disk: &Disk,
        advanced: Advanced<'_>,
    ) -> Result<(), PracticeError> {
        let Advanced { repo, old, new, by } = advanced;
        for commit in disk.commits_between(Some(old), new, COMMITS_MAX)? {
            for number in closed_by(&disk.commit(commit)?.message) {
                if self.pull(repo, number).is_some() {
                    self.close(repo, number, by)?;
                }
            }
        }
        Ok(())
    }
}

/// The numbers after keywords, as in `Closes: #3` and `fixes #4`.
fn closed_by(message: &str) -> Vec<PullNumber> {
    let mut found = Vec::new();
    let mut after_keyword = false;
    for word in message.split_whitespace() {
        if let Some(number) = word.strip_prefix('#').filter(|_| after_keyword) {
            let digits = number.split(|letter: char| !letter.is_ascii_digit()).next();
            found.extend(
                digits
                    .and_then(|digits| digits.parse().ok())
                    .map(PullNumber),
            );
        }
        let word = word.trim_start_matches(|letter: char| !letter.is_alphanumeric());
        let word = word.strip_suffix(':').unwrap_or(word);
        after_keyword = KEYWORDS.iter().any(|key| key.eq_ignore_ascii_case(word));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_right_after_a_keyword_are_closed() {
        let numbers = |message: &str| -> Vec<u64> {
            closed_by(message).iter().map(|number| number.0).collect()
        };
        assert_eq!(numbers("A\n\nCloses: #12\nApproved by: x"), [12]);
        assert_eq!(numbers("(fixes #1, RESOLVED #2)"), [1, 2]);
        assert!(numbers("Auto merge of #3 - x, closes nothing of #4").is_empty());
        assert!(numbers("encloses #5, fix#6, closes # 7").is_empty());
    }
}
