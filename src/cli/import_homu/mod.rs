//! `paprq import-homu`: takes over what Homu's database knows.

mod beside;
mod pull;
mod report;
#[cfg(test)]
mod tests;
mod translation;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use futures_util::future::try_join_all;

pub(super) use self::beside::come_from_homu;
use self::report::{RepoReport, Report};
use self::translation::{FoundRepo, Translation};
use super::check;
use crate::config::{Config, Db};
use crate::engine;
use crate::store::homu::{self, HomuError, HomuFile};
use crate::store::{Retry, Store, StoreError};

/// Arguments of `paprq import-homu`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Stop the server first. Homu may run: its file is only read. What is taken \
    over can be overridden by younger comments, and a second import changes nothing."
)]
pub(crate) struct Arguments {
    /// Homu's database, such as main.db.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The configuration; without it, cfg.toml in the working directory, else cfg.json.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the subcommand: exit status 1 if the file is not Homu's, 2 if the configuration cannot be
/// used or a server has our database.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = match check::load(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(errors) => {
            writeln!(io::stderr(), "{errors}")?;
            return Ok(ExitCode::from(2));
        }
    };
    let Db::Sqlite(database) = &config.db else {
        bail!("cannot import into PostgreSQL: this build stores in SQLite only");
    };
    let file = match homu::read(&arguments.file) {
        Ok(file) => file,
        Err(error @ HomuError::NotHomu { .. }) => {
            writeln!(io::stderr(), "paprq: {error}")?;
            return Ok(ExitCode::FAILURE);
        }
        Err(error @ (HomuError::Unreadable { .. } | HomuError::Busy { .. })) => {
            return Err(error).context("cannot import");
        }
    };
    let (own, _homus) = beside::own_database(database)?;
    let report = import(&config, &own, &file)?;
    write!(io::stdout(), "{report}")?;
    Ok(ExitCode::SUCCESS)
}

/// Takes over what the file says of configured repositories, and says what became of it.
fn import(config: &Config, database: &Path, file: &HomuFile) -> anyhow::Result<Report> {
    let found = Translation::of(config, file);
    let mut report = Report {
        written_at: file.written_at,
        repos: Vec::new(),
        absent: found.absent,
        unknown: found.unknown,
        remarks: found.remarks,
    };
    if found.repos.is_empty() {
        return Ok(report);
    }
    let _held = engine::take_database(database).context("cannot import")?;
    let runtime = tokio::runtime::Runtime::new()?;
    report.repos = runtime
        .block_on(take_over(database, found.repos))
        .context("cannot import")?;
    Ok(report)
}

async fn take_over(database: &Path, found: Vec<FoundRepo>) -> Result<Vec<RepoReport>, StoreError> {
    let store = Store::open(database)?;
    let mut reports = Vec::new();
    for found in found {
        let (label, tree) = (found.repo.label.clone(), found.repo.tree.clone());
        let takeover = store.take_over(found.repo).await?;
        let retries = log_retries(&store, found.retries).await?;
        reports.push(RepoReport {
            label,
            takeover,
            tree,
            retries,
            remarks: found.remarks,
        });
    }
    Ok(reports)
}

/// Writes down retries; says how many of them there are. One that is there already stays as it is.
async fn log_retries(store: &Store, retries: Vec<Retry>) -> Result<usize, StoreError> {
    let count = retries.len();
    try_join_all(retries.into_iter().map(|retry| store.log_retry(retry))).await?;
    Ok(count)
}
