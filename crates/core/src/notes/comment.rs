//! The words of comments on pulls.

use super::harmless::{code, cut, line_start, login, plain, prose, prose_lines, shell_word, url};
use super::machine::{hidden, machine_readable};
use super::status::{failed_step, verdict};
use super::{Links, MESSAGE_CHARS_MAX, NAME_CHARS_MAX, reason};
use crate::ids::{BranchName, CommitId, Login, PullNumber};
use crate::queue::effect::Culprit;
use crate::queue::event::{MergeStep, SuiteVerdict};
use crate::queue::note::{
    Exemption, Link, Missing, Note, Obstacle, PIN, Reason, SomeFiles, Unfinished,
};
use crate::queue::run::Purpose;

/// How many checks are named one by one.
pub(super) const LINKS_MAX: usize = 30;

/// How much of a hook's answer is posted, in characters.
const HOOK_CHARS_MAX: usize = 60_000;

/// What the turret says.
const TURRET: [&str; 3] = ["Target acquired", "Activated", "There you are"];

/// A comment's whole text, but for the mark that [`super::marked`] adds (homu: comments.py).
pub fn comment(note: &Note, pull: PullNumber, links: &Links) -> String {
    let words = words(note, pull, links);
    match machine_readable(note, links) {
        Some(fields) => format!("{words}\n{}", hidden(&fields)),
        None => words,
    }
}

