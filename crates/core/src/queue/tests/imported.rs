//! What is taken over from another queue holds until GitHub or a younger comment says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use super::story::{comment, commit, facts, run_id, seconds, with_status};
use crate::ids::{BranchName, Login, PullNumber, RunId, Timestamp};
use crate::queue::event::{CommentKey, Event, PullAge, PullFacts, PullState, Source};
use crate::queue::imported::{
    ImportedPull, ImportedTest, Landing, Left, Part, Progress, Takeover, TreeTaken, Turnover,
    WantedTry,
};
use crate::queue::pull::{Pull, Squash, Stage};
use crate::queue::rules::Rules;
use crate::queue::run::{Check, CheckState, Ending, Origin, Purpose, RunCheck, Weight};
use crate::queue::{Queue, RepoState, Tree};

/// Until when the other queue knew everything, in seconds.
const UNTIL: i64 = 100;

const PULL: PullNumber = PullNumber(1);

/// Pull 1 at commit `a1`, approved, of which everything else is usual.
fn approved() -> ImportedPull {
    let facts = PullFacts {
        updated_at: Timestamp(0),
        mergeable: None,
        ..facts(1, "a1", 0)
    };
    ImportedPull {
        facts,
        approver: Some(Login::new("rev,other")),
        priority: 0,
        rollup: 0,
        delegate: None,
        squash: Squash::No,
        wanted_try: None,
        test: None,
    }
}

fn failed_test() -> ImportedTest {
    let failed = CheckState::Failed {
        url: "build".to_owned(),
        verdict: None,
    };
    ImportedTest {
        purpose: Purpose::Land,
        progress: Progress::Ended(Ending::Failed),
        chooser: None,
        merge: Some(commit("e1")),
        checks: vec![RunCheck::new(
            Check::Build("linux".to_owned()),
            Weight::Decides,
            failed,
            Origin::Own,
        )],
    }
}

fn everything() -> ImportedPull {
    ImportedPull {
        priority: 5,
        rollup: -2,
        delegate: Some(Login::new("friend")),
        squash: Squash::Yes,
        test: Some(failed_test()),
        facts: PullFacts {
            mergeable: Some(false),
            ..approved().facts
        },
        ..approved()
    }
}

fn wanted_try() -> ImportedPull {
    ImportedPull {
        approver: None,
        wanted_try: Some(WantedTry { chooser: None }),
        ..approved()
    }
}

fn take(found: ImportedPull, known: Option<Pull>) -> Takeover {
    let turnover = Turnover {
        until: seconds(UNTIL),
        run: run_id(1),
        landing: Landing::Free,
    };
    Takeover::of(found, known, turnover)
}

/// A queue that begins with what was taken over.
fn queue(found: ImportedPull) -> Queue {
    let choosers = BTreeMap::from([("windows".to_owned(), Vec::new())]);
    let rules = Rules {
        choosers,
        ..with_status()
    };
    let Takeover { pull, run, .. } = take(found, None);
    let last_run = run.as_ref().map_or(RunId(0), |run| run.id);
    let state = Queue::new(rules.clone(), last_run).state().clone();
    Queue::restored(rules, state, vec![pull], run.into_iter().collect())
}

fn read(queue: &mut Queue, facts: PullFacts) {
    let source = Source::Reading;
    let _effects = queue.handle(seconds(200), Event::PullSeen { facts, source });
}

fn say(queue: &mut Queue, at: i64, words: &str) {
    let event = Event::CommentMade {
        pull: PULL,
        comment: comment(at, "rev", &format!("@bot {words}")),
    };
    let _effects = queue.handle(seconds(200), event);
}

fn approver(queue: &Queue) -> Option<&str> {
    let approval = queue.pull(PULL)?.standing_approval()?;
    Some(approval.approver.as_str())
}

fn running(queue: &Queue) -> Option<Purpose> {
    match queue.pull(PULL)?.stage {
        Stage::Running { purpose, .. } => Some(purpose),
        Stage::Idle | Stage::RetryWanted { .. } | Stage::TryWanted { .. } | Stage::Ended { .. } => {
            None
        }
    }
}

fn parts(takeover: &Takeover) -> Vec<Part> {
    takeover.taken.iter().copied().collect()
}

#[test]
fn a_new_pull_is_taken_over_with_all_that_is_known_of_it() {
    let takeover = take(everything(), None);
    assert_eq!(
        parts(&takeover),
        [
            Part::Pull,
            Part::Approval,
            Part::Priority,
            Part::Rollup,
            Part::Delegate,
            Part::Squash,
            Part::Test,
            Part::Mergeability
        ]
    );
    assert_eq!(takeover.left, BTreeSet::new());
    let pull = takeover.pull;
    assert_eq!((pull.priority.value, pull.rollup.value), (5, -2));
    assert_eq!(pull.delegate.value, Some(Login::new("friend")));
    assert_eq!(pull.squash.value, Squash::Yes);
    let approval = pull.standing_approval().unwrap();
    assert_eq!(approval.approver, Login::new("rev,other"));
    assert_eq!(approval.said_by, Login::new("rev"));
    let run = takeover.run.unwrap();
    assert_eq!((run.ending(), run.is_over()), (Some(Ending::Failed), true));
    assert_eq!(run.merge().unwrap().merge, commit("e1"));
    assert_eq!(run.checks, failed_test().checks);
    assert_eq!(pull.last_run, Some(run.id));
    assert!(matches!(pull.stage, Stage::Ended { run: id, .. } if id == run.id));
}

