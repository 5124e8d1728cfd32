//! What follows when refs have moved, whoever moved them: `push` webhooks, pulls that got a new
//! head, pulls that were merged, pulls whose branch is gone.

use std::collections::HashSet;
use std::sync::PoisonError;

use serde_json::{Value, json};

use paprq_core::ids::{CommitId, Login, PullNumber};

use super::PracticeError;
use super::closing::Advanced;
use super::core::Core;
use super::disk::{Disk, FileDiff, GitCommit, Merged};
use super::hooks::News;
use super::world::{Pull, Size, Stage, TestMerge};

/// GitHub shows at most this many commits in a `push` payload.
const PUSHED_COMMITS_SHOWN: usize = 2048;

/// How far back a pull's commits and merge are looked for.
const COMMITS_MAX: usize = 10_000;

/// One ref that stands elsewhere than was announced. Never from nothing to nothing.
#[derive(Clone, Copy, Debug)]
struct Moved<'a> {
    repo: &'a str,
    name: &'a str,
    old: Option<CommitId>,
    new: Option<CommitId>,
    by: &'a Login,
}

impl Moved<'_> {
    fn branch(&self) -> Option<&str> {
        self.name.strip_prefix("refs/heads/")
    }
}

/// A pull of some repository.
#[derive(Clone, Debug)]
struct PullAt {
    repo: String,
    number: PullNumber,
}

impl Core {
    /// Looks at these refs, and gives every move its consequences, once, in order.
    pub(super) fn announce(
        &self,
        repo: &str,
        names: &[String],
        by: &Login,
    ) -> Result<(), PracticeError> {
        let _one_at_a_time = self
            .announcing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let disk = self.disk(repo)?;
        for name in names {
            let old = self
                .world()
                .repo(repo)
                .and_then(|repo| repo.tips.get(name).copied());
            let new = disk.tip(name)?;
            if old != new {
                self.follow(
                    &disk,
                    Moved {
                        repo,
                        name,
                        old,
                        new,
                        by,
                    },
                )?;
            }
        }
        self.changed();
        Ok(())
    }

    fn follow(&self, disk: &Disk, moved: Moved<'_>) -> Result<(), PracticeError> {
        self.tell_push(disk, moved)?;
        for pull in self.open_pulls(|pull| {
            pull.head_repo.eq_ignore_ascii_case(moved.repo)
                && Some(pull.head_branch.as_str()) == moved.branch()
        }) {
            match moved.new {
                Some(head) => self.synchronize(&pull, head, moved.by)?,
                None => self.close(&pull.repo, pull.number, moved.by)?,
            }
        }
        match moved.new {
            Some(tip) => {
                self.merge_what_arrived(disk, moved, tip)?;
                self.close_by_keyword(disk, moved, tip)
            }
            None => self.close_what_lost_its_base(moved),
        }
    }

    fn close_by_keyword(
        &self,
        disk: &Disk,
        moved: Moved<'_>,
        new: CommitId,
    ) -> Result<(), PracticeError> {
        let Moved { repo, old, by, .. } = moved;
        let default = self.read_repo(repo, |repo| repo.default_branch.clone())?;
        match old.filter(|_| moved.branch() == Some(&default)) {
            Some(old) => self.close_what_commits_close(disk, Advanced { repo, old, new, by }),
            None => Ok(()),
        }
    }

    fn open_pulls(&self, wanted: impl Fn(&Pull) -> bool) -> Vec<PullAt> {
        let world = self.world();
        let mut found = Vec::new();
        for repo in world.repos() {
            for pull in repo.pulls.values() {
                if pull.is_open() && wanted(pull) {
                    found.push(PullAt {
                        repo: repo.full_name(),
                        number: pull.number,
                    });
                }
            }
        }
        found
    }

    fn open_pulls_into(&self, moved: Moved<'_>) -> Vec<PullAt> {
        let mut pulls = self.open_pulls(|pull| Some(pull.base_branch.as_str()) == moved.branch());
        pulls.retain(|pull| pull.repo.eq_ignore_ascii_case(moved.repo));
        pulls
    }

