//! The mirror itself: opening, looking things up, pinning, upkeep.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use git2::{
    ErrorClass, ErrorCode, ObjectType, Oid, Reference, Repository, RepositoryInitOptions, Tree,
};

use super::program::{Program, Run};
use super::{GitError, Limits, Remote, repair};
use crate::store::private;
use paprq_core::ids::{BranchName, CommitId, PullNumber, RunId};

/// A bare copy of one remote repository. Clones are handles to the same mirror.
///
/// Any number of operations may run at once. Only one process may have a directory open, which a
/// lock tells; a second one works, but does not clean up.
#[derive(Clone, Debug)]
pub struct Mirror {
    inner: Arc<Inner>,
    /// Further directories of objects that this handle sees.
    beside: Arc<[PathBuf]>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    remote: RwLock<Remote>,
    limits: Limits,
    program: Program,
    /// Fetches change the same refs, and git fails rather than waits when two of them do.
    fetching: tokio::sync::Mutex<()>,
    /// Two rounds of upkeep would take each other's packs away.
    keeping_up: tokio::sync::Mutex<()>,
    /// What two tasks want at once is fetched once, and counted before the next begins.
    quarantining: tokio::sync::Mutex<()>,
    /// Strangers' heads that were not fetched because of their size: the same again would cost as much.
    too_large: Mutex<BTreeMap<PullNumber, CommitId>>,
    /// Held to tell other processes that this one is alive.
    _in_use: Option<File>,
}

/// What a directory with all that is below holds, as git names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TreeId(Oid);

impl fmt::Display for TreeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TreeId {
    pub(super) fn of(id: Oid) -> Self {
        Self(id)
    }

    pub(super) fn id(self) -> Oid {
        self.0
    }
}

/// How thorough [`Mirror::maintain`] is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Upkeep {
    /// Joins small packs and refs; seconds. Meant for every hour.
    Light,
    /// Also drops what no ref has held for a day; minutes on a large repository. Meant for every day.
    Full,
}

impl Mirror {
    /// Opens the mirror in `dir`, or makes an empty one there. Blocks.
    ///
    /// What a killed server left (running children, lock files, half-written objects) is removed.
    ///
    /// # Errors
    /// [`GitError::BadUrl`], [`GitError::Program`] without a git of version 2.38 or newer, and
    /// those of the file system.
    pub fn open(dir: impl AsRef<Path>, remote: Remote, limits: Limits) -> Result<Self, GitError> {
        remote.transports()?;
        let program = Program::find()?;
        private::make_directory(dir.as_ref())
            .map_err(GitError::io("make the mirror's directory"))?;
        let dir = dir
            .as_ref()
            .canonicalize()
            .map_err(GitError::io("find the mirror's directory"))?;
        let in_use = repair::claim(&dir)?;
        if in_use.is_some() {
            repair::clean(&dir)?;
        }
        if Repository::open_bare(&dir).is_err() {
            init(&dir)?;
        }
        let inner = Inner {
            dir,
            remote: RwLock::new(remote),
            limits,
            program,
            fetching: tokio::sync::Mutex::new(()),
            keeping_up: tokio::sync::Mutex::new(()),
            quarantining: tokio::sync::Mutex::new(()),
            too_large: Mutex::default(),
            _in_use: in_use,
        };
        Ok(Self {
            inner: Arc::new(inner),
            beside: Arc::default(),
        })
    }

    /// Whether the mirror holds this commit and all that it contains.
    pub fn has(&self, commit: CommitId) -> bool {
        self.repository()
            .is_ok_and(|repository| commit_bytes(&repository, commit).is_ok())
    }

    /// Where the branch was when it was last fetched or pushed; `None` if it is not known.
    pub fn tip(&self, branch: &BranchName) -> Result<Option<CommitId>, GitError> {
        read_ref(&self.repository()?, &branch_copy(branch)?)
    }

    /// The head of the pull when it was last fetched; `None` if it is not known.
    pub fn pull_head(&self, pull: PullNumber) -> Result<Option<CommitId>, GitError> {
        read_ref(&self.repository()?, &pull_copy(pull))
    }

    /// GitHub's test merge of the pull when it was last fetched; `None` if it is not known.
    pub fn pull_merge(&self, pull: PullNumber) -> Result<Option<CommitId>, GitError> {
        read_ref(&self.repository()?, &merge_copy(pull))
    }

