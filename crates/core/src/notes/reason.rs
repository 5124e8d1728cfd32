//! Why a pull stands where it stands, in plain sentences.

use super::NAME_CHARS_MAX;
use super::harmless::plain;
use crate::ids::PullNumber;
use crate::queue::note::Reason;
use crate::queue::run::Ending;

/// How much is said of one job, in characters.
const WORDS_CHARS_MAX: usize = 200;

/// How many pulls are named one by one.
const NAMED_MAX: usize = 10;

/// One reason as a sentence without a full stop: plain text on one line, neither Markdown nor HTML.
pub fn reason(reason: &Reason) -> String {
    match reason {
        Reason::NotApproved => "Not approved".to_owned(),
        Reason::NotOpen => "It is not open".to_owned(),
        Reason::Testing => "Its merge is being tested".to_owned(),
        Reason::RereadsChecks => {
            "All its checks passed; its check runs are read from GitHub once more".to_owned()
        }
        Reason::Landing => "All its checks passed and the base branch is being moved".to_owned(),
        Reason::LandingDelayed(why) => format!(
            "The base branch could not be moved yet and this is tried again: {}",
            plain(why.trim_end_matches('.'), WORDS_CHARS_MAX)
        ),
        Reason::Unseen => {
            "GitHub does not show this pull request at the moment; it is asked again".to_owned()
        }
        Reason::Behind(ahead) => behind(ahead),
        Reason::TreeClosed { below, by } => match by {
            Some(by) => format!("The tree is closed below priority {below} by @{by}"),
            None => format!("The tree is closed below priority {below}"),
        },
        Reason::Ended(ending) => ended(*ending).to_owned(),
        Reason::SuiteFailed(name) => {
            format!("Suite {} failed on this commit: retry or push", short(name))
        }
        Reason::CheckFailed(name) => {
            format!("Check {} failed on this commit: retry or push", short(name))
        }
        Reason::WaitsFor(name) => format!("Waiting for {}", short(name)),
        Reason::JobStands { suite, words } => {
            let words = plain(words, WORDS_CHARS_MAX);
            format!("Waiting for {}: {words}", short(suite))
        }
        Reason::AsksRights => "Finding out what the author of a comment may do".to_owned(),
        Reason::Inquired => "GitHub is asked how it stands now".to_owned(),
        Reason::Tried => {
            "It was only tried since its merge failed: comment `r+` to have it merged".to_owned()
        }
        Reason::TryWaits => "A try waits to be started".to_owned(),
        Reason::Next => "It is next".to_owned(),
        Reason::OnHold(by) => format!("Held back by @{by}: `hold-` lets it go"),
        Reason::NotGreen => "It is merged only once its pull request test is green".to_owned(),
        Reason::OwnTestRuns => "The pull request test is under way".to_owned(),
        Reason::OwnTestPassed => "The pull request test passed".to_owned(),
        Reason::OwnTestEnded(ending) => pull_test_ended(*ending).to_owned(),
        Reason::WaitsForOk => {
            "The pull request test waits for a reviewer's `ok`: its author is not known here"
                .to_owned()
        }
        Reason::WaitsForPusher(login) => format!(
            "The pull request test waits for a reviewer's `ok`: @{login} can push to its branch and is \
             not trusted here"
        ),
        Reason::AsksAccess => {
            "Finding out whether those who can push to its branch may write here".to_owned()
        }
        Reason::Skipped => "It asks not to be tested: [skip ci]".to_owned(),
        Reason::ChangesSuites(file) => format!("It changes {}", short(file)),
        Reason::NotMergedHere => "Pulls are merged by somebody else".to_owned(),
    }
}

fn behind(ahead: &[PullNumber]) -> String {
    let noun = if ahead.len() == 1 { "pull" } else { "pulls" };
    let named: Vec<_> = ahead
        .iter()
        .take(NAMED_MAX)
        .map(|number| format!("#{number}"))
        .collect();
    let more = if ahead.len() > NAMED_MAX { ", …" } else { "" };
    format!(
        "Waiting for {} {noun} ahead: {}{more}",
        ahead.len(),
        named.join(", ")
    )
}

fn ended(ending: Ending) -> &'static str {
    match ending {
        Ending::Succeeded => "Its last test passed",
        Ending::Failed => "Its last test failed on this commit: retry or push",
        Ending::TimedOut => "Its last test timed out on this commit: retry or push",
        Ending::Conflicted => "It does not merge cleanly: rebase and push",
        Ending::Broken => "Its last test could not be carried out: see its comments, then retry",
        Ending::Cancelled => "Its last test was stopped",
    }
}