    fn tell_push(&self, disk: &Disk, moved: Moved<'_>) -> Result<(), PracticeError> {
        let pushed = Pushed::read(disk, moved)?;
        let now = self.now();
        let mut world = self.world();
        if let Some(repo) = world.repo_mut(moved.repo) {
            repo.pushed_at = now;
            match moved.new {
                Some(new) => repo.tips.insert(moved.name.to_owned(), new),
                None => repo.tips.remove(moved.name),
            };
        }
        let email = world.user(moved.by, now).email();
        let Some(repo) = world.repo(moved.repo) else {
            return Ok(());
        };
        let shapes = self.shapes(&world);
        let commits: Vec<Value> = pushed
            .commits
            .iter()
            .map(|pushed| shapes.pushed_commit(repo, &pushed.commit, &pushed.files))
            .collect();
        let head = pushed.head.as_ref();
        let old = moved.old.unwrap_or(CommitId::ZERO).to_string();
        let new = moved.new.unwrap_or(CommitId::ZERO).to_string();
        let page = format!("{}/{}", self.url, repo.full_name());
        let payload = json!({
            "ref": moved.name,
            "before": old,
            "after": new,
            "created": moved.old.is_none(),
            "deleted": moved.new.is_none(),
            "forced": pushed.forced,
            "base_ref": null,
            "compare": format!("{page}/compare/{old}...{new}"),
            "commits": commits,
            "head_commit": head.map(|head| shapes.pushed_commit(repo, &head.commit, &head.files)),
            "pusher": {"name": moved.by.as_str(), "email": email},
        });
        self.tell(
            &mut world,
            News {
                repo: moved.repo,
                event: "push",
                action: None,
                sender: moved.by,
                payload,
            },
        );
        Ok(())
    }

    fn synchronize(&self, at: &PullAt, head: CommitId, by: &Login) -> Result<(), PracticeError> {
        let Some(pull) = self.pull(&at.repo, at.number) else {
            return Ok(());
        };
        let (base, size) = self.fetch_head(&at.repo, &pull, head)?;
        let mut world = self.world();
        let found = world
            .repo_mut(&at.repo)
            .and_then(|repo| repo.pulls.get_mut(&at.number));
        let Some(pull) = found else {
            return Ok(());
        };
        let before = std::mem::replace(&mut pull.head, head);
        pull.base = base;
        pull.size = size;
        pull.updated_at = self.now();
        let more = json!({"before": before.to_string(), "after": head.to_string()});
        let told = Told::new("synchronize", by).with(more);
        self.tell_of_pull(&mut world, &at.repo, at.number, told);
        Ok(())
    }

    /// Brings a pull's head into the base repository; returns where the base stands and the pull's size.
    pub(super) fn fetch_head(
        &self,
        repo: &str,
        pull: &Pull,
        head: CommitId,
    ) -> Result<(CommitId, Size), PracticeError> {
        let disk = self.disk(repo)?;
        let kept = format!("refs/pull/{}/head", pull.number);
        let source = self
            .world()
            .repo(&pull.head_repo)
            .map(|repo| repo.path.clone());
        match source {
            Some(source) if !pull.head_repo.eq_ignore_ascii_case(repo) => {
                disk.copy_ref(&source, &format!("refs/heads/{}", pull.head_branch), &kept)?;
            }
            Some(_) | None => disk.set_ref(&kept, head)?,
        }
        let base = disk
            .tip(&format!("refs/heads/{}", pull.base_branch))?
            .ok_or_else(|| PracticeError::Unknown(format!("branch {}", pull.base_branch)))?;
        Ok((base, size(&disk, base, head)?))
    }

    /// Closes as merged those pulls whose head came into their base with this move.
    fn merge_what_arrived(
        &self,
        disk: &Disk,
        moved: Moved<'_>,
        tip: CommitId,
    ) -> Result<(), PracticeError> {
        let waiting = self.open_pulls_into(moved);
        if waiting.is_empty() {
            return Ok(());
        }
        let arrived: HashSet<CommitId> = disk
            .commits_between(moved.old, tip, COMMITS_MAX)?
            .into_iter()
            .collect();
        for at in waiting {
            let head = self.pull(&at.repo, at.number).map(|pull| pull.head);
            if let Some(head) = head
                && arrived.contains(&head)
            {
                let commit = merging_commit(disk, tip, head)?;
                self.mark_merged(&at, commit, moved.by);
            }
        }
        Ok(())
    }

    fn mark_merged(&self, at: &PullAt, commit: CommitId, by: &Login) {
        let now = self.now();
        let mut world = self.world();
        let found = world
            .repo_mut(&at.repo)
            .and_then(|repo| repo.pulls.get_mut(&at.number));
        if let Some(pull) = found {
            pull.updated_at = now;
            pull.stage = Stage::Merged {
                at: now,
                by: by.clone(),
                commit,
            };
            self.tell_of_pull(&mut world, &at.repo, at.number, Told::new("closed", by));
        }
    }

