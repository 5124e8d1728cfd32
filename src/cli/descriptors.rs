//! How many files and connections this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit as far as the system lets us. A login's usual limit of 1,024 is for programs of the
/// past; suites have limits of their own, which `worker` sets.
pub(super) fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, all) {
        Ok(()) => tracing::debug!(files = maximum, "so many files may be open"),
        Err(error) => tracing::warn!(%error, "the limit of open files cannot be raised"),
    }
}
