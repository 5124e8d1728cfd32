//! How the commands of a suite are run: one way per environment.
//!
//! Here: which ways a worker offers, and what they share. A [`Way`] is chosen for an order, and
//! opens a [`Place`], in which the scripts of the room are run one after another.

mod bubblewrap;
mod cgroup;
mod container;
mod place;
mod processes;
mod refusal;
mod session;
mod watchdog;

pub use bubblewrap::{Bubblewrap, NoBubblewrap, find_bubblewrap};
pub use container::{ContainerEngine, NoContainerEngine, find_container_engine};
pub(super) use place::{NoPlace, Place, Site};
pub(super) use processes::sandboxes_below;
pub(super) use session::{Bounds, Ended, Launch, Session};
pub(super) use watchdog::Excess;

use self::container::ContainerRequest;
use super::room::{HostUser, Room};
use super::script::{STRICT, STRICT_AS_POSSIBLE};
use crate::protocol::Executor;
use paprq_core::suite::{Environment, Network};

/// What a worker executes suites in: any of the ways there are.
#[derive(Clone, Debug, Default)]
pub struct Executors {
    /// For environment `sandbox`.
    pub sandbox: Option<Isolation>,
    /// For environment `container`.
    pub container: Option<ContainerEngine>,
    /// How git is kept from the machine where no sandbox is offered. Without either it works as
    /// the worker's user, with no configuration and no hooks.
    pub git: Option<Isolation>,
}

/// How one order is executed.
#[derive(Clone, Debug)]
pub(super) enum Way<'a> {
    /// On the worker itself.
    Sandbox {
        isolation: &'a Isolation,
        network: Network,
    },
    /// In a container.
    Container {
        engine: &'a ContainerEngine,
        wanted: ContainerRequest<'a>,
    },
}

impl Executors {
    /// The sandbox alone.
    pub fn sandbox(isolation: Isolation) -> Self {
        Self {
            sandbox: Some(isolation),
            ..Self::default()
        }
    }

    /// What there is to choose from, for the claim.
    pub fn offered(&self) -> Vec<Executor> {
        let Self {
            sandbox,
            container,
            git: _,
        } = self;
        let kinds = [
            sandbox.as_ref().map(|_| Executor::Sandbox),
            container.as_ref().map(|_| Executor::Container),
        ];
        kinds.into_iter().flatten().collect()
    }

    /// The way that this environment needs; `None` if it is not offered.
    pub(super) fn way<'a>(&'a self, environment: &'a Environment) -> Option<Way<'a>> {
        match environment {
            Environment::Sandbox { network } => self.sandbox.as_ref().map(|isolation| {
                let network = *network;
                Way::Sandbox { isolation, network }
            }),
            Environment::Container { image, kvm, specs } => self.container.as_ref().map(|engine| {
                let (kvm, specs) = (*kvm, *specs);
                let wanted = ContainerRequest { image, kvm, specs };
                Way::Container { engine, wanted }
            }),
            Environment::Host { .. } | Environment::Cluster { .. } => None,
        }
    }

    /// How git is kept from the machine while it makes a working copy, whatever the way.
    pub(super) fn for_git(&self) -> &Isolation {
        let sandboxes = self.sandbox.as_ref().or(self.git.as_ref());
        sandboxes.unwrap_or(&Isolation::None)
    }
}

impl Way<'_> {
    /// Where the commands see the working copy.
    pub(super) fn checkout(&self, room: &Room) -> String {
        match self {
            Self::Sandbox { isolation, .. } => isolation.checkout(room),
            Self::Container { .. } => container::CHECKOUT.to_owned(),
        }
    }

    /// How scripts begin.
    pub(super) fn strict(&self) -> &'static str {
        match self {
            Self::Sandbox { .. } => STRICT,
            Self::Container { .. } => STRICT_AS_POSSIBLE,
        }
    }
}

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
