//! What was heard of an external check, and what that says together.
//!
//! A check is known by its name, but several check runs may have that name: of several apps, of
//! several workflows, of several attempts. It has passed when each of them has in its latest attempt.
//! Of statuses and builds the latest counts. What is heard comes late, twice and out of order, so
//! each report brings the numbers and moments by which GitHub and Buildbot tell which came first.

use serde::{Deserialize, Serialize};

use super::event::{BuildVerdict, Verdict};
use super::rules::{CheckRunRule, Counts};
use super::run::CheckState;
use crate::ids::Timestamp;

/// What a check run says.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckRunVerdict {
    /// Not yet anything.
    Pending,
    /// Good.
    Passed,
    /// Bad.
    Failed,
    /// Neither good nor bad.
    Neutral,
    /// It was not carried out.
    Skipped,
}

/// A check run, as a list of GitHub's has it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct CheckRunSeen {
    /// Its name.
    pub name: String,
    /// What it says.
    pub verdict: CheckRunVerdict,
    /// Where to read more.
    pub url: Option<String>,
    /// Which of the check runs of its name it is.
    pub attempt: Attempt,
}

/// Which check run of its name one is, by GitHub's numbers, and when it was carried out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The app that made it.
    pub app: u64,
    /// The check suite that it belongs to. A re-run stays in the check suite of its predecessor.
    pub suite: u64,
    /// The check run. A later one has a higher number.
    pub id: u64,
    /// When it began, by GitHub's clock, in whole seconds.
    pub started_at: Option<Timestamp>,
    /// When it ended, likewise.
    pub completed_at: Option<Timestamp>,
}

/// Which status of its context one is: the greatest counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct StatusOrder {
    /// When it was set, by GitHub's clock, in whole seconds.
    pub at: Timestamp,
    /// GitHub's number of it. A later one has a higher number.
    pub id: u64,
}

/// What was last heard of one check run, status or build.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Of which.
    pub of: Reporter,
    /// What it says.
    pub verdict: CheckRunVerdict,
    /// Where to read more; may be empty.
    pub url: String,
}

/// Which check run, status or build of its name a report is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Reporter {
    /// It is not said.
    Unknown,
    /// This check run.
    CheckRun {
        /// Which.
        attempt: Attempt,
        /// How it is known.
        known: Known,
    },
    /// This status.
    Status(StatusOrder),
    /// The build of this number.
    Build(u64),
}

/// How a check run is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// A webhook told of it, which may be late.
    Heard,
    /// It was among the latest check runs of its commit when those were last read.
    Listed,
}

/// A status that was heard of.
pub(super) fn status(verdict: Verdict, url: Option<String>, order: Option<StatusOrder>) -> Report {
    Report {
        of: order.map_or(Reporter::Unknown, Reporter::Status),
        verdict: match verdict {
            Verdict::Pending => CheckRunVerdict::Pending,
            Verdict::Passed => CheckRunVerdict::Passed,
            Verdict::Failed => CheckRunVerdict::Failed,
        },
        url: url.unwrap_or_default(),
    }
}

/// A build that was heard of.
pub(super) fn build(verdict: BuildVerdict, url: String, number: Option<u64>) -> Report {
    Report {
        of: number.map_or(Reporter::Unknown, Reporter::Build),
        verdict: match verdict {
            BuildVerdict::Running => CheckRunVerdict::Pending,
            BuildVerdict::Passed => CheckRunVerdict::Passed,
            BuildVerdict::Failed | BuildVerdict::Interrupted => CheckRunVerdict::Failed,
        },
        url,
    }
}

/// A check run that was heard of.
pub(super) fn check_run(
    verdict: CheckRunVerdict,
    url: Option<String>,
    attempt: Option<Attempt>,
) -> Report {
    let known = Known::Heard;
    Report {
        of: attempt.map_or(Reporter::Unknown, |attempt| Reporter::CheckRun {
            attempt,
            known,
        }),
        verdict,
        url: url.unwrap_or_default(),
    }
}

