//! L4: the order of deliveries does not change where a pull ends up.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::story::{comment, commit, facts, seconds, with_status};
use crate::ids::{BranchName, CommitId, PullNumber, RunId};
use crate::queue::Queue;
use crate::queue::effect::Effect;
use crate::queue::event::{Event, PullFacts, PullState, Source};
use crate::queue::note::Note;

/// What people do to one pull, a second apart; each with the news of it and the pull afterwards.
fn news(deeds: &[u8]) -> Vec<(Event, PullFacts)> {
    let mut pull = facts(1, "a0", 0);
    let mut news = Vec::new();
    for (at, deed) in (1_i64..).zip(deeds) {
        pull.updated_at = seconds(at);
        let words = match deed {
            0 => {
                pull.head = commit(&format!("a{at:03}"));
                None
            }
            1 => {
                pull.state = match pull.state {
                    PullState::Open => PullState::Closed,
                    PullState::Closed | PullState::Merged => PullState::Open,
                };
                None
            }
            2 => {
                pull.base = BranchName::new(format!("main-{at}"));
                None
            }
            3 => {
                pull.draft = !pull.draft;
                None
            }
            4 | 5 => Some("r+".to_owned()),
            6 => Some(format!("r+ {}", pull.head)),
            7 => Some("r-".to_owned()),
            8 => Some(format!("p={at}")),
            9 => Some(format!("treeclosed={at}")),
            _ => Some("treeclosed-".to_owned()),
        };
        let event = match words {
            Some(words) => Event::CommentMade {
                pull: pull.number,
                comment: comment(at, "rev", &format!("@bot {words}")),
            },
            None => Event::PullSeen {
                facts: pull.clone(),
                source: Source::Webhook,
            },
        };
        news.push((event, pull.clone()));
    }
    news
}

/// Where things ended up, and whether somebody was told that an approval is not taken.
struct End {
    queue: Queue,
    outdated: bool,
}

impl End {
    fn approved(&self) -> Option<CommitId> {
        let pull = self.queue.pull(PullNumber(1)).unwrap();
        pull.standing_approval().map(|approval| approval.commit)
    }

    /// All that ended up somewhere, apart from the approval.
    fn rest(&self) -> impl PartialEq + std::fmt::Debug + '_ {
        let pull = self.queue.pull(PullNumber(1)).unwrap();
        let facts = &pull.facts;
        let stands = (facts.head, facts.state, &facts.base, facts.draft);
        (stands, &pull.priority, &self.queue.state().tree)
    }
}

/// Tells the news; whenever GitHub is asked, it answers with how the pull stands by then.
fn told(news: impl Iterator<Item = (Event, PullFacts)>) -> End {
    let mut queue = Queue::new(with_status(), RunId(0));
    let mut outdated = false;
    let opened = Event::PullSeen {
        facts: facts(1, "a0", 0),
        source: Source::Webhook,
    };
    let _nothing = queue.handle(seconds(0), opened);
    for (event, stands) in news {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for effect in queue.handle(seconds(0), event) {
                match effect {
                    Effect::ReadPull { .. } => events.push_back(Event::PullSeen {
                        facts: stands.clone(),
                        source: Source::Reading,
                    }),
                    Effect::PostComment {
                        note:
                            Note::ApprovalOutdated { .. }
                            | Note::BaseChanged { .. }
                            | Note::NotFinished { .. },
                        ..
                    } => outdated = true,
                    Effect::PostComment { .. }
                    | Effect::MakeMerge(_)
                    | Effect::PublishMerge { .. }
                    | Effect::ReadSuites { .. }
                    | Effect::ReadMerge { .. }
                    | Effect::MakeTestMerge(_)
                    | Effect::MarkTestMerge { .. }
                    | Effect::AskAccess { .. }
                    | Effect::CompareSuites { .. }
                    | Effect::RankJobs { .. }
                    | Effect::StartJobs { .. }
                    | Effect::CancelJobs { .. }
                    | Effect::CancelSuites { .. }
                    | Effect::AdvanceBranch(_)
                    | Effect::SetStatus { .. }
                    | Effect::JudgeExemption(_)
                    | Effect::ReadCheckRuns { .. }
                    | Effect::RepeatBuilds { .. }
                    | Effect::StopBuilds { .. }
                    | Effect::EditLabels { .. }
                    | Effect::MarkMerged(_)
                    | Effect::ClosePull { .. }
                    | Effect::CallHook { .. }
                    | Effect::LogRetry { .. }
                    | Effect::AskStanding { .. }
                    | Effect::CheckMergeability { .. } => {}
                }
            }
        }
    }
    End { queue, outdated }
}

/// The commit that was approved last and by nothing taken back: in order, one that was closed or
/// unfinished just then is refused; if news of its being ready comes first, it is taken.
fn meant(news: &[(Event, PullFacts)]) -> Option<CommitId> {
    let mut meant = None;
    let mut before = facts(1, "a0", 0);
    for (event, stands) in news {
        if let Event::CommentMade { comment, .. } = event {
            if comment.body.contains("r+") {
                meant = Some(stands.head);
            } else if comment.body.contains("r-") {
                meant = None;
            }
        } else if before.head != stands.head
            || before.base != stands.base
            || stands.state != PullState::Open
            || stands.draft
        {
            meant = None;
        }
        before = stands.clone();
    }
    meant
}

/// Tells the news as it happened, and once more in this order after all of it has happened.
///
/// A reading says when a pull was last changed, not when its head was: an approval from before it
/// may then be refused, but never in silence.
fn compare(deeds: &[u8], order: &[usize]) {
    let news = news(deeds);
    let Some((_, last)) = news.last().cloned() else {
        return;
    };
    let in_order = told(news.iter().cloned());
    let disordered = told(
        order
            .iter()
            .map(|index| (news[*index].0.clone(), last.clone())),
    );
    assert_eq!(in_order.rest(), disordered.rest());
    match disordered.approved() {
        Some(commit) => assert_eq!(meant(&news), Some(commit)),
        None => assert!(in_order.approved().is_none() || disordered.outdated),
    }
}

fn deeds_and_order() -> impl Strategy<Value = (Vec<u8>, Vec<usize>)> {
    proptest::collection::vec(0_u8..11, 1..9).prop_flat_map(|deeds| {
        let twice: Vec<_> = (0..deeds.len()).chain(0..deeds.len()).collect();
        (Just(deeds), Just(twice).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn news_in_any_order_and_twice_ends_where_news_in_order_does(
        (deeds, order) in deeds_and_order(),
    ) {
        compare(&deeds, &order);
    }
}

#[test]
fn an_approval_told_before_closing_and_reopening_that_it_came_after_stands() {
    compare(&[1, 1, 6], &[2, 2, 0, 0, 1, 1]);
}

#[test]
fn an_approval_told_after_a_reopening_that_it_came_before_does_not_count() {
    compare(&[4, 1, 1], &[2, 0, 0, 1, 1, 2]);
}

#[test]
fn an_approval_told_before_a_push_to_the_closed_pull_follows_to_its_head() {
    compare(&[1, 0, 1, 5], &[3, 1, 0, 3, 1, 2, 2, 0]);
}

#[test]
fn an_approval_of_a_named_commit_while_closed_may_count_later() {
    compare(&[1, 6, 1], &[2, 1, 1, 0, 0, 2]);
}