    /// The tree of a commit: two commits with the same one hold the same files.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the mirror lacks the commit.
    pub fn tree_of(&self, commit: CommitId) -> Result<TreeId, GitError> {
        let repository = self.repository()?;
        Ok(TreeId(find_commit(&repository, commit)?.tree_id()))
    }

    /// The parents of a commit, in their order.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the mirror lacks the commit.
    pub fn parents(&self, commit: CommitId) -> Result<Vec<CommitId>, GitError> {
        let repository = self.repository()?;
        let commit = find_commit(&repository, commit)?;
        Ok(commit.parent_ids().map(commit_id).collect())
    }

    /// The youngest commit that two have in common; `None` if their histories have none.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the mirror lacks one of them.
    pub fn merge_base(&self, one: CommitId, other: CommitId) -> Result<Option<CommitId>, GitError> {
        let repository = self.repository()?;
        let one = find_commit(&repository, one)?.id();
        let other = find_commit(&repository, other)?.id();
        match repository.merge_base(one, other) {
            Ok(found) => Ok(Some(commit_id(found))),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether `descendant` is `ancestor` or has it in its history.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the mirror lacks one of them, [`GitError::TooLarge`].
    pub async fn is_ancestor(
        &self,
        ancestor: CommitId,
        descendant: CommitId,
    ) -> Result<bool, GitError> {
        Ok(self.fork_point(ancestor, descendant).await? == Some(ancestor))
    }

    /// The commit that git takes for the merge base; `None` without a common history.
    ///
    /// # Errors
    /// As with [`Mirror::is_ancestor`].
    pub async fn fork_point(
        &self,
        base: CommitId,
        head: CommitId,
    ) -> Result<Option<CommitId>, GitError> {
        const NONE: i32 = 1;
        self.blocking(move |mirror| {
            let repository = mirror.repository()?;
            commit_bytes(&repository, base)?;
            commit_bytes(&repository, head).map(drop)
        })
        .await?;
        if base == head {
            return Ok(Some(base));
        }
        let args = ["merge-base", &base.to_string(), &head.to_string()];
        let output = self.git(args).finish(self.limits().merge_s).await?;
        if output.code == Some(NONE) && output.stderr.is_empty() {
            return Ok(None);
        }
        let printed = output.local_result()?;
        let commit = String::from_utf8_lossy(&printed).trim().parse().ok();
        let nonsense = || GitError::Program("a merge base that is no commit".to_owned());
        commit.ok_or_else(nonsense).map(Some)
    }

    /// Keeps a run's commit, and lets workers fetch it. Pinning again moves the pin.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the mirror lacks the commit.
    pub fn pin(&self, run: RunId, commit: CommitId) -> Result<(), GitError> {
        let repository = self.repository()?;
        let oid = find_commit(&repository, commit)?.id();
        patiently(|| repository.reference(&run_ref(run), oid, true, "").map(drop))
    }

    /// Gives a run's commit up. Does nothing if it is not pinned.
    pub fn unpin(&self, run: RunId) -> Result<(), GitError> {
        let repository = self.repository()?;
        forget_ref(&repository, &run_ref(run))
    }

    /// Gives up the commits of all runs that are not known any more; says of how many.
    ///
    /// # Errors
    /// Those of the file system; some are given up then.
    pub async fn unpin_unless(
        &self,
        is_known: impl Fn(RunId) -> bool + Send + 'static,
    ) -> Result<usize, GitError> {
        let work = move |mirror: &Self| {
            let mut pins = mirror.pins()?;
            pins.retain(|run| !is_known(*run));
            pins.iter().try_for_each(|run| mirror.unpin(*run))?;
            Ok(pins.len())
        };
        self.blocking(work).await
    }

    fn pins(&self) -> Result<Vec<RunId>, GitError> {
        let repository = self.repository()?;
        let mut runs = Vec::new();
        for name in repository.references_glob("refs/paprq/runs/*")?.names() {
            let number = name?
                .rsplit('/')
                .next()
                .and_then(|number| number.parse().ok());
            runs.extend(number.map(RunId));
        }
        Ok(runs)
    }

    /// The commit that is pinned for a run.
    pub fn pinned(&self, run: RunId) -> Result<Option<CommitId>, GitError> {
        read_ref(&self.repository()?, &run_ref(run))
    }

    /// Keeps the mirror small and fast. Everything else may go on meanwhile.
    pub async fn maintain(&self, upkeep: Upkeep) -> Result<(), GitError> {
        let rounds: &[&[&str]] = match upkeep {
            Upkeep::Light => &[
                &["pack-refs", "--all", "--prune"],
                &["repack", "-q", "-d", "--geometric=2"],
                &[
                    "commit-graph",
                    "write",
                    "--reachable",
                    "--split",
                    "--no-progress",
                ],
            ],
            Upkeep::Full => &[&["gc", "--quiet", "--prune=1.day.ago"]],
        };
        let _turn = self.inner.keeping_up.lock().await;
        for args in rounds {
            let run = self
                .git(args.iter().copied())
                .with_memory(self.limits().bulk_memory_bytes);
            run.finish(self.limits().upkeep_s).await?.local_result()?;
        }
        Ok(())
    }

    /// Opens the repository for one operation: about 0.1 ms, and never a stale view.
    pub(super) fn repository(&self) -> Result<Repository, GitError> {
        let repository = self.repository_alone()?;
        for dir in self.beside.iter() {
            repository
                .odb()?
                .add_disk_alternate(&dir.to_string_lossy())?;
        }
        Ok(repository)
    }

    /// The same without what lies beside it: each directory there costs a descriptor.
    pub(super) fn repository_alone(&self) -> Result<Repository, GitError> {
        Ok(Repository::open_bare(&self.inner.dir)?)
    }

    /// Prepares a `git` command on this mirror.
    pub(super) fn git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run {
        self.git_with(&self.remote(), args)
    }

    /// Prepares a `git` command on this mirror that may talk to another remote.
    pub(super) fn git_with<A: AsRef<OsStr>>(
        &self,
        remote: &Remote,
        args: impl IntoIterator<Item = A>,
    ) -> Run {
        let memory_bytes = self.limits().memory_bytes;
        let run = Run::new(
            &self.inner.program,
            &self.inner.dir,
            remote,
            args,
            memory_bytes,
        );
        if self.beside.is_empty() {
            return run;
        }
        run.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", joined(&self.beside))
    }

    /// A handle to the same mirror that also sees the objects in these directories.
    pub(super) fn beside_dirs(&self, dirs: Vec<PathBuf>) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            beside: dirs.into(),
        }
    }

