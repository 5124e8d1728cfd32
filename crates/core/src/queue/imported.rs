//! What another queue knew of a repository, taken over where nobody said otherwise.
//!
//! Whatever is taken over is marked with [`CommentKey::imported`]: comments that are younger than
//! the other queue's last word override it, older ones that are read once more do not.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::effect::Effect;
use super::event::{CommentKey, PullFacts};
use super::pull::{Approval, Named, Pull, Register, Squash, Stage};
use super::run::{
    Check, CheckState, Ending, Member, Phase, Purpose, Run, RunCheck, Scope, TestMerge,
};
use super::{RepoState, Tree};
use crate::ids::{CommitId, Login, RunId, Timestamp};

/// What another queue knew of an open pull.
#[derive(Clone, Debug)]
pub struct ImportedPull {
    /// What it knew of GitHub. The moment of change must be older than whatever GitHub will say,
    /// which is then believed.
    pub facts: PullFacts,
    /// Who approved its head.
    pub approver: Option<Login>,
    /// Its priority.
    pub priority: i64,
    /// Its place in rollups.
    pub rollup: i8,
    /// Who else may approve it.
    pub delegate: Option<Login>,
    /// Whether it becomes one commit.
    pub squash: Squash,
    /// The try that waits or was under way.
    pub wanted_try: Option<WantedTry>,
    /// Its latest test.
    pub test: Option<ImportedTest>,
}

/// A try that was asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WantedTry {
    /// CHOOSER in `try=CHOOSER`.
    pub chooser: Option<String>,
}

/// What is known of a test of the other queue.
#[derive(Clone, Debug)]
pub struct ImportedTest {
    /// What it was for.
    pub purpose: Purpose,
    /// How far it came.
    pub progress: Progress,
    /// CHOOSER in `try=CHOOSER`.
    pub chooser: Option<String>,
    /// The commit that was tested.
    pub merge: Option<CommitId>,
    /// What it waited for.
    pub checks: Vec<RunCheck>,
}

/// How far a test of the other queue came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Progress {
    /// It came to this.
    Ended(Ending),
    /// It was under way when the other queue was last heard of.
    UnderWay(Resumption),
    /// It is to be begun.
    NotBegun,
}

/// What going on with a test takes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resumption {
    /// What it is to wait for, by the configuration.
    pub awaited: Vec<Check>,
    /// Until when.
    pub deadline: Timestamp,
}

/// Where a repository stands while it takes over one pull after the other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Turnover {
    /// Until when the other queue knew what was said.
    pub until: Timestamp,
    /// The next run's id.
    pub run: RunId,
    /// Whether a run that is to land can be taken up.
    pub landing: Landing,
}

/// Whether a run is in flight that is to land: there is one at a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Landing {
    /// None is.
    Free,
    /// One is.
    Taken,
}

impl Landing {
    /// What it is once this run is taken up as well.
    pub fn after(self, run: &Run) -> Self {
        if run.purpose == Purpose::Land && !run.is_over() {
            Self::Taken
        } else {
            self
        }
    }
}

impl ImportedPull {
    /// Which of two was to be tested first by the other queue: the smaller.
    pub fn turn(&self) -> impl Ord + use<> {
        (
            Reverse(self.priority),
            self.rollup.max(-1),
            self.facts.number,
        )
    }
}

/// A part of what another queue knew of a pull.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// That it is there.
    Pull,
    /// Its approval.
    Approval,
    /// Its priority.
    Priority,
    /// Its place in rollups.
    Rollup,
    /// Who else may approve it.
    Delegate,
    /// That it becomes one commit.
    Squash,
    /// The try that waits.
    Try,
    /// The test that is under way.
    Running,
    /// The results of its latest test.
    Test,
    /// Whether it merges cleanly.
    Mergeability,
}

/// Why a part was left.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Left {
    /// The pull is closed by now.
    Closed,
    /// The pull has another head or base by now.
    Changed,
    /// The pull says of itself that it is not finished.
    Unfinished,
    /// The pull is approved, and what is approved is not tried.
    Approved,
    /// The pull's approval was not taken over, or the other queue knew of none.
    NotApproved,
    /// The other queue does not say which commit it tests.
    NoCommit,
    /// The configuration names nothing that its test could wait for.
    NoCheck,
    /// Another run is to land already.
    Another,
    /// The pull was tested or tried here.
    TestedHere,
}

