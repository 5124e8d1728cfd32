//! When a result can stand for another: what a suite does, as one short text.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Build, Checkout, Environment, ExtraRepo, Suite, Variable};
use crate::ids::{JobId, Timestamp};

/// Everything that what a suite does depends on, beside the commit.
///
/// The JSON of this, in this order, is what is hashed. A change of it, or of the types in it, makes
/// earlier results unusable, and nothing else.
#[derive(Serialize)]
struct Definition<'a> {
    context: &'a str,
    environment: &'a Environment,
    matrix: &'a [Variable],
    env: &'a [Variable],
    packages: &'a [String],
    extra_repos: &'a [ExtraRepo],
    build: Option<&'a Build>,
    tests: &'a [String],
    timeout_s: u64,
    artifacts: &'a [String],
    /// Left out where it says nothing, as in what passed before there was the key.
    #[serde(skip_serializing_if = "Checkout::is_default")]
    checkout: Checkout,
}

/// The SHA-256, in hexadecimal digits, of everything that what a suite does depends on; not of when
/// and where it is done. Two suites with the same definition do the same on the same tree.
///
/// `None` where it is given secrets: their values may change, so its result is never used again.
pub fn definition(suite: &Suite) -> Option<String> {
    if !suite.secrets.is_empty() {
        return None;
    }
    let definition = Definition {
        context: &suite.context,
        environment: &suite.environment,
        matrix: &suite.matrix,
        env: &suite.env,
        packages: &suite.packages,
        extra_repos: &suite.extra_repos,
        build: suite.build.as_ref(),
        tests: &suite.tests,
        timeout_s: suite.timeout_s,
        artifacts: &suite.artifacts,
        checkout: suite.checkout,
    };
    let serialized = serde_json::to_vec(&definition).ok()?;
    Some(hex::encode(Sha256::digest(serialized)))
}

/// A job that passed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pass {
    /// Which.
    pub job: JobId,
    /// What was executed; see [`definition`].
    pub definition: String,
    /// When it passed.
    pub at: Timestamp,
}

/// Of what passed on the same tree the first that stands for executing a suite again: the same was
/// executed, and what its commands find there is the same or passed less than `kept_s` seconds ago.
pub fn standing_pass<'a>(
    suite: &Suite,
    passes: &'a [Pass],
    kept_s: u64,
    now: Timestamp,
) -> Option<&'a Pass> {
    let definition = definition(suite)?;
    passes
        .iter()
        .filter(|pass| pass.definition == definition)
        .find(|pass| names_image_by_digest(suite) || pass.at.plus_s(kept_s) > now)
}

/// Whether what a suite's commands find there stays the same: an image that is named by its digest.
/// A name such as `fedora:28` means another image tomorrow, and a sandbox has what its worker has.
fn names_image_by_digest(suite: &Suite) -> bool {
    match &suite.environment {
        Environment::Container { image, .. } => image
            .rsplit_once("@sha256:")
            .is_some_and(|(name, digest)| !name.is_empty() && is_digest(digest)),
        Environment::Sandbox { .. } | Environment::Host { .. } | Environment::Cluster { .. } => {
            false
        }
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
