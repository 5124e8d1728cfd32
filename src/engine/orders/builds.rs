//! Telling Buildbot what to build again and what to stop.

use super::super::buildbot::{BuildbotError, Session, page};
use super::super::outbox::Order;
use super::super::repo::Repo;
use super::Done;
use super::trouble::Trouble;
use crate::clock;
use crate::config::Buildbot;
use paprq_core::ids::RunId;
use paprq_core::queue::event::Event;
use paprq_core::queue::note::Link;
use paprq_core::queue::run::{Check, Phase, Run};

/// For how long an order is tried again that does not reach Buildbot, in milliseconds: those who
/// wait for a test are to learn why it does not begin.
const TRIED_FOR_MS: u64 = 10 * 60_000;

/// Has builds that failed built again.
pub(super) async fn repeat(
    repo: &Repo,
    order: &Order,
    run: RunId,
    builds: &[Link],
) -> Result<Done, Trouble> {
    if !repo.is_live(run) {
        return Ok(Done::Quietly);
    }
    let Some(buildbot) = &repo.config().buildbot else {
        return Ok(refused(
            run,
            "Buildbot is not configured any more".to_owned(),
        ));
    };
    match rebuild(buildbot, builds).await {
        Ok(()) => Ok(Done::Quietly),
        Err(error) if is_worth_a_try(order, &error) => Err(error.into()),
        Err(error) => {
            warn(repo, run, &error, "Buildbot does not build again");
            Ok(refused(run, error.to_string()))
        }
    }
}

async fn rebuild(buildbot: &Buildbot, builds: &[Link]) -> Result<(), BuildbotError> {
    let pages = builds.iter().map(|build| page(buildbot, build));
    let pages = pages.collect::<Result<Vec<_>, _>>()?;
    let mut session = Session::open(buildbot).await?;
    let outcome = session.rebuild(&pages).await;
    session.close().await;
    outcome
}

fn refused(run: RunId, why: String) -> Done {
    Done::answered(Event::BuildsRefused { run, why })
}

/// Has what is built of a run stopped. Nobody but the log is told if that fails: the builds of a
/// run that is over then end by themselves.
pub(super) async fn stop(
    repo: &Repo,
    order: &Order,
    run: RunId,
    builders: &[String],
) -> Result<Done, Trouble> {
    let buildbot = repo.config().buildbot.as_ref();
    let Some(buildbot) = buildbot.filter(|buildbot| buildbot.username.is_some()) else {
        return Ok(Done::Quietly);
    };
    match stop_builders(repo, buildbot, run, builders).await {
        Ok(()) => Ok(Done::Quietly),
        Err(error) if is_worth_a_try(order, &error) => Err(error.into()),
        Err(error) => {
            warn(repo, run, &error, "Buildbot does not stop what it builds");
            Ok(Done::Quietly)
        }
    }
}

/// Buildbot stops whatever a builder builds at that moment: by then that may be the next run's.
async fn stop_builders(
    repo: &Repo,
    buildbot: &Buildbot,
    run: RunId,
    builders: &[String],
) -> Result<(), BuildbotError> {
    if is_taken(repo, run, builders) {
        return Ok(());
    }
    let mut session = Session::open(buildbot).await?;
    let outcome = if is_taken(repo, run, builders) {
        Ok(())
    } else {
        session.stop(builders).await
    };
    session.close().await;
    outcome
}

fn is_taken(repo: &Repo, run: RunId, builders: &[String]) -> bool {
    repo.look(|queue| {
        let mut others = queue.runs_in_flight().filter(|other| other.id != run);
        others.any(|other| waits_for(other, builders))
    })
}

fn waits_for(run: &Run, builders: &[String]) -> bool {
    let mut open = run.checks.iter().filter(|check| check.state.is_open());
    matches!(run.phase, Phase::Testing { .. })
        && open.any(
            |check| matches!(&check.check, Check::Build(builder) if builders.contains(builder)),
        )
}

fn is_worth_a_try(order: &Order, error: &BuildbotError) -> bool {
    error.may_pass() && clock::now().ms_since(order.row.ordered_at) < TRIED_FOR_MS
}

fn warn(repo: &Repo, run: RunId, error: &BuildbotError, what: &str) {
    let cause = std::error::Error::source(error);
    tracing::warn!(repo.label = %repo.label(), run.id = %run, %error, ?cause, "{what}");
}
