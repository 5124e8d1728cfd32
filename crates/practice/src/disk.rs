//! A bare repository on disk: making it, reading it, committing to it, moving its refs.
//!
//! Objects and refs go through git2; what must be exactly as git makes it (imports, merges,
//! copies between repositories) is done by `git` itself. Knows nothing of pulls.

mod objects;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use git2::build::TreeUpdateBuilder;
use git2::{ErrorCode, FileMode, Oid, Repository, Sort};

use paprq_core::ids::{CommitId, Timestamp};

use super::PracticeError;

pub(super) use self::objects::NewCommit;

/// One file as a commit changes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    path: String,
    content: Option<String>,
}

impl Change {
    /// The file gets this content.
    pub fn write(path: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            content: Some(content.into()),
        }
    }

    /// The file goes away.
    pub fn delete(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            content: None,
        }
    }
}

impl From<(&str, &str)> for Change {
    fn from((path, content): (&str, &str)) -> Self {
        Self::write(path, content)
    }
}

impl From<(String, String)> for Change {
    fn from((path, content): (String, String)) -> Self {
        Self::write(path, content)
    }
}

impl From<(&str, Option<&str>)> for Change {
    fn from((path, content): (&str, Option<&str>)) -> Self {
        Self {
            path: path.to_owned(),
            content: content.map(ToOwned::to_owned),
        }
    }
}

/// Who made a commit, and when.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) at: Timestamp,
}

impl Signature {
    fn to_git(&self) -> Result<git2::Signature<'static>, git2::Error> {
        let time = git2::Time::new(self.at.0.div_euclid(1000), 0);
        git2::Signature::new(&self.name, &self.email, &time)
    }

    fn from_git(signature: &git2::Signature<'_>) -> Self {
        Self {
            name: String::from_utf8_lossy(signature.name_bytes()).into_owned(),
            email: String::from_utf8_lossy(signature.email_bytes()).into_owned(),
            at: Timestamp(signature.when().seconds().saturating_mul(1000)),
        }
    }
}

/// What a commit says.
#[derive(Clone, Debug)]
pub(super) struct GitCommit {
    pub(super) id: CommitId,
    pub(super) tree: CommitId,
    pub(super) message: String,
    pub(super) author: Signature,
    pub(super) committer: Signature,
    pub(super) parents: Vec<CommitId>,
}

/// What happened to a file between two commits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FileFate {
    Added,
    Removed,
    Modified,
}

/// A file that differs between two commits.
#[derive(Clone, Debug)]
pub(super) struct FileDiff {
    pub(super) path: String,
    pub(super) fate: FileFate,
    pub(super) additions: usize,
    pub(super) deletions: usize,
    /// Unified, without the file's header; empty for binary files.
    pub(super) patch: String,
}

/// What merging two commits gave.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Merged {
    /// A merge commit; no ref points to it yet.
    Made(CommitId),
    /// They change the same lines.
    Conflict,
    /// The second is in the first already.
    NothingToDo,
}

/// How a ref was moved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RefMove {
    Done,
    /// Somebody else moved it first.
    Raced,
}

/// A bare repository.
pub(super) struct Disk {
    path: PathBuf,
    repo: Repository,
}

impl Disk {
    pub(super) fn open(path: &Path) -> Result<Self, PracticeError> {
        Ok(Self {
            path: path.to_owned(),
            repo: Repository::open_bare(path)?,
        })
    }

    /// Makes a repository whose default branch has one commit with these files.
    pub(super) fn create(
        path: &Path,
        branch: &str,
        files: &[Change],
        author: &Signature,
    ) -> Result<Self, PracticeError> {
        let mut options = git2::RepositoryInitOptions::new();
        options.bare(true).initial_head(branch).no_reinit(true);
        let repo = Repository::init_opts(path, &options)?;
        configure(&repo)?;
        let disk = Self {
            path: path.to_owned(),
            repo,
        };
        disk.import(branch, files, author)?;
        Self::open(path)
    }

