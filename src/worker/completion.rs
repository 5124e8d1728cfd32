//! What a working copy has beside its commit: submodules, and files of Git LFS.
//!
//! What strangers wrote is judged by `suite::submodules` before git acts on it, and git goes to
//! no other server but through the [`Gateway`]. It works where it works for the commit: in the
//! sandbox, within the suite's limits, and within the time of the checkout.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use paprq_core::suite::{
    LEVELS_MAX, Lfs, Network, Origin, Refusal, SUBMODULES_MAX, Submodule, Submodules, lfs_origin,
    submodules,
};
use rustix::io::Errno;

use super::checkout::{CHECKOUT, code, says_full, shares_disk};
use super::execution::{NoOutcome, Workshop, broke_off, impossible};
use super::executors::{Bounds, Launch, Session};
use super::gateway::{Complaint, Gateway};
use super::script::{self, FilterFor};
use super::spool::Spool;
use crate::clock::Stopwatch;
use crate::protocol::Order;

/// The longest list of submodules, in bytes.
const LISTING_BYTES_MAX: usize = 4 << 20;
/// The longest that git says of a failure, in bytes.
const SAID_BYTES_MAX: usize = 16 << 10;

/// What git is told for submodules, beside where the gateway is.
const PLAIN: [(&str, &str); 5] = [
    ("advice.detachedHead", "false"),
    ("core.hooksPath", "/dev/null"),
    ("http.followRedirects", "false"),
    ("maintenance.auto", "false"),
    ("submodule.recurse", "false"),
];

/// What git and git-lfs are told for files of Git LFS (git-lfs: `git lfs install`).
const FILTERS: [(&str, &str); 6] = [
    ("core.hooksPath", "/dev/null"),
    ("filter.lfs.clean", "git-lfs clean -- %f"),
    ("filter.lfs.smudge", "git-lfs smudge -- %f"),
    ("filter.lfs.process", "git-lfs filter-process"),
    ("filter.lfs.required", "true"),
    ("lfs.transfer.maxretries", "3"),
];

/// One repository of a working copy: the commit's own, or that of a submodule.
#[derive(Clone, Debug)]
struct Place {
    /// Below the working copy; empty for its top.
    path: String,
    /// Where it comes from, if that is known.
    origin: Option<Origin>,
    level: usize,
}

/// One working copy that is being completed.
struct Completion<'a> {
    order: &'a Order,
    workshop: &'a Workshop<'a>,
    gateway: Gateway,
    /// The time of the whole checkout.
    time: Stopwatch,
}

/// Adds to the working copy what the suite asks for.
///
/// # Errors
/// If it cannot be had; what git said is in the log then.
pub(super) async fn complete(
    order: &Order,
    workshop: &Workshop<'_>,
    time: Stopwatch,
    log: &mut Spool,
) -> Result<(), NoOutcome> {
    let wanted = order.suite.checkout;
    let submodules = match wanted.submodules {
        Submodules::Unsaid | Submodules::Without => None,
        wanted @ (Submodules::Direct | Submodules::Recursive) => Some(wanted),
    };
    if submodules.is_none() && wanted.lfs != Lfs::Fetched {
        return Ok(());
    }
    let origin = order.origin.as_deref();
    let origin = origin.and_then(|origin| Origin::parse(origin).ok());
    let completion = Completion {
        order,
        workshop,
        gateway: Gateway::open(origin.as_ref(), workshop.reach)?,
        time,
    };
    let top = Place {
        path: String::new(),
        origin,
        level: 0,
    };
    let mut places = vec![top];
    if let Some(wanted) = submodules {
        let mut session = completion.open(&completion.plain(), log).await?;
        let done = completion.descend(&mut session, wanted, &mut places, log);
        let done = done.await;
        session.end().await;
        done?;
    }
    if wanted.lfs == Lfs::Fetched {
        let filters = FILTERS.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let mut session = completion.open(&filters, log).await?;
        let done = completion.pull(&mut session, &places, log).await;
        session.end().await;
        done?;
    }
    Ok(())
}

