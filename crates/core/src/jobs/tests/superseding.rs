//! Jobs of pull request tests that are in the way of the same pulls' merges.

use super::*;

/// The job of a suite of pull 7's pull request test.
fn own(id: u64, context: &str) -> Job {
    let mut job = job(id);
    job.purpose = Purpose::Pull;
    job.run = RunId(1);
    job.subject.pull = Some(PullNumber(7));
    job.suite.context = context.to_owned();
    job
}

/// The same suite of pull 7's merge.
fn merge(id: u64, context: &str) -> Job {
    Job {
        purpose: Purpose::Land,
        run: RunId(2),
        ..own(id, context)
    }
}

fn board_of(jobs: Vec<Job>, slots: u32) -> Board {
    let count = jobs.len();
    let mut board = board_with(jobs, policy("", ""));
    assert_eq!(order(&mut board, &large("w", slots)).len(), count);
    board
}

fn interrupted(board: &mut Board, jobs: Vec<Job>) -> Vec<u64> {
    board.add(jobs);
    let changed = board.arrange(at(10));
    changed.iter().map(|job| job.id.0).collect()
}

#[test]
fn a_pull_does_not_hold_up_its_own_merge() {
    let mut board = board_of(vec![own(1, "unit"), own(2, "lint")], 2);
    assert_eq!(interrupted(&mut board, vec![merge(9, "unit")]), [1]);
    let wish = board.renew(at(11), attempt(1, 1), &worker("w"));
    assert_eq!(wish, Ok(Wish::Stop));
    assert_eq!(board.arrange(at(11)), [], "once is enough");
    let back = board.account(at(12), &worker("w"), &[attempt(2, 1)]);
    assert_eq!(only(back).state, JobState::Waiting, "it goes on afterwards");
    board.add(vec![job(10)]);
    assert_eq!(order(&mut board, &large("w", 2)), [9]);
}

#[test]
fn nothing_is_interrupted_where_a_worker_is_free() {
    let mut board = board_with(vec![own(1, "unit")], policy("", ""));
    assert_eq!(board.claim(at(5), &large("w", 2)).unwrap().id, JobId(1));
    assert_eq!(interrupted(&mut board, vec![merge(9, "unit")]), [0; 0]);
    // The free slot is that of the first merge only.
    let second = vec![merge(10, "lint"), merge(11, "docs")];
    assert_eq!(interrupted(&mut board, second), [0; 0]);
}

#[test]
fn only_the_same_suite_of_the_same_pull_gives_way() {
    let mut other = own(1, "unit");
    other.subject.pull = Some(PullNumber(8));
    let mut elsewhere = own(2, "unit");
    elsewhere.repo = RepoLabel::new("elsewhere");
    let mut tried = own(3, "unit");
    tried.purpose = Purpose::Try;
    let mut board = board_of(vec![other, elsewhere, tried, own(4, "lint")], 4);
    assert_eq!(interrupted(&mut board, vec![merge(9, "unit")]), [0; 0]);
    let mut board = board_of(vec![own(1, "unit")], 1);
    let mut tried = merge(9, "unit");
    tried.purpose = Purpose::Try;
    assert_eq!(interrupted(&mut board, vec![tried]), [0; 0]);
}

#[test]
fn a_limit_that_the_own_test_fills_is_not_in_the_way() {
    let mut board = board_with(vec![own(1, "unit")], policy("", "jobs_max = 1"));
    assert_eq!(board.claim(at(5), &large("w", 4)).unwrap().id, JobId(1));
    assert_eq!(interrupted(&mut board, vec![merge(9, "unit")]), [1]);
    board.account(at(12), &worker("w"), &[]);
    assert_eq!(order(&mut board, &large("w", 4)), [9]);
}

#[test]
fn what_is_settled_is_stopped_unless_others_need_it() {
    let mut needing = own(3, "deploy");
    needing.suite.needs = vec!["unit".to_owned()];
    let mut board = board_of(vec![own(1, "unit"), own(2, "lint")], 2);
    board.add(vec![needing]);
    let contexts = ["unit", "lint"].map(str::to_owned);
    let stopped = board.cancel_suites(at(10), RunId(1), &contexts);
    assert_eq!(only(stopped).id, JobId(2));
}
