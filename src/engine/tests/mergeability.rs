//! Looking for pulls that do not merge cleanly.

use super::stage::{REPO, Stage};
use crate::engine::repo::Message;
use crate::git::Fetch;
use paprq_core::ids::{BranchName, PullNumber};
use paprq_core::queue::effect::{BaseAt, Effect, Which};
use paprq_core::queue::event::{Event, Source};

/// A branch that GitHub does not have: the engine finds nothing out by itself.
const BASE: &str = "side";

/// Lets the queue know a pull of which GitHub says this.
async fn see(stage: &Stage, pull: PullNumber, mergeable: Option<bool>) {
    let mut facts = stage.repo().shared().api.pull(pull).await.unwrap();
    facts.mergeable = mergeable;
    facts.base = BranchName::new(BASE);
    let source = Source::Reading;
    let seen = Event::PullSeen { facts, source };
    stage.repo().tell(Message::Observed(vec![seen]));
    stage.repo().until_read().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_one_pull_is_one_at_all_of_which_nothing_is_known() {
    let stage = Stage::start("").await;
    let [known, first, second] = ["known", "first", "second"].map(|title| stage.pull(title));
    see(&stage, known, Some(true)).await;
    see(&stage, first, None).await;
    see(&stage, second, None).await;
    let master = Fetch::Branch(BranchName::new("master"));
    stage.repo().mirror().fetch(master).await.unwrap();
    let branch = BranchName::new(BASE);
    let tip = stage.practice.branch(REPO, "master").unwrap().unwrap();
    let base = BaseAt {
        branch,
        tip,
        culprit: None,
    };
    for one in [known, first] {
        let pulls = Which::One(one);
        let base = base.clone();
        let events = stage
            .answers(Effect::CheckMergeability { base, pulls })
            .await;
        let [Event::MergeabilityFound { found, .. }] = &events[..] else {
            panic!("{events:?}");
        };
        let found: Vec<_> = found.iter().map(|found| found.pull).collect();
        assert_eq!(found, [first, second]);
    }
}