/// What became of an [`ImportedPull`].
#[derive(Clone, Debug)]
pub struct Takeover {
    /// The pull as it is now.
    pub pull: Pull,
    /// The run that shows its latest test, or goes on with it, if that was taken over.
    pub run: Option<Run>,
    /// What must now be done.
    pub orders: Vec<Effect>,
    /// What was taken over, of what differs from what any pull has.
    pub taken: BTreeSet<Part>,
    /// What was not, though nobody had said otherwise.
    pub left: BTreeSet<(Part, Left)>,
}

impl Takeover {
    /// Takes over what another queue knew; the run, if there is one, becomes `turnover.run`.
    pub fn of(found: ImportedPull, known: Option<Pull>, turnover: Turnover) -> Self {
        let is_new = known.is_none();
        let mut takeover = Self {
            pull: known.unwrap_or_else(|| Pull::new(found.facts.clone())),
            run: None,
            orders: Vec::new(),
            taken: BTreeSet::new(),
            left: BTreeSet::new(),
        };
        if is_new {
            takeover.taken.insert(Part::Pull);
            let is_known = found.facts.mergeable.is_some();
            takeover
                .taken
                .extend(is_known.then_some(Part::Mergeability));
        }
        if !takeover.pull.is_open() {
            takeover.left.insert((Part::Pull, Left::Closed));
            return takeover;
        }
        let key = CommentKey::imported(turnover.until);
        takeover.take_settings(&found, key);
        takeover.take_approval(&found, key);
        takeover.take_test(found, key, turnover);
        takeover
    }

    /// Takes over what holds for a pull whatever its head is.
    fn take_settings(&mut self, found: &ImportedPull, key: CommentKey) {
        let pull = &mut self.pull;
        let taken = [
            (
                Part::Priority,
                fill(&mut pull.priority, found.priority, key),
            ),
            (Part::Rollup, fill(&mut pull.rollup, found.rollup, key)),
            (
                Part::Delegate,
                fill(&mut pull.delegate, found.delegate.clone(), key),
            ),
            (Part::Squash, fill(&mut pull.squash, found.squash, key)),
        ];
        let worthwhile = taken
            .into_iter()
            .filter(|(_, filled)| *filled == Filled::Worthwhile);
        self.taken.extend(worthwhile.map(|(part, _)| part));
        if self.pull.facts.mergeable.is_none()
            && found.facts.mergeable.is_some()
            && self.is_as_found(found)
        {
            self.pull.facts.mergeable = found.facts.mergeable;
            self.taken.insert(Part::Mergeability);
        }
    }

    /// Whether the pull proposes what the other queue knew: its words are about that.
    fn is_as_found(&self, found: &ImportedPull) -> bool {
        let known = &self.pull.facts;
        (known.head, &known.base) == (found.facts.head, &found.facts.base)
    }

    fn take_approval(&mut self, found: &ImportedPull, key: CommentKey) {
        if self.pull.approval.set_by.is_some() {
            return;
        }
        let Some(approver) = found.approver.clone() else {
            self.pull.approval.set_by = Some(key);
            return;
        };
        let is_younger = |since: Option<Timestamp>| since.is_some_and(|since| since > key.at);
        if !self.is_as_found(found) || is_younger(self.pull.changed_since) {
            self.left.insert((Part::Approval, Left::Changed));
        } else if self.pull.unfinished().is_some() {
            self.left.insert((Part::Approval, Left::Unfinished));
        } else {
            let approval = Approval {
                commit: found.facts.head,
                said_by: first_of(&approver),
                approver,
                named: Named::Commit,
            };
            let _taken = self.pull.approval.set(Some(approval), key);
            self.taken.insert(Part::Approval);
        }
    }

    /// Takes over what was tested and what is to be tried, unless something was here.
    fn take_test(&mut self, found: ImportedPull, key: CommentKey, turnover: Turnover) {
        let is_untouched = self.pull.try_key.is_none()
            && self.pull.last_run.is_none()
            && self.pull.stage == Stage::Idle;
        if !is_untouched {
            self.miss_test(&found, key);
            return;
        }
        self.pull.try_key = Some(key);
        let is_as_found = self.is_as_found(&found);
        match found.test {
            Some(test) if is_as_found => self.add_test(test, found.approver, turnover),
            Some(_) => {
                self.left.insert((Part::Test, Left::Changed));
            }
            None => {}
        }
        let is_running = matches!(self.pull.stage, Stage::Running { .. });
        let Some(wanted) = found.wanted_try.filter(|_| !is_running) else {
            return;
        };
        if self.pull.standing_approval().is_some() {
            self.left.insert((Part::Try, Left::Approved));
        } else if is_as_found {
            let chooser = wanted.chooser;
            let scope = Scope::Usual;
            self.pull.stage = Stage::TryWanted { chooser, scope };
            self.taken.insert(Part::Try);
        } else {
            self.left.insert((Part::Try, Left::Changed));
        }
    }

