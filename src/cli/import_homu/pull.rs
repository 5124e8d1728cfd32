//! One row of Homu's table `pull`, with what other tables say of it, as a pull of ours.

use crate::clock;
use crate::config::{Config, Merging, Repo};
use crate::engine;
use crate::store::homu::{Odd, Row};
use paprq_core::ids::{BranchName, CommitId, Login, PullNumber, Timestamp};
use paprq_core::queue::event::{HeadRepo, PullFacts, PullState};
use paprq_core::queue::imported::{ImportedPull, ImportedTest, Progress, Resumption, WantedTry};
use paprq_core::queue::pull::Squash;
use paprq_core::queue::run::{Check, CheckState, Ending, Origin, Purpose, RunCheck, Weight};

/// What could not be taken over as it is, in words for people.
#[derive(Debug, Default)]
pub(super) struct Remarks(pub(super) Vec<String>);

impl Remarks {
    pub(super) fn add(&mut self, remark: String) {
        self.0.push(remark);
    }

    /// A value that may be odd: then it is told of, and there is none.
    fn sound<T>(&mut self, number: PullNumber, value: Result<Option<T>, Odd>) -> Option<T> {
        value.unwrap_or_else(|odd| {
            self.add(format!("#{number}: {odd}"));
            None
        })
    }
}

/// What there is beside a pull's own row.
pub(super) struct Beside<'a> {
    pub(super) config: &'a Config,
    pub(super) repo: &'a Repo,
    /// Its row of table `mergeable`.
    pub(super) mergeable: Option<&'a Row>,
    /// Its rows of table `build_res`.
    pub(super) results: &'a [&'a Row],
}

/// Whose a pull is whose fork was deleted, as GitHub has it.
const NOBODY: &str = "ghost";

/// Translates a row; a pull whose head or base is not known is left to the server's first sweep.
pub(super) fn translate(
    number: PullNumber,
    row: &Row,
    beside: &Beside<'_>,
    remarks: &mut Remarks,
) -> Option<ImportedPull> {
    let mergeable = beside.mergeable.map(|row| row.truth("mergeable"));
    let mergeable = remarks.sound(number, mergeable.unwrap_or(Ok(None)));
    let facts = match facts(number, row, mergeable) {
        Ok(facts) => facts,
        Err(odd) => {
            remarks.add(format!(
                "#{number} as a whole, which the server reads from GitHub instead: {odd}"
            ));
            return None;
        }
    };
    let tested = Tested::read(number, row, remarks);
    Some(ImportedPull {
        approver: remarks.sound(number, logins(row, "approved_by")),
        delegate: remarks.sound(number, logins(row, "delegate")),
        priority: priority(number, row, beside.config.max_priority, remarks),
        rollup: remarks.sound(number, rollup(row)).unwrap_or(0),
        squash: match remarks.sound(number, row.truth("squash")) {
            Some(true) => Squash::Yes,
            Some(false) | None => Squash::No,
        },
        wanted_try: tested.wanted_try(number, beside.repo, remarks),
        test: tested.test(number, &facts, beside, remarks),
        facts,
    })
}

/// What Homu knew of GitHub. It does not keep when that was: the oldest moment is taken, so that
/// whatever GitHub says is younger.
fn facts(number: PullNumber, row: &Row, mergeable: Option<bool>) -> Result<PullFacts, Odd> {
    let head = row.text("head_sha")?.trim().parse::<CommitId>();
    let head = head.ok().filter(|head| *head != CommitId::ZERO);
    let base = row.text("base_ref")?;
    let head_label = row.text("head_ref")?;
    let owner = head_label.split_once(':').map(|(owner, _)| owner);
    Ok(PullFacts {
        number,
        title: row.text("title")?.to_owned(),
        body: row.text("body")?.to_owned(),
        author: Login::new(owner.unwrap_or(NOBODY)),
        state: PullState::Open,
        draft: false,
        head: head.ok_or_else(|| row.odd("head_sha"))?,
        head_label: head_label.to_owned(),
        head_repo: HeadRepo::Unsaid,
        pushed_at: None,
        base: match base {
            "" => return Err(row.odd("base_ref")),
            base => BranchName::new(base),
        },
        mergeable,
        labels: Vec::new(),
        updated_at: Timestamp(0),
    })
}