    fn close_what_lost_its_base(&self, moved: Moved<'_>) -> Result<(), PracticeError> {
        for at in self.open_pulls_into(moved) {
            self.close(&at.repo, at.number, moved.by)?;
        }
        Ok(())
    }

    /// Makes or finds the test merge of an open pull with its base, and keeps `refs/pull/N/merge`.
    pub(super) fn test_merge(&self, repo: &str, number: PullNumber) -> Result<(), PracticeError> {
        let _alone = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pull) = self.pull(repo, number).filter(Pull::is_open) else {
            return Ok(());
        };
        let disk = self.disk(repo)?;
        let Some(base) = disk.tip(&format!("refs/heads/{}", pull.base_branch))? else {
            return Ok(());
        };
        let known = pull
            .test_merge
            .is_some_and(|test| test.head == pull.head && test.base == base);
        if known {
            return Ok(());
        }
        let message = format!("Merge {} into {base}", pull.head);
        let author = self.signature(&pull.author, self.now());
        let merge = match disk.merge(base, pull.head, &message, &author)? {
            Merged::Made(merge) => Some(merge),
            Merged::NothingToDo => Some(base),
            Merged::Conflict => None,
        };
        if let Some(merge) = merge {
            disk.set_ref(&format!("refs/pull/{number}/merge"), merge)?;
        }
        let mut world = self.world();
        let found = world
            .repo_mut(repo)
            .and_then(|repo| repo.pulls.get_mut(&number));
        if let Some(found) = found {
            found.test_merge = Some(TestMerge {
                head: pull.head,
                base,
                merge,
            });
        }
        Ok(())
    }
}

/// What a `pull_request` webhook says beside the pull.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) action: &'a str,
    pub(super) by: &'a Login,
    pub(super) more: Value,
}

impl<'a> Told<'a> {
    pub(super) fn new(action: &'a str, by: &'a Login) -> Self {
        Self {
            action,
            by,
            more: json!({}),
        }
    }

    pub(super) fn with(self, more: Value) -> Self {
        Self { more, ..self }
    }
}

/// A commit with the files it touches.
struct PushedCommit {
    commit: GitCommit,
    files: Vec<FileDiff>,
}

/// What git knows of a push.
#[derive(Default)]
struct Pushed {
    commits: Vec<PushedCommit>,
    head: Option<PushedCommit>,
    forced: bool,
}

impl Pushed {
    fn read(disk: &Disk, moved: Moved<'_>) -> Result<Self, PracticeError> {
        // An annotated tag is no commit.
        let Some(new) = moved.new.filter(|new| disk.has_commit(*new)) else {
            return Ok(Self::default());
        };
        let forced = match moved.old {
            Some(old) => !disk.contains(new, old)?,
            None => false,
        };
        let mut ids = match moved.old {
            Some(old) => disk.commits_between(Some(old), new, PUSHED_COMMITS_SHOWN)?,
            None => Vec::new(),
        };
        ids.reverse();
        let commits: Result<Vec<_>, _> = ids.into_iter().map(|id| with_files(disk, id)).collect();
        Ok(Self {
            commits: commits?,
            head: Some(with_files(disk, new)?),
            forced,
        })
    }
}

fn with_files(disk: &Disk, id: CommitId) -> Result<PushedCommit, PracticeError> {
    let commit = disk.commit(id)?;
    // The first commit of a repository can have very many files, which nobody asks for.
    let files = match commit.parents.first() {
        Some(parent) => disk.diff(Some(*parent), id)?,
        None => Vec::new(),
    };
    Ok(PushedCommit { commit, files })
}

/// How much lies between the base and the head of a pull.
fn size(disk: &Disk, base: CommitId, head: CommitId) -> Result<Size, PracticeError> {
    let fork = disk.merge_base(base, head)?;
    let files = disk.diff(fork, head)?;
    Ok(Size {
        commits: disk.commits_between(Some(base), head, COMMITS_MAX)?.len(),
        additions: files.iter().map(|file| file.additions).sum(),
        deletions: files.iter().map(|file| file.deletions).sum(),
        files: files.len(),
    })
}

/// The first commit on the branch's own line that contains the head.
fn merging_commit(disk: &Disk, tip: CommitId, head: CommitId) -> Result<CommitId, PracticeError> {
    let mut merging = tip;
    for _ in 0..COMMITS_MAX {
        match disk.commit(merging)?.parents.first() {
            Some(parent) if disk.contains(*parent, head)? => merging = *parent,
            Some(_) | None => break,
        }
    }
    Ok(merging)
}
