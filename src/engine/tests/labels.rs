//! Labels and titles.

use super::stage::{BOT, REPO, Stage};
use crate::engine::outbox::Tried;
use paprq_core::ids::{CommitId, PullNumber};
use paprq_core::queue::effect::{Effect, MergeMark, TitleMark};
use paprq_core::queue::labels::LabelChange;
use paprq_practice::{ApiFault, Calls, PullState};

fn change(remove: &[&str], add: &[&str], unless: &[&str]) -> LabelChange {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    LabelChange {
        remove: texts(remove),
        add: texts(add),
        unless: texts(unless),
    }
}

fn edit(pull: PullNumber, change: &LabelChange) -> Effect {
    let change = change.clone();
    Effect::EditLabels { pull, change }
}

/// A pull that people gave these labels.
async fn labelled(stage: &Stage, labels: &[&str]) -> PullNumber {
    let pull = stage.pull("A pull");
    let given = stage.answers(edit(pull, &change(&[], labels, &[]))).await;
    assert_eq!(given, []);
    pull
}

fn labels(stage: &Stage, pull: PullNumber) -> Vec<String> {
    stage.practice.pull(REPO, pull).unwrap().labels
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_that_people_set_stay() {
    let stage = Stage::start("").await;
    let pull = labelled(&stage, &["theirs", "Waiting", "kept"]).await;
    let change = change(&["waiting", "absent"], &["kept", "done", "more"], &[]);
    assert_eq!(stage.answers(edit(pull, &change)).await, []);
    assert_eq!(labels(&stage, pull), ["theirs", "kept", "done", "more"]);
    let base = format!("/repos/{REPO}/issues/{pull}/labels");
    let expected = [
        format!("POST {base}"),
        format!("POST {base}"),
        format!("DELETE {base}/Waiting"),
    ];
    assert_eq!(stage.writes(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_change_of_labels_changes_nothing() {
    let stage = Stage::start("").await;
    let pull = labelled(&stage, &["old"]).await;
    let order = edit(pull, &change(&["old"], &["new"], &[]));
    assert_eq!(stage.answers(order.clone()).await, []);
    let before = stage.writes();
    stage.carry_out(order, Tried::MaybeBefore).await.unwrap();
    assert_eq!(stage.writes(), before);
    assert_eq!(labels(&stage, pull), ["new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_label_moves_where_one_of_unless_is_there() {
    let stage = Stage::start("").await;
    let pull = labelled(&stage, &["old", "Blocked"]).await;
    let change = change(&["old"], &["new"], &["other", "blocked"]);
    assert_eq!(stage.answers(edit(pull, &change)).await, []);
    assert_eq!(labels(&stage, pull), ["old", "Blocked"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_somebody_takes_off_meanwhile_is_off() {
    let stage = Stage::start("").await;
    let pull = labelled(&stage, &["old"]).await;
    let faults = stage.practice.faults();
    faults.api(Calls::to("DELETE", "/labels/"), ApiFault::Fail(404));
    let change = change(&["old"], &["new"], &[]);
    assert_eq!(stage.answers(edit(pull, &change)).await, []);
    assert_eq!(labels(&stage, pull), ["old", "new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_that_are_refused_for_good_are_dropped_and_others_are_tried_again() {
    let stage = Stage::start("").await;
    let pull = labelled(&stage, &["old"]).await;
    let order = edit(pull, &change(&["old"], &["new"], &[]));
    let faults = stage.practice.faults();
    faults.api(Calls::to("POST", "/labels"), ApiFault::Fail(502));
    assert!(stage.carry_out(order.clone(), Tried::Never).await.is_err());
    faults.clear();
    faults.api(Calls::to("POST", "/labels"), ApiFault::Fail(422));
    assert_eq!(stage.answers(order).await, []);
    assert_eq!(labels(&stage, pull), [""; 0]);
    let nowhere = edit(PullNumber(77), &change(&[], &["new"], &[]));
    assert_eq!(stage.answers(nowhere).await, []);
}

fn mark(pull: PullNumber, title: TitleMark) -> Effect {
    Effect::MarkMerged(MergeMark {
        pull,
        head: CommitId::ZERO,
        landed: CommitId::ZERO,
        title,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebased_pull_says_that_it_is_merged_once_and_is_closed() {
    let stage = Stage::start("").await;
    let pull = stage.pull("A pull");
    for _ in 0..2 {
        assert_eq!(stage.answers(mark(pull, TitleMark::Prefixed)).await, []);
        let seen = stage.practice.pull(REPO, pull).unwrap();
        assert_eq!(seen.title, "[merged] A pull");
        assert_eq!(seen.state, PullState::Closed);
    }
    assert_eq!(stage.writes().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_that_is_to_stay_stays_and_a_closed_pull_is_left_alone() {
    let stage = Stage::start("").await;
    let pull = stage.pull("A pull");
    assert_eq!(stage.answers(mark(pull, TitleMark::Unchanged)).await, []);
    let seen = stage.practice.pull(REPO, pull).unwrap();
    assert_eq!(
        (seen.title.as_str(), seen.state),
        ("A pull", PullState::Closed)
    );
    stage.practice.reopen_pull(REPO, pull, "carol").unwrap();
    stage.practice.close_pull(REPO, pull, BOT).unwrap();
    assert_eq!(stage.answers(mark(pull, TitleMark::Unchanged)).await, []);
    assert_eq!(stage.writes().len(), 1);
}
