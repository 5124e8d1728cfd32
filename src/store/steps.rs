//! One step of a repository's loop: one event applied, in one transaction.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SqliteConnection};

use super::deliveries::InboxId;
use super::schema::{events, inbox, outbox};
use super::{Store, StoreError, from_document, rows, to_document};
use paprq_core::ids::{RepoLabel, Timestamp};
use paprq_core::queue::RepoState;
use paprq_core::queue::effect::Effect;
use paprq_core::queue::event::Event;
use paprq_core::queue::pull::Pull;
use paprq_core::queue::run::Run;

/// A row of the outbox.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OutboxId(pub(super) i64);

impl std::fmt::Display for OutboxId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An effect that is ordered and not yet done.
#[derive(Clone, Debug)]
pub struct OutboxRow {
    /// Its row.
    pub id: OutboxId,
    /// What is to be done.
    pub effect: Effect,
    /// When it was ordered.
    pub ordered_at: Timestamp,
    /// How often the process ended while it was under way, without having been asked to.
    pub deaths: u32,
}

/// Whether an effect is being carried out at this moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UnderWay {
    /// It is: an end of the process would be laid at its door.
    Yes,
    /// It waits.
    No,
}

/// What a step was taken for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// A delivery: it is applied with this step.
    Delivery(InboxId),
    /// The answer to an effect: it is done with this step.
    Answer(OutboxId),
    /// Something that can be found out again: the time, or what GitHub says when it is asked.
    Observation,
}

/// What one step changes.
#[derive(Clone, Debug)]
pub struct StepRecord {
    /// Of which repository.
    pub repo: RepoLabel,
    /// What for.
    pub cause: Cause,
    /// When.
    pub at: Timestamp,
    /// The repository's own row, if it changed.
    pub state: Option<RepoState>,
    /// Pulls that changed.
    pub pulls: Vec<Pull>,
    /// Runs that changed.
    pub runs: Vec<Run>,
    /// What was applied, and what it led to.
    pub history: Vec<Entry>,
}

/// An event and its effects.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// What must be done.
    pub effects: Vec<Effect>,
}

/// What became of a step.
#[derive(Clone, Debug)]
pub enum Stepped {
    /// It is durable, and so are these orders.
    Taken(Vec<OutboxRow>),
    /// Its cause was dealt with before; nothing was written.
    Before,
}

impl Store {
    /// Writes a step down.
    ///
    /// # Errors
    /// Nothing of it is kept if this fails.
    pub async fn take_step(&self, step: StepRecord) -> Result<Stepped, StoreError> {
        self.write(move |connection| take_step(connection, &step))
            .await
    }

