//! Calling other services on behalf of a comment.

use std::time::Duration;

use super::super::hooks::{self, HookError, TIMEOUT, Told};
use super::super::repo::Repo;
use super::Done;
use super::trouble::Trouble;
use crate::store::OutboxId;
use paprq_core::ids::PullNumber;
use paprq_core::queue::effect::News;
use paprq_core::queue::event::Event;

/// How often a hook is called whose outcome is not known.
const TRIES_MAX: u32 = 3;

/// How long to wait after the first such call; twice as long after the second.
const DELAY: Duration = Duration::from_secs(2);

/// Calls a hook: at least once, and a few times if it is not known what came of it.
///
/// Whoever gave the command learns if nothing came of it, also where no answer is wanted.
pub(super) async fn call(
    repo: &Repo,
    order: OutboxId,
    hook: &str,
    told: Told<'_>,
) -> Result<Done, Trouble> {
    insist(repo, order, hook, told, DELAY).await
}

/// The same with another delay.
pub(in crate::engine) async fn insist(
    repo: &Repo,
    order: OutboxId,
    hook: &str,
    told: Told<'_>,
    delay: Duration,
) -> Result<Done, Trouble> {
    let shared = repo.shared();
    let Some(known) = shared.hooks.get(hook) else {
        return Ok(failed(told.pull, hook, "it is not configured any more"));
    };
    loop {
        // Durable before the call: also a server that ends in the midst of it has tried.
        let Some(tries) = shared.store.count_try(order).await? else {
            return Ok(Done::Quietly);
        };
        if tries > TRIES_MAX {
            return Ok(failed(told.pull, hook, "it is not known what came of it"));
        }
        match hooks::call(known, told, TIMEOUT).await {
            Ok(answer) => return Ok(answered(told.pull, answer)),
            Err(error) => {
                log(repo, hook, &error);
                if tries == TRIES_MAX || !error.may_pass() {
                    return Ok(failed(told.pull, hook, &error.to_string()));
                }
            }
        }
        tokio::time::sleep(delay * tries).await;
    }
}

/// What there is to tell of a call: nothing where nobody waits for it.
pub(super) fn heard(called: Done, news: News) -> Done {
    match news {
        News::Fresh => called,
        News::Old => Done::Quietly,
    }
}

fn log(repo: &Repo, hook: &str, error: &HookError) {
    let cause = std::error::Error::source(error);
    tracing::warn!(repo.label = %repo.label(), hook, %error, ?cause, "a hook was called in vain");
}

fn answered(pull: PullNumber, answer: String) -> Done {
    if answer.is_empty() {
        return Done::Quietly;
    }
    Done::answered(Event::HookAnswered { pull, answer })
}

fn failed(pull: PullNumber, hook: &str, why: &str) -> Done {
    let (hook, why) = (hook.to_owned(), why.to_owned());
    Done::answered(Event::HookFailed { pull, hook, why })
}
