//! One of each note and status.

use super::super::Links;
use crate::ids::{BranchName, CommitId, Login, PullNumber, RepoLabel, RunId};
use crate::queue::effect::Culprit;
use crate::queue::event::{MergeStep, SuiteVerdict, Verdict};
use crate::queue::note::{
    Exemption, Link, Missing, Note, Obstacle, QueueStatus, Reason, RunBrief, SomeFiles, StatusNote,
    SuiteProgress, Unfinished,
};
use crate::queue::run::{Purpose, Tested};

/// What others can choose.
#[derive(Clone, Copy)]
pub(super) struct Chosen<'a> {
    /// Names and messages.
    pub(super) text: &'a str,
    /// Addresses.
    pub(super) url: &'a str,
}

impl Chosen<'_> {
    fn text(self) -> String {
        self.text.to_owned()
    }

    fn login(self) -> Login {
        Login::new(self.text)
    }

    fn branch(self) -> BranchName {
        BranchName::new(self.text)
    }

    fn link(self) -> Link {
        check(self.text, self.url)
    }

    fn links(self) -> Vec<Link> {
        vec![self.link(), check("f38-sanity", "")]
    }
}

pub(super) fn links() -> Links {
    Links {
        base_url: "https://ci.example.org/".to_owned(),
        repo: RepoLabel::new("paprq"),
        web_url: "https://github.com".to_owned(),
        slug: "octo/paprq".to_owned(),
        bot: Login::new("bors"),
    }
}

pub(super) fn head() -> CommitId {
    CommitId::from_bytes([0xaa; 20])
}

pub(super) fn merge() -> CommitId {
    CommitId::from_bytes([0xbb; 20])
}

pub(super) fn check(name: &str, url: &str) -> Link {
    Link {
        name: name.to_owned(),
        url: url.to_owned(),
    }
}

/// Every note, with these texts wherever others can choose one.
pub(super) fn notes(chosen: Chosen<'_>) -> Vec<Note> {
    let mut notes = about_approval(chosen);
    notes.extend(about_runs(chosen));
    notes.extend(answers(chosen));
    notes
}

fn about_approval(chosen: Chosen<'_>) -> Vec<Note> {
    let head = head();
    vec![
        Note::Approved {
            commit: head,
            approver: chosen.login(),
        },
        Note::NotFinished {
            commit: head,
            sign: Unfinished::Title(chosen.text()),
        },
        Note::NotFinished {
            commit: head,
            sign: Unfinished::Draft,
        },
        Note::NotTheHead {
            given: chosen.text(),
            head,
        },
        Note::CommitTooShort {
            given: chosen.text(),
            head,
            digits_min: 12,
        },
        Note::ApprovalOutdated {
            by: chosen.login(),
            head,
        },
        Note::TryOutdated { by: chosen.login() },
        Note::AlreadyApproved {
            why: vec![
                Reason::WaitsFor(chosen.text()),
                Reason::SuiteFailed(chosen.text()),
                Reason::CheckFailed(chosen.text()),
                Reason::TreeClosed {
                    below: 5,
                    by: Some(chosen.login()),
                },
                Reason::Behind(vec![PullNumber(3)]),
            ],
        },
        Note::TreeClosed {
            below: 5,
            source: chosen.url.to_owned(),
        },
    ]
}

fn about_runs(chosen: Chosen<'_>) -> Vec<Note> {
    let head = head();
    let merge = merge();
    vec![
        Note::Started {
            purpose: Purpose::Land,
            head,
            merge,
        },
        Note::Started {
            purpose: Purpose::Try,
            head,
            merge,
        },
        Note::Rebuilding {
            reused: chosen.links(),
            again: vec![chosen.text(), chosen.text()],
        },
        Note::Succeeded {
            checks: chosen.links(),
            approver: chosen.login(),
            merge,
            base: chosen.branch(),
        },
        Note::TrySucceeded {
            checks: chosen.links(),
            merge,
        },
        Note::Failed {
            purpose: Purpose::Land,
            check: chosen.link(),
            verdict: None,
        },
        Note::Failed {
            purpose: Purpose::Try,
            check: chosen.link(),
            verdict: Some(SuiteVerdict::Error(chosen.text())),
        },
        Note::TimedOut {
            waiting_for: vec![],
        },
        Note::TimedOut {
            waiting_for: vec![chosen.text(), chosen.text()],
        },
        Note::Conflict {
            base: chosen.branch(),
            head_label: chosen.text(),
            step: MergeStep::Autosquash,
        },
        Note::Broken {
            why: Obstacle::NoSuitesFile,
        },
        Note::Broken {
            why: Obstacle::SetupFailed(chosen.text()),
        },
        Note::Broken {
            why: Obstacle::ContentLost(SomeFiles {
                named: vec![chosen.text(), chosen.text()],
                others: 2,
            }),
        },
        Note::BadSuites {
            file: chosen.text(),
            message: chosen.text(),
        },
        Note::LandingFailed { why: chosen.text() },
        Note::BaseChanged {
            base: chosen.branch(),
        },
    ]
}

