//! Which rights others get on what this process makes: none. Suites keep those that they would have had.

use std::io;

use rustix::fs::Mode;
use rustix::process::umask;
use rustix::thread::UnshareFlags;

/// The umask with which this process was started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Umask(Option<Mode>);

impl Umask {
    /// Takes from others all rights on what this process makes from now on; returns what held before.
    ///
    /// Where the system does not let a thread have another umask than the process, nothing is changed: a
    /// suite would otherwise find every file of its working copy unreadable for others. Then only the
    /// directories that hold everything are closed.
    pub(super) fn close() -> Self {
        let own = std::thread::Builder::new().spawn(separate);
        let may_differ = own.map(|own| own.join().is_ok_and(|done| done.is_ok()));
        if !may_differ.unwrap_or(false) {
            tracing::warn!(
                "suites cannot have a umask of their own here, so that of the server stays as it is"
            );
            return Self(None);
        }
        Self(Some(umask(Mode::RWXG | Mode::RWXO)))
    }

    /// Gives it back to this thread, and to all threads and processes that it starts.
    ///
    /// # Errors
    /// If the thread cannot have a umask of its own.
    pub(super) fn restore_for_this_thread(self) -> io::Result<()> {
        let Some(before) = self.0 else {
            return Ok(());
        };
        separate()?;
        umask(before);
        Ok(())
    }
}

/// Gives this thread a umask of its own.
#[expect(
    deprecated,
    reason = "what stands in for it is unsafe because it can also part file descriptors, which this does not"
)]
fn separate() -> io::Result<()> {
    Ok(rustix::thread::unshare(UnshareFlags::FS)?)
}