    /// The directories of objects beside the mirror that this handle sees.
    pub(super) fn dirs_beside(&self) -> impl Iterator<Item = &PathBuf> {
        self.beside.iter()
    }

    /// The directory, absolute.
    pub(super) fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// The repository that this mirrors.
    pub(super) fn remote(&self) -> Remote {
        let remote = self.inner.remote.read();
        remote.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on the repository that this mirrors is at another address.
    ///
    /// # Errors
    /// [`GitError::BadUrl`], and everything stays as it was.
    pub fn move_to(&self, url: String) -> Result<(), GitError> {
        let moved = Remote {
            url,
            ..self.remote()
        };
        moved.transports()?;
        *self
            .inner
            .remote
            .write()
            .unwrap_or_else(PoisonError::into_inner) = moved;
        Ok(())
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Heads of pulls that were too large to be fetched.
    pub(super) fn too_large(&self) -> MutexGuard<'_, BTreeMap<PullNumber, CommitId>> {
        let heads = self.inner.too_large.lock();
        heads.unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the right to fetch a stranger's head.
    pub(super) async fn quarantine_turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.quarantining.lock().await
    }

    /// Waits for the right to fetch.
    pub(super) async fn fetch_turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.fetching.lock().await
    }

    /// Runs something that blocks on a thread for that.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, GitError> + Send + 'static,
    ) -> Result<T, GitError> {
        let mirror = self.clone();
        tokio::task::spawn_blocking(move || work(&mirror))
            .await
            .map_err(|error| GitError::Io {
                doing: "wait for a thread",
                source: error.into(),
            })?
    }
}

/// Directories as git takes them in its environment.
pub(super) fn joined(dirs: &[PathBuf]) -> OsString {
    let dirs: Vec<_> = dirs.iter().map(|dir| dir.as_os_str()).collect();
    dirs.join(OsStr::new(":"))
}

/// Makes an empty mirror; finishes one whose making was interrupted.
fn init(dir: &Path) -> Result<(), GitError> {
    let mut options = RepositoryInitOptions::new();
    // HEAD names a branch that never exists here, so it is neither served nor fetched.
    options
        .bare(true)
        .external_template(false)
        .initial_head("refs/heads/none");
    Repository::init_opts(dir, &options)?;
    Ok(())
}