/// A login, or several with commas between; they will stand in commit messages.
fn logins(row: &Row, column: &'static str) -> Result<Option<Login>, Odd> {
    let text = row.text(column)?.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let names = text.split(',').map(|name| {
        let name = name.trim();
        let name = name.strip_prefix('@').unwrap_or(name);
        let bare = name.strip_suffix("[bot]").unwrap_or(name);
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (!bare.is_empty() && bare.bytes().all(is_allowed)).then_some(name)
    });
    let names: Option<Vec<_>> = names.collect();
    let names = names.ok_or_else(|| row.odd(column))?;
    Ok(Some(Login::new(names.join(","))))
}

fn priority(number: PullNumber, row: &Row, max: i64, remarks: &mut Remarks) -> i64 {
    let priority = remarks.sound(number, row.whole("priority")).unwrap_or(0);
    if priority > max {
        remarks.add(format!(
            "#{number}: its priority {priority} is above max_priority, {max}"
        ));
        return 0;
    }
    priority
}

/// Older files have 0 and 1 only.
fn rollup(row: &Row) -> Result<Option<i8>, Odd> {
    match row.whole("rollup")? {
        Some(value) => match i8::try_from(value) {
            Ok(value @ -2..=1) => Ok(Some(value)),
            Ok(_) | Err(_) => Err(row.odd("rollup")),
        },
        None => Ok(None),
    }
}

/// What a row says of its pull's latest test.
struct Tested<'a> {
    status: Status,
    purpose: Purpose,
    chooser: Option<String>,
    /// Empty if none.
    merge_sha: &'a str,
}

/// Homu's word for how a test stands.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Status {
    /// It is to be begun.
    Open,
    /// It is under way.
    Pending,
    Success,
    Failure,
    Error,
}

impl<'a> Tested<'a> {
    fn read(number: PullNumber, row: &'a Row, remarks: &mut Remarks) -> Self {
        let is_try = remarks.sound(number, row.truth("try_"));
        let chooser = row.text("try_choose").map(|name| Some(name.to_owned()));
        let chooser = remarks.sound(number, chooser);
        let merge_sha = remarks.sound(number, row.text("merge_sha").map(Some));
        Self {
            status: remarks.sound(number, status(row)).unwrap_or(Status::Open),
            purpose: match is_try {
                Some(true) => Purpose::Try,
                Some(false) | None => Purpose::Land,
            },
            chooser: chooser.filter(|name| !name.is_empty()),
            merge_sha: merge_sha.unwrap_or_default(),
        }
    }

    fn wanted_try(
        &self,
        number: PullNumber,
        repo: &Repo,
        remarks: &mut Remarks,
    ) -> Option<WantedTry> {
        if self.purpose != Purpose::Try || self.status.is_over() {
            return None;
        }
        let chooser = self.chooser.clone();
        if let Some(name) = chooser
            .as_ref()
            .filter(|name| !repo.choosers().any(|known| known == *name))
        {
            remarks.add(format!(
                "#{number}: its try is not wanted any more: no try_choosers of the configuration \
                 is {name:?}"
            ));
            return None;
        }
        Some(WantedTry { chooser })
    }

