//! Where cfg.toml names Homu's own database, ours is beside it: the file of a team that comes from
//! Homu may stay as it is, and so may Homu's database, for the way back.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::import;
use crate::config::{Config, Db};
use crate::store::homu::{self, HomuError, HomuFile};

/// The database that is ours where the configuration names this one, and what Homu's holds if that
/// is the one it names.
///
/// # Errors
/// If the file is there but cannot be read.
pub(super) fn own_database(named: &Path) -> anyhow::Result<(PathBuf, Option<HomuFile>)> {
    if !named.exists() {
        return Ok((named.to_owned(), None));
    }
    match homu::read(named) {
        Ok(file) => Ok((named.with_extension("paprq.db"), Some(file))),
        Err(HomuError::NotHomu { .. }) => Ok((named.to_owned(), None)),
        Err(error) => Err(error).context("cannot look whose database it is"),
    }
}

/// Lets the configuration name our own database; where it named Homu's and ours is not there yet,
/// what Homu knows is taken over.
///
/// # Errors
/// If a file cannot be read or written.
pub(crate) fn come_from_homu(mut config: Config) -> anyhow::Result<Config> {
    let Db::Sqlite(named) = config.db.clone() else {
        return Ok(config);
    };
    let (own, homus) = own_database(&named)?;
    let Some(homus) = homus else {
        return Ok(config);
    };
    tracing::info!(homu = %named.display(), own = %own.display(), "the database is kept beside Homu's");
    if !own.exists() {
        let report = import(&config, &own, &homus)?;
        tracing::info!("taken over from Homu:\n{report}");
    }
    config.db = Db::Sqlite(own);
    Ok(config)
}
