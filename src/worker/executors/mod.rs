//! How the commands of a suite are run: one way per environment.
//!
//! Here: what all ways share. The sandbox is the only environment so far.

mod bubblewrap;
mod processes;
mod session;
mod watchdog;

pub use bubblewrap::{Bubblewrap, NoBubblewrap, find_bubblewrap};
pub(super) use processes::sandboxes_below;
pub(super) use session::{Bounds, Ended, Launch, Session};

use super::room::{HostUser, Room};

/// How suites of environment `sandbox` are kept from the rest of the machine.
#[derive(Clone, Debug)]
pub enum Isolation {
    /// They are not. For the demo, which runs its own samples, and for nobody else: commands can
    /// do whatever the worker can.
    None,
    /// By bubblewrap.
    Bubblewrap(Bubblewrap),
}

impl Isolation {
    /// Who owns what the commands may write, if that is not the worker's own user.
    pub(super) fn owner(&self) -> Option<HostUser> {
        match self {
            Self::None => None,
            Self::Bubblewrap(bubblewrap) => bubblewrap.owner(),
        }
    }

    /// Where the commands see the working copy.
    pub(super) fn checkout(&self, room: &Room) -> String {
        match self {
            Self::None => room.checkout().to_string_lossy().into_owned(),
            Self::Bubblewrap(_) => bubblewrap::CHECKOUT.to_owned(),
        }
    }

    /// Where the commands see their scripts.
    fn control(&self, room: &Room) -> String {
        match self {
            Self::None => room.control().to_string_lossy().into_owned(),
            Self::Bubblewrap(_) => bubblewrap::CONTROL.to_owned(),
        }
    }

    fn home(&self, room: &Room) -> String {
        match self {
            Self::None => room.home().to_string_lossy().into_owned(),
            Self::Bubblewrap(_) => bubblewrap::HOME.to_owned(),
        }
    }
}

/// The environment that every command starts with; nothing of the worker's own gets through.
fn base_environment() -> [(&'static str, &'static str); 6] {
    [
        (
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ),
        ("LANG", "C.UTF-8"),
        ("USER", "papr"),
        ("LOGNAME", "papr"),
        ("SHELL", "/bin/bash"),
        ("CI", "true"),
    ]
}
