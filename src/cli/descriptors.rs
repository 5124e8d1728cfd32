//! How many files and connections this process may have open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the limit as far as the system lets us. A login's usual limit of 1,024 is for programs of the
/// past; suites have limits of their own, which `worker` sets.
pub(super) fn raise() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        if soft < hard {
            setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
        }
        Ok(hard)
    });
    match raised {
        Ok(files) => tracing::debug!(files, "so many files may be open"),
        Err(error) => tracing::warn!(%error, "the limit of open files cannot be raised"),
    }
}
