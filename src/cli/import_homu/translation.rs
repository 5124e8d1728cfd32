//! From the rows of Homu's file to what our repositories take over.

use std::collections::BTreeMap;

use super::pull::{Beside, Remarks, translate};
use crate::config::{Config, Repo};
use crate::store::homu::{HomuFile, Odd, Row};
use crate::store::{ImportedRepo, Retry};
use paprq_core::ids::{Login, PullNumber, RepoLabel, Timestamp};
use paprq_core::queue::Tree;

/// What Homu's file says, in our words.
pub(super) struct Translation {
    /// Of repositories that are configured.
    pub(super) repos: Vec<FoundRepo>,
    /// Repositories that are configured, and of which it says nothing.
    pub(super) absent: Vec<RepoLabel>,
    /// How many pulls it has of repositories that are not.
    pub(super) unknown: BTreeMap<String, usize>,
    /// What could not be read, and belongs to no repository.
    pub(super) remarks: Vec<String>,
}

/// What Homu's file says of a configured repository.
pub(super) struct FoundRepo {
    pub(super) repo: ImportedRepo,
    pub(super) retries: Vec<Retry>,
    /// What could not be read.
    pub(super) remarks: Vec<String>,
}

/// All rows of one repository.
#[derive(Default)]
struct Rows<'a> {
    repo: Vec<&'a Row>,
    pulls: Vec<&'a Row>,
    results: Vec<&'a Row>,
    mergeable: Vec<&'a Row>,
    retries: Vec<&'a Row>,
}

/// Which of a repository's rows are those of a table.
type TableOf = for<'a, 'b> fn(&'b mut Rows<'a>) -> &'b mut Vec<&'a Row>;

impl Translation {
    /// Reads all rows that belong to repositories of the configuration.
    pub(super) fn of(config: &Config, file: &HomuFile) -> Self {
        let (by_label, remarks) = by_label(file);
        let labels = config.repos.keys();
        let absent = labels.filter(|label| !by_label.contains_key(label.as_str()));
        let mut translation = Self {
            repos: Vec::new(),
            absent: absent.cloned().collect(),
            unknown: BTreeMap::new(),
            remarks,
        };
        for (label, rows) in by_label {
            match config.repos.get(&RepoLabel::new(label)) {
                Some(repo) => {
                    let found = FoundRepo::of(config, repo, &rows, file.written_at);
                    translation.repos.push(found);
                }
                None => {
                    translation
                        .unknown
                        .insert(label.to_owned(), rows.pulls.len());
                }
            }
        }
        translation
    }
}

fn by_label(file: &HomuFile) -> (BTreeMap<&str, Rows<'_>>, Vec<String>) {
    let tables: [(&[Row], TableOf); 5] = [
        (&file.repos, |rows| &mut rows.repo),
        (&file.pulls, |rows| &mut rows.pulls),
        (&file.results, |rows| &mut rows.results),
        (&file.mergeable, |rows| &mut rows.mergeable),
        (&file.retries, |rows| &mut rows.retries),
    ];
    let (mut by_label, mut remarks) = (BTreeMap::<&str, Rows<'_>>::new(), Vec::new());
    for (table, place) in tables {
        for row in table {
            match row.text("repo") {
                Ok(label) => place(by_label.entry(label).or_default()).push(row),
                Err(odd) => remarks.push(format!("a row whose {odd}")),
            }
        }
    }
    (by_label, remarks)
}

impl FoundRepo {
    fn of(config: &Config, repo: &Repo, rows: &Rows<'_>, until: Timestamp) -> Self {
        let mut remarks = Remarks::default();
        let mergeable = by_number(&rows.mergeable, &mut remarks);
        let results = by_number(&rows.results, &mut remarks);
        let mut pulls = Vec::new();
        for (number, of_number) in by_number(&rows.pulls, &mut remarks) {
            for row in of_number {
                let beside = Beside {
                    config,
                    repo,
                    mergeable: mergeable
                        .get(&number)
                        .and_then(|rows| rows.first().copied()),
                    results: results.get(&number).map_or(&[], Vec::as_slice),
                };
                pulls.extend(translate(number, row, &beside, &mut remarks));
            }
        }
        Self {
            retries: retries(&repo.label, &rows.retries, &mut remarks),
            repo: ImportedRepo {
                label: repo.label.clone(),
                until,
                tree: rows.repo.first().and_then(|row| tree(row, &mut remarks)),
                pulls,
            },
            remarks: remarks.0,
        }
    }
}

fn by_number<'a>(rows: &[&'a Row], remarks: &mut Remarks) -> BTreeMap<PullNumber, Vec<&'a Row>> {
    let mut by_number = BTreeMap::<_, Vec<_>>::new();
    for row in rows {
        match number(row) {
            Ok(number) => by_number.entry(number).or_default().push(*row),
            Err(odd) => remarks.add(format!("a row whose {odd}")),
        }
    }
    by_number
}

fn number(row: &Row) -> Result<PullNumber, Odd> {
    let number = row.whole("num")?;
    let number = number.and_then(|number| u64::try_from(number).ok());
    let number = number.filter(|number| *number > 0);
    number.map(PullNumber).ok_or_else(|| row.odd("num"))
}

/// Homu writes -1 for an open tree.
fn tree(row: &Row, remarks: &mut Remarks) -> Option<Tree> {
    let below = match row.whole("treeclosed") {
        Ok(below) => below?,
        Err(odd) => {
            remarks.add(format!("whether the tree is closed: {odd}"));
            return None;
        }
    };
    if below < 0 {
        return Some(Tree::Open);
    }
    Some(Tree::Closed {
        below,
        // Homu says which comment closed it, not whose that is.
        by: None,
        source: row.text("treeclosed_src").unwrap_or_default().to_owned(),
    })
}

fn retries(label: &RepoLabel, rows: &[&Row], remarks: &mut Remarks) -> Vec<Retry> {
    let retries = rows.iter().filter_map(|row| {
        let retry = retry(label, row);
        retry
            .map_err(|odd| remarks.add(format!("a retry whose {odd}")))
            .ok()
    });
    retries.collect()
}

fn retry(label: &RepoLabel, row: &Row) -> Result<Retry, Odd> {
    let source = row.text("src")?.trim();
    let is_address = source.contains("://");
    Ok(Retry {
        repo: label.clone(),
        pull: number(row)?,
        at: moment(row.text("time")?).ok_or_else(|| row.odd("time"))?,
        // Homu wrote the address of the comment; in older files there may be its author.
        who: (!is_address && !source.is_empty()).then(|| Login::new(source)),
        message: row.text("msg")?.to_owned(),
        source: if is_address { source } else { "" }.to_owned(),
    })
}

/// SQLite's `CURRENT_TIMESTAMP`, which is in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let time: jiff::civil::DateTime = text.trim().parse().ok()?;
    let time = jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?;
    Some(Timestamp(time.as_millisecond()))
}
