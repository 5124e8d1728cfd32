//! A pull, as pages show it.

use super::{Badge, Forge, Link, Moment, RunView, TITLE_CHARS_MAX, name};
use paprq_core::ids::{PullNumber, RunId};
use paprq_core::notes;
use paprq_core::queue::pull::{Approval, Pull, Stage};
use paprq_core::queue::pull_test::{PullTest, PullTestStage};
use paprq_core::queue::{Blockers, Queue};

/// A pull.
#[derive(Clone, Debug)]
pub(in crate::web) struct PullView {
    pub(in crate::web) number: PullNumber,
    pub(in crate::web) github: Link,
    pub(in crate::web) title: String,
    pub(in crate::web) author: Link,
    pub(in crate::web) head: Link,
    pub(in crate::web) head_label: String,
    pub(in crate::web) base: Link,
    pub(in crate::web) badge: Badge,
    pub(in crate::web) draft: bool,
    pub(in crate::web) approval: Option<ApprovalView>,
    pub(in crate::web) priority: i64,
    pub(in crate::web) rollup: &'static str,
    pub(in crate::web) mergeable: &'static str,
    pub(in crate::web) position: Option<usize>,
    pub(in crate::web) why: Vec<String>,
    pub(in crate::web) updated: Moment,
    /// The run that is under way.
    pub(in crate::web) run: Option<RunView>,
    pub(in crate::web) own: PullTestView,
    /// Who holds it back.
    pub(in crate::web) held_by: Option<Link>,
    pub(in crate::web) labels: Vec<String>,
}

/// The test of a pull that is made whether it is approved or not.
#[derive(Clone, Debug)]
pub(in crate::web) struct PullTestView {
    pub(in crate::web) badge: Badge,
    /// What more there is to say; may be empty.
    pub(in crate::web) detail: &'static str,
    /// The latest run of it.
    pub(in crate::web) run: Option<RunId>,
    /// Whether there is anything to be said of it.
    pub(in crate::web) is_known: bool,
}

/// Who approved what.
#[derive(Clone, Debug)]
pub(in crate::web) struct ApprovalView {
    pub(in crate::web) by: Link,
    /// Who wrote it, if on behalf of `by`.
    pub(in crate::web) said_by: Option<Link>,
    pub(in crate::web) commit: Link,
    /// Whether it is for the commit that the pull proposes now.
    pub(in crate::web) stands: bool,
}

impl PullView {
    /// A pull of a queue, and what keeps it where it is.
    pub(in crate::web) fn of_queue(
        queue: &Queue,
        pull: &Pull,
        blockers: &Blockers,
        forge: &Forge,
    ) -> Self {
        let why = queue.why_behind(pull.number(), blockers);
        let run = match pull.stage {
            Stage::Running { run, .. } => queue.run(run),
            Stage::Idle
            | Stage::RetryWanted { .. }
            | Stage::TryWanted { .. }
            | Stage::Ended { .. } => None,
        };
        Self {
            badge: Badge::of_pull(pull, run),
            why: why.iter().map(notes::reason).collect(),
            run: run.map(|run| RunView::new(run, forge)),
            ..Self::bare(pull, forge)
        }
    }

    /// A pull alone.
    pub(in crate::web) fn bare(pull: &Pull, forge: &Forge) -> Self {
        let facts = &pull.facts;
        let title = notes::plain(&facts.title, TITLE_CHARS_MAX);
        Self {
            number: facts.number,
            github: forge.pull(facts.number),
            title: if title.is_empty() {
                "(no title)".to_owned()
            } else {
                title
            },
            author: forge.user(&facts.author),
            head: forge.commit(facts.head),
            head_label: name(&facts.head_label),
            base: forge.branch(&facts.base),
            badge: Badge::of_pull(pull, None),
            draft: facts.draft,
            approval: pull
                .approval
                .value
                .as_ref()
                .map(|approval| ApprovalView::new(approval, pull, forge)),
            priority: pull.priority.value,
            rollup: rollup(pull.rollup.value),
            mergeable: match facts.mergeable {
                Some(true) => "yes",
                Some(false) => "no: rebase",
                None => "not known yet",
            },
            position: None,
            why: Vec::new(),
            updated: Moment(facts.updated_at),
            run: None,
            own: PullTestView::new(&pull.own),
            held_by: pull.hold.value.as_ref().map(|login| forge.user(login)),
            labels: facts.labels.iter().map(|label| name(label)).collect(),
        }
    }
}

impl PullTestView {
    fn new(own: &PullTest) -> Self {
        let detail = match own.stage {
            PullTestStage::Skipped => "It says that it is not to be tested: [skip ci].",
            PullTestStage::Asking { .. } => {
                "GitHub is asked whether those who can push to its branch may write here."
            }
            PullTestStage::Untrusted => {
                "Somebody who may approve it looks at it first, and says ok or ok+."
            }
            PullTestStage::Wanted { .. } => "It is about to begin.",
            PullTestStage::Idle | PullTestStage::Running { .. } | PullTestStage::Ended { .. } => "",
        };
        Self {
            badge: Badge::of_pull_test(&own.stage),
            detail,
            run: own.last_run,
            is_known: own.stage != PullTestStage::Idle || own.last_run.is_some(),
        }
    }
}

impl ApprovalView {
    fn new(approval: &Approval, pull: &Pull, forge: &Forge) -> Self {
        let on_behalf = approval.said_by != approval.approver;
        Self {
            by: forge.user(&approval.approver),
            said_by: on_behalf.then(|| forge.user(&approval.said_by)),
            commit: forge.commit(approval.commit),
            stands: pull.standing_approval().is_some(),
        }
    }
}

fn rollup(value: i8) -> &'static str {
    match value {
        1.. => "always",
        0 => "maybe",
        -1 => "iffy",
        ..=-2 => "never",
    }
}
