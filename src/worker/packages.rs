//! What a suite wants installed before its commands: repositories of packages, and packages.
//!
//! PAPR knew dnf and yum; the other package managers are ours. The suite's variables are not set
//! for this, and its time does not count; it has its own.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use super::execution::{NoOutcome, Workshop, conclude, impossible};
use super::executors::{Bounds, Ended, Place};
use super::room::Room;
use super::script::{STRICT_AS_POSSIBLE, quoted};
use super::spool::Spool;
use crate::clock::Stopwatch;
use paprq_core::suite::{ExtraRepo, Suite};

/// PAPR's word for packages that are not installed.
pub(super) const NO_PACKAGES: &str = "Could not install packages.";
/// PAPR's word for repositories of packages that are not read.
pub(super) const NO_REPOSITORIES: &str = "Could not makecache.";

/// How long all of it may take.
const TIME: Duration = Duration::from_secs(1800);
/// How often the repositories are read at most, and the pause between.
const READS_MAX: u32 = 5;
const BETWEEN_READS: Duration = Duration::from_millis(500);
/// Where dnf and yum look for repositories.
const REPOS_FILE: &str = "/etc/yum.repos.d/papr-extras.repo";
const FIND: &str = "find-packager.sh";
const REPOS: &str = "extra-repos.sh";
/// The exit code that stands for the first of [`MANAGERS`]; the others count on from there.
const FIRST_FOUND: i32 = 10;

/// A program that installs packages.
#[derive(Debug)]
struct Manager {
    program: &'static str,
    /// Reads what the repositories have.
    read: &'static str,
    /// Is completed by the packages.
    install: &'static str,
    /// Whether it reads [`REPOS_FILE`].
    reads_repos_file: bool,
}

/// In the order in which they are looked for.
const MANAGERS: [Manager; 6] = [
    Manager {
        program: "dnf",
        read: "dnf makecache",
        install: "dnf install -y",
        reads_repos_file: true,
    },
    Manager {
        program: "yum",
        read: "yum makecache",
        install: "yum install -y",
        reads_repos_file: true,
    },
    Manager {
        program: "microdnf",
        read: "microdnf makecache",
        install: "microdnf install -y",
        reads_repos_file: true,
    },
    Manager {
        program: "apt-get",
        read: "apt-get update",
        install: "DEBIAN_FRONTEND=noninteractive apt-get install -y",
        reads_repos_file: false,
    },
    Manager {
        program: "apk",
        read: "apk update",
        install: "apk add",
        reads_repos_file: false,
    },
    Manager {
        program: "zypper",
        read: "zypper --non-interactive refresh",
        install: "zypper --non-interactive install",
        reads_repos_file: false,
    },
];

impl Manager {
    fn read_script(&self) -> String {
        format!("read-{}.sh", self.program)
    }

    fn install_script(&self) -> String {
        format!("install-{}.sh", self.program)
    }

    fn install_command(&self, packages: &[String]) -> String {
        let mut command = self.install.to_owned();
        for package in packages {
            let _ = write!(command, " {}", quoted(package));
        }
        command
    }
}

/// Whether there is anything to do for this suite.
pub(super) fn are_wanted(suite: &Suite) -> bool {
    !suite.packages.is_empty() || !suite.extra_repos.is_empty()
}

/// Writes the scripts that [`install`] may run, one for each package manager that may be there.
pub(super) fn write_scripts(suite: &Suite, room: &Room) -> io::Result<()> {
    let write = |name: &str, command: &str| {
        let text = format!("{STRICT_AS_POSSIBLE}\nexec 2>&1\ncd /\n{command}\n");
        std::fs::write(room.control().join(name), text)
    };
    write(FIND, &find_command())?;
    write(REPOS, &repos_command(&suite.extra_repos))?;
    for manager in &MANAGERS {
        write(&manager.read_script(), manager.read)?;
        write(
            &manager.install_script(),
            &manager.install_command(&suite.packages),
        )?;
    }
    Ok(())
}

/// Ends with the exit code of the first manager that is there.
fn find_command() -> String {
    let mut command = String::new();
    for (code, manager) in (FIRST_FOUND..).zip(&MANAGERS) {
        let program = manager.program;
        let _ = writeln!(
            command,
            "if command -v {program} >/dev/null; then exit {code}; fi"
        );
    }
    command
}