fn pull_test_ended(ending: Ending) -> &'static str {
    match ending {
        Ending::Succeeded => "The pull request test passed",
        Ending::Failed => "The pull request test failed on this commit: retry or push",
        Ending::TimedOut => "The pull request test took too long: retry or push",
        Ending::Conflicted => "It does not merge cleanly: rebase and push",
        Ending::Broken => "The pull request test could not be carried out: retry or push",
        Ending::Cancelled => "The pull request test was stopped: retry or push",
    }
}

fn short(name: &str) -> String {
    plain(name, NAME_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Login;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a line for each reason, and no more")]
    fn every_reason_is_one_plain_sentence() {
        let reasons = [
            Reason::NotApproved,
            Reason::NotOpen,
            Reason::Testing,
            Reason::RereadsChecks,
            Reason::Landing,
            Reason::LandingDelayed("GitHub is late.".to_owned()),
            Reason::Unseen,
            Reason::Behind(vec![PullNumber(12)]),
            Reason::Behind((12..30).map(PullNumber).collect()),
            Reason::TreeClosed {
                below: 10,
                by: Some(Login::new("x")),
            },
            Reason::TreeClosed {
                below: 10,
                by: None,
            },
            Reason::Ended(Ending::Succeeded),
            Reason::Ended(Ending::Failed),
            Reason::Ended(Ending::TimedOut),
            Reason::Ended(Ending::Conflicted),
            Reason::Ended(Ending::Broken),
            Reason::Ended(Ending::Cancelled),
            Reason::SuiteFailed("f38\nsanity".to_owned()),
            Reason::CheckFailed("status-ci".to_owned()),
            Reason::WaitsFor("status-ci".to_owned()),
            Reason::JobStands {
                suite: "f38".to_owned(),
                words: "No worker has label kvm".to_owned(),
            },
            Reason::Inquired,
            Reason::Tried,
            Reason::TryWaits,
            Reason::Next,
            Reason::OnHold(Login::new("x")),
            Reason::NotGreen,
            Reason::OwnTestRuns,
            Reason::OwnTestPassed,
            Reason::OwnTestEnded(Ending::TimedOut),
            Reason::OwnTestEnded(Ending::Broken),
            Reason::OwnTestEnded(Ending::Cancelled),
            Reason::WaitsForOk,
            Reason::WaitsForPusher(Login::new("eve")),
            Reason::AsksAccess,
            Reason::Skipped,
            Reason::ChangesSuites(".papr.yml".to_owned()),
            Reason::NotMergedHere,
        ];
        let sentences: Vec<_> = reasons.iter().map(reason).collect();
        insta::assert_snapshot!(sentences.join("\n"), @r"
        Not approved
        It is not open
        Its merge is being tested
        All its checks passed; its check runs are read from GitHub once more
        All its checks passed and the base branch is being moved
        The base branch could not be moved yet and this is tried again: GitHub is late
        GitHub does not show this pull request at the moment; it is asked again
        Waiting for 1 pull ahead: #12
        Waiting for 18 pulls ahead: #12, #13, #14, #15, #16, #17, #18, #19, #20, #21, …
        The tree is closed below priority 10 by @x
        The tree is closed below priority 10
        Its last test passed
        Its last test failed on this commit: retry or push
        Its last test timed out on this commit: retry or push
        It does not merge cleanly: rebase and push
        Its last test could not be carried out: see its comments, then retry
        Its last test was stopped
        Suite f38 sanity failed on this commit: retry or push
        Check status-ci failed on this commit: retry or push
        Waiting for status-ci
        Waiting for f38: No worker has label kvm
        GitHub is asked how it stands now
        It was only tried since its merge failed: comment `r+` to have it merged
        A try waits to be started
        It is next
        Held back by @x: `hold-` lets it go
        It is merged only once its pull request test is green
        The pull request test is under way
        The pull request test passed
        The pull request test took too long: retry or push
        The pull request test could not be carried out: retry or push
        The pull request test was stopped: retry or push
        The pull request test waits for a reviewer's `ok`: its author is not known here
        The pull request test waits for a reviewer's `ok`: @eve can push to its branch and is not trusted here
        Finding out whether those who can push to its branch may write here
        It asks not to be tested: [skip ci]
        It changes .papr.yml
        Pulls are merged by somebody else
        ");
    }
}
