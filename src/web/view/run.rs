//! A run, as pages show it.

use super::{Badge, Forge, Link, Moment, duration, name};
use crate::clock;
use paprq_core::ids::{CommitId, PullNumber, RunId};
use paprq_core::notes;
use paprq_core::queue::event::SuiteVerdict;
use paprq_core::queue::run::{
    CheckState, Member, Origin, Phase, Purpose, Run, RunCheck, Tested, Weight,
};

/// A run.
#[derive(Clone, Debug)]
pub(in crate::web) struct RunView {
    pub(in crate::web) id: RunId,
    pub(in crate::web) badge: Badge,
    /// One word for what it is for.
    pub(in crate::web) purpose: &'static str,
    /// The same as a sentence.
    pub(in crate::web) aim: &'static str,
    /// What its commit is, before the name of its base.
    pub(in crate::web) subject: &'static str,
    /// Whether its commit was merged onto its base.
    pub(in crate::web) is_merge: bool,
    pub(in crate::web) base: Link,
    pub(in crate::web) base_tip: Option<Link>,
    pub(in crate::web) merge: Option<Link>,
    pub(in crate::web) repeats: Option<RunId>,
    pub(in crate::web) began: Moment,
    pub(in crate::web) ended: Option<Moment>,
    pub(in crate::web) took: String,
    pub(in crate::web) members: Vec<MemberView>,
    pub(in crate::web) checks: Vec<CheckView>,
    /// How its checks stand in all.
    pub(in crate::web) tally: String,
    /// The file of suites, if its commit changes that.
    pub(in crate::web) changed_file: Option<String>,
}

/// A pull of a run.
#[derive(Clone, Debug)]
pub(in crate::web) struct MemberView {
    pub(in crate::web) number: PullNumber,
    pub(in crate::web) head: Link,
    pub(in crate::web) approver: Option<Link>,
    /// Who wrote it, if on behalf of `approver`.
    pub(in crate::web) said_by: Option<Link>,
}

/// A check of a run.
#[derive(Clone, Debug)]
pub(in crate::web) struct CheckView {
    pub(in crate::web) name: Link,
    pub(in crate::web) badge: Badge,
    /// What more there is to say.
    pub(in crate::web) detail: String,
}

impl RunView {
    pub(in crate::web) fn new(run: &Run, forge: &Forge) -> Self {
        let ended = match run.phase {
            Phase::Done { at, .. } => Some(at),
            Phase::Merging { .. } | Phase::Testing { .. } | Phase::Landing { .. } => None,
        };
        let until = ended.unwrap_or_else(clock::now);
        Self {
            id: run.id,
            badge: Badge::of_run(run),
            purpose: purpose(run.purpose),
            aim: aim(run.purpose),
            subject: subject(run),
            is_merge: is_merge(run),
            base: forge.branch(&run.base),
            base_tip: run
                .merge()
                .filter(|merge| merge.base_tip != CommitId::ZERO)
                .map(|merge| forge.commit(merge.base_tip)),
            merge: run.merge().map(|merge| forge.commit(merge.merge)),
            repeats: run.repeats,
            began: Moment(run.began_at),
            ended: ended.map(Moment),
            took: duration(until.ms_since(run.began_at)),
            members: run
                .members
                .iter()
                .map(|member| MemberView::new(member, forge))
                .collect(),
            checks: run.checks.iter().map(CheckView::new).collect(),
            tally: tally(run),
            changed_file: run.changed_file.as_deref().map(name),
        }
    }
}

/// How many of a run's checks passed, on this commit or before on the same tree. What was not needed
/// did not.
pub(in crate::web) fn passed(run: &Run) -> usize {
    run.checks.iter().filter(|check| has_passed(check)).count()
}

/// How many of a run's checks were not needed.
pub(in crate::web) fn not_needed(run: &Run) -> usize {
    run.checks
        .iter()
        .filter(|check| is_not_needed(check))
        .count()
}

fn has_passed(check: &RunCheck) -> bool {
    matches!(check.state, CheckState::Passed { .. }) && check.origin != Origin::NotNeeded
}

fn is_not_needed(check: &RunCheck) -> bool {
    matches!(check.state, CheckState::Passed { .. }) && check.origin == Origin::NotNeeded
}

