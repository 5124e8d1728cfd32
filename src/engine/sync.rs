//! The slow sweep: finds what webhooks lost, at the start, every few minutes after, and when
//! somebody asks for it.
//!
//! What did not change is not read again: the list of open pulls comes by ETag, comments by the
//! moment since which they are wanted.

use std::collections::BTreeSet;
use std::time::Duration;

use backon::BackoffBuilder;
use rand::RngExt as _;

use super::permissions::PermissionError;
use super::repo::{Message, Repo};
use super::{checks, naming, restoring, retry};
use crate::clock;
use crate::git::PullHead;
use crate::github::{ApiError, Sorts, Value};
use crate::store::StoreError;
use paprq_core::ids::{PullNumber, Timestamp};
use paprq_core::queue::event::{Comment, Event, PullAge, PullFacts, PullState, Source};
use paprq_core::queue::note::PIN;
use paprq_core::queue::pull::Pull;
use paprq_core::queue::run::{Check, Phase};

/// How far back comments are read again, in milliseconds: GitHub's clock is not ours, and what is
/// made while a list is read may be missing in it.
const OVERLAP_MS: u64 = 5 * 60_000;

/// Pages of the list of comments are worth it up to a gap of this length, in milliseconds; after
/// a longer one the pulls that changed are asked one by one.
const CATCH_UP_MS_MAX: u64 = 30 * 86_400_000;

/// Why a sweep was not finished.
#[derive(Debug, thiserror::Error)]
pub(super) enum SweepError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Permission(#[from] PermissionError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the repository's loop began anew meanwhile")]
    Interrupted,
}

/// What a sweep shall read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Start {
    /// What the database does not know.
    News,
    /// Every open pull (`web.sync_on_start`).
    Everything,
    /// Every open pull and all that was ever said on it (Homu's "synchronize").
    Anew,
}

/// Sweeps a repository at the start, then every `every` and when it is asked to, for ever.
pub(super) async fn keep_up(repo: Repo, start: Start, every: Duration) {
    let mut delays = retry::patient().build();
    let (mut start, mut failures) = (start, 0_u64);
    loop {
        repo.until_running().await;
        let wait = match sweep(&repo, start).await {
            Ok(()) => {
                start = Start::News;
                failures = 0;
                delays = retry::patient().build();
                spread(every)
            }
            Err(error) => {
                failures += 1;
                // Once, and then at growing pauses: what somebody must mend stays for long.
                if failures.is_power_of_two() {
                    warn(&repo, &error, failures);
                }
                delays.next().unwrap_or(retry::DELAY_MAX)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = repo.shared().synchronize.notified() => start = Start::Anew,
        }
    }
}

fn warn(repo: &Repo, error: &SweepError, failures: u64) {
    tracing::warn!(
        repo.label = %repo.label(), repo.name = %repo.slug(),
        github.api_url = repo.shared().github.address(), %error, failures,
        "the open pull requests cannot be read; it is tried again. {}", remedy(error)
    );
}

/// What somebody can do about it.
fn remedy(error: &SweepError) -> &'static str {
    match error {
        SweepError::Api(error) | SweepError::Permission(PermissionError::Api(error)) => match error
        {
            ApiError::Gone => {
                "Look whether owner and name of the repository are right, and whether the token may see it"
            }
            ApiError::Unauthorized => "Put another token into [github] access_token",
            ApiError::Rejected { .. } => "Look what the token may do",
            ApiError::Transient { .. } | ApiError::OutcomeUnknown { .. } => {
                "Look whether [github] api_url is right and this machine reaches it"
            }
        },
        SweepError::Permission(PermissionError::Team(_)) => "Look what the token may do",
        SweepError::Store(_) => "Look at the database and its disk",
        SweepError::Interrupted => "Nothing need be done",
    }
}

/// Not all repositories at the same moment.
fn spread(every: Duration) -> Duration {
    every.mul_f64(rand::rng().random_range(0.9..1.1))
}

