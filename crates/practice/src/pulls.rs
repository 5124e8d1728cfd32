//! Branches and pulls: what people do to them, over REST, on the pages, or from a test.

use serde_json::{Value, json};

use paprq_core::ids::{CommitId, Login, PullNumber};

use super::announce::Told;
use super::core::Core;
use super::disk::{Change, RefMove};
use super::hooks::News;
use super::setup::unknown_repo;
use super::world::{Pull, PullState, Size, Stage, World};
use super::{Practice, PracticeError};

impl Practice {
    /// Commits to a branch (a new one starts at the default branch's tip) and announces the push.
    ///
    /// # Errors
    /// If the repository does not exist or git fails.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is another thing, none can be left out"
    )]
    pub fn commit<C: Into<Change>>(
        &self,
        repo: &str,
        branch: &str,
        changes: impl IntoIterator<Item = C>,
        message: &str,
        author: &str,
    ) -> Result<CommitId, PracticeError> {
        let changes: Vec<Change> = changes.into_iter().map(Into::into).collect();
        let author = Login::new(author);
        self.core().commit(repo, branch, &changes, message, &author)
    }

    /// Points a branch (which may be new) to any commit of the repository, as a forced push does.
    ///
    /// # Errors
    /// If repository or commit do not exist or git fails.
    pub fn set_branch(
        &self,
        repo: &str,
        branch: &str,
        commit: CommitId,
        by: &str,
    ) -> Result<(), PracticeError> {
        let name = format!("refs/heads/{branch}");
        self.core().disk(repo)?.set_ref(&name, commit)?;
        self.core().announce(repo, &[name], &Login::new(by))
    }

    /// Deletes a branch. Its pulls are closed.
    ///
    /// # Errors
    /// If repository or branch do not exist.
    pub fn delete_branch(&self, repo: &str, branch: &str, by: &str) -> Result<(), PracticeError> {
        let name = format!("refs/heads/{branch}");
        self.core().disk(repo)?.delete_ref(&name)?;
        self.core().announce(repo, &[name], &Login::new(by))
    }

    /// Opens a pull of `BRANCH`, or of `OWNER:BRANCH` of a fork.
    ///
    /// # Errors
    /// If repository or branches do not exist, there is nothing to pull, or it is open already.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is another thing, none can be left out"
    )]
    pub fn open_pull(
        &self,
        repo: &str,
        head: &str,
        base: &str,
        title: &str,
        body: &str,
        author: &str,
    ) -> Result<PullNumber, PracticeError> {
        self.core().open_pull(&NewPull {
            repo,
            head,
            base,
            title,
            body,
            author: &Login::new(author),
        })
    }

    /// Closes a pull without merging it.
    ///
    /// # Errors
    /// If there is no such pull.
    pub fn close_pull(
        &self,
        repo: &str,
        number: PullNumber,
        by: &str,
    ) -> Result<(), PracticeError> {
        self.core().close(repo, number, &Login::new(by))
    }

    /// Opens a closed pull again.
    ///
    /// # Errors
    /// If there is no such pull, it was merged, or its branch is gone.
    pub fn reopen_pull(
        &self,
        repo: &str,
        number: PullNumber,
        by: &str,
    ) -> Result<(), PracticeError> {
        self.core().reopen(repo, number, &Login::new(by))
    }

    /// Changes a pull's title, body, base branch.
    ///
    /// # Errors
    /// If there is no such pull or no such base branch.
    pub fn edit_pull(
        &self,
        repo: &str,
        number: PullNumber,
        edit: Edit,
        by: &str,
    ) -> Result<(), PracticeError> {
        self.core().edit(repo, number, edit, &Login::new(by))
    }

    /// Says that a pull is not ready.
    ///
    /// # Errors
    /// If there is no such pull.
    pub fn make_draft(
        &self,
        repo: &str,
        number: PullNumber,
        by: &str,
    ) -> Result<(), PracticeError> {
        self.core().set_draft(repo, number, Draft::Yes, by)
    }

    /// Says that a draft is ready.
    ///
    /// # Errors
    /// If there is no such pull.
    pub fn make_ready(
        &self,
        repo: &str,
        number: PullNumber,
        by: &str,
    ) -> Result<(), PracticeError> {
        self.core().set_draft(repo, number, Draft::No, by)
    }

    /// Presses the merge button: a merge commit on the base branch, whatever the checks say.
    ///
    /// # Errors
    /// If the pull is not open, conflicts, or somebody else moved the base meanwhile.
    pub fn merge_pull(
        &self,
        repo: &str,
        number: PullNumber,
        by: &str,
    ) -> Result<CommitId, PracticeError> {
        self.core().merge_pull(repo, number, &Login::new(by))
    }

    /// Keeps a push ready that somebody can make to a pull's branch later, here or on its page.
    ///
    /// # Errors
    /// If there is no such pull.
    pub fn prepare_push(
        &self,
        repo: &str,
        number: PullNumber,
        push: Push,
    ) -> Result<(), PracticeError> {
        self.core().change_pull(repo, number, |pull| {
            pull.prepared = Some(push);
            Ok(None)
        })
    }

    /// Makes the push that was kept ready for a pull; returns its commit.
    ///
    /// # Errors
    /// If there is no such pull, nothing is ready, or git fails.
    pub fn push_prepared(
        &self,
        repo: &str,
        number: PullNumber,
        by: &str,
    ) -> Result<CommitId, PracticeError> {
        self.core().push_prepared(repo, number, &Login::new(by))
    }
}