impl Report {
    /// Whether it is not said which one of its name it is of.
    pub(super) fn is_vague(&self) -> bool {
        self.of == Reporter::Unknown
    }

    /// The check suite of a check run.
    pub(super) fn suite(&self) -> Option<u64> {
        self.attempt().map(|attempt| attempt.suite)
    }

    pub(super) fn is_final(&self) -> bool {
        self.verdict != CheckRunVerdict::Pending
    }

    fn attempt(&self) -> Option<Attempt> {
        match self.of {
            Reporter::CheckRun { attempt, .. } => Some(attempt),
            Reporter::Unknown | Reporter::Status(_) | Reporter::Build(_) => None,
        }
    }

    fn is_listed(&self) -> bool {
        matches!(
            self.of,
            Reporter::CheckRun {
                known: Known::Listed,
                ..
            }
        )
    }

    /// Whether this is of the same check run, or of another of the sort of which only one counts.
    fn takes_the_place_of(&self, known: &Self) -> bool {
        match (self.attempt(), known.attempt()) {
            (Some(one), Some(other)) => (one.app, one.id) == (other.app, other.id),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// Whether another report of the same came after this one, as far as can be told. What is final
    /// stays so, unless something is younger for certain.
    fn is_before(&self, other: &Self) -> bool {
        match (self.of, other.of) {
            (Reporter::Status(known), Reporter::Status(new)) => known <= new,
            (Reporter::Build(known), Reporter::Build(new)) => {
                (known, self.is_final()) <= (new, other.is_final())
            }
            (
                Reporter::CheckRun { attempt: known, .. },
                Reporter::CheckRun { attempt: new, .. },
            ) => {
                (known.started_at, self.is_final(), known.completed_at)
                    <= (new.started_at, other.is_final(), new.completed_at)
            }
            _ => !self.is_final(),
        }
    }

    /// Whether this is an attempt that another report's replaces.
    fn is_replaced_by(&self, other: &Self) -> bool {
        let (Some(one), Some(later)) = (self.attempt(), other.attempt()) else {
            return false;
        };
        let is_later = (one.app, one.suite) == (later.app, later.suite) && one.id < later.id;
        // What runs at the same time, or is the latest by GitHub's own word, is no attempt of the
        // same: two jobs of a workflow may have one name.
        let are_siblings = self.is_listed() && other.is_listed();
        is_later && self.yields_to(other) && !are_siblings && has_ended_before(self, one, later)
    }

    /// Nothing that was carried out is replaced by what was not.
    fn yields_to(&self, other: &Self) -> bool {
        other.verdict != CheckRunVerdict::Skipped || self.verdict == CheckRunVerdict::Skipped
    }
}

fn has_ended_before(report: &Report, one: Attempt, later: Attempt) -> bool {
    let in_time = match (one.completed_at, later.started_at) {
        (Some(ended), Some(began)) => ended <= began,
        (None, _) | (_, None) => true,
    };
    report.is_final() && in_time
}

/// Takes a report to those that are known; returns whether it says anything new.
pub(super) fn take(known: &mut Vec<Report>, news: &Report) -> bool {
    match known
        .iter_mut()
        .find(|known| news.takes_the_place_of(known))
    {
        Some(known) if *known == *news || !known.is_before(news) => false,
        Some(known) => {
            let was_listed = known.is_listed();
            *known = news.clone();
            if was_listed {
                known.list();
            }
            true
        }
        None => {
            known.push(news.clone());
            true
        }
    }
}

impl Report {
    fn list(&mut self) {
        self.know(Known::Listed);
    }

    fn know(&mut self, how: Known) {
        if let Reporter::CheckRun { known, .. } = &mut self.of {
            *known = how;
        }
    }
}

/// Whether a list of check runs could be taken as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Taken {
    /// It could.
    Whole,
    /// It calls something unfinished that was heard to be finished: that was begun once more, or the
    /// list is older. Only another list can tell.
    Doubtful,
}

/// Takes the latest check runs of a name, as GitHub lists them, to what is known of them.
pub(super) fn take_list<'a>(
    known: &mut Vec<Report>,
    list: impl Iterator<Item = &'a CheckRunSeen>,
) -> Taken {
    let listed: Vec<_> = list.map(listed).collect();
    let mut taken = Taken::Whole;
    known.retain(|report| {
        let is_listed = listed.iter().any(|news| news.takes_the_place_of(report));
        is_listed || !listed.iter().any(|later| is_missing_before(report, later))
    });
    for report in known.iter_mut() {
        report.know(Known::Heard);
    }
    for news in &listed {
        let place = known
            .iter_mut()
            .find(|known| news.takes_the_place_of(known));
        match place {
            Some(known) => {
                if known.is_final() && !known.is_before(news) {
                    taken = Taken::Doubtful;
                }
                *known = news.clone();
            }
            None => known.push(news.clone()),
        }
    }
    known.retain(|report| report.attempt().is_some() || listed.is_empty());
    taken
}

