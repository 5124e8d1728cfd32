//! Which job goes first.

use super::*;

#[test]
fn merges_go_before_tries_branches_and_pulls_then_priority_then_age() {
    let of = |id, purpose, priority| Job {
        purpose,
        priority,
        ..job(id)
    };
    let mut board = board(vec![
        of(1, Purpose::Pull, 9),
        of(2, Purpose::Branch, 8),
        of(3, Purpose::Try, 7),
        of(4, Purpose::Land, 0),
        of(5, Purpose::Land, 5),
        of(6, Purpose::Land, 0),
    ]);
    assert_eq!(order(&mut board, &claimant("w")), [5, 4, 6, 3, 2, 1]);
}

#[test]
fn the_first_rule_that_fits_gives_the_rank() {
    let rules = "
        [[schedule.rules]]
        run = 'try'
        rank = 7
        [[schedule.rules]]
        run = 'pull'
        rank = 6
        repo = 'other'
        [[schedule.rules]]
        label = 'urg*'
        rank = 5
        [[schedule.rules]]
        branch = 'release/*'
        rank = 4
        [[schedule.rules]]
        suite = 'suite-5'
        rank = 3
        [[schedule.rules]]
        priority = '>=5'
        rank = 2
        [[schedule.rules]]
        rank = 1";
    let mut jobs: Vec<_> = (1..=7).map(job).collect();
    jobs[6].purpose = Purpose::Try;
    jobs[6].subject.labels = vec!["urgent".to_owned()];
    jobs[5].purpose = Purpose::Pull;
    jobs[5].repo = RepoLabel::new("other");
    jobs[4].subject.labels = vec!["x".to_owned(), "urgent".to_owned()];
    jobs[3].subject.branch = "release/1".to_owned();
    jobs[1].priority = 5;
    jobs[0].purpose = Purpose::Pull;
    jobs[0].suite.context = "suite-5".to_owned();
    jobs[2].priority = 4;
    jobs[2].purpose = Purpose::Land;
    let mut board = board_with(jobs, policy(rules, ""));
    assert_eq!(order(&mut board, &claimant("w")), [7, 6, 5, 4, 1, 2, 3]);
}

#[test]
fn a_pull_with_a_new_label_or_priority_is_ranked_anew() {
    let rules = "[[schedule.rules]]\nlabel = 'urgent'\nrank = 500";
    let mut board = board_with((1..=3).map(job).collect(), policy(rules, ""));
    let urgent = ["urgent".to_owned()];
    let changed = only(board.rank(RunId(0), 0, &urgent));
    assert_eq!(changed.subject.labels, urgent);
    assert_eq!(board.rank(RunId(0), 0, &urgent), []);
    let changed = only(board.rank(RunId(2), 9, &[]));
    assert_eq!((changed.id, changed.priority), (JobId(2), 9));
    assert_eq!(order(&mut board, &claimant("w")), [3, 2, 1]);
}