/// One commit to be pushed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Push {
    /// What it does to files.
    pub changes: Vec<Change>,
    /// Its message.
    pub message: String,
}

/// What is to be changed of a pull; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// The new title.
    pub title: Option<String>,
    /// The new body.
    pub body: Option<String>,
    /// The new base branch.
    pub base: Option<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Draft {
    Yes,
    No,
}

/// A pull to be opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewPull<'a> {
    pub(super) repo: &'a str,
    pub(super) head: &'a str,
    pub(super) base: &'a str,
    pub(super) title: &'a str,
    pub(super) body: &'a str,
    pub(super) author: &'a Login,
}

impl Core {
    /// A copy of a pull.
    pub(super) fn pull(&self, repo: &str, number: PullNumber) -> Option<Pull> {
        self.world().repo(repo)?.pulls.get(&number).cloned()
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each is another thing, none can be left out"
    )]
    pub(super) fn commit(
        &self,
        repo: &str,
        branch: &str,
        changes: &[Change],
        message: &str,
        author: &Login,
    ) -> Result<CommitId, PracticeError> {
        let disk = self.disk(repo)?;
        let name = format!("refs/heads/{branch}");
        if disk.tip(&name)?.is_none() {
            let from = self.read_repo(repo, |repo| repo.default_branch.clone())?;
            let from = disk.resolve(&from)?;
            disk.set_ref(
                &name,
                from.ok_or_else(|| PracticeError::Unknown("default branch".to_owned()))?,
            )?;
        }
        let signature = self.signature(author, self.now());
        let commit = disk.commit_on(branch, changes, message, &signature)?;
        self.announce(repo, &[name], author)?;
        Ok(commit)
    }

    pub(super) fn open_pull(&self, new: &NewPull<'_>) -> Result<PullNumber, PracticeError> {
        let now = self.now();
        self.signature(new.author, now);
        let (head_repo, head_branch) = self.head_of(new)?;
        let branch = format!("refs/heads/{head_branch}");
        let head = self
            .disk(&head_repo)?
            .tip(&branch)?
            .ok_or_else(|| PracticeError::Unknown(format!("branch {}", new.head)))?;
        let mut world = self.world();
        let id = world.next_id();
        let repo = world
            .repo_mut(new.repo)
            .ok_or_else(|| unknown_repo(new.repo))?;
        let mut pull = Pull {
            id,
            number: repo.next_number(),
            title: new.title.to_owned(),
            body: new.body.to_owned(),
            author: new.author.clone(),
            stage: Stage::Open,
            draft: false,
            head_repo,
            head_branch,
            head,
            base_branch: new.base.to_owned(),
            base: CommitId::ZERO,
            created_at: now,
            updated_at: now,
            labels: Vec::new(),
            comments: Vec::new(),
            reviews: Vec::new(),
            review_comments: Vec::new(),
            size: Size::default(),
            test_merge: None,
            prepared: None,
        };
        drop(world);
        (pull.base, pull.size) = self.fetch_head(new.repo, &pull, head)?;
        if pull.size.commits == 0 {
            return Err(PracticeError::Refused(format!(
                "No commits between {} and {}",
                new.base, new.head
            )));
        }
        let number = pull.number;
        let mut world = self.world();
        if let Some(repo) = world.repo_mut(new.repo) {
            repo.pulls.insert(number, pull);
        }
        self.tell_of_pull(
            &mut world,
            new.repo,
            number,
            Told::new("opened", new.author),
        );
        drop(world);
        self.changed();
        Ok(number)
    }

    /// The repository and the branch that `BRANCH` or `OWNER:BRANCH` names.
    fn head_of(&self, new: &NewPull<'_>) -> Result<(String, String), PracticeError> {
        let world = self.world();
        let repo = world.repo(new.repo).ok_or_else(|| unknown_repo(new.repo))?;
        let Some((owner, branch)) = new.head.split_once(':') else {
            return Ok((repo.full_name(), new.head.to_owned()));
        };
        let owner = Login::new(owner);
        let fork = world.repos().find(|fork| {
            let parent = fork.parent.as_ref();
            let related = parent.is_some_and(|parent| parent.eq_ignore_ascii_case(new.repo));
            fork.owner == owner && (related || fork.id == repo.id)
        });
        let fork = fork.ok_or_else(|| unknown_repo(&format!("of {owner}")))?;
        Ok((fork.full_name(), branch.to_owned()))
    }

    pub(super) fn close(
        &self,
        repo: &str,
        number: PullNumber,
        by: &Login,
    ) -> Result<(), PracticeError> {
        let now = self.now();
        self.change_pull(repo, number, |pull| {
            pull.updated_at = now;
            match pull.stage {
                Stage::Open => {
                    pull.stage = Stage::Closed { at: now };
                    Ok(Some(Told::new("closed", by)))
                }
                Stage::Closed { .. } | Stage::Merged { .. } => Ok(None),
            }
        })
    }

    pub(super) fn reopen(
        &self,
        repo: &str,
        number: PullNumber,
        by: &Login,
    ) -> Result<(), PracticeError> {
        let pull = self
            .pull(repo, number)
            .ok_or_else(|| unknown_pull(number))?;
        let disk = self.disk(&pull.head_repo)?;
        let head = disk.tip(&format!("refs/heads/{}", pull.head_branch))?;
        let now = self.now();
        let moved = match head {
            Some(head) => Some((head, self.fetch_head(repo, &pull, head)?)),
            None => None,
        };
        self.change_pull(repo, number, |pull| {
            let Some((head, (base, size))) = moved else {
                return Err(PracticeError::Refused("its branch is gone".to_owned()));
            };
            match pull.state() {
                PullState::Open => return Ok(None),
                PullState::Merged => {
                    return Err(PracticeError::Refused("it was merged".to_owned()));
                }
                PullState::Closed => {}
            }
            pull.head = head;
            pull.base = base;
            pull.size = size;
            pull.stage = Stage::Open;
            pull.updated_at = now;
            Ok(Some(Told::new("reopened", by)))
        })
    }

    pub(super) fn edit(
        &self,
        repo: &str,
        number: PullNumber,
        edit: Edit,
        by: &Login,
    ) -> Result<(), PracticeError> {
        let base = match &edit.base {
            Some(base) => {
                let tip = self.disk(repo)?.tip(&format!("refs/heads/{base}"))?;
                Some(tip.ok_or_else(|| PracticeError::Unknown(format!("branch {base}")))?)
            }
            None => None,
        };
        let now = self.now();
        self.change_pull(repo, number, |pull| {
            let changes = apply(pull, edit, base);
            if changes.as_object().is_some_and(serde_json::Map::is_empty) {
                return Ok(None);
            }
            pull.updated_at = now;
            Ok(Some(
                Told::new("edited", by).with(json!({"changes": changes})),
            ))
        })
    }

    pub(super) fn set_draft(
        &self,
        repo: &str,
        number: PullNumber,
        draft: Draft,
        by: &str,
    ) -> Result<(), PracticeError> {
        let by = Login::new(by);
        let now = self.now();
        self.change_pull(repo, number, |pull| {
            pull.draft = draft == Draft::Yes;
            pull.updated_at = now;
            Ok(Some(match draft {
                Draft::Yes => Told::new("converted_to_draft", &by),
                Draft::No => Told::new("ready_for_review", &by),
            }))
        })
    }

    pub(super) fn push_prepared(
        &self,
        repo: &str,
        number: PullNumber,
        by: &Login,
    ) -> Result<CommitId, PracticeError> {
        let pull = self
            .pull(repo, number)
            .ok_or_else(|| unknown_pull(number))?;
        let push = pull
            .prepared
            .ok_or_else(|| PracticeError::Unknown("a push that is ready".to_owned()))?;
        let (into, branch) = (&pull.head_repo, &pull.head_branch);
        let commit = self.commit(into, branch, &push.changes, &push.message, by)?;
        self.change_pull(repo, number, |pull| {
            pull.prepared = None;
            Ok(None)
        })?;
        Ok(commit)
    }

    pub(super) fn merge_pull(
        &self,
        repo: &str,
        number: PullNumber,
        by: &Login,
    ) -> Result<CommitId, PracticeError> {
        self.test_merge(repo, number)?;
        let pull = self
            .pull(repo, number)
            .filter(Pull::is_open)
            .ok_or_else(|| unknown_pull(number))?;
        let message = format!(
            "Merge pull request #{number} from {}/{}\n\n{}",
            pull.author, pull.head_branch, pull.title
        );
        let disk = self.disk(repo)?;
        let name = format!("refs/heads/{}", pull.base_branch);
        let base = disk
            .tip(&name)?
            .ok_or_else(|| PracticeError::Unknown(name.clone()))?;
        let author = self.signature(by, self.now());
        let merged = disk.merge(base, pull.head, &message, &author)?;
        let super::disk::Merged::Made(commit) = merged else {
            return Err(PracticeError::Refused("it does not merge".to_owned()));
        };
        self.allow_move(repo, &name, Some(commit))?;
        match disk.move_ref(&name, Some(base), commit)? {
            RefMove::Done => {}
            RefMove::Raced => return Err(PracticeError::Refused("the base moved".to_owned())),
        }
        self.announce(repo, &[name], by)?;
        Ok(commit)
    }

    /// Changes a pull and tells the webhooks, if there is something to tell.
    pub(super) fn change_pull<'a>(
        &self,
        repo: &str,
        number: PullNumber,
        change: impl FnOnce(&mut Pull) -> Result<Option<Told<'a>>, PracticeError>,
    ) -> Result<(), PracticeError> {
        let mut world = self.world();
        let pull = world
            .repo_mut(repo)
            .and_then(|repo| repo.pulls.get_mut(&number))
            .ok_or_else(|| unknown_pull(number))?;
        if let Some(told) = change(pull)? {
            self.tell_of_pull(&mut world, repo, number, told);
        }
        drop(world);
        self.changed();
        Ok(())
    }

    /// Delivers a `pull_request` webhook.
    pub(super) fn tell_of_pull(
        &self,
        world: &mut World,
        repo: &str,
        number: PullNumber,
        told: Told<'_>,
    ) {
        let Some(found) = world.repo(repo) else {
            return;
        };
        let Some(pull) = found.pulls.get(&number) else {
            return;
        };
        let pull = self.shapes(world).pull(found, pull);
        let payload = super::json::with(json!({"number": number, "pull_request": pull}), told.more);
        self.tell(
            world,
            News {
                repo,
                event: "pull_request",
                action: Some(told.action),
                sender: told.by,
                payload,
            },
        );
    }
}

/// Applies an edit; returns what it was before, as the webhook tells it.
fn apply(pull: &mut Pull, edit: Edit, base: Option<CommitId>) -> Value {
    let mut changes = serde_json::Map::new();
    if let Some(title) = edit.title.filter(|title| *title != pull.title) {
        let from = std::mem::replace(&mut pull.title, title);
        changes.insert("title".to_owned(), json!({"from": from}));
    }
    if let Some(body) = edit.body.filter(|body| *body != pull.body) {
        let from = std::mem::replace(&mut pull.body, body);
        changes.insert("body".to_owned(), json!({"from": from}));
    }
    let new = edit.base.filter(|base| *base != pull.base_branch);
    if let (Some(branch), Some(tip)) = (new, base) {
        let from = std::mem::replace(&mut pull.base_branch, branch);
        let was = std::mem::replace(&mut pull.base, tip);
        changes.insert(
            "base".to_owned(),
            json!({"ref": {"from": from}, "sha": {"from": was.to_string()}}),
        );
    }
    Value::Object(changes)
}

pub(super) fn unknown_pull(number: PullNumber) -> PracticeError {
    PracticeError::Unknown(format!("pull {number}"))
}