    fn test(
        &self,
        number: PullNumber,
        facts: &PullFacts,
        beside: &Beside<'_>,
        remarks: &mut Remarks,
    ) -> Option<ImportedTest> {
        let is_of_this =
            |row: &&Row| !self.merge_sha.is_empty() && row.text("merge_sha") == Ok(self.merge_sha);
        let results = beside.results.iter().copied();
        let (of_this, of_others): (Vec<_>, Vec<_>) = results.partition(is_of_this);
        if !of_others.is_empty() {
            let count = of_others.len();
            remarks.add(format!(
                "#{number}: {count} of its results are of an earlier merge"
            ));
        }
        let checks: Vec<_> = of_this
            .iter()
            .filter_map(|row| remarks.sound(number, check(row, beside.repo).map(Some)))
            .collect();
        let ending = |ending| Some(Progress::Ended(ending));
        let progress = match self.status {
            Status::Open => Some(Progress::NotBegun),
            Status::Pending => self.resumption(number, &checks, beside, remarks),
            Status::Success => ending(Ending::Succeeded),
            Status::Failure => ending(Ending::Failed),
            Status::Error if facts.mergeable == Some(false) => ending(Ending::Conflicted),
            Status::Error => ending(Ending::Broken),
        };
        Some(ImportedTest {
            purpose: self.purpose,
            progress: progress.unwrap_or(Progress::NotBegun),
            chooser: self.chooser.clone(),
            merge: self.merge_sha.parse().ok(),
            checks,
        })
    }

    /// What a test that is under way is to wait for; none if it is not to go on here.
    fn resumption(
        &self,
        number: PullNumber,
        results: &[RunCheck],
        beside: &Beside<'_>,
        remarks: &mut Remarks,
    ) -> Option<Progress> {
        let (config, repo) = (beside.config, beside.repo);
        if repo.merges == Merging::Off {
            remarks.add(format!(
                "#{number}: the test under way: merges = false, so Homu goes on with it"
            ));
            return None;
        }
        let chooser = self.chooser.as_deref();
        if chooser.is_some_and(|chosen| !repo.choosers().any(|known| known == chosen)) {
            return None;
        }
        let awaited = engine::awaited(config, repo, self.purpose, chooser);
        for result in results {
            let name = result.check.name();
            if !awaited.iter().any(|check| check.name() == name) {
                remarks.add(format!(
                    "#{number}: {name:?} of the test under way: the configuration does not wait \
                     for it"
                ));
            }
        }
        Some(Progress::UnderWay(Resumption {
            awaited,
            deadline: clock::now().plus_s(repo.timeout_s),
        }))
    }
}

impl Status {
    fn is_over(self) -> bool {
        match self {
            Self::Open | Self::Pending => false,
            Self::Success | Self::Failure | Self::Error => true,
        }
    }
}

fn status(row: &Row) -> Result<Option<Status>, Odd> {
    match row.text("status")? {
        "" | "approved" => Ok(Some(Status::Open)),
        "pending" => Ok(Some(Status::Pending)),
        "success" => Ok(Some(Status::Success)),
        "failure" => Ok(Some(Status::Failure)),
        "error" => Ok(Some(Status::Error)),
        _ => Err(row.odd("status")),
    }
}

/// A build's result. One that was awaited has none.
fn check(row: &Row, repo: &Repo) -> Result<RunCheck, Odd> {
    let url = row.text("url")?.to_owned();
    let check = named(row.text("builder")?, repo);
    let state = match row.truth("res")? {
        Some(true) => CheckState::Passed { url },
        Some(false) => CheckState::Failed { url, verdict: None },
        None => CheckState::Cancelled,
    };
    Ok(RunCheck::new(check, Weight::Decides, state, Origin::Own))
}

/// Homu's names of builders: `status-LABEL`, `checks-LABEL`, else Buildbot's.
fn named(builder: &str, repo: &Repo) -> Check {
    if let Some(label) = builder.strip_prefix("status-") {
        let mut known = repo.statuses.iter();
        let known = known.find(|status| status.label == label);
        return Check::Status {
            label: label.to_owned(),
            context: known.map_or(label, |status| &status.context).to_owned(),
        };
    }
    if let Some(label) = builder.strip_prefix("checks-") {
        let mut known = repo.checks.iter();
        let known = known.find(|check| check.label == label);
        return Check::CheckRun {
            label: label.to_owned(),
            name: known.map_or(label, |check| &check.name).to_owned(),
        };
    }
    Check::Build(builder.to_owned())
}