    /// Makes a repository with the branches of another, whose objects it shares.
    pub(super) fn fork(from: &Path, to: &Path) -> Result<Self, PracticeError> {
        let mut command = git(from);
        command
            .args(["clone", "--quiet", "--bare", "--shared"])
            .arg(from)
            .arg(to);
        run(command, &[])?;
        let disk = Self::open(to)?;
        configure(&disk.repo)?;
        Ok(disk)
    }

    /// `git fast-import`: one pack, however many files there are.
    fn import(
        &self,
        branch: &str,
        files: &[Change],
        author: &Signature,
    ) -> Result<(), PracticeError> {
        let mut stream = format!(
            "commit refs/heads/{branch}\ncommitter {} <{}> {} +0000\ndata 14\nInitial commit\n",
            author.name,
            author.email,
            author.at.0.div_euclid(1000)
        );
        for file in files {
            let content = file.content.as_deref().unwrap_or_default();
            let path = file.path.replace('\\', "\\\\").replace('"', "\\\"");
            stream.push_str(&format!("M 100644 inline \"{path}\"\n"));
            stream.push_str(&format!("data {}\n{content}\n", content.len()));
        }
        let mut command = git(&self.path);
        command.args(["fast-import", "--quiet"]);
        run(command, stream.as_bytes())?;
        Ok(())
    }