pub(super) async fn sweep(repo: &Repo, start: Start) -> Result<(), SweepError> {
    let shared = repo.shared();
    let api = shared.api.at(Value::Background);
    let loops = shared.running.subscribe();
    let began_at = clock::now();
    naming::ask(repo).await?;
    let mark = shared.store.watermark(repo.label()).await?;
    let history_until = whole_second(mark.synced_at.unwrap_or(mark.known_since));
    let listing = api.open_pulls().await?;
    let is_first = mark.synced_at.is_none() && start != Start::Anew;
    if is_first {
        shared.first_reading.begin(listing.pulls.len());
    }
    let mut changed = Vec::new();
    let (mut read, mut kept) = (0_usize, 0_usize);
    let mut put_off = None;
    for facts in &listing.pulls {
        let known = repo.look(|queue| queue.pull(facts.number).map(Known::of));
        // Anew: what the comments say is taken up again; of those that were acted on nothing comes.
        let is_kept = mark.synced_at.is_some() && start != Start::Anew;
        match known.filter(|_| is_kept) {
            // Somebody waited for it, or the sweep was interrupted after it.
            None if is_first && shared.first_reading.has_taken_up(facts.number) => read += 1,
            None => match restore(repo, facts.clone(), history_until, Value::Background).await {
                Ok(()) => read += 1,
                // One pull's trouble does not keep the others out.
                Err(error @ SweepError::Permission(_)) => put_off = Some(error),
                // The next sweep asks for it again.
                Err(SweepError::Api(error @ (ApiError::Gone | ApiError::Rejected { .. }))) => {
                    tracing::warn!(
                        repo.label = %repo.label(), pull.number = %facts.number, %error,
                        "a pull cannot be read and is left out"
                    );
                }
                Err(error) => return Err(error),
            },
            Some(known) if known.is_behind(facts) || start == Start::Everything => {
                changed.push(facts.number);
                observe(repo, facts.clone());
            }
            Some(_) => kept += 1,
        }
    }
    read_vanished(repo, &listing.pulls).await?;
    prefetch_bases(repo, &listing.pulls);
    tell_contained(repo, &listing.pulls).await;
    if let Some(synced_at) = mark.synced_at {
        read_comments(repo, synced_at, &changed).await?;
    }
    tracing::info!(
        repo.label = %repo.label(), open = listing.pulls.len(), whole = read,
        changed = changed.len(), unchanged = kept, "swept"
    );
    if let Some(error) = put_off {
        return Err(error);
    }
    // What was found is not looked for again: it must be durable first.
    repo.until_read().await;
    if loops.has_changed().unwrap_or(true) {
        return Err(SweepError::Interrupted);
    }
    let until = Timestamp(began_at.0.saturating_sub_unsigned(OVERLAP_MS));
    shared.store.set_synced_at(repo.label(), until).await?;
    shared.swept.send_replace(true);
    shared.first_reading.end();
    repo.show_change();
    Ok(())
}

/// A push to a base branch may have been missed.
fn prefetch_bases(repo: &Repo, listed: &[PullFacts]) {
    let bases: BTreeSet<_> = listed.iter().map(|facts| facts.base.clone()).collect();
    for base in bases {
        repo.prefetch_branch(base);
    }
}

/// What is known of a pull that GitHub lists.
struct Known {
    facts: PullFacts,
    unseen_since: Option<Timestamp>,
}

impl Known {
    fn of(pull: &Pull) -> Self {
        Self {
            facts: pull.facts.clone(),
            unseen_since: pull.unseen_since,
        }
    }

    /// Whether the list says anything new.
    fn is_behind(&self, listed: &PullFacts) -> bool {
        let known = &self.facts;
        self.unseen_since.is_some()
            || listed.updated_at > known.updated_at
            || (listed.head, listed.state, &listed.base) != (known.head, known.state, &known.base)
    }
}

/// Finds pulls that are open though their bases have all of their commits, as the mirror knows them.
async fn tell_contained(repo: &Repo, listed: &[PullFacts]) {
    if !repo.has_mirror() {
        return;
    }
    let bases: BTreeSet<_> = listed.iter().map(|facts| facts.base.clone()).collect();
    for base in bases {
        let Ok(Some(tip)) = repo.mirror().tip(&base) else {
            continue;
        };
        let onto = listed.iter().filter(|facts| facts.base == base);
        let heads = onto.map(|facts| PullHead {
            pull: facts.number,
            commit: facts.head,
        });
        let found = match repo.mirror().pulls_within(tip, heads.collect()).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(
                    repo.label = %repo.label(), %error,
                    "it is not found out which pulls are merged already"
                );
                continue;
            }
        };
        for head in found {
            repo.tell(Message::Observed(vec![Event::PullContained {
                pull: head.pull,
                head: head.commit,
                base: base.clone(),
            }]));
        }
    }
}

fn observe(repo: &Repo, facts: PullFacts) {
    repo.tell(Message::Observed(vec![Event::PullSeen {
        facts,
        source: Source::Reading,
    }]));
}

/// GitHub's moments are whole seconds.
fn whole_second(moment: Timestamp) -> Timestamp {
    Timestamp(moment.0 - moment.0.rem_euclid(1000))
}

fn is_pin(repo: &Repo, comment: &Comment) -> bool {
    comment.author == repo.shared().rules.grammar.bot && comment.body.starts_with(PIN)
}

