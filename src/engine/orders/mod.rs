//! Carrying orders out: each effect of the queue, with what answers it.
//!
//! Whoever is here may be carrying out an order for the second time: see
//! [`Tried`](super::outbox::Tried).

mod builds;
mod ends;
mod exempting;
pub(super) mod hooks;
mod joining;
mod labels;
mod landing;
mod mergeability;
mod merging;
mod resuming;
mod rights;
mod suites;
mod talk;
mod testing;
mod trouble;

pub(super) use self::ends::{delay, give_up};
pub(super) use self::merging::is_passing;
pub(super) use self::trouble::{Refused, Trouble};
use super::checks;
use super::hooks::Told;
use super::outbox::Order;
use super::repo::Repo;
use crate::github::{self, ApiError, Refusal, Value};
use paprq_core::ids::{CommitId, PullNumber, RunId};
use paprq_core::queue::awaiting::Awaited;
use paprq_core::queue::effect::Effect;
use paprq_core::queue::event::{Event, PullFacts, Source};

/// What came of an order.
#[derive(Clone, Debug)]
pub(super) enum Done {
    /// It is done, or is of no use any more; nobody waits to hear that.
    Quietly,
    /// It is done, or given up, and this is what there is to tell.
    Answered(Vec<Event>),
}

impl Done {
    fn answered(event: Event) -> Self {
        Self::Answered(vec![event])
    }
}

/// GitHub, for calls that are worth what the order is.
fn api_for(repo: &Repo, order: &Order) -> github::Repo {
    repo.shared().api.at(worth(order.row.effect.awaited()))
}

/// What calls are worth, by who waits for them.
fn worth(awaited: Awaited) -> Value {
    match awaited {
        Awaited::ByPeople => Value::Awaited,
        Awaited::ByTests => Value::Visible,
        Awaited::ByNobody => Value::Background,
    }
}

/// Carries an order out.
///
/// # Errors
/// See [`Trouble`].
pub(super) async fn carry_out(repo: &Repo, order: &Order) -> Result<Done, Trouble> {
    match &order.row.effect {
        Effect::MakeMerge(merge) => merging::make(repo, order, merge).await,
        Effect::PublishMerge {
            run,
            commit,
            branch,
        } => merging::publish(repo, *run, *commit, branch).await,
        Effect::MakeTestMerge(wanted) => testing::make(repo, order, wanted).await,
        Effect::MarkTestMerge {
            pull,
            head,
            tested,
            note,
        } => testing::mark(repo, *pull, *head, *tested, note).await,
        Effect::CompareSuites { pull, base, head } => {
            testing::compare(repo, *pull, base, *head).await
        }
        Effect::AskAccess { user } => rights::ask_access(repo, order, user).await,
        Effect::RankJobs {
            run,
            priority,
            labels,
        } => {
            let jobs = &repo.shared().jobs;
            jobs.rank(*run, *priority, labels.clone()).await?;
            Ok(Done::Quietly)
        }
        Effect::ReadMerge { run, commit, base } => resuming::read(repo, *run, *commit, base).await,
        Effect::ReadSuites { run, commit, since } => {
            suites::read(repo, *run, *commit, *since).await
        }
        Effect::StartJobs {
            run,
            commit,
            suites,
        } => suites::start(repo, *run, *commit, suites).await,
        Effect::CancelJobs { run } => suites::cancel(repo, *run).await,
        Effect::CancelSuites { run, contexts } => {
            suites::cancel_some(repo, *run, contexts.clone()).await
        }
        Effect::AdvanceBranch(landing) => landing::advance(repo, order, landing).await,
        Effect::PostComment { pull, note } => talk::post(repo, order, *pull, note).await,
        Effect::SetStatus { commit, note } => talk::set_status(repo, *commit, note).await,
        Effect::ReadPull { pull } => read_pull(repo, order, *pull).await,
        Effect::EditLabels { pull, change } => labels::edit(repo, *pull, change).await,
        Effect::ClosePull { pull, head } => labels::close(repo, *pull, *head).await,
        Effect::MarkMerged(mark) => labels::mark_merged(repo, mark).await,
        Effect::CallHook {
            pull,
            hook,
            body,
            data,
            news,
        } => {
            let told = Told::of(*pull, body, data.as_deref());
            let called = hooks::call(repo, order.row.id, hook, told).await?;
            Ok(hooks::heard(called, *news))
        }
        Effect::LogRetry(retry) => talk::log_retry(repo, retry).await,
        Effect::AskStanding { user } => rights::ask(repo, order, user).await,
        Effect::RepeatBuilds { run, builds } => builds::repeat(repo, order, *run, builds).await,
        Effect::StopBuilds { run, builders } => builds::stop(repo, order, *run, builders).await,
        Effect::ReadCheckRuns { run, commit } => read_check_runs(repo, *run, *commit).await,
        Effect::JudgeExemption(asked) => exempting::judge(repo, asked).await,
        Effect::CheckMergeability { base, pulls } => mergeability::check(repo, base, *pulls).await,
    }
}

/// Reads the check runs of a run's commit.
async fn read_check_runs(repo: &Repo, run: RunId, commit: CommitId) -> Result<Done, Trouble> {
    if !repo.is_live(run) {
        return Ok(Done::Quietly);
    }
    let read = checks::read(repo, commit, Value::Landing).await?;
    Ok(Done::answered(read))
}

/// Asks GitHub how a pull stands. The queue waits for the answer, so there always is one.
async fn read_pull(repo: &Repo, order: &Order, pull: PullNumber) -> Result<Done, Trouble> {
    let facts = seen(pull, api_for(repo, order).pull(pull).await)?;
    Ok(Done::answered(Event::PullSeen {
        facts,
        source: Source::Reading,
    }))
}

/// How a pull stands. That GitHub does not show it says nothing of that.
fn seen(pull: PullNumber, read: Result<PullFacts, ApiError>) -> Result<PullFacts, Trouble> {
    let error = match read {
        Ok(facts) => return Ok(facts),
        Err(error) => error,
    };
    Err(match error.settle() {
        Ok(refusal @ Refusal::Token) => Refused::from(refusal).into(),
        Ok(refusal) => Refused::unseen(pull, &refusal).into(),
        Err(unsettled) => unsettled.into(),
    })
}
