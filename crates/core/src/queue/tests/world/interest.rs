//! What need not be kept changes nothing, at any point of any history.

use super::World;
use crate::queue::event::Event;

impl World {
    /// An event of no interest makes no difference to what follows.
    pub(super) fn check_interest(&self, event: &Event) {
        if self.queue.is_of_interest(event) {
            return;
        }
        let after = |events: Vec<Event>| {
            let mut queue = self.queue.clone();
            let effects = events.into_iter();
            let effects: Vec<_> = effects
                .flat_map(|event| queue.handle(self.timestamp(), event))
                .collect();
            (effects, queue.state, queue.pulls, queue.runs)
        };
        let with = after(vec![event.clone(), Event::TimePassed]);
        assert!(with == after(vec![Event::TimePassed]), "{event:?}");
    }
}
