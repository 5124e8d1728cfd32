//! Merging without a work tree: the result is that of `git merge --no-ff`, byte for byte.

use std::collections::BTreeSet;

use git2::{Repository, Signature, Time};

use super::mirror::{commit_id, find_commit, find_tree};
use super::{GitError, Mirror, TreeId};
use paprq_core::ids::{CommitId, Timestamp};

/// Who signs a commit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Person {
    /// The name to show.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

/// What became of a merge.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Merge {
    /// This merge commit, with the parents base and head. Nothing holds it yet: push or pin it.
    Made(CommitId),
    /// The two contradict each other.
    Conflict {
        /// Where, in order; at most 4 MiB of names, and none if the two have no history in common.
        paths: Vec<String>,
    },
    /// The base contains the head already.
    AlreadyMerged,
}

/// How base and head stand to each other.
enum Relation {
    /// The base has the head in its history.
    Contained,
    /// The head was made on this very base: the merge has the head's tree.
    OnTop(git2::Oid),
    /// Each has something that the other lacks.
    Apart,
}

impl Mirror {
    /// Makes the merge commit of `head` into `base`, author and committer `committer` at `at` (UTC).
    ///
    /// The same arguments give the same commit. The message loses superfluous blank lines and
    /// blanks at the ends of lines, as with git.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the mirror lacks one of the two; [`GitError::Program`] if git fails.
    #[expect(
        clippy::too_many_arguments,
        reason = "these five make a merge commit; none of them belongs to another"
    )]
    pub async fn merge(
        &self,
        base: CommitId,
        head: CommitId,
        message: &str,
        committer: &Person,
        at: Timestamp,
    ) -> Result<Merge, GitError> {
        let plan = Plan {
            base,
            head,
            message: message.replace('\0', ""),
            committer: committer.clone(),
            at,
        };
        retried(|| self.try_merge(&plan)).await
    }

    /// The tree that a merge of `head` into `base` has; `None` if the two contradict each other.
    ///
    /// # Errors
    /// As with [`Mirror::merge`].
    pub async fn merged_tree(
        &self,
        base: CommitId,
        head: CommitId,
    ) -> Result<Option<TreeId>, GitError> {
        retried(|| async move {
            match self.relation(base, head).await? {
                Relation::Contained => {
                    let tree = self.blocking(move |mirror| mirror.tree_of(base));
                    tree.await.map(Some)
                }
                Relation::OnTop(tree) => Ok(Some(TreeId::of(tree))),
                Relation::Apart => {
                    let merged = self.merge_trees(base, head).await?;
                    Ok(merged.ok().map(TreeId::of))
                }
            }
        })
        .await
    }

    async fn try_merge(&self, plan: &Plan) -> Result<Merge, GitError> {
        let &Plan { base, head, .. } = plan;
        let tree = match self.relation(base, head).await? {
            Relation::Contained => return Ok(Merge::AlreadyMerged),
            Relation::OnTop(tree) => tree,
            Relation::Apart => match self.merge_trees(base, head).await? {
                Ok(tree) => tree,
                Err(paths) => return Ok(Merge::Conflict { paths }),
            },
        };
        let plan = plan.clone();
        let commit = self
            .blocking(move |mirror| plan.commit(&mirror.repository()?, tree))
            .await?;
        Ok(Merge::Made(commit))
    }

    async fn relation(&self, base: CommitId, head: CommitId) -> Result<Relation, GitError> {
        let fork = self.fork_point(base, head).await?;
        if fork == Some(head) {
            return Ok(Relation::Contained);
        }
        if fork != Some(base) {
            return Ok(Relation::Apart);
        }
        let tree = self.blocking(move |mirror| mirror.tree_of(head)).await?;
        Ok(Relation::OnTop(tree.id()))
    }

    /// The merged tree, or the paths in conflict.
    pub(super) async fn merge_trees(
        &self,
        base: CommitId,
        head: CommitId,
    ) -> Result<Result<git2::Oid, Vec<String>>, GitError> {
        const CLEAN: i32 = 0;
        const CONFLICT: i32 = 1;
        let (ours, theirs) = (base.to_string(), head.to_string());
        let args = [
            "merge-tree",
            "--write-tree",
            "--name-only",
            "--no-messages",
            "-z",
            &ours,
            &theirs,
        ];
        // In a work tree git reads `.gitattributes` from the checked-out base. (Git before 2.41
        // does not know this and merges `merge=union` files like others.)
        let run = self.git(args).env("GIT_ATTR_SOURCE", &ours);
        let output = run.finish(self.limits().merge_s).await?;
        let mut fields = output
            .stdout
            .split(|byte| *byte == 0)
            .map(String::from_utf8_lossy);
        let tree = fields.next().unwrap_or_default();
        match output.code {
            Some(CLEAN) => Ok(Ok(git2::Oid::from_str(tree.trim())?)),
            Some(CONFLICT) => {
                let paths = fields.filter(|path| !path.is_empty());
                let own = paths.map(|path| without_side(&path, [&ours, &theirs]).to_owned());
                Ok(Err(own.collect::<BTreeSet<_>>().into_iter().collect()))
            }
            _ if output.stderr.contains("unrelated histories") => Ok(Err(Vec::new())),
            _ => Err(output.local_failure()),
        }
    }
}

