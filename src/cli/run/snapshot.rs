//! What is tested: the working directory as it is, as a commit in a repository of our own.
//!
//! Files that git does not know yet are in it, ignored ones are not. The person's repository is only
//! read: index, objects and refs that are needed are made beside it.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::git::{Limits, Mirror, Remote, RemoteAuth};
use paprq_core::ids::{CommitId, RunId};
use paprq_core::suite::Origin;

/// The run that the repository of our own is for.
pub(super) const RUN: RunId = RunId(1);

/// A commit that can be served.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) mirror: Mirror,
    pub(super) commit: CommitId,
    /// `OWNER/NAME` where the repository has an origin, else its directory's name.
    pub(super) slug: String,
    /// Its public address, where it has an origin with one.
    pub(super) origin: Option<String>,
    /// What is checked out; empty for no branch.
    pub(super) branch: String,
}

/// The top of the repository that the current directory is in.
///
/// # Errors
///
/// It is in none.
pub(super) fn top() -> anyhow::Result<PathBuf> {
    let top = git(Path::new("."), &["rev-parse", "--show-toplevel"], &[])
        .context("not in a git repository")?;
    Ok(PathBuf::from(top))
}

/// The branch that is checked out, if one is.
pub(super) fn branch(top: &Path) -> Option<String> {
    git(top, &["symbolic-ref", "--quiet", "--short", "HEAD"], &[]).ok()
}

impl Snapshot {
    /// Makes the commit, with everything that it takes below this directory.
    ///
    /// # Errors
    ///
    /// git refuses something, or the directory cannot be used.
    pub(super) fn take(top: &Path, below: &Path) -> anyhow::Result<Self> {
        let remote = Remote {
            url: top.to_string_lossy().into_owned(),
            auth: RemoteAuth::None,
        };
        let mirror_dir = below.join("source.git");
        let mirror = Mirror::open(&mirror_dir, remote, Limits::default())?;
        let path = |name: &str| {
            let words = ["rev-parse", "--path-format=absolute", "--git-path", name];
            git(top, &words, &[]).map(PathBuf::from)
        };
        let alternates = format!("{}\n", path("objects")?.display());
        std::fs::create_dir_all(mirror_dir.join("objects/info"))?;
        std::fs::write(mirror_dir.join("objects/info/alternates"), alternates)?;
        copy_if_there(&path("shallow")?, &mirror_dir.join("shallow"))?;
        let index = below.join("index");
        copy_if_there(&path("index")?, &index)?;
        let commit = commit(top, &index, &mirror_dir.join("objects"))?;
        mirror.pin(RUN, commit)?;
        Ok(Self {
            mirror,
            commit,
            slug: slug(top),
            origin: origin(top),
            branch: branch(top).unwrap_or_default(),
        })
    }
}

/// Copies a file with its time: by that of an index git tells which files to look at again.
fn copy_if_there(from: &Path, to: &Path) -> std::io::Result<()> {
    let changed = match std::fs::metadata(from) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?.modified()?,
    };
    std::fs::copy(from, to)?;
    File::options().write(true).open(to)?.set_modified(changed)
}

/// The commit that is checked out, or where anything is changed one on top of it.
fn commit(top: &Path, index: &Path, objects: &Path) -> anyhow::Result<CommitId> {
    let beside = [
        ("GIT_INDEX_FILE", index.as_os_str()),
        ("GIT_OBJECT_DIRECTORY", objects.as_os_str()),
        ("GIT_AUTHOR_NAME", OsStr::new("paprq")),
        ("GIT_AUTHOR_EMAIL", OsStr::new("paprq@localhost")),
        ("GIT_COMMITTER_NAME", OsStr::new("paprq")),
        ("GIT_COMMITTER_EMAIL", OsStr::new("paprq@localhost")),
    ];
    git(top, &["add", "--all"], &beside)?;
    let tree = git(top, &["write-tree"], &beside)?;
    let id = |name: &str| git(top, &["rev-parse", "--verify", "--quiet", name], &[]).ok();
    let head = id("HEAD^{commit}");
    let commit = match &head {
        Some(head) if id("HEAD^{tree}").as_ref() == Some(&tree) => head.clone(),
        _ => {
            let mut words = vec!["commit-tree", &tree, "-m", "The working directory"];
            words.extend(head.iter().flat_map(|head| ["-p", head]));
            git(top, &words, &beside)?
        }
    };
    commit
        .parse()
        .with_context(|| format!("{commit} is no commit of a repository with SHA-1"))
}

/// The public address of where the repository comes from.
fn origin(top: &Path) -> Option<String> {
    let remote = git(top, &["remote", "get-url", "origin"], &[]).ok()?;
    Origin::of_clone(&remote).map(|origin| origin.to_string())
}

/// How the repository is called where it comes from.
fn slug(top: &Path) -> String {
    let origin = git(top, &["remote", "get-url", "origin"], &[]).unwrap_or_default();
    let path = origin.trim_end_matches('/').trim_end_matches(".git");
    let mut parts = path.rsplit(['/', ':']);
    match (parts.next(), parts.next()) {
        (Some(name), Some(owner)) if !name.is_empty() && !owner.is_empty() => {
            format!("{owner}/{name}")
        }
        (_, _) => top
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
    }
}

/// What git prints, without the line's end.
fn git(directory: &Path, words: &[&str], environment: &[(&str, &OsStr)]) -> anyhow::Result<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
        ])
        .args(words)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .context("git does not run (package git)")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("git {}: {}", words.join(" "), said.trim());
    }
    let printed =
        String::from_utf8(output.stdout).context("git names something that is not UTF-8")?;
    Ok(printed.trim_end_matches('\n').to_owned())
}