impl Completion<'_> {
    fn plain(&self) -> Vec<(String, String)> {
        let instead = ["https", "http"].map(|scheme| {
            let key = format!("url.{}.insteadOf", self.gateway.instead_of(scheme));
            (key, format!("{scheme}://"))
        });
        let plain = PLAIN.map(|(key, value)| (key.to_owned(), value.to_owned()));
        plain.into_iter().chain(instead).collect()
    }

    async fn open(
        &self,
        configuration: &[(String, String)],
        log: &mut Spool,
    ) -> Result<Session, NoOutcome> {
        let workshop = self.workshop;
        let mut environment = script::git_environment(configuration);
        let checkout = workshop.executors.for_git().checkout(workshop.room);
        environment.push(("PAPRQ_CHECKOUT", checkout));
        // Whatever an address begins with, it is the gateway that is asked.
        environment.push(("GIT_ALLOW_PROTOCOL", "http".to_owned()));
        let launch = Launch {
            isolation: workshop.executors.for_git(),
            room: workshop.room,
            network: Network::On,
            limits: workshop.limits,
            stop: &workshop.stop,
            environment,
        };
        Ok(Session::start(&launch, workshop.spawner, log).await?)
    }

    /// Checks out the submodules of the top, and theirs if those are wanted.
    async fn descend(
        &self,
        session: &mut Session,
        wanted: Submodules,
        places: &mut Vec<Place>,
        log: &mut Spool,
    ) -> Result<(), NoOutcome> {
        let mut waiting: VecDeque<Place> = places.iter().cloned().collect();
        while let Some(place) = waiting.pop_front() {
            let found = self.submodules_of(session, &place).await?;
            let is_too_deep = place.level == LEVELS_MAX && !found.is_empty();
            if is_too_deep || found.len() + places.len() > SUBMODULES_MAX + 1 {
                return Err(refused(&Refusal::TooMany));
            }
            for submodule in found {
                self.check_out(session, &place, &submodule, log).await?;
                let below = place.below(submodule);
                if wanted == Submodules::Recursive {
                    waiting.push_back(below.clone());
                }
                places.push(below);
            }
        }
        Ok(())
    }

    async fn submodules_of(
        &self,
        session: &mut Session,
        place: &Place,
    ) -> Result<Vec<Submodule>, NoOutcome> {
        let script = script::list_submodules(&place.path);
        let (code, said) = self.run(session, &script, LISTING_BYTES_MAX).await?;
        if said.len() >= LISTING_BYTES_MAX {
            return Err(refused(&Refusal::TooMany));
        }
        let listing = std::str::from_utf8(&said).ok().filter(|_| code == 0);
        let listing = listing.and_then(Listing::read);
        let listing = listing.ok_or_else(|| refused(&Refusal::Unreadable))?;
        let found = submodules(&listing.gitlinks, listing.gitmodules, place.origin.as_ref());
        found.map_err(|refusal| refused(&refusal))
    }

    async fn check_out(
        &self,
        session: &mut Session,
        place: &Place,
        submodule: &Submodule,
        log: &mut Spool,
    ) -> Result<(), NoOutcome> {
        let top = self.workshop.room.checkout().join(&place.path);
        if is_behind_link(&top, &submodule.path) {
            let refusal = Refusal::BehindLink(submodule.path.clone());
            return Err(refused(&refusal));
        }
        let depth = self.order.suite.checkout.depth;
        let script = script::update_submodule(&place.path, submodule, depth);
        let (code, said) = self.run(session, &script, SAID_BYTES_MAX).await?;
        let what = format!("the submodule {} from {}", submodule.name, submodule.origin);
        self.judge(code, &said, &what, log).await
    }

    /// Downloads the files of Git LFS of every repository in the working copy.
    async fn pull(
        &self,
        session: &mut Session,
        places: &[Place],
        log: &mut Spool,
    ) -> Result<(), NoOutcome> {
        for place in places {
            let script = script::list_lfs(&place.path);
            let (code, said) = self.run(session, &script, LISTING_BYTES_MAX).await?;
            let said = match code {
                0 => String::from_utf8_lossy(&said),
                script::NO_LFS => return Err(broke_off(no_git_lfs())),
                _ => return Err(impossible("The file .lfsconfig cannot be read.")),
            };
            let Some(listing) = said.strip_prefix(script::HAS_LFS) else {
                continue;
            };
            let origin = lfs_origin(listing, place.origin.as_ref());
            let origin = origin.map_err(|refusal| refused(&refusal))?;
            let address = self.gateway.address_of(&origin);
            let script = script::pull_lfs(&place.path, &address, self.filter_for());
            let (code, said) = self.run(session, &script, SAID_BYTES_MAX).await?;
            let what = format!("files of Git LFS from {origin}");
            self.judge(code, &said, &what, log).await?;
        }
        Ok(())
    }

    /// A container's image has programs of its own, maybe without git-lfs.
    fn filter_for(&self) -> FilterFor {
        match self.order.suite.environment.key() {
            "sandbox" => FilterFor::TheSuite,
            _ => FilterFor::TheCheckout,
        }
    }

    /// Runs a script; gives its exit code and the beginning of what it printed.
    async fn run(
        &self,
        session: &mut Session,
        script: &str,
        bytes_max: usize,
    ) -> Result<(i32, Bytes), NoOutcome> {
        const NAME: &str = "complete.sh";
        let workshop = self.workshop;
        std::fs::write(workshop.room.control().join(NAME), script)?;
        let left = CHECKOUT.saturating_sub(self.time.elapsed());
        let bounds = Bounds {
            time: left.max(Duration::from_millis(1)),
            stop: &workshop.stop,
        };
        let path = workshop.room.root().join("complete.log");
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        let (mut said, reader) = Spool::create(&path, limit).await?;
        let ended = session.run(NAME, bounds, &mut said).await?;
        let code = code(ended)?;
        drop(said);
        Ok((code, reader.read(0, bytes_max).await?))
    }

    /// What has become of fetching something.
    async fn judge(
        &self,
        code: i32,
        said: &[u8],
        what: &str,
        log: &mut Spool,
    ) -> Result<(), NoOutcome> {
        if code == 0 {
            return Ok(());
        }
        log.write(self.gateway.unveil(said).as_bytes()).await?;
        if says_full(said) && shares_disk(self.workshop.room) {
            return Err(NoOutcome::Broken(Errno::NOSPC.into()));
        }
        let what = what.escape_debug();
        Err(match self.gateway.complaint() {
            Some(complaint @ Complaint::Away(_)) => {
                broke_off(format!("Could not fetch {what}: {complaint}."))
            }
            Some(complaint) => impossible(format!("Could not fetch {what}: {complaint}.")),
            None => impossible(format!("Could not fetch {what}.")),
        })
    }
}