#[expect(clippy::too_many_lines, reason = "an arm for each note, and no more")]
fn words(note: &Note, pull: PullNumber, links: &Links) -> String {
    match note {
        Note::Approved { commit, approver } => approved(*commit, approver, links),
        Note::NotFinished { sign, .. } => not_finished(sign),
        Note::NotTheHead { given, head } => format!(
            ":scream_cat: {} is not a valid commit SHA. Please try again with `{head}`.",
            code(given, NAME_CHARS_MAX)
        ),
        Note::CommitTooShort {
            given,
            head,
            digits_min,
        } => format!(
            ":scream_cat: {} is too short to tell this commit from others: it takes at least \
             {digits_min} digits. Please try again with `{head}`.",
            code(given, NAME_CHARS_MAX)
        ),
        Note::ApprovalOutdated { by, head } => format!(
            ":warning: @{}: this pull request changed after your approval was written, so nothing \
             is approved. Look at it as it is now, then approve it with `r+ {head}`.",
            login(by.as_str())
        ),
        Note::TryOutdated { by } => format!(
            ":warning: @{}: this pull request changed after you asked for a try, so none begins. \
             Look at it as it is now, then ask again.",
            login(by.as_str())
        ),
        Note::AlreadyApproved { why } => already_approved(why, pull, links),
        Note::TreeClosed { below, source } => tree_closed(*below, source),
        Note::Started {
            purpose,
            head,
            merge,
        } => format!(
            ":hourglass: {} commit {head} with merge {merge}...",
            doing(*purpose)
        ),
        Note::Rebuilding { reused, again } => rebuilding(reused, again),
        Note::Succeeded {
            checks,
            approver,
            merge,
            base,
        } => format!(
            ":sunny: Test successful - {}\nApproved by: {}\nPushing {merge} to {}...",
            linked(checks),
            login(approver.as_str()),
            prose(base.as_str(), NAME_CHARS_MAX),
        ),
        Note::TrySucceeded { checks, merge } => format!(
            ":sunny: Try build successful - {}\nBuild commit: {merge} (`{merge}`)",
            linked(checks)
        ),
        Note::Failed { check, verdict, .. } => failed(check, verdict.as_ref()),
        Note::TimedOut { waiting_for } => timed_out(waiting_for),
        Note::Conflict {
            base,
            head_label,
            step,
        } => conflict(base, head_label, *step),
        Note::Broken {
            why: why @ Obstacle::NothingToMerge(_),
        } => format!(
            ":heavy_check_mark: There is nothing to merge: {} Push new commits, or close the pull \
             request.",
            obstacle(why)
        ),
        Note::ClosedAsContained { base } => format!(
            ":heavy_check_mark: `{}` already has all commits of this pull request, so it is closed.",
            prose(base.as_str(), NAME_CHARS_MAX)
        ),
        Note::Broken { why } => format!(
            ":boom: This could not be tested: {} Once that is mended, say `retry`.",
            sentence(&obstacle(why))
        ),
        Note::BadSuites { file, message } => format!(
            ":boom: Invalid {}: {}.\n\nPush a file that is right: `paprq validate` checks it.",
            code(file, NAME_CHARS_MAX),
            prose_lines(message.trim_end_matches('.'), LINKS_MAX, NAME_CHARS_MAX * 5),
        ),
        Note::LandingFailed { why } => format!(
            ":eyes: Test was successful, but fast-forwarding failed: {} Once that is mended, say \
             `retry`.",
            sentence(why)
        ),
        Note::BaseChanged { base } => format!(
            ":warning: The base branch changed to {}, and the PR will need to be re-approved.",
            code(base.as_str(), NAME_CHARS_MAX)
        ),
        Note::TryAfterApproval => ":no_good: Please do not `try` after a pull request has been \
                                   `r+`ed. If you need to `try`, unapprove (`r-`) it first."
            .to_owned(),
        Note::PriorityTooHigh { max } => {
            format!(":stop_sign: Priority higher than {max} is ignored.")
        }
        Note::Awake => ":sleepy: I'm awake I'm awake".to_owned(),
        Note::Portal { seed } => portal(*seed),
        Note::Refused { user, missing } => refused(user, *missing),
        Note::NotUnderstood { user, word } => format!(
            "@{}: :question: I do not understand {} and did not read on. Nothing is done about \
             it; please write it again.",
            login(user.as_str()),
            code(word, NAME_CHARS_MAX)
        ),
        Note::NothingToRetry => ":thinking: There is nothing to retry: no test of this commit \
                                 has ended. Approve it with `r+`, or `try` it."
            .to_owned(),
        Note::Delegated { delegate, .. } => format!(
            ":v: @{}, you can now approve this pull request!\n\nCall me and say `r+` to approve \
             it as it is, or `r=NAME` to do so on behalf of NAME.",
            login(delegate.as_str()),
        ),
        Note::UnknownChooser { given, known } => unknown_chooser(given, known),
        Note::Interrupted => ":snowman: The build was interrupted to prioritize another pull \
                              request."
            .to_owned(),
        Note::NothingToForce => ":thinking: There is nothing to force: only a pull request that \
                                 is approved and waits can go first."
            .to_owned(),
        Note::Exempted { why } => format!(":zap: Test exempted: {}.", exemption(*why)),
        Note::Unmergeable { culprit } => unmergeable(*culprit),
        Note::HookAnswer { answer } => hook_answer(answer),
        Note::HookFailed { hook, why } => format!(
            ":boom: The hook {} failed: {}",
            code(hook, NAME_CHARS_MAX),
            sentence(why)
        ),
        Note::RebuildRefused { why } => format!(
            ":bomb: Failed to start rebuilding: {}",
            code(why, MESSAGE_CHARS_MAX)
        ),
        Note::RightsUnknown { user } => format!(
            "@{}: :key: It could not be found out what you may do, so nothing is done. Please \
             write it again.",
            login(user.as_str())
        ),
        Note::WaitsForOk {
            author,
            ask,
            pusher,
        } => waits_for_ok(author, pusher.as_ref(), ask, links),
        Note::UnknownSuites { given, known } => unknown_suites(given, known),
        Note::NothingToCancel => ":thinking: There is nothing to cancel: nothing of this pull \
                                  request is being tested. `r-` takes an approval back."
            .to_owned(),
        Note::Standing { why } => standing(why, pull, links),
        Note::OnHold { by } => format!(
            ":hand: @{} holds this pull request back. It is not merged until somebody says \
             `hold-`.",
            login(by.as_str())
        ),
        Note::NoHead => format!(
            ":bangbang: Invalid head SHA found, retrying: `{}`",
            CommitId::ZERO
        ),
    }
}

/// What is done to a commit, as the beginning of a sentence.
pub(super) fn doing(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Land | Purpose::Branch | Purpose::Pull => "Testing",
        Purpose::Try => "Trying",
    }
}

/// Why a run could not be carried out; text that others chose in it is as they wrote it.
pub(super) fn obstacle(why: &Obstacle) -> String {
    match why {
        Obstacle::NothingConfigured => "no test suite or check is configured.".to_owned(),
        Obstacle::NoSuitesFile => {
            "the merge has no .papr.yml, and no other check is configured.".to_owned()
        }
        Obstacle::NoSuiteForMerges => {
            "no suite of .papr.yml is for merges, and no other check is configured.".to_owned()
        }
        Obstacle::SetupTooSlow => "the merge was not made and pushed in time.".to_owned(),
        Obstacle::SetupFailed(why) => why.clone(),
        Obstacle::ChecksUnread(why) => format!("GitHub does not show its check runs: {why}"),
        Obstacle::ContentLost(files) => format!(
            "rebased or squashed, it would not be what a merge makes of it: {} would differ, \
             because of a change in a merge commit or of one that was reverted. Rebase the branch \
             yourself, so that each change is in an ordinary commit, and push.",
            some_files(files)
        ),
        Obstacle::NothingToMerge(base) => {
            let base = prose(base.as_str(), NAME_CHARS_MAX);
            format!("{base} already has everything in this pull request.")
        }
    }
}

