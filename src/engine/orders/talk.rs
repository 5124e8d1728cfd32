//! Comments and statuses.

use super::super::outbox::{Order, Tried};
use super::super::repo::Repo;
use super::trouble::Trouble;
use super::{Done, api_for, worth};
use crate::github::{ApiError, StatusState, StatusText, Value};
use crate::store::Retry;
use paprq_core::ids::{CommitId, PullNumber, Timestamp};
use paprq_core::notes::{self, State};
use paprq_core::queue::effect::RetryOrder;
use paprq_core::queue::event::{Event, PullFacts, Source};
use paprq_core::queue::note::{MARKER, Note, StatusNote, SuiteProgress};
use paprq_core::queue::run::{Check, CheckState};

/// How far GitHub's clock may be behind ours, in milliseconds.
const CLOCKS_APART_MS: u64 = 10 * 60_000;

/// How much of a comment is kept in the retry log, in characters.
const RETRY_CHARS_MAX: usize = 1000;

/// Writes a comment, unless it is there already.
pub(super) async fn post(
    repo: &Repo,
    order: &Order,
    pull: PullNumber,
    note: &Note,
) -> Result<Done, Trouble> {
    let shared = repo.shared();
    let api = api_for(repo, order);
    let key = format!("{}-{}", shared.store.key(), order.row.id);
    if order.tried == Tried::MaybeBefore {
        let since = order.row.ordered_at.0;
        let since = Timestamp(since.saturating_sub_unsigned(CLOCKS_APART_MS));
        let marker = format!("{MARKER}{key} -->");
        let bot = &shared.links.bot;
        if api.has_comment_with(pull, bot, &marker, since).await? {
            return Ok(Done::Quietly);
        }
    }
    if let Note::Approved { commit, .. } = note
        && let Some(facts) = moved_on(repo, pull, *commit).await?
    {
        let source = Source::Reading;
        return Ok(Done::answered(Event::PullSeen { facts, source }));
    }
    let now = if matches!(note, Note::Standing { .. }) {
        Some(standing(repo, pull).await)
    } else {
        None
    };
    let note = now.as_ref().unwrap_or(note);
    let body = notes::marked(&notes::comment(note, pull, &shared.links), &key);
    settled(repo, api.post_comment(pull, &body).await)
}

/// How a pull stands whose head is not the commit that is about to be called approved: the webhook
/// of a push is late, or lost. The mirror's remote is asked first, which takes no call of the API.
async fn moved_on(
    repo: &Repo,
    pull: PullNumber,
    approved: CommitId,
) -> Result<Option<PullFacts>, Trouble> {
    if repo.has_mirror()
        && let Ok(Some(head)) = repo.mirror().remote_head(pull).await
        && head == approved
    {
        return Ok(None);
    }
    let facts = match repo.shared().api.at(Value::Awaited).pull(pull).await {
        Ok(facts) => facts,
        Err(ApiError::Gone | ApiError::Rejected { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let known_at = repo.look(|queue| queue.pull(pull).map(|pull| pull.facts.updated_at));
    let is_news = known_at.is_none_or(|known_at| facts.updated_at >= known_at);
    let has_moved = facts.head != approved && facts.head != CommitId::ZERO;
    Ok(Some(facts).filter(|_| is_news && has_moved))
}

/// How a pull stands at this moment, with what its jobs wait for.
async fn standing(repo: &Repo, pull: PullNumber) -> Note {
    let jobs = repo.job_words().await;
    let why = repo.look(|queue| queue.why_behind(pull, &queue.blockers().with_jobs(jobs)));
    Note::Standing { why }
}

/// Sets a status. A repeated one shows as one: the newest of a context counts.
pub(super) async fn set_status(
    repo: &Repo,
    commit: CommitId,
    note: &StatusNote,
) -> Result<Done, Trouble> {
    let shared = repo.shared();
    if nobody_would_miss(note) && shared.github.is_scarce(Value::Background) {
        return Ok(Done::Quietly);
    }
    if is_overtaken(repo, note) {
        return Ok(Done::Quietly);
    }
    let text = text(notes::status(note, &shared.links));
    // A merge is where it was pushed to be tested; what people pushed is here.
    let api = match note {
        StatusNote::Suite { run, .. } | StatusNote::Required { run, .. }
            if run.purpose.is_queued() =>
        {
            shared.tests.api(&shared.api)
        }
        StatusNote::Suite { .. }
        | StatusNote::Required { .. }
        | StatusNote::Queue(_)
        | StatusNote::BadSuites
        | StatusNote::NotTested => &shared.api,
    };
    settled(
        repo,
        api.at(worth(note.awaited()))
            .set_status(commit, &text)
            .await,
    )
}

/// Whether the next status of a suite is on its way already: then this one is not worth a call.
fn is_overtaken(repo: &Repo, note: &StatusNote) -> bool {
    let StatusNote::Suite {
        context,
        progress: progress @ (SuiteProgress::Waiting | SuiteProgress::Running),
        run,
        ..
    } = note
    else {
        return false;
    };
    repo.look(|queue| {
        let run = queue.run(run.id)?;
        let wanted = Check::Suite(context.clone());
        let check = run.checks.iter().find(|check| check.check == wanted)?;
        let still = match progress {
            SuiteProgress::Waiting => check.state == CheckState::Waiting,
            SuiteProgress::Running
            | SuiteProgress::Ended(_)
            | SuiteProgress::PassedBefore
            | SuiteProgress::NotNeeded
            | SuiteProgress::Superseded
            | SuiteProgress::PassedInMerge
            | SuiteProgress::FailedAsAllowed(_)
            | SuiteProgress::Cancelled => check.state.is_open(),
        };
        Some(!still)
    })
    .unwrap_or(false)
}

/// Progress that the next status replaces is left out when calls are scarce.
fn nobody_would_miss(note: &StatusNote) -> bool {
    matches!(
        note,
        StatusNote::Suite {
            progress: SuiteProgress::Waiting | SuiteProgress::Running,
            ..
        }
    )
}

pub(super) fn text(words: notes::StatusText) -> StatusText {
    StatusText {
        context: words.context,
        state: match words.state {
            State::Pending => StatusState::Pending,
            State::Success => StatusState::Success,
            State::Failure => StatusState::Failure,
            State::Error => StatusState::Error,
        },
        description: words.description,
        url: Some(words.url).filter(|url| !url.is_empty()),
    }
}

/// What GitHub refuses for good is not worth asking again.
pub(super) fn settled(repo: &Repo, outcome: Result<(), ApiError>) -> Result<Done, Trouble> {
    match outcome {
        Ok(()) => Ok(Done::Quietly),
        Err(error @ (ApiError::Rejected { .. } | ApiError::Gone)) => {
            tracing::error!(
                repo.label = %repo.label(), %error,
                "GitHub does not take what we say, and it is given up"
            );
            Ok(Done::Quietly)
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes down who wanted a test repeated.
pub(super) async fn log_retry(repo: &Repo, order: &RetryOrder) -> Result<Done, Trouble> {
    let retry = Retry {
        repo: repo.label().clone(),
        pull: order.pull,
        at: order.at,
        who: Some(order.by.clone()),
        message: order.body.chars().take(RETRY_CHARS_MAX).collect(),
        source: order.source.clone(),
    };
    repo.shared().store.log_retry(retry).await?;
    Ok(Done::Quietly)
}