/// The name of a branch at the remote.
pub(super) fn branch_ref(branch: &BranchName) -> Result<String, GitError> {
    let name = format!("refs/heads/{branch}");
    if Reference::is_valid_name(&name) {
        Ok(name)
    } else {
        Err(GitError::BadName(branch.to_string()))
    }
}

/// Where the mirror remembers a branch of the remote.
pub(super) fn branch_copy(branch: &BranchName) -> Result<String, GitError> {
    branch_ref(branch).map(|name| name.replacen("refs/", "refs/remote/", 1))
}

/// Where the mirror remembers what pulls are made of.
pub(super) const PULL_COPIES: &str = "refs/remote/pull/";

/// Where the mirror remembers a pull's head.
pub(super) fn pull_copy(pull: PullNumber) -> String {
    format!("{PULL_COPIES}{pull}/head")
}

/// Where the mirror remembers GitHub's test merge of a pull.
pub(super) fn merge_copy(pull: PullNumber) -> String {
    format!("refs/remote/pull/{pull}/merge")
}

/// The ref that pins a run's commit.
pub(super) fn run_ref(run: RunId) -> String {
    format!("refs/paprq/runs/{run}")
}

/// libgit2's form of an id.
pub(super) fn oid(commit: CommitId) -> Result<Oid, GitError> {
    Ok(Oid::from_str(&commit.to_string())?)
}

/// Our form of an id.
pub(super) fn commit_id(oid: Oid) -> CommitId {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(oid.as_bytes());
    CommitId::from_bytes(bytes)
}

/// The most bytes of a commit that is read in this process, and of a directory.
const COMMIT_BYTES_MAX: usize = 1 << 20;
pub(super) const TREE_BYTES_MAX: usize = 16 << 20;

/// The commit, or [`GitError::Missing`]; [`GitError::TooLarge`] before much of it is read.
pub(super) fn find_commit(
    repository: &Repository,
    commit: CommitId,
) -> Result<git2::Commit<'_>, GitError> {
    let bytes = commit_bytes(repository, commit)?;
    if bytes > COMMIT_BYTES_MAX {
        return Err(GitError::TooLarge(format!(
            "commit {commit} has {bytes} bytes, more than {COMMIT_BYTES_MAX}"
        )));
    }
    Ok(repository.find_commit(oid(commit)?)?)
}

/// How large the commit itself is, which is known without reading it.
pub(super) fn commit_bytes(repository: &Repository, commit: CommitId) -> Result<usize, GitError> {
    match repository.odb()?.read_header(oid(commit)?) {
        Ok((bytes, ObjectType::Commit)) => Ok(bytes),
        Ok(_) => Err(GitError::Missing(commit)),
        Err(error) if error.code() == ErrorCode::NotFound => Err(GitError::Missing(commit)),
        Err(error) => Err(error.into()),
    }
}

/// A directory, or [`GitError::TooLarge`] before much of it is read.
pub(super) fn find_tree(repository: &Repository, tree: Oid) -> Result<Tree<'_>, GitError> {
    let (bytes, _) = repository.odb()?.read_header(tree)?;
    if bytes > TREE_BYTES_MAX {
        return Err(GitError::TooLarge(format!(
            "a directory has {bytes} bytes of names, more than {TREE_BYTES_MAX}"
        )));
    }
    Ok(repository.find_tree(tree)?)
}

fn read_ref(repository: &Repository, name: &str) -> Result<Option<CommitId>, GitError> {
    match repository.refname_to_id(name) {
        Ok(oid) => Ok(Some(commit_id(oid))),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Deletes a ref; one that is not there is no error.
pub(super) fn forget_ref(repository: &Repository, name: &str) -> Result<(), GitError> {
    patiently(|| match repository.find_reference(name) {
        Ok(mut reference) => reference.delete(),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
        Err(error) => Err(error),
    })
}

/// Tries again for half a second while another thread or process holds the ref's lock file, or
/// upkeep takes the empty directory away in which it is to be made: unlike git, libgit2 does not.
pub(super) fn patiently(
    mut change: impl FnMut() -> Result<(), git2::Error>,
) -> Result<(), GitError> {
    const TRIES: u32 = 100;
    for _ in 1..TRIES {
        match change() {
            Err(error) if error.code() == ErrorCode::Locked || error.class() == ErrorClass::Os => {
                std::thread::sleep(Duration::from_millis(5));
            }
            result => return Ok(result?),
        }
    }
    Ok(change()?)
}