#[test]
fn a_second_takeover_changes_nothing() {
    for found in [everything(), approved(), wanted_try()] {
        let first = take(found.clone(), None);
        let mut later = first.pull.clone();
        let second = take(found.clone(), Some(first.pull.clone()));
        assert_eq!((second.pull, second.run), (first.pull, None));
        assert_eq!(
            (second.taken, second.left),
            (BTreeSet::new(), BTreeSet::new())
        );
        // Nor what became of it meanwhile.
        later.approval.value = None;
        later.priority.value = 9;
        later.stage = Stage::Idle;
        later.last_run = None;
        let third = take(found, Some(later.clone()));
        assert_eq!((third.pull, third.run), (later, None));
    }
}

#[test]
fn github_is_believed_and_the_approval_of_the_same_head_stands() {
    let mut queue = queue(approved());
    let now = PullFacts {
        title: "Better words".to_owned(),
        author: Login::new("somebody-else"),
        updated_at: seconds(50),
        ..approved().facts
    };
    read(&mut queue, now.clone());
    assert_eq!(queue.pull(PULL).unwrap().facts, now);
    assert_eq!(approver(&queue), Some("rev,other"));
    assert_eq!(running(&queue), Some(Purpose::Land));
}

/// GitHub's changes are older here than the takeover: the other queue had missed them.
#[test]
fn what_the_other_queue_did_not_know_of_a_pull_drops_its_approval_and_try() {
    let now = PullFacts {
        updated_at: seconds(50),
        ..approved().facts
    };
    let changes = [
        PullFacts {
            head: commit("a2"),
            ..now.clone()
        },
        PullFacts {
            base: BranchName::new("other"),
            ..now.clone()
        },
        PullFacts {
            state: PullState::Closed,
            ..now.clone()
        },
    ];
    for changed in changes {
        let mut queue = queue(approved());
        read(&mut queue, changed.clone());
        assert_eq!(
            queue.pull(PULL).unwrap().approval.value,
            None,
            "{changed:?}"
        );
        assert_eq!(running(&queue), None);
    }
    for changed in [commit("a2"), commit("a3")] {
        let mut queue = queue(wanted_try());
        let facts = PullFacts {
            head: changed,
            ..now.clone()
        };
        read(&mut queue, facts);
        assert_eq!(queue.pull(PULL).unwrap().stage, Stage::Idle);
    }
    let mut queue = queue(approved());
    let draft = PullFacts { draft: true, ..now };
    read(&mut queue, draft);
    assert_eq!(approver(&queue), None);
}

#[test]
fn younger_comments_override_what_was_taken_over() {
    let mut queue = queue(everything());
    say(&mut queue, UNTIL, "r- p=7 rollup=always delegate=x squash-");
    let pull = queue.pull(PULL).unwrap();
    assert_eq!(pull.approval.value, None);
    assert_eq!((pull.priority.value, pull.rollup.value), (7, 1));
    assert_eq!(pull.delegate.value, Some(Login::new("x")));
    assert_eq!(pull.squash.value, Squash::No);
    say(&mut queue, UNTIL + 1, "try");
    assert_eq!(running(&queue), Some(Purpose::Try));
}

#[test]
fn older_comments_that_are_read_once_more_change_nothing_that_was_taken_over() {
    let mut queue = queue(everything());
    let known = queue.pull(PULL).unwrap().clone();
    let words = "r- p=7 rollup=always delegate- squash- treeclosed=9";
    let restored = Event::PullRestored {
        facts: known.facts.clone(),
        comments: vec![comment(UNTIL - 1, "rev", &format!("@bot {words}"))],
        result: None,
        age: PullAge::Old,
    };
    let _effects = queue.handle(seconds(200), restored);
    let mut after = queue.pull(PULL).unwrap().clone();
    after.handled.clear();
    assert_eq!(after, known);
    // A webhook that comes late.
    say(&mut queue, UNTIL - 2, "r- p=8 try");
    let mut after = queue.pull(PULL).unwrap().clone();
    after.handled.clear();
    assert_eq!(after, known);
}