fn some_files(files: &SomeFiles) -> String {
    let names = files.named.iter();
    let names = names.map(|name| format!("\"{}\"", plain(name, NAME_CHARS_MAX)));
    let names = names.collect::<Vec<_>>().join(", ");
    match (files.named.len(), files.others) {
        (0, _) => "many files".to_owned(),
        (_, 0) => names,
        (_, 1) => format!("{names} and 1 other file"),
        (_, others) => format!("{names} and {others} other files"),
    }
}

fn approved(commit: CommitId, approver: &Login, links: &Links) -> String {
    let who = login(approver.as_str());
    let queue = match links.queue() {
        Some(page) => format!("It is in the [queue]({page}) now.\n\n"),
        None => String::new(),
    };
    format!(
        ":pushpin: Commit {commit} has been approved by `{who}`\n\n{queue}<!-- @{} r={who} {commit} -->",
        links.bot
    )
}

fn not_finished(sign: &Unfinished) -> String {
    let hint = match sign {
        Unfinished::Title(word) => format!("Take {} out of its title", code(word, NAME_CHARS_MAX)),
        Unfinished::Draft => "Mark it as ready for review".to_owned(),
    };
    format!(
        ":clipboard: Looks like this PR is still in progress, ignoring approval.\n\n{hint} when \
         it is finished, then approve it again."
    )
}

/// How many names of suites or people are listed.
const LISTED_MAX: usize = 30;

fn waits_for_ok(author: &Login, pusher: Option<&Login>, ask: &[Login], links: &Links) -> String {
    let (bot, author) = (login(links.bot.as_str()), login(author.as_str()));
    let mut words = match pusher {
        None => format!(
            ":wave: Thank you, @{author}. The tests of this pull request wait until somebody who \
             may approve it has looked at it and says `@{bot} ok` (for this commit) or `@{bot} \
             ok+` (for everything that you propose from now on)."
        ),
        Some(pusher) => format!(
            ":wave: Thank you, @{author}. `{}` can push to the branch of this pull request and is \
             not trusted here, so its tests wait until somebody who may approve it has looked at \
             this commit and says `@{bot} ok`.",
            login(pusher.as_str())
        ),
    };
    if !ask.is_empty() {
        words.push_str(&format!(
            " You can ask {}.",
            listed(ask.iter().map(Login::as_str))
        ));
    }
    words
}

fn unknown_suites(given: &[String], known: &[String]) -> String {
    let given = listed(given.iter().map(String::as_str));
    let known = listed(known.iter().map(String::as_str));
    format!(":thinking: No suite, or more than one, is called {given}. The suites are: {known}")
}

/// Names as code, with commas between.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names = names.map(|name| code(name, NAME_CHARS_MAX));
    let listed: Vec<_> = names.by_ref().take(LISTED_MAX).collect();
    let more = if names.next().is_some() { ", …" } else { "" };
    format!("{}{more}", listed.join(", "))
}

fn standing(why: &[Reason], pull: PullNumber, links: &Links) -> String {
    let mut words = ":information_source: How this pull request stands:".to_owned();
    words.push_str(&bulleted(why));
    if let Some(page) = links.pull(pull) {
        words.push_str(&format!("\n\n[More about it]({page})"));
    }
    words
}

fn bulleted(why: &[Reason]) -> String {
    let causes = why
        .iter()
        .map(|cause| prose(&reason(cause), MESSAGE_CHARS_MAX));
    causes.map(|cause| format!("\n* {cause}")).collect()
}

fn already_approved(why: &[Reason], pull: PullNumber, links: &Links) -> String {
    let mut words =
        ":bulb: This pull request was already approved, no need to approve it again.".to_owned();
    words.push_str(&bulleted(why));
    if let Some(page) = links.pull(pull) {
        words.push_str(&format!("\n\n[More about it]({page})"));
    }
    words
}

fn tree_closed(below: i64, source: &str) -> String {
    let words = format!(
        ":evergreen_tree: The tree is currently closed for pull requests below priority {below}. \
         This pull request will be tested once the tree is reopened."
    );
    match url(source) {
        Some(source) => format!("{words} ([closed here]({source}))"),
        None => words,
    }
}

fn rebuilding(reused: &[Link], again: &[String]) -> String {
    let again: Vec<_> = again
        .iter()
        .take(LINKS_MAX)
        .map(|name| prose(name, NAME_CHARS_MAX))
        .collect();
    format!(
        ":zap: Previous build results for {} are reusable. Rebuilding only {}...",
        linked(reused),
        again.join(", ")
    )
}