    /// Where a full ref name points, if it exists.
    pub(super) fn tip(&self, name: &str) -> Result<Option<CommitId>, PracticeError> {
        match self.repo.refname_to_id(name) {
            Ok(id) => Ok(Some(commit_id(id))),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) if error.code() == ErrorCode::InvalidSpec => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// All refs whose full name begins so, by name.
    pub(super) fn tips(&self, prefix: &str) -> Result<BTreeMap<String, CommitId>, PracticeError> {
        let mut tips = BTreeMap::new();
        for reference in self.repo.references()? {
            let reference = reference?;
            if let (Ok(name), Some(id)) = (reference.name(), reference.target())
                && name.starts_with(prefix)
            {
                tips.insert(name.to_owned(), commit_id(id));
            }
        }
        Ok(tips)
    }

    /// The commit that a branch, `heads/…`, `tags/…` or (abbreviated) id names.
    pub(super) fn resolve(&self, name: &str) -> Result<Option<CommitId>, PracticeError> {
        for full in [
            format!("refs/heads/{name}"),
            format!("refs/{name}"),
            format!("refs/tags/{name}"),
        ] {
            if let Some(tip) = self.tip(&full)? {
                return Ok(Some(tip));
            }
        }
        if name.len() < 7 || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let found = self.repo.find_commit_by_prefix(name);
        Ok(found.ok().map(|commit| commit_id(commit.id())))
    }

    pub(super) fn commit(&self, id: CommitId) -> Result<GitCommit, PracticeError> {
        let commit = self.repo.find_commit(oid(id)?)?;
        Ok(GitCommit {
            id,
            tree: commit_id(commit.tree_id()),
            message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
            author: Signature::from_git(&commit.author()),
            committer: Signature::from_git(&commit.committer()),
            parents: commit.parent_ids().map(commit_id).collect(),
        })
    }

    pub(super) fn has_commit(&self, id: CommitId) -> bool {
        oid(id).is_ok_and(|id| self.repo.find_commit(id).is_ok())
    }

    /// A file's content at a commit, if it is there.
    pub(super) fn file(&self, at: CommitId, path: &str) -> Result<Option<String>, PracticeError> {
        let tree = self.repo.find_commit(oid(at)?)?.tree()?;
        let Ok(entry) = tree.get_path(Path::new(path)) else {
            return Ok(None);
        };
        let blob = self.repo.find_blob(entry.id())?;
        Ok(Some(String::from_utf8_lossy(blob.content()).into_owned()))
    }

    /// Whether `new` contains `old`.
    pub(super) fn contains(&self, new: CommitId, old: CommitId) -> Result<bool, PracticeError> {
        Ok(new == old || self.repo.graph_descendant_of(oid(new)?, oid(old)?)?)
    }

    /// The commits of `new` that `old` has not, newest first; at most `limit`.
    pub(super) fn commits_between(
        &self,
        old: Option<CommitId>,
        new: CommitId,
        limit: usize,
    ) -> Result<Vec<CommitId>, PracticeError> {
        let mut walk = self.repo.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
        walk.push(oid(new)?)?;
        if let Some(old) = old {
            walk.hide(oid(old)?)?;
        }
        let ids: Result<Vec<_>, _> = walk.take(limit).collect();
        Ok(ids?.into_iter().map(commit_id).collect())
    }

    /// Where two histories part.
    pub(super) fn merge_base(
        &self,
        one: CommitId,
        two: CommitId,
    ) -> Result<Option<CommitId>, PracticeError> {
        match self.repo.merge_base(oid(one)?, oid(two)?) {
            Ok(id) => Ok(Some(commit_id(id))),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The files in which `new` differs from `old` (from nothing if `None`).
    pub(super) fn diff(
        &self,
        old: Option<CommitId>,
        new: CommitId,
    ) -> Result<Vec<FileDiff>, PracticeError> {
        let new = self.repo.find_commit(oid(new)?)?.tree()?;
        let old = match old {
            Some(old) => Some(self.repo.find_commit(oid(old)?)?.tree()?),
            None => None,
        };
        let diff = self
            .repo
            .diff_tree_to_tree(old.as_ref(), Some(&new), None)?;
        let mut files = Vec::new();
        for (index, delta) in diff.deltas().enumerate() {
            let Some(mut patch) = git2::Patch::from_diff(&diff, index)? else {
                continue;
            };
            let (_, additions, deletions) = patch.line_stats()?;
            let path = delta.new_file().path().or(delta.old_file().path());
            files.push(FileDiff {
                path: path.map_or_else(String::new, |path| path.to_string_lossy().into_owned()),
                fate: fate(delta.status()),
                additions,
                deletions,
                patch: hunks(&String::from_utf8_lossy(&patch.to_buf()?)),
            });
        }
        Ok(files)
    }

    /// Commits changes on top of a branch (or of nothing), and moves the branch.
    pub(super) fn commit_on(
        &self,
        branch: &str,
        changes: &[Change],
        message: &str,
        author: &Signature,
    ) -> Result<CommitId, PracticeError> {
        let name = format!("refs/heads/{branch}");
        let parent = match self.tip(&name)? {
            Some(tip) => self.repo.find_commit(oid(tip)?)?,
            None => return Err(PracticeError::Unknown(format!("branch {branch}"))),
        };
        let mut update = TreeUpdateBuilder::new();
        for change in changes {
            match &change.content {
                Some(content) => {
                    let blob = self.repo.blob(content.as_bytes())?;
                    update.upsert(change.path.as_str(), blob, FileMode::Blob);
                }
                None => {
                    update.remove(change.path.as_str());
                }
            }
        }
        let base = parent.tree()?;
        let tree = self
            .repo
            .find_tree(update.create_updated(&self.repo, &base)?)?;
        let who = author.to_git()?;
        let id = self
            .repo
            .commit(Some(&name), &who, &who, message, &tree, &[&parent])?;
        Ok(commit_id(id))
    }

    /// Makes the merge commit that `git merge --no-ff` would make, and points no ref to it.
    pub(super) fn merge(
        &self,
        base: CommitId,
        head: CommitId,
        message: &str,
        author: &Signature,
    ) -> Result<Merged, PracticeError> {
        if self.contains(base, head)? {
            return Ok(Merged::NothingToDo);
        }
        let mut command = git(&self.path);
        command
            .args(["merge-tree", "--write-tree", "--no-messages"])
            .args(["--allow-unrelated-histories"])
            .args([base.to_string(), head.to_string()]);
        let output = command.output().map_err(PracticeError::Git)?;
        match output.status.code() {
            Some(0) => {}
            Some(1) => return Ok(Merged::Conflict),
            _ => return Err(failed("merge-tree", &output.stderr)),
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let tree = self.repo.find_tree(Oid::from_str(text.trim())?)?;
        let one = self.repo.find_commit(oid(base)?)?;
        let two = self.repo.find_commit(oid(head)?)?;
        let who = author.to_git()?;
        let id = self
            .repo
            .commit(None, &who, &who, message, &tree, &[&one, &two])?;
        Ok(Merged::Made(commit_id(id)))
    }

    /// Points a ref to a commit if it still stands where it stood (`None`: does not exist).
    pub(super) fn move_ref(
        &self,
        name: &str,
        from: Option<CommitId>,
        to: CommitId,
    ) -> Result<RefMove, PracticeError> {
        let moved = match from {
            Some(from) => {
                self.repo
                    .reference_matching(name, oid(to)?, true, oid(from)?, "practice")
            }
            None => self.repo.reference(name, oid(to)?, false, "practice"),
        };
        match moved {
            Ok(_) => Ok(RefMove::Done),
            Err(error) if matches!(error.code(), ErrorCode::Modified | ErrorCode::Exists) => {
                Ok(RefMove::Raced)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Points a ref to a commit, wherever it stood.
    pub(super) fn set_ref(&self, name: &str, to: CommitId) -> Result<(), PracticeError> {
        self.repo.reference(name, oid(to)?, true, "practice")?;
        Ok(())
    }

    pub(super) fn delete_ref(&self, name: &str) -> Result<(), PracticeError> {
        self.repo.find_reference(name)?.delete()?;
        Ok(())
    }

    /// Gets a ref with its objects from another repository on disk.
    pub(super) fn copy_ref(
        &self,
        from: &Path,
        source: &str,
        target: &str,
    ) -> Result<(), PracticeError> {
        let mut command = git(&self.path);
        command
            .args(["fetch", "--quiet", "--no-tags"])
            .arg(from)
            .arg(format!("+{source}:{target}"));
        run(command, &[])?;
        Ok(())
    }
}

/// Nothing here outlives a test or a demo, so nothing is worth an fsync or a repack.
fn configure(repo: &Repository) -> Result<(), PracticeError> {
    let mut config = repo.config()?;
    for (key, value) in [
        ("core.fsync", "none"),
        ("core.logAllRefUpdates", "false"),
        ("gc.auto", "0"),
        ("receive.autogc", "false"),
        ("receive.hideRefs", "refs/pull"),
        ("receive.advertisePushOptions", "true"),
        ("uploadpack.allowAnySHA1InWant", "true"),
        ("uploadpack.allowFilter", "true"),
        ("maintenance.auto", "false"),
    ] {
        config.set_str(key, value)?;
    }
    Ok(())
}

/// `git` in a bare repository, deaf to the settings of whoever runs this.
pub(super) fn git(path: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .arg("--git-dir")
        .arg(path)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(mut command: Command, input: &[u8]) -> Result<Vec<u8>, PracticeError> {
    let mut child = command
        .stdin(Stdio::piped())
        .spawn()
        .map_err(PracticeError::Git)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input).map_err(PracticeError::Git)?;
    }
    let output = child.wait_with_output().map_err(PracticeError::Git)?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(failed("git", &output.stderr))
    }
}

fn failed(what: &str, stderr: &[u8]) -> PracticeError {
    let text = String::from_utf8_lossy(stderr);
    PracticeError::Git(std::io::Error::other(format!("{what}: {}", text.trim())))
}

fn oid(id: CommitId) -> Result<Oid, git2::Error> {
    Oid::from_str(&id.to_string())
}

fn commit_id(id: Oid) -> CommitId {
    let mut bytes = [0; 20];
    for (to, from) in bytes.iter_mut().zip(id.as_bytes()) {
        *to = *from;
    }
    CommitId::from_bytes(bytes)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "trees differ in these three ways"
)]
fn fate(status: git2::Delta) -> FileFate {
    match status {
        git2::Delta::Added => FileFate::Added,
        git2::Delta::Deleted => FileFate::Removed,
        _ => FileFate::Modified,
    }
}

/// A patch from its first hunk on.
fn hunks(patch: &str) -> String {
    match patch.find("\n@@ ") {
        Some(start) => patch
            .get(start + 1..)
            .unwrap_or_default()
            .trim_end()
            .to_owned(),
        None => String::new(),
    }
}
