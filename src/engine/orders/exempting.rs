//! Finding out whether a run's commit is as good as tested.

use super::super::repo::Repo;
use super::{Done, Passing};
use crate::queue::effect::Effect;
use crate::queue::event::Event;

/// Looks at the statuses of the pull's own commits.
pub(super) async fn judge(_repo: &Repo, question: &Effect) -> Result<Done, Passing> {
    let Effect::JudgeExemption { run, .. } = question else {
        return Ok(Done::Quietly);
    };
    Ok(Done::answered(Event::ExemptionJudged {
        run: *run,
        exemption: None,
    }))
}