fn answers(chosen: Chosen<'_>) -> Vec<Note> {
    vec![
        Note::TryAfterApproval,
        Note::ClosedAsContained {
            base: chosen.branch(),
        },
        Note::Broken {
            why: Obstacle::NothingToMerge(chosen.branch()),
        },
        Note::PriorityTooHigh { max: 9001 },
        Note::Awake,
        Note::Portal { seed: 4 },
        Note::Refused {
            user: chosen.login(),
            missing: Missing::Reviewer,
        },
        Note::Refused {
            user: chosen.login(),
            missing: Missing::Collaborator,
        },
        Note::Refused {
            user: chosen.login(),
            missing: Missing::Trier,
        },
        Note::NotUnderstood {
            user: chosen.login(),
            word: chosen.text(),
        },
        Note::Delegated {
            delegator: chosen.login(),
            delegate: chosen.login(),
        },
        Note::UnknownChooser {
            given: chosen.text(),
            known: vec![chosen.text(), chosen.text()],
        },
        Note::UnknownChooser {
            given: chosen.text(),
            known: Vec::new(),
        },
        Note::Interrupted,
        Note::NothingToForce,
        Note::Exempted {
            why: Exemption::HeadIsGreen,
        },
        Note::Exempted {
            why: Exemption::TestMergeIsGreen,
        },
        Note::Unmergeable {
            culprit: Some(Culprit::Pull(PullNumber(3))),
        },
        Note::Unmergeable {
            culprit: Some(Culprit::Commit(merge())),
        },
        Note::Unmergeable { culprit: None },
        Note::HookFailed {
            hook: chosen.text(),
            why: chosen.text(),
        },
        Note::RebuildRefused { why: chosen.text() },
        Note::RightsUnknown {
            user: chosen.login(),
        },
        Note::NothingToRetry,
        Note::NoHead,
    ]
}

/// Every commit status, with these texts wherever others can choose one.
pub(super) fn statuses(chosen: Chosen<'_>) -> Vec<StatusNote> {
    let mut notes: Vec<_> = of_queue(chosen)
        .into_iter()
        .map(StatusNote::Queue)
        .collect();
    notes.extend(of_suites(chosen));
    notes
}

fn of_queue(chosen: Chosen<'_>) -> Vec<QueueStatus> {
    let (head, merge) = (head(), merge());
    vec![
        QueueStatus::Testing {
            purpose: Purpose::Land,
            head,
            merge,
        },
        QueueStatus::Testing {
            purpose: Purpose::Try,
            head,
            merge,
        },
        QueueStatus::Succeeded {
            purpose: Purpose::Land,
        },
        QueueStatus::Succeeded {
            purpose: Purpose::Try,
        },
        QueueStatus::Failed {
            check: chosen.link(),
        },
        QueueStatus::TimedOut,
        QueueStatus::Conflict {
            step: MergeStep::Merge,
        },
        QueueStatus::Exempted,
        QueueStatus::Interrupted,
        QueueStatus::Broken {
            why: Obstacle::NoSuiteForMerges,
        },
        QueueStatus::Broken {
            why: Obstacle::SetupFailed(chosen.text()),
        },
        QueueStatus::BadSuites {
            file: chosen.text(),
        },
        QueueStatus::NotLanded { why: chosen.text() },
        QueueStatus::Cancelled,
    ]
}

const BRIEF: RunBrief = RunBrief {
    id: RunId(20001),
    purpose: Purpose::Land,
    tested: Tested::Merge,
    pull: Some(PullNumber(7)),
};

fn of_suites(chosen: Chosen<'_>) -> Vec<StatusNote> {
    let suite = |progress| StatusNote::Suite {
        context: "f38 sanity".to_owned(),
        progress,
        url: chosen.url.to_owned(),
        run: BRIEF,
    };
    let required = |verdict| StatusNote::Required {
        passed: 1,
        of: 2,
        verdict,
        run: BRIEF,
    };
    vec![
        suite(SuiteProgress::Waiting),
        suite(SuiteProgress::PassedBefore),
        suite(SuiteProgress::NotNeeded),
        suite(SuiteProgress::Superseded),
        suite(SuiteProgress::PassedInMerge),
        suite(SuiteProgress::FailedAsAllowed(SuiteVerdict::Failed(2))),
        suite(SuiteProgress::Running),
        suite(SuiteProgress::Ended(SuiteVerdict::Passed)),
        suite(SuiteProgress::Ended(SuiteVerdict::Failed(2))),
        suite(SuiteProgress::Ended(SuiteVerdict::TimedOut)),
        suite(SuiteProgress::Ended(SuiteVerdict::Error(chosen.text()))),
        suite(SuiteProgress::Ended(SuiteVerdict::Error(String::new()))),
        suite(SuiteProgress::Cancelled),
        required(Verdict::Pending),
        required(Verdict::Passed),
        required(Verdict::Failed),
        StatusNote::BadSuites,
    ]
}