fn repos_command(repos: &[ExtraRepo]) -> String {
    let mut text = String::new();
    for repo in repos {
        let _ = writeln!(text, "[{}]", repo.name);
        for setting in &repo.settings {
            let _ = writeln!(text, "{}={}", setting.key, setting.value);
        }
    }
    let text = quoted(&text);
    format!("mkdir -p /etc/yum.repos.d\nprintf %s {text} >{REPOS_FILE}")
}

/// Adds the suite's repositories and installs its packages.
///
/// # Errors
/// If either cannot be done: the suite is not executed then.
pub(super) async fn install(
    suite: &Suite,
    place: &mut Place,
    workshop: &Workshop<'_>,
    log: &mut Spool,
) -> Result<(), NoOutcome> {
    let mut installation = Installation {
        place,
        workshop,
        log,
        time: Stopwatch::start(),
    };
    let manager = installation.manager().await?;
    let reads_repos_file = manager.is_some_and(|manager| manager.reads_repos_file);
    if !suite.extra_repos.is_empty() && !reads_repos_file {
        return Err(impossible(NO_REPOSITORIES));
    }
    let Some(manager) = manager else {
        return Err(impossible(NO_PACKAGES));
    };
    if !suite.extra_repos.is_empty() && installation.script(REPOS).await? != Ended::Code(0) {
        return Err(impossible(NO_REPOSITORIES));
    }
    installation.read_repositories(manager).await?;
    if suite.packages.is_empty() {
        return Ok(());
    }
    let command = manager.install_command(&suite.packages);
    match installation
        .command(&command, &manager.install_script())
        .await?
    {
        Done::Successfully => Ok(()),
        Done::InVain => Err(impossible(NO_PACKAGES)),
    }
}

struct Installation<'a> {
    place: &'a mut Place,
    workshop: &'a Workshop<'a>,
    log: &'a mut Spool,
    time: Stopwatch,
}

/// How a command of the installation ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Done {
    Successfully,
    InVain,
}

impl Installation<'_> {
    async fn manager(&mut self) -> Result<Option<&'static Manager>, NoOutcome> {
        let Ended::Code(code) = self.script(FIND).await? else {
            return Ok(None);
        };
        let index = code.checked_sub(FIRST_FOUND);
        let index = index.and_then(|index| usize::try_from(index).ok());
        Ok(index.and_then(|index| MANAGERS.get(index)))
    }

    async fn read_repositories(&mut self, manager: &Manager) -> Result<(), NoOutcome> {
        for read in 1..=READS_MAX {
            let script = manager.read_script();
            if self.command(manager.read, &script).await? == Done::Successfully {
                return Ok(());
            }
            if read == READS_MAX || self.time.elapsed() >= TIME {
                break;
            }
            self.pause().await?;
        }
        Err(impossible(NO_REPOSITORIES))
    }

    async fn pause(&mut self) -> Result<(), NoOutcome> {
        tokio::select! {
            () = self.workshop.stop.cancelled() => Err(NoOutcome::Stopped),
            () = tokio::time::sleep(BETWEEN_READS) => Ok(()),
        }
    }

    /// Runs a script with its command and its end in the log.
    async fn command(&mut self, command: &str, script: &str) -> Result<Done, NoOutcome> {
        self.log.echo(command).await?;
        let time = Stopwatch::start();
        let ended = self.script(script).await?;
        match conclude(ended, time.elapsed().as_secs(), self.log).await? {
            None => Ok(Done::Successfully),
            Some(_outcome) => Ok(Done::InVain),
        }
    }

    async fn script(&mut self, script: &str) -> Result<Ended, NoOutcome> {
        let bounds = Bounds {
            time: TIME.saturating_sub(self.time.elapsed()),
            stop: &self.workshop.stop,
        };
        match self.place.run(script, bounds, self.log).await? {
            Ended::Stopped => Err(NoOutcome::Stopped),
            ended @ (Ended::Code(_) | Ended::TimedOut | Ended::Excess(_)) => Ok(ended),
        }
    }
}