/// How a run's checks stand in all, such as `1 of 3 checks passed, 2 not needed`; empty where there
/// are none.
pub(in crate::web) fn tally(run: &Run) -> String {
    let not_needed = not_needed(run);
    let needed = run.checks.len() - not_needed;
    let passed = match needed {
        0 => None,
        1 => Some(format!("{} of 1 check passed", passed(run))),
        needed => Some(format!("{} of {needed} checks passed", passed(run))),
    };
    let rest = (not_needed > 0).then(|| format!("{not_needed} not needed"));
    let parts: Vec<_> = passed.into_iter().chain(rest).collect();
    parts.join(", ")
}

/// What a run is for, in one word.
pub(in crate::web) fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Land => "merge",
        Purpose::Try => "try",
        Purpose::Branch => "branch",
        Purpose::Pull => "pull",
    }
}

fn aim(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Land => "An approved merge: it lands if it passes.",
        Purpose::Try => "A try of a merge: it never lands.",
        Purpose::Branch => "A test of what somebody pushed to a branch.",
        Purpose::Pull => "A pull request test: it never lands.",
    }
}

fn subject(run: &Run) -> &'static str {
    match (run.purpose, run.tested) {
        (Purpose::Pull, Tested::HeadAlone) => "Its head alone, because it conflicts with",
        (Purpose::Land | Purpose::Try | Purpose::Pull, _) => "The merge with",
        (Purpose::Branch, _) => "The tip of",
    }
}

fn is_merge(run: &Run) -> bool {
    match run.purpose {
        Purpose::Land | Purpose::Try | Purpose::Pull => run.tested == Tested::Merge,
        Purpose::Branch => false,
    }
}

impl MemberView {
    fn new(member: &Member, forge: &Forge) -> Self {
        let approver = member.approver.as_ref();
        let said_by = member.said_by.as_ref();
        let on_behalf = said_by.filter(|login| Some(*login) != approver);
        Self {
            number: member.pull,
            head: forge.commit(member.head),
            approver: approver.map(|login| forge.user(login)),
            said_by: on_behalf.map(|login| forge.user(login)),
        }
    }
}

impl CheckView {
    fn new(check: &RunCheck) -> Self {
        let link = check.link();
        let weight = match check.weight {
            Weight::Decides | Weight::Required => None,
            Weight::Informs => Some("not required".to_owned()),
            Weight::Allowed => Some("allowed to fail".to_owned()),
        };
        let details = [verdict(&check.state), origin(check), weight];
        Self {
            name: Link {
                text: shown_name(&link.name),
                url: notes::url(&link.url).or_else(|| own_page(&link.url)),
            },
            badge: Badge::of_check(check),
            detail: details.into_iter().flatten().collect::<Vec<_>>().join(", "),
        }
    }
}

/// The page of a job, as it is written down where nobody said at which address others find ours.
fn own_page(url: &str) -> Option<String> {
    let job = url.strip_prefix("/job/")?;
    let is_number = !job.is_empty() && job.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| url.to_owned())
}

/// A suite's context may be empty.
pub(super) fn shown_name(context: &str) -> String {
    match name(context) {
        empty if empty.is_empty() => "(no name)".to_owned(),
        shown => shown,
    }
}

/// Why a check passed that was not carried out.
fn origin(check: &RunCheck) -> Option<String> {
    let CheckState::Passed { .. } = check.state else {
        return None;
    };
    let words = match check.origin {
        Origin::Own => return None,
        Origin::Earlier => "before, on the same tree",
        Origin::NotNeeded => "it is about no path that was changed",
        Origin::Merge => "for the merge of this pull request",
    };
    Some(words.to_owned())
}

fn verdict(state: &CheckState) -> Option<String> {
    let CheckState::Failed { verdict, .. } = state else {
        return None;
    };
    match verdict.as_ref()? {
        SuiteVerdict::Passed => None,
        SuiteVerdict::Failed(code) => Some(format!("exit code {code}")),
        SuiteVerdict::TimedOut => Some("its time was up".to_owned()),
        SuiteVerdict::Error(message) => Some(notes::plain(message, 200)),
    }
}
