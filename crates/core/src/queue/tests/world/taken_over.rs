//! A world that begins with a test that another queue had begun.

use super::{Waits, World, rules};
use crate::ids::{CommitId, Login, PullNumber, RunId, Timestamp};
use crate::queue::Queue;
use crate::queue::effect::Effect;
use crate::queue::event::{Event, MergeFound, PullFacts};
use crate::queue::imported::{
    ImportedPull, ImportedTest, Landing, Progress, Resumption, Takeover, Turnover,
};
use crate::queue::pull::Squash;
use crate::queue::run::Purpose;

impl World {
    /// Pull 1 is approved, merged and under test, as the other queue has it; GitHub may have moved
    /// on since, and the other queue may be wrong about what it merged.
    pub(in crate::queue::tests) fn taken_over() -> Self {
        let mut world = Self::new(Waits::Status);
        let facts = world.pulls[&PullNumber(1)].clone();
        let merge = world.new_commit("e");
        world.published.insert(merge);
        world.approved.insert((facts.number, facts.head));
        let run = RunId(0).next();
        let turnover = Turnover {
            until: world.timestamp(),
            run,
            landing: Landing::Free,
        };
        let takeover = Takeover::of(under_test(facts, merge, turnover.until), None, turnover);
        world.orders.extend(takeover.orders);
        let mut pulls: Vec<_> = world.queue.pulls().cloned().collect();
        pulls.retain(|pull| pull.number() != takeover.pull.number());
        pulls.push(takeover.pull);
        let runs = takeover.run.into_iter().collect();
        let state = Queue::new(rules(Waits::Status), run).state().clone();
        world.queue = Queue::restored(rules(Waits::Status), state, pulls, runs);
        world
    }

    /// What was merged before this world began; nobody else's merges are asked for.
    pub(super) fn merge_read(&self, run: RunId, commit: CommitId) -> Event {
        assert!(self.published.contains(&commit));
        let head = self.heads.iter().find(|(pull, _)| pull.0 == 1);
        let found = MergeFound {
            base_tip: self.base.first().copied(),
            merged: head.into_iter().map(|(_, head)| *head).collect(),
        };
        Event::MergeRead {
            run,
            found: Some(found),
        }
    }

    /// Whether nothing but the answer of an order ends what a run waits for.
    pub(super) fn is_ended_by_an_order(&self, id: RunId) -> bool {
        let lands =
            |order: &Effect| matches!(order, Effect::AdvanceBranch(order) if order.run == id);
        let reads = |order: &Effect| matches!(order, Effect::ReadMerge { run, .. } if *run == id);
        self.orders.iter().any(|order| lands(order) || reads(order))
    }
}

fn under_test(facts: PullFacts, merge: CommitId, until: Timestamp) -> ImportedPull {
    ImportedPull {
        facts,
        approver: Some(Login::new("rev")),
        priority: 0,
        rollup: 0,
        delegate: None,
        squash: Squash::No,
        wanted_try: None,
        test: Some(ImportedTest {
            purpose: Purpose::Land,
            progress: Progress::UnderWay(Resumption {
                awaited: rules(Waits::Status).awaited(Purpose::Land, None),
                deadline: until,
            }),
            chooser: None,
            merge: Some(merge),
            checks: Vec::new(),
        }),
    }
}
