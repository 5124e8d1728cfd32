//! Telling Buildbot what to build again and what to stop.

use super::super::repo::Repo;
use super::{Done, Passing};
use crate::ids::RunId;
use crate::queue::event::Event;
use crate::queue::note::Link;

/// Has builds that failed built again.
pub(super) async fn repeat(_repo: &Repo, run: RunId, _builds: &[Link]) -> Result<Done, Passing> {
    let why = "Buildbot is not asked yet".to_owned();
    Ok(Done::answered(Event::BuildsRefused { run, why }))
}

/// Has what is built of a run stopped.
pub(super) async fn stop(_repo: &Repo, _run: RunId, _builders: &[String]) -> Result<Done, Passing> {
    Ok(Done::Quietly)
}