fn failed(check: &Link, came_to: Option<&SuiteVerdict>) -> String {
    let words = format!(":broken_heart: Test failed - {}", link(check));
    match came_to {
        Some(came_to) => format!(
            "{words}\n\n{}",
            line_start(&prose(&verdict(came_to), MESSAGE_CHARS_MAX))
        ),
        None => words,
    }
}

fn timed_out(waiting_for: &[String]) -> String {
    let names: Vec<_> = waiting_for
        .iter()
        .take(LINKS_MAX)
        .map(|name| prose(name, NAME_CHARS_MAX))
        .collect();
    if names.is_empty() {
        ":boom: Test timed out".to_owned()
    } else {
        format!(
            ":boom: Test timed out\n\nNo result of {}.",
            names.join(", ")
        )
    }
}

/// The commands are only for names that a shell takes as they are.
fn conflict(base: &BranchName, head_label: &str, step: MergeStep) -> String {
    let branch = head_label.split_once(':').map_or("", |(_, branch)| branch);
    format!(
        ":lock: {}\n\n{} cannot be merged into {} without a decision of yours. \
         Rebase it, push, and have it approved again:\n\n```sh\ngit switch {}\n\
         git fetch origin {}\ngit rebase FETCH_HEAD\ngit push --force-with-lease\n```",
        failed_step(step),
        code(head_label, NAME_CHARS_MAX),
        code(base.as_str(), NAME_CHARS_MAX),
        shell_word(branch, "YOUR-BRANCH"),
        shell_word(base.as_str(), "BASE-BRANCH"),
    )
}

fn portal(seed: u64) -> String {
    let saying = TURRET.iter().cycle().nth((seed % 3) as usize);
    format!(":cake: {}", saying.unwrap_or(&"There you are"))
}

fn refused(user: &Login, missing: Missing) -> String {
    let what = match missing {
        Missing::Reviewer => "Not in reviewers",
        Missing::Collaborator => "Collaborator required",
        Missing::Trier => "not in try users",
    };
    let user = login(user.as_str());
    format!("@{user}: :key: Insufficient privileges: {what}")
}

fn unknown_chooser(given: &str, known: &[String]) -> String {
    let given = code(given, NAME_CHARS_MAX);
    if known.is_empty() {
        return format!(":thinking: There is no try chooser {given}: none is configured here.");
    }
    let known: Vec<_> = known
        .iter()
        .take(LINKS_MAX)
        .map(|name| code(name, NAME_CHARS_MAX))
        .collect();
    format!(
        ":thinking: There is no try chooser {given}. Choose one of {}.",
        known.join(", ")
    )
}

fn exemption(why: Exemption) -> &'static str {
    match why {
        Exemption::HeadIsGreen => "the commit is up to date and its statuses are green",
        Exemption::TestMergeIsGreen => {
            "the statuses of GitHub's merge with the same content are green"
        }
    }
}

fn unmergeable(culprit: Option<Culprit>) -> String {
    let culprit = match culprit {
        Some(Culprit::Pull(number)) => format!(" (presumably #{number})"),
        Some(Culprit::Commit(commit)) => format!(" (presumably {commit})"),
        None => String::new(),
    };
    format!(
        ":umbrella: The latest upstream changes{culprit} made this pull request unmergeable. \
         Please resolve the merge conflicts."
    )
}

/// The text of a service that the operator trusts, but for what would pass for the bot's own mark.
fn hook_answer(answer: &str) -> String {
    let answer = cut(&answer.replace("<!--", "&lt;!--"), HOOK_CHARS_MAX);
    match answer.strip_prefix(PIN) {
        Some(_) => format!("> {answer}"),
        None => answer,
    }
}

/// Names of checks, each a link where its page is known, joined by commas.
fn linked(checks: &[Link]) -> String {
    let mut names: Vec<_> = checks.iter().take(LINKS_MAX).map(link).collect();
    if checks.len() > LINKS_MAX {
        names.push(format!("and {} more", checks.len() - LINKS_MAX));
    }
    names.join(", ")
}

fn link(check: &Link) -> String {
    let name = prose(&check.name, NAME_CHARS_MAX);
    match url(&check.url) {
        Some(page) => format!("[{name}]({page})"),
        None => name,
    }
}

/// Text that others chose, with a full stop.
fn sentence(text: &str) -> String {
    let text = plain(text, MESSAGE_CHARS_MAX);
    format!("{}.", prose(text.trim_end_matches('.'), MESSAGE_CHARS_MAX))
}