fn listed(seen: &CheckRunSeen) -> Report {
    let mut report = check_run(seen.verdict, seen.url.clone(), Some(seen.attempt));
    report.list();
    report
}

/// Whether a check run that is not listed has made way for a later one of its check suite that is.
fn is_missing_before(report: &Report, later: &Report) -> bool {
    let (Some(one), Some(other)) = (report.attempt(), later.attempt()) else {
        return false;
    };
    (one.app, one.suite) == (other.app, other.suite) && one.id < other.id && report.yields_to(later)
}

/// How a check stands of which this was heard. Of check runs, `rule` says what those count as that
/// neither passed nor failed, and `completed_suites` which check suites are completed.
pub(super) fn state(
    reports: &[Report],
    rule: Option<&CheckRunRule>,
    completed_suites: &[u64],
) -> CheckState {
    let current: Vec<_> = reports
        .iter()
        .filter(|report| !reports.iter().any(|other| report.is_replaced_by(other)))
        .collect();
    let find = |wanted: &[CheckRunVerdict]| {
        let mut found = current.iter();
        let found = found.find(|report| wanted.contains(&report.verdict));
        found.map(|report| report.url.clone())
    };
    let neutral_passes = rule.is_none_or(|rule| rule.neutral == Counts::Passed);
    let (good, bad): (&[_], &[_]) = if neutral_passes {
        (
            &[CheckRunVerdict::Passed, CheckRunVerdict::Neutral],
            &[CheckRunVerdict::Failed],
        )
    } else {
        (
            &[CheckRunVerdict::Passed],
            &[CheckRunVerdict::Failed, CheckRunVerdict::Neutral],
        )
    };
    if let Some(url) = find(bad) {
        return CheckState::Failed { url, verdict: None };
    }
    if let Some(url) = find(&[CheckRunVerdict::Pending]) {
        return CheckState::Running { url };
    }
    if let Some(url) = find(good) {
        return CheckState::Passed { url };
    }
    match find(&[CheckRunVerdict::Skipped]) {
        Some(url) => skipped(url, &current, rule, completed_suites),
        None => CheckState::Waiting,
    }
}

/// How a check stands of which nothing was carried out: another check run of its name may still come
/// as long as the check suite is not completed.
fn skipped(
    url: String,
    reports: &[&Report],
    rule: Option<&CheckRunRule>,
    completed_suites: &[u64],
) -> CheckState {
    let is_over = |report: &&Report| {
        let attempt = report.attempt();
        attempt.is_some_and(|attempt| completed_suites.contains(&attempt.suite))
    };
    if !reports.iter().all(is_over) {
        return CheckState::Running { url };
    }
    match rule.map_or(Counts::Passed, |rule| rule.skipped) {
        Counts::Passed => CheckState::Passed { url },
        Counts::Failed => CheckState::Failed { url, verdict: None },
    }
}