impl Place {
    fn below(&self, submodule: Submodule) -> Self {
        let path = match self.path.as_str() {
            "" => submodule.path,
            path => format!("{path}/{}", submodule.path),
        };
        Self {
            path,
            origin: Some(submodule.origin),
            level: self.level.saturating_add(1),
        }
    }
}

/// What [`script::list_submodules`] prints.
struct Listing<'a> {
    gitlinks: Vec<String>,
    gitmodules: &'a str,
}

impl<'a> Listing<'a> {
    /// `None` if .gitmodules is no file.
    fn read(text: &'a str) -> Option<Self> {
        let (entries, gitmodules) = match text.strip_prefix('\0') {
            Some(gitmodules) => ("", gitmodules),
            None => text.split_once("\0\0")?,
        };
        let mut gitlinks = Vec::new();
        for entry in entries.split('\0').filter(|entry| !entry.is_empty()) {
            let (about, path) = entry.split_once('\t')?;
            match about.split(' ').next()? {
                "160000" => gitlinks.push(path.to_owned()),
                "100644" | "100755" => {}
                _link => return None,
            }
        }
        Some(Self {
            gitlinks,
            gitmodules,
        })
    }
}

fn is_behind_link(top: &Path, path: &str) -> bool {
    let mut here = top.to_owned();
    path.split('/').any(|part| {
        here.push(part);
        here.symlink_metadata()
            .is_ok_and(|about| about.file_type().is_symlink())
    })
}

fn refused(refusal: &Refusal) -> NoOutcome {
    impossible(refusal.to_string())
}

fn no_git_lfs() -> String {
    "The worker has no git-lfs, which the suite's checkout needs: install the Debian package \
     git-lfs on it."
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_has_gitlinks_and_what_gitmodules_says() {
        let text = "160000 1234 0\ta b\x00100644 12 0\t.gitmodules\0\0submodule.x.path\na b\0";
        let listing = Listing::read(text).unwrap();
        assert_eq!(listing.gitlinks, ["a b"]);
        assert_eq!(listing.gitmodules, "submodule.x.path\na b\0");
        let nothing = Listing::read("\0").unwrap();
        assert_eq!((nothing.gitlinks.len(), nothing.gitmodules), (0, ""));
        assert!(Listing::read("120000 12 0\t.gitmodules\0\0").is_none());
        assert!(Listing::read("").is_none());
    }

    #[test]
    fn no_part_of_a_path_may_be_a_link() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(top.path().join("a/b")).unwrap();
        std::os::unix::fs::symlink("/etc", top.path().join("a/link")).unwrap();
        assert!(!is_behind_link(top.path(), "a/b"));
        assert!(!is_behind_link(top.path(), "not/there"));
        assert!(is_behind_link(top.path(), "a/link"));
        assert!(is_behind_link(top.path(), "a/link/x"));
    }
}