#[test]
fn a_test_that_is_to_begin_begins_and_one_that_failed_waits_for_retry() {
    let not_begun = ImportedTest {
        progress: Progress::NotBegun,
        ..failed_test()
    };
    let mut waiting = queue(ImportedPull {
        test: Some(not_begun),
        ..approved()
    });
    assert_eq!(
        waiting.run(run_id(1)).unwrap().ending(),
        Some(Ending::Cancelled)
    );
    let _effects = waiting.handle(seconds(200), Event::TimePassed);
    assert_eq!(running(&waiting), Some(Purpose::Land));
    let mut failed = queue(everything());
    let _effects = failed.handle(seconds(200), Event::TimePassed);
    assert_eq!(running(&failed), None);
    say(&mut failed, UNTIL + 1, "retry");
    assert_eq!(running(&failed), Some(Purpose::Land));
}

#[test]
fn a_wanted_try_begins_with_its_chooser() {
    let chosen = WantedTry {
        chooser: Some("windows".to_owned()),
    };
    let mut queue = queue(ImportedPull {
        wanted_try: Some(chosen),
        ..wanted_try()
    });
    let _effects = queue.handle(seconds(200), Event::TimePassed);
    assert_eq!(running(&queue), Some(Purpose::Try));
    let run = queue.runs_in_flight().next().unwrap();
    assert_eq!(run.chooser.as_deref(), Some("windows"));
}

#[test]
fn a_known_pull_is_completed_where_nobody_said_anything() {
    let mut known = queue(approved()).pull(PULL).unwrap().clone();
    known = Pull {
        approval: Default::default(),
        try_key: None,
        ..known
    };
    known.priority.value = 3;
    known.priority.set_by = Some(comment(5, "rev", "").key);
    let takeover = take(everything(), Some(known));
    let filled = [Part::Approval, Part::Test, Part::Mergeability];
    assert_eq!(parts(&takeover), filled);
    assert_eq!(takeover.pull.priority.value, 3);
    assert_eq!(takeover.pull.facts.mergeable, Some(false));
}

/// A pull that the server knew before, with nothing said of it.
fn known(facts: PullFacts) -> Pull {
    let mut queue = Queue::new(with_status(), RunId(0));
    read(&mut queue, facts);
    queue.pull(PULL).unwrap().clone()
}

#[test]
fn what_is_about_another_state_of_a_pull_is_left_and_told_of() {
    let everything = ImportedPull {
        wanted_try: Some(WantedTry { chooser: None }),
        ..everything()
    };
    let left = |facts| take(everything.clone(), Some(known(facts))).left;
    let now = facts(1, "a1", 50);
    let another_head = PullFacts {
        head: commit("a2"),
        ..now.clone()
    };
    let another_base = PullFacts {
        base: BranchName::new("other"),
        ..now.clone()
    };
    let changed = BTreeSet::from([
        (Part::Approval, Left::Changed),
        (Part::Try, Left::Changed),
        (Part::Test, Left::Changed),
    ]);
    assert_eq!(left(another_head), changed);
    assert_eq!(left(another_base), changed);
    let draft = PullFacts {
        draft: true,
        ..now.clone()
    };
    assert_eq!(
        left(draft),
        BTreeSet::from([(Part::Approval, Left::Unfinished)])
    );
    assert_eq!(left(now), BTreeSet::from([(Part::Try, Left::Approved)]));
}

#[test]
fn a_known_pull_that_is_closed_or_was_changed_since_takes_no_approval() {
    let now = facts(1, "a1", 50);
    let mut closed = known(now.clone());
    closed.facts.state = PullState::Merged;
    let takeover = take(everything(), Some(closed.clone()));
    assert_eq!((&takeover.pull, takeover.taken.len()), (&closed, 0));
    assert_eq!(takeover.left, BTreeSet::from([(Part::Pull, Left::Closed)]));
    let mut reopened = known(now);
    reopened.changed_since = Some(seconds(UNTIL + 1));
    let takeover = take(approved(), Some(reopened));
    assert_eq!(takeover.pull.approval.value, None);
    assert_eq!(
        takeover.left,
        BTreeSet::from([(Part::Approval, Left::Changed)])
    );
}

#[test]
fn a_tree_is_taken_over_once_and_never_over_what_was_said_here() {
    let closed = |below| Tree::Closed {
        below,
        by: None,
        source: String::new(),
    };
    let fresh: RepoState = Queue::new(with_status(), RunId(0)).state().clone();
    for tree in [closed(5), Tree::Open] {
        let mut state = fresh.clone();
        assert_eq!(
            state.take_over_tree(tree.clone(), seconds(UNTIL)),
            TreeTaken::Yes
        );
        let again = state.take_over_tree(closed(6), seconds(UNTIL + 1));
        assert_eq!((again, &state.tree.value), (TreeTaken::No, &tree));
    }
}

#[test]
fn the_key_of_a_takeover_is_older_than_any_comment_of_its_second() {
    let key = CommentKey::imported(Timestamp(1999));
    assert_eq!(key.at, seconds(1));
    assert!(key.is_imported() && key < comment(1, "rev", "").key);
    assert!(!comment(1, "rev", "").key.is_imported());
}