/// Takes up a pull with everything that its comments say. What was said since `history_until` is
/// acted on: nobody did so far.
pub(super) async fn restore(
    repo: &Repo,
    facts: PullFacts,
    history_until: Timestamp,
    value: Value,
) -> Result<(), SweepError> {
    let api = repo.shared().api.at(value);
    let pull = facts.number;
    let comments = api.comments(pull, Sorts::All, None).await?;
    let (mut comments, news): (Vec<_>, Vec<_>) = comments
        .into_iter()
        // What the bot pinned is history at any time: nobody acts on it as on news.
        .partition(|comment| comment.key.at < history_until || is_pin(repo, comment));
    restoring::ask_permissions(repo, &api, &mut comments).await?;
    let result = restoring::last_result(repo, &api, &facts, &comments).await?;
    let age = if facts.updated_at >= history_until {
        PullAge::New
    } else {
        PullAge::Old
    };
    let restored = Event::PullRestored {
        facts,
        comments,
        result,
        age,
    };
    let news = news
        .into_iter()
        .map(|comment| Event::CommentMade { pull, comment });
    let events = std::iter::once(restored).chain(news.filter(|event| repo.is_of_interest(event)));
    repo.tell(Message::Observed(events.collect()));
    repo.shared().first_reading.took_up(pull);
    Ok(())
}

/// Takes up a pull that somebody waits for, ahead of all others.
pub(super) async fn restore_ahead(repo: &Repo, pull: PullNumber) -> Result<(), SweepError> {
    let shared = repo.shared();
    if shared.first_reading.has_taken_up(pull) {
        return Ok(());
    }
    let facts = shared.api.at(Value::Awaited).pull(pull).await?;
    if facts.state != PullState::Open {
        observe(repo, facts);
        return Ok(());
    }
    let mark = shared.store.watermark(repo.label()).await?;
    let history_until = whole_second(mark.synced_at.unwrap_or(mark.known_since));
    restore(repo, facts, history_until, Value::Awaited).await
}

/// Asks for pulls that we hold for open and that the list does not have.
async fn read_vanished(repo: &Repo, listed: &[PullFacts]) -> Result<(), SweepError> {
    let api = repo.shared().api.at(Value::Background);
    let vanished: Vec<PullNumber> = repo.look(|queue| {
        let open = queue.pulls().filter(|pull| pull.is_open());
        open.map(|pull| pull.facts.number)
            .filter(|number| !listed.iter().any(|facts| facts.number == *number))
            .collect()
    });
    for number in vanished {
        match api.pull(number).await {
            Ok(facts) => observe(repo, facts),
            Err(ApiError::Gone | ApiError::Rejected { .. }) => miss(repo, number),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// GitHub does not show a pull that we hold for open.
fn miss(repo: &Repo, pull: PullNumber) {
    tracing::warn!(repo.label = %repo.label(), pull.number = %pull, "GitHub does not show a pull");
    repo.tell(Message::Observed(vec![Event::PullUnseen { pull }]));
}

/// Reads comments since then; reviews, which cannot be asked for by time, of pulls that changed.
async fn read_comments(
    repo: &Repo,
    since: Timestamp,
    changed: &[PullNumber],
) -> Result<(), SweepError> {
    let api = repo.shared().api.at(Value::Background);
    if clock::now().ms_since(since) <= CATCH_UP_MS_MAX {
        for found in api.comments_since(since).await? {
            tell_comment(repo, found.pull, found.comment);
        }
    }
    for number in changed {
        for comment in api.comments(*number, Sorts::All, Some(since)).await? {
            tell_comment(repo, *number, comment);
        }
    }
    Ok(())
}

fn tell_comment(repo: &Repo, pull: PullNumber, comment: Comment) {
    let is_known = repo.look(|queue| queue.pull(pull).is_some_and(|pull| pull.is_open()));
    let event = Event::CommentMade { pull, comment };
    if is_known && repo.is_of_interest(&event) {
        repo.tell(Message::Observed(vec![event]));
    }
}

/// Reads the external checks of runs in flight again, at once and then every `every`.
pub(super) async fn poll_checks(repo: Repo, every: Duration) {
    loop {
        repo.until_running().await;
        if let Err(error) = read_checks(&repo).await {
            tracing::warn!(repo.label = %repo.label(), %error, "checks are read again later");
        }
        tokio::time::sleep(spread(every)).await;
    }
}

async fn read_checks(repo: &Repo) -> Result<(), ApiError> {
    let shared = repo.shared();
    let api = shared.tests.api(&shared.api).at(Value::Background);
    let waiting: Vec<_> = repo.look(|queue| {
        let runs = queue.runs_in_flight();
        runs.filter_map(|run| match &run.phase {
            Phase::Testing { merge, .. } => {
                let mut open = run.checks.iter().filter(|check| check.state.is_open());
                let mut again = open.clone();
                let statuses = open.any(|check| matches!(check.check, Check::Status { .. }));
                let runs = again.any(|check| matches!(check.check, Check::CheckRun { .. }));
                Some((merge.merge, statuses, runs))
            }
            Phase::Merging { .. } | Phase::Landing { .. } | Phase::Done { .. } => None,
        })
        .collect()
    });
    for (commit, statuses, check_runs) in waiting {
        let mut events = Vec::new();
        if statuses {
            events.extend(api.statuses(commit).await?);
        }
        if check_runs {
            events.push(checks::read(repo, commit, Value::Background).await?);
        }
        repo.tell(Message::Observed(events));
    }
    Ok(())
}
