//! Which secrets a job is given.

use std::collections::BTreeMap;

use crate::config::Secret;
use crate::protocol::SecretVariable;
use paprq_core::ids::RepoLabel;
use paprq_core::jobs::Job;

/// A suite names a secret that nobody configured.
#[derive(Debug, thiserror::Error)]
#[error("The secret `{name}` is not configured: an operator adds it to [repo.{repo}.secrets].")]
pub(super) struct Missing {
    name: String,
    repo: RepoLabel,
}

/// Of the repository's secrets those that the job's suite names, if it may see any.
pub(super) fn of(
    job: &Job,
    secrets: &BTreeMap<String, Secret>,
) -> Result<Vec<SecretVariable>, Missing> {
    if !job.purpose.may_see_secrets() {
        return Ok(Vec::new());
    }
    let named = job.suite.secrets.iter().map(|name| {
        let missing = || Missing {
            name: name.clone(),
            repo: job.repo.clone(),
        };
        let secret = secrets.get(name).ok_or_else(missing)?;
        Ok(SecretVariable {
            name: name.clone(),
            value: secret.expose().to_owned(),
        })
    });
    named.collect()
}
