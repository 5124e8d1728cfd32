//! Every text, as it is posted.

use super::super::*;
use super::samples::*;
use crate::ids::BranchName;
use crate::queue::event::{MergeStep, SuiteVerdict};
use crate::queue::note::{Note, QueueStatus, Reason, RunBrief, StatusNote, SuiteProgress};
use crate::queue::run::{Ending, Purpose, Tested};

const ORDINARY: Chosen<'_> = Chosen {
    text: "fix/it",
    url: "https://x/y",
};

/// Marks what has no width, so that it can be seen here.
fn shown(text: &str) -> String {
    text.replace('\u{200b}', "·")
}

fn said(note: &Note) -> String {
    comment(note, PullNumber(7), &links())
}

#[test]
#[expect(clippy::too_many_lines, reason = "one snapshot of all texts")]
fn every_comment_reads_as_it_should() {
    let all: Vec<_> = notes(ORDINARY)
        .iter()
        .map(|note| shown(&said(note)))
        .collect();
    insta::assert_snapshot!(all.join("\n====\n"), @r#"
    :pushpin: Commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa has been approved by `fix/it`

    It is in the [queue](https://ci.example.org/queue/paprq) now.

    <!-- @bors r=fix/it aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa -->
    <!-- homu: {"type":"Approved","sha":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","approver":"fix/it","queue":"https://ci.example.org/queue/paprq"} -->
    ====
    :clipboard: Looks like this PR is still in progress, ignoring approval.

    Take `fix/it` out of its title when it is finished, then approve it again.
    <!-- homu: {"type":"ApprovalIgnoredWip","sha":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"} -->
    ====
    :clipboard: Looks like this PR is still in progress, ignoring approval.

    Mark it as ready for review when it is finished, then approve it again.
    <!-- homu: {"type":"ApprovalIgnoredWip","sha":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"} -->
    ====
    :scream_cat: `fix/it` is not a valid commit SHA. Please try again with `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`.
    ====
    :scream_cat: `fix/it` is too short to tell this commit from others: it takes at least 12 digits. Please try again with `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`.
    ====
    :warning: @fix/it: this pull request changed after your approval was written, so nothing is approved. Look at it as it is now, then approve it with `r+ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`.
    ====
    :warning: @fix/it: this pull request changed after you asked for a try, so none begins. Look at it as it is now, then ask again.
    ====
    :bulb: This pull request was already approved, no need to approve it again.
    * Waiting for fix/it
    * Suite fix/it failed on this commit: retry or push
    * Check fix/it failed on this commit: retry or push
    * The tree is closed below priority 5 by @·fix/it
    * Waiting for 1 pull ahead: #·3

    [More about it](https://ci.example.org/pull/paprq/7)
    ====
    :evergreen_tree: The tree is currently closed for pull requests below priority 5. This pull request will be tested once the tree is reopened. ([closed here](https://x/y))
    ====
    :hourglass: Testing commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa with merge bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb...
    <!-- homu: {"type":"BuildStarted","head_sha":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","merge_sha":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"} -->
    ====
    :hourglass: Trying commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa with merge bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb...
    <!-- homu: {"type":"TryBuildStarted","head_sha":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","merge_sha":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"} -->
    ====
    :zap: Previous build results for [fix/it](https://x/y), f38-sanity are reusable. Rebuilding only fix/it, fix/it...
    ====
    :sunny: Test successful - [fix/it](https://x/y), f38-sanity
    Approved by: fix/it
    Pushing bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb to fix/it...
    <!-- homu: {"type":"BuildCompleted","approved_by":"fix/it","base_ref":"fix/it","builders":{"fix/it":"https://x/y","f38-sanity":""},"merge_sha":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"} -->
    ====
    :sunny: Try build successful - [fix/it](https://x/y), f38-sanity
    Build commit: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb (`bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb`)
    <!-- homu: {"type":"TryBuildCompleted","builders":{"fix/it":"https://x/y","f38-sanity":""},"merge_sha":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"} -->
    ====
    :broken_heart: Test failed - [fix/it](https://x/y)
    <!-- homu: {"type":"BuildFailed","builder_url":"https://x/y","builder_name":"fix/it"} -->
    ====
    :broken_heart: Test failed - [fix/it](https://x/y)

    fix/it
    <!-- homu: {"type":"TryBuildFailed","builder_url":"https://x/y","builder_name":"fix/it"} -->
    ====
    :boom: Test timed out
    <!-- homu: {"type":"TimedOut"} -->
    ====
    :boom: Test timed out

    No result of fix/it, fix/it.
    <!-- homu: {"type":"TimedOut"} -->
    ====
    :lock: Auto-squashing failed

    `fix/it` cannot be merged into `fix/it` without a decision of yours. Rebase it, push, and have it approved again:

    ```sh
    git switch YOUR-BRANCH
    git fetch origin fix/it
    git rebase FETCH_HEAD
    git push --force-with-lease
    ```
    ====
    :boom: This could not be tested: the merge has no .papr.yml, and no other check is configured. Once that is mended, say `retry`.
    ====
    :boom: This could not be tested: fix/it. Once that is mended, say `retry`.
    ====
    :boom: This could not be tested: rebased or squashed, it would not be what a merge makes of it: "fix/it", "fix/it" and 2 other files would differ, because of a change in a merge commit or of one that was reverted. Rebase the branch yourself, so that each change is in an ordinary commit, and push. Once that is mended, say `retry`.
    ====
    :boom: Invalid `fix/it`: fix/it.

    Push a file that is right: `paprq validate` checks it.
    ====
    :eyes: Test was successful, but fast-forwarding failed: fix/it. Once that is mended, say `retry`.
    ====
    :warning: The base branch changed to `fix/it`, and the PR will need to be re-approved.
    ====
    :no_good: Please do not `try` after a pull request has been `r+`ed. If you need to `try`, unapprove (`r-`) it first.
    ====
    :heavy_check_mark: `fix/it` already has all commits of this pull request, so it is closed.
    ====
    :heavy_check_mark: There is nothing to merge: fix/it already has everything in this pull request. Push new commits, or close the pull request.
    ====
    :stop_sign: Priority higher than 9001 is ignored.
    ====
    :sleepy: I'm awake I'm awake
    ====
    :cake: Activated
    ====
    @fix/it: :key: Insufficient privileges: Not in reviewers
    ====
    @fix/it: :key: Insufficient privileges: Collaborator required
    ====
    @fix/it: :key: Insufficient privileges: not in try users
    ====
    @fix/it: :question: I do not understand `fix/it` and did not read on. Nothing is done about it; please write it again.
    ====
    :v: @fix/it, you can now approve this pull request!

    Call me and say `r+` to approve it as it is, or `r=NAME` to do so on behalf of NAME.
    <!-- homu: {"type":"Delegated","delegator":"fix/it","delegate":"fix/it"} -->
    ====
    :thinking: There is no try chooser `fix/it`. Choose one of `fix/it`, `fix/it`.
    ====
    :thinking: There is no try chooser `fix/it`: none is configured here.
    ====
    :snowman: The build was interrupted to prioritize another pull request.
    ====
    :thinking: There is nothing to force: only a pull request that is approved and waits can go first.
    ====
    :zap: Test exempted: the commit is up to date and its statuses are green.
    ====
    :zap: Test exempted: the statuses of GitHub's merge with the same content are green.
    ====
    :umbrella: The latest upstream changes (presumably #3) made this pull request unmergeable. Please resolve the merge conflicts.
    ====
    :umbrella: The latest upstream changes (presumably bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb) made this pull request unmergeable. Please resolve the merge conflicts.
    ====
    :umbrella: The latest upstream changes made this pull request unmergeable. Please resolve the merge conflicts.
    ====
    :boom: The hook `fix/it` failed: fix/it.
    ====
    :bomb: Failed to start rebuilding: `fix/it`
    ====
    @fix/it: :key: It could not be found out what you may do, so nothing is done. Please write it again.
    ====
    :thinking: There is nothing to retry: no test of this commit has ended. Approve it with `r+`, or `try` it.
    ====
    :bangbang: Invalid head SHA found, retrying: `0000000000000000000000000000000000000000`
    "#);
}

#[test]
fn every_status_reads_as_it_should() {
    let all: Vec<_> = statuses(ORDINARY)
        .iter()
        .map(|note| status(note, &links()))
        .map(|text| {
            let state = text.state.as_str();
            format!(
                "{} | {state} | {} | {}",
                text.context, text.description, text.url
            )
        })
        .collect();
    insta::assert_snapshot!(all.join("\n"), @r"
    homu | pending | Testing commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa with merge bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb... | https://ci.example.org/queue/paprq
    homu | pending | Trying commit aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa with merge bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb... | https://ci.example.org/queue/paprq
    homu | success | Test successful | https://ci.example.org/queue/paprq
    homu | success | Try build successful | https://ci.example.org/queue/paprq
    homu | failure | Test failed: fix/it | https://x/y
    homu | failure | Test timed out | https://ci.example.org/queue/paprq
    homu | error | Merge conflict | https://ci.example.org/queue/paprq
    homu | success | Test exempted | https://ci.example.org/queue/paprq
    homu | error | The build was interrupted to prioritize another pull request. | https://ci.example.org/queue/paprq
    homu | error | Not tested: no suite of .papr.yml is for merges, and no other check is configured. | https://ci.example.org/queue/paprq
    homu | error | Not tested: fix/it | https://ci.example.org/queue/paprq
    homu | error | Invalid fix/it | https://ci.example.org/queue/paprq
    homu | error | Fast-forwarding failed: fix/it | https://ci.example.org/queue/paprq
    homu | error | Test stopped | https://ci.example.org/queue/paprq
    f38 sanity | pending | Waiting for a worker... | https://x/y
    f38 sanity | success | All tests passed before on the same tree. | https://x/y
    f38 sanity | success | Not needed: it is about no path that was changed. | https://x/y
    f38 sanity | pending | Superseded by the merge test, whose result will count. | https://x/y
    f38 sanity | success | Superseded by the merge test: all tests passed. | https://x/y
    f38 sanity | success | Allowed to fail: Test failed with rc 2. | https://x/y
    f38 sanity | pending | Running tests... | https://x/y
    f38 sanity | success | All tests passed. | https://x/y
    f38 sanity | failure | Test failed with rc 2. | https://x/y
    f38 sanity | failure | Test timed out and was aborted. | https://x/y
    f38 sanity | error | fix/it | https://x/y
    f38 sanity | error | An internal error occurred. | https://x/y
    f38 sanity | error | Stopped: the run is over. | https://x/y
    required | pending | Waiting... | https://ci.example.org/run/20001
    required | success | 1/2 PASSES | https://ci.example.org/run/20001
    required | failure | 1/2 PASSES | https://ci.example.org/run/20001
    Red Hat CI | error | Invalid YAML file. |
    ");
}

#[test]
fn texts_that_programs_match_on_are_to_the_letter() {
    let checks = vec![check("status-ci", "https://ci/1"), check("f38 | a", "")];
    let landed = said(&Note::Succeeded {
        checks: checks.clone(),
        approver: Login::new("alice"),
        merge: merge(),
        base: BranchName::new("master"),
    });
    insta::assert_snapshot!(landed, @r#"
    :sunny: Test successful - [status-ci](https://ci/1), f38 | a
    Approved by: alice
    Pushing bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb to master...
    <!-- homu: {"type":"BuildCompleted","approved_by":"alice","base_ref":"master","builders":{"status-ci":"https://ci/1","f38 | a":""},"merge_sha":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"} -->
    "#);
    let bad = said(&Note::BadSuites {
        file: ".papr.yml".to_owned(),
        message: "Schema validation failed:\n - Key 'x' was not defined. Path: ''.".to_owned(),
    });
    insta::assert_snapshot!(bad, @r"
    :boom: Invalid `.papr.yml`: Schema validation failed:
     - Key 'x' was not defined. Path: ''.

    Push a file that is right: `paprq validate` checks it.
    ");
    let conflict = said(&Note::Conflict {
        base: BranchName::new("master"),
        head_label: "alice:fix/it".to_owned(),
        step: MergeStep::Merge,
    });
    insta::assert_snapshot!(conflict, @r"
    :lock: Merge conflict

    `alice:fix/it` cannot be merged into `master` without a decision of yours. Rebase it, push, and have it approved again:

    ```sh
    git switch fix/it
    git fetch origin master
    git rebase FETCH_HEAD
    git push --force-with-lease
    ```
    ");
}

#[test]
fn each_step_of_a_merge_fails_in_homus_words() {
    for (step, words) in [
        (MergeStep::Merge, "Merge conflict"),
        (MergeStep::Autosquash, "Auto-squashing failed"),
        (MergeStep::Squash, "Squashing failed"),
    ] {
        let conflict = said(&Note::Conflict {
            base: BranchName::new("master"),
            head_label: "alice:fix".to_owned(),
            step,
        });
        assert!(
            conflict.starts_with(&format!(":lock: {words}\n")),
            "{conflict}"
        );
        assert!(conflict.contains("\ngit rebase FETCH_HEAD\n"), "{conflict}");
        let set = status(&StatusNote::Queue(QueueStatus::Conflict { step }), &links());
        assert_eq!(
            (set.state.as_str(), set.description.as_str()),
            ("error", words)
        );
    }
}

#[test]
fn nothing_is_linked_where_our_address_is_unknown() {
    let links = Links {
        base_url: String::new(),
        ..links()
    };
    let commit = head();
    let approver = Login::new("alice");
    let text = comment(&Note::Approved { commit, approver }, PullNumber(7), &links);
    assert!(!text.contains("]("), "{text}");
    assert!(text.contains(r#""queue":"""#), "{text}");
    let note = StatusNote::Queue(QueueStatus::TimedOut);
    assert_eq!(status(&note, &links).url, "");
    let note = StatusNote::Suite {
        context: "a".to_owned(),
        progress: SuiteProgress::Ended(SuiteVerdict::Passed),
        url: String::new(),
        run: RunBrief {
            id: RunId(1),
            purpose: Purpose::Land,
            tested: Tested::Merge,
            pull: Some(PullNumber(7)),
        },
    };
    let url = status(&note, &links).url;
    assert_eq!(url, "https://github.com/octo/paprq/pull/7");
}

#[test]
fn a_marked_comment_is_known_as_our_own() {
    let text = marked("body", "12.3");
    assert!(text.starts_with("body\n"));
    assert!(text.ends_with(&format!("{}12.3 -->", MARKER)));
}

#[test]
fn the_turret_knows_three_sayings() {
    let sayings: std::collections::BTreeSet<_> =
        (0..9).map(|seed| said(&Note::Portal { seed })).collect();
    assert_eq!(sayings.len(), 3);
}

#[test]
fn reasons_say_what_to_do_when_a_test_has_ended() {
    assert_eq!(
        reason(&Reason::Ended(Ending::Conflicted)),
        "It does not merge cleanly: rebase and push"
    );
}