    /// What is ordered for a repository and not yet done, oldest first.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn undone(&self, repo: &RepoLabel) -> Result<Vec<OutboxRow>, StoreError> {
        let repo = repo.as_str().to_owned();
        self.read(move |connection| {
            let rows: Vec<(i64, String, i64, i32)> = outbox::table
                .filter(outbox::repo.eq(repo))
                .order(outbox::id)
                .select((
                    outbox::id,
                    outbox::effect,
                    outbox::ordered_at,
                    outbox::deaths,
                ))
                .load(connection)?;
            rows.into_iter()
                .map(|(id, effect, at, deaths)| {
                    Ok(OutboxRow {
                        id: OutboxId(id),
                        effect: from_document("outbox", &effect)?,
                        ordered_at: Timestamp(at),
                        deaths: u32::try_from(deaths).unwrap_or(u32::MAX),
                    })
                })
                .collect()
        })
        .await
    }

    /// Counts one more try of an effect that must not be tried without end. Gives its number, from
    /// 1, also over restarts; none if the effect is done.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn count_try(&self, id: OutboxId) -> Result<Option<u32>, StoreError> {
        self.write(move |connection| {
            let tries: Option<i32> = diesel::update(outbox::table.find(id.0))
                .set(outbox::tries.eq(outbox::tries + 1))
                .returning(outbox::tries)
                .get_result(connection)
                .optional()?;
            Ok(tries.map(|tries| u32::try_from(tries).unwrap_or(u32::MAX)))
        })
        .await
    }

    /// Writes down that an effect is being carried out, or is not at the moment.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn set_under_way(&self, id: OutboxId, under_way: UnderWay) -> Result<(), StoreError> {
        self.write(move |connection| {
            diesel::update(outbox::table.find(id.0))
                .set(outbox::under_way.eq(under_way == UnderWay::Yes))
                .execute(connection)?;
            Ok(())
        })
        .await
    }

    /// Nothing of a repository is under way any more, and the process goes on or ends as it was
    /// asked to.
    ///
    /// # Errors
    /// If the database cannot be written: then it looks as if the process had died.
    pub async fn rest(&self, repo: &RepoLabel) -> Result<(), StoreError> {
        let repo = repo.as_str().to_owned();
        self.write(move |connection| {
            let resting = outbox::table.filter(outbox::repo.eq(repo));
            diesel::update(resting)
                .set(outbox::under_way.eq(false))
                .execute(connection)?;
            Ok(())
        })
        .await
    }

    /// Counts one more end of the process for each effect that was under way at the last. To be
    /// called once at the start, before anything is carried out. Gives how many there were.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn count_deaths(&self) -> Result<usize, StoreError> {
        self.write(|connection| {
            let counted = diesel::update(outbox::table.filter(outbox::under_way.eq(true)))
                .set((
                    outbox::deaths.eq(outbox::deaths + 1),
                    outbox::under_way.eq(false),
                ))
                .execute(connection)?;
            Ok(counted)
        })
        .await
    }

    /// An effect without an answer is done.
    ///
    /// # Errors
    /// If the database cannot be written; the effect will be looked at again after a restart.
    pub async fn mark_done(&self, id: OutboxId) -> Result<(), StoreError> {
        self.write(move |connection| {
            diesel::delete(outbox::table.find(id.0)).execute(connection)?;
            Ok(())
        })
        .await
    }
}

fn take_step(connection: &mut SqliteConnection, step: &StepRecord) -> Result<Stepped, StoreError> {
    if !settle(connection, step)? {
        return Ok(Stepped::Before);
    }
    let label = step.repo.as_str();
    if let Some(state) = &step.state {
        rows::save_state(connection, label, state)?;
    }
    for pull in &step.pulls {
        rows::save_pull(connection, label, pull)?;
    }
    for run in &step.runs {
        rows::save_run(connection, label, run)?;
    }
    let mut orders = Vec::new();
    for entry in &step.history {
        log_entry(connection, step, entry)?;
        for effect in &entry.effects {
            orders.push(order(connection, label, step.at, effect)?);
        }
    }
    Ok(Stepped::Taken(orders))
}

/// Marks the step's cause as dealt with; says whether it was not.
fn settle(connection: &mut SqliteConnection, step: &StepRecord) -> Result<bool, StoreError> {
    let settled = match step.cause {
        Cause::Delivery(id) => {
            let open = inbox::table.find(id.0).filter(inbox::done_at.is_null());
            diesel::update(open)
                .set(inbox::done_at.eq(step.at.0))
                .execute(connection)?
        }
        Cause::Answer(id) => diesel::delete(outbox::table.find(id.0)).execute(connection)?,
        Cause::Observation => 1,
    };
    Ok(settled == 1)
}

fn log_entry(
    connection: &mut SqliteConnection,
    step: &StepRecord,
    entry: &Entry,
) -> Result<(), StoreError> {
    diesel::insert_into(events::table)
        .values((
            events::repo.eq(step.repo.as_str()),
            events::at.eq(step.at.0),
            events::event.eq(to_document("events", &entry.event)?),
            events::effects.eq(to_document("events", &entry.effects)?),
        ))
        .execute(connection)?;
    Ok(())
}

/// Writes an order down that is to be carried out.
pub(super) fn order(
    connection: &mut SqliteConnection,
    label: &str,
    at: Timestamp,
    effect: &Effect,
) -> Result<OutboxRow, StoreError> {
    let id: i64 = diesel::insert_into(outbox::table)
        .values((
            outbox::repo.eq(label),
            outbox::effect.eq(to_document("outbox", effect)?),
            outbox::ordered_at.eq(at.0),
        ))
        .returning(outbox::id)
        .get_result(connection)?;
    Ok(OutboxRow {
        id: OutboxId(id),
        effect: effect.clone(),
        ordered_at: at,
        deaths: 0,
    })
}
