//! A run, as pages show it.

use super::{Badge, Forge, Link, Moment, duration, name};
use crate::clock;
use crate::ids::{CommitId, PullNumber, RunId};
use crate::notes;
use crate::queue::event::SuiteVerdict;
use crate::queue::note::Purpose;
use crate::queue::run::{CheckState, Phase, Run, RunCheck, Weight};

/// A run.
#[derive(Clone, Debug)]
pub(in crate::web) struct RunView {
    pub(in crate::web) id: RunId,
    pub(in crate::web) badge: Badge,
    pub(in crate::web) purpose: &'static str,
    pub(in crate::web) base: Link,
    pub(in crate::web) base_tip: Option<Link>,
    pub(in crate::web) merge: Option<Link>,
    pub(in crate::web) repeats: Option<RunId>,
    pub(in crate::web) began: Moment,
    pub(in crate::web) ended: Option<Moment>,
    pub(in crate::web) took: String,
    pub(in crate::web) members: Vec<MemberView>,
    pub(in crate::web) checks: Vec<CheckView>,
    pub(in crate::web) passed: usize,
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
        let passed = |check: &&RunCheck| matches!(check.state, CheckState::Passed { .. });
        Self {
            id: run.id,
            badge: Badge::of_run(run),
            purpose: match run.purpose {
                Purpose::Land => "merge",
                Purpose::Try => "try",
                Purpose::Branch => "branch",
                Purpose::Pull => "pull",
            },
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
                .map(|member| MemberView {
                    number: member.pull,
                    head: forge.commit(member.head),
                    approver: member.approver.as_ref().map(|login| forge.user(login)),
                    said_by: member
                        .said_by
                        .as_ref()
                        .filter(|login| Some(*login) != member.approver.as_ref())
                        .map(|login| forge.user(login)),
                })
                .collect(),
            checks: run.checks.iter().map(CheckView::new).collect(),
            passed: run.checks.iter().filter(passed).count(),
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
        let details = [verdict(&check.state), weight];
        Self {
            name: Link {
                text: shown_name(&link.name),
                url: notes::url(&link.url),
            },
            badge: Badge::of_check(&check.state),
            detail: details.into_iter().flatten().collect::<Vec<_>>().join(", "),
        }
    }
}

/// A suite's context may be empty.
pub(super) fn shown_name(context: &str) -> String {
    match name(context) {
        empty if empty.is_empty() => "(no name)".to_owned(),
        shown => shown,
    }
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