    /// A test that is under way there is nothing here where somebody tested or tried the pull here.
    /// That it was taken over before is no news.
    fn miss_test(&mut self, found: &ImportedPull, key: CommentKey) {
        let is_under_way = |test: &ImportedTest| matches!(test.progress, Progress::UnderWay(_));
        let was_before = self.pull.try_key == Some(key);
        if found.test.as_ref().is_some_and(is_under_way) && !was_before {
            self.left.insert((Part::Running, Left::TestedHere));
        }
    }

    fn add_test(&mut self, test: ImportedTest, approver: Option<Login>, turnover: Turnover) {
        match &test.progress {
            Progress::Ended(ending) => {
                let ending = *ending;
                self.add_ended(test, approver, ending, turnover);
            }
            Progress::NotBegun => {
                self.add_ended(test, approver, Ending::Cancelled, turnover);
            }
            Progress::UnderWay(resumption) => match self.resume(&test, resumption, turnover) {
                Ok(()) => {}
                Err(why) => {
                    self.left.insert((Part::Running, why));
                    self.add_ended(test, approver, Ending::Cancelled, turnover);
                }
            },
        }
    }

    /// Shows a test that is over. One that came to nothing and has no results is not worth showing.
    fn add_ended(
        &mut self,
        test: ImportedTest,
        approver: Option<Login>,
        ending: Ending,
        turnover: Turnover,
    ) {
        let is_result = |check: &RunCheck| check.state != CheckState::Cancelled;
        if ending == Ending::Cancelled && !test.checks.iter().any(is_result) {
            return;
        }
        let (purpose, facts, id) = (test.purpose, &self.pull.facts, turnover.run);
        let member = Member {
            pull: facts.number,
            head: facts.head,
            approver: approver.filter(|_| purpose == Purpose::Land),
            said_by: None,
        };
        let run = Run::ended(id, facts.base.clone(), member, ending, turnover.until);
        self.run = Some(Run {
            purpose,
            chooser: test.chooser,
            phase: Phase::Done {
                ending,
                merge: test.merge.map(onto_the_unknown),
                at: turnover.until,
            },
            checks: test.checks,
            ..run
        });
        self.pull.last_run = Some(id);
        if ending != Ending::Cancelled {
            let run = id;
            self.pull.stage = Stage::Ended {
                run,
                purpose,
                ending,
            };
        }
        self.taken.insert(Part::Test);
    }
}

/// The other queue does not say what it merged onto. No base has this id, so the merge is never
/// taken for one that could still land.
pub(super) fn onto_the_unknown(merge: CommitId) -> TestMerge {
    TestMerge {
        base_tip: CommitId::ZERO,
        merge,
    }
}

/// Of several approvers, the first.
fn first_of(approver: &Login) -> Login {
    let first = approver.as_str().split(',').next();
    first.map_or_else(|| approver.clone(), Login::new)
}

/// Whether a value was taken over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Filled {
    /// Yes, and it is not what it would be without.
    Worthwhile,
    /// Yes, and it makes no difference.
    WithTheUsual,
    /// No: somebody had set it.
    Not,
}

fn fill<T: Clone + Default + PartialEq>(
    register: &mut Register<T>,
    value: T,
    key: CommentKey,
) -> Filled {
    if register.set_by.is_some() {
        return Filled::Not;
    }
    let is_usual = value == T::default();
    let _taken = register.set(value, key);
    if is_usual {
        Filled::WithTheUsual
    } else {
        Filled::Worthwhile
    }
}

/// Whether a tree was taken over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TreeTaken {
    /// It was.
    Yes,
    /// Somebody had closed or opened the tree here.
    No,
}

impl RepoState {
    /// Takes over whether the tree is closed, unless somebody said so here.
    pub fn take_over_tree(&mut self, tree: Tree, until: Timestamp) -> TreeTaken {
        match fill(&mut self.tree, tree, CommentKey::imported(until)) {
            Filled::Worthwhile | Filled::WithTheUsual => TreeTaken::Yes,
            Filled::Not => TreeTaken::No,
        }
    }
}
