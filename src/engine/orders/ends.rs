//! How an order ends that GitHub or git refuse: with an answer for whoever waits for one.

use super::super::outbox::Order;
use super::super::repo::{Message, Repo};
use super::Done;
use super::trouble::{Kind, Refused};
use paprq_core::queue::effect::Effect;
use paprq_core::queue::event::{Event, Refusal};

/// Ends an order that is refused. What waits for its answer learns why; of the rest there is a line in
/// the log.
pub(in crate::engine) fn give_up(repo: &Repo, order: &Order, refused: &Refused) -> Done {
    tracing::warn!(
        repo.label = %repo.label(), order.id = %order.row.id, order = %order.row.effect,
        error = %refused, "an order is given up"
    );
    let events = told(&order.row.effect, refused);
    if events.is_empty() {
        Done::Quietly
    } else {
        Done::Answered(events)
    }
}

fn told(effect: &Effect, refused: &Refused) -> Vec<Event> {
    match (effect, refused.kind) {
        // It is tested again once GitHub shows it.
        (Effect::AdvanceBranch(landing), Kind::Unseen(pull)) => {
            let (run, why) = (landing.run, Refusal::PullChanged);
            vec![
                Event::PullUnseen { pull },
                Event::LandingRefused { run, why },
            ]
        }
        _ => effect.given_up(&refused.why),
    }
}

/// An order that is refused is tried again: those who wait behind it may want to know.
pub(in crate::engine) fn delay(repo: &Repo, order: &Order, refused: &Refused) {
    tracing::warn!(
        repo.label = %repo.label(), order.id = %order.row.id, order = %order.row.effect,
        error = %refused, "an order is refused and tried again"
    );
    if let Effect::AdvanceBranch(landing) = &order.row.effect {
        let (run, why) = (landing.run, refused.why.clone());
        repo.tell(Message::Observed(vec![Event::LandingDelayed { run, why }]));
    }
}