/// Does something in the mirror that can be done again, up to three times.
///
/// Upkeep removes empty directories, at times the very one in which git or libgit2 is about to
/// write an object.
pub(super) async fn retried<T, F>(work: impl Fn() -> F) -> Result<T, GitError>
where
    F: Future<Output = Result<T, GitError>>,
{
    const TRIES: u32 = 3;
    for _ in 1..TRIES {
        match work().await {
            Err(GitError::Program(_) | GitError::Mirror(_)) => {}
            result => return result,
        }
    }
    work().await
}

/// Where both sides made different sorts of things of one name, git calls them `NAME~SIDE`.
fn without_side<'a>(path: &'a str, sides: [&str; 2]) -> &'a str {
    sides.into_iter().fold(path, |path, side| {
        path.split_once(&format!("~{side}"))
            .map_or(path, |(name, _)| name)
    })
}

/// A merge commit about to be made.
#[derive(Clone)]
struct Plan {
    base: CommitId,
    head: CommitId,
    message: String,
    committer: Person,
    at: Timestamp,
}

impl Plan {
    fn commit(&self, repository: &Repository, tree: git2::Oid) -> Result<CommitId, GitError> {
        let base = find_commit(repository, self.base)?;
        let head = find_commit(repository, self.head)?;
        let tree = find_tree(repository, tree)?;
        let signature = self.committer.signature(self.at)?;
        let message = git2::message_prettify(self.message.as_str(), None)?;
        let commit = repository.commit(
            None,
            &signature,
            &signature,
            &message,
            &tree,
            &[&base, &head],
        )?;
        Ok(commit_id(commit))
    }
}

impl Person {
    /// The person and the time as a commit's header has them.
    pub(super) fn line(&self, at: Timestamp) -> Result<Vec<u8>, GitError> {
        let signature = self.signature(at)?;
        let seconds = signature.when().seconds();
        let end = format!("> {seconds} +0000");
        let parts = [
            signature.name_bytes(),
            b" <",
            signature.email_bytes(),
            end.as_bytes(),
        ];
        Ok(parts.concat())
    }

    fn signature(&self, at: Timestamp) -> Result<Signature<'static>, GitError> {
        const UTC: i32 = 0;
        let time = Time::new(at.0.div_euclid(1000), UTC);
        let clean = |text: &str| text.replace(['<', '>', '\n', '\0'], "");
        Ok(Signature::new(
            &clean(&self.name),
            &clean(&self.email),
            &time,
        )?)
    }
}
