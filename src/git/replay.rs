//! Taking commits over, one after the other, onto another one.

use git2::{Oid, Repository};

use super::message::Melted;
use super::mirror::find_commit;
use super::object::{NewCommit, Source, Text, utf8};
use super::rebase::{Autosquash, Credit, Rebase, RebasePlan};
use super::todo::{Group, Other, autosquashed, in_order};
use super::{GitError, Mirror};
use paprq_core::ids::CommitId;
use paprq_core::queue::message::{Kept, credited, landed, without_skip_marks};

/// Where the rebase has come to.
#[derive(Clone, Copy)]
struct Tip {
    commit: CommitId,
    tree: Oid,
}

/// What became of a commit and of those that are melted into it.
enum Replayed {
    Made(Tip),
    /// The base has it already.
    Dropped,
    Stopped {
        at: CommitId,
        paths: Vec<String>,
    },
}

/// A tree that was merged, or the paths in conflict.
type Merged = Result<Oid, Vec<String>>;

impl Mirror {
    /// Puts these commits onto another, in their order or in that of autosquash.
    pub(super) async fn replay(
        &self,
        commits: Vec<Source>,
        onto: CommitId,
        plan: &RebasePlan,
    ) -> Result<Rebase, GitError> {
        let groups = match plan.autosquash {
            Autosquash::On => autosquashed(commits),
            Autosquash::Off => in_order(commits),
        };
        let tree = move |mirror: &Self| Ok(find_commit(&mirror.repository()?, onto)?.tree_id());
        let mut tip = Tip {
            commit: onto,
            tree: self.blocking(tree).await?,
        };
        for group in groups {
            match self.take_over(group, tip, plan).await? {
                Replayed::Made(next) => tip = next,
                Replayed::Dropped => {}
                Replayed::Stopped { at, paths } => {
                    return Ok(Rebase::Conflict { commit: at, paths });
                }
            }
        }
        if tip.commit == onto {
            return Ok(Rebase::AlreadyMerged);
        }
        Ok(Rebase::Made(tip.commit))
    }

    async fn take_over(
        &self,
        group: Group,
        tip: Tip,
        plan: &RebasePlan,
    ) -> Result<Replayed, GitError> {
        let Group { target, others } = group;
        let stays = target.parent == Some(tip.commit) && plan.append.is_empty();
        if stays && others.is_empty() {
            return Ok(Replayed::Made(Tip {
                commit: target.id,
                tree: target.tree,
            }));
        }
        let mut tree = match self.pick(&target, tip.tree).await? {
            Ok(tree) if tree == tip.tree && !target.is_empty() => {
                if others.is_empty() {
                    return Ok(Replayed::Dropped);
                }
                // What becomes of its fixups, a person must say.
                return Ok(stopped(&target, Vec::new()));
            }
            Ok(tree) => tree,
            Err(paths) => return Ok(stopped(&target, paths)),
        };
        let mut melted = Melted::new(&target.text.message);
        for other in &others {
            tree = match self.pick(&other.commit, tree).await? {
                Ok(next) if !other.commit.is_empty() && (next == tree || next == tip.tree) => {
                    return Ok(stopped(&other.commit, Vec::new()));
                }
                Ok(next) => next,
                Err(paths) => return Ok(stopped(&other.commit, paths)),
            };
            melted.add(other.how, &other.commit.text.message);
        }
        let last = others.last().map_or(&target, |other| &other.commit);
        let told = |message: Vec<u8>| told(&message, &target, &others, plan);
        let Some(text) = new_text(&target.text, melted, stays, told) else {
            return Ok(stopped(last, Vec::new()));
        };
        self.record(text, tree, tip, plan).await.map(Replayed::Made)
    }

    /// The tree that has the commit's change on top of `onto`.
    async fn pick(&self, commit: &Source, onto: Oid) -> Result<Merged, GitError> {
        if commit.parent_tree == onto {
            return Ok(Ok(commit.tree));
        }
        if commit.is_empty() {
            return Ok(Ok(onto));
        }
        let commit = commit.clone();
        let make_sides = move |mirror: &Self| sides(&mirror.repository()?, &commit, onto);
        let sides = self.blocking(make_sides).await?;
        self.merge_trees(sides.ours, sides.theirs).await
    }

    async fn record(
        &self,
        text: Text,
        tree: Oid,
        tip: Tip,
        plan: &RebasePlan,
    ) -> Result<Tip, GitError> {
        let committer = plan.committer.line(plan.at)?;
        self.blocking(move |mirror| {
            let new = NewCommit {
                tree,
                parents: &[tip.commit],
                text: &text,
                committer: &committer,
            };
            let commit = new.write(&mirror.repository()?)?;
            Ok(Tip { commit, tree })
        })
        .await
    }
}

fn stopped(commit: &Source, paths: Vec<String>) -> Replayed {
    Replayed::Stopped {
        at: commit.id,
        paths,
    }
}

/// What the new commit says; `None` where git refuses a commit without a message.
fn new_text(
    target: &Text,
    melted: Melted,
    stays: bool,
    told: impl FnOnce(Vec<u8>) -> String,
) -> Option<Text> {
    let is_edited = melted.is_edited();
    let text = Text {
        author: target.author.clone(),
        // Git keeps what it does not know when it amends, and not when it picks.
        extra: if stays {
            target.extra.clone()
        } else {
            Vec::new()
        },
        message: told(melted.finish()?).into_bytes(),
    };
    Some(if is_edited {
        text.with_clean_author()
    } else {
        text
    })
}

/// The message of a commit that is taken over, with all that it is to say beside what git would write.
fn told(message: &[u8], target: &Source, others: &[Other], plan: &RebasePlan) -> String {
    let mut message = utf8(message);
    if plan.credit == Credit::CoAuthors {
        let of = others
            .iter()
            .map(|other| other.commit.contribution(Kept::Authors));
        message = credited(&message, &target.text.person(), &of.collect::<Vec<_>>());
    }
    if !plan.append.is_empty() {
        message = landed(&message, plan.source.unwrap_or(target.id), &plan.append);
    }
    without_skip_marks(&message)
}

/// Two commits whose merge is what a cherry-pick makes.
struct Sides {
    ours: CommitId,
    theirs: CommitId,
}

/// Makes a sibling of the commit that has the tree `onto`: then the merge base of the two is the
/// commit's parent. A root commit first gets a parent without files.
fn sides(repository: &Repository, commit: &Source, onto: Oid) -> Result<Sides, GitError> {
    let text = Text {
        author: b"paprq <> 0 +0000".to_vec(),
        ..Text::default()
    };
    let make = |tree: Oid, parents: &[CommitId]| {
        let new = NewCommit {
            tree,
            parents,
            text: &text,
            committer: &text.author,
        };
        new.write(repository)
    };
    Ok(match commit.parent {
        Some(parent) => Sides {
            ours: make(onto, &[parent])?,
            theirs: commit.id,
        },
        None => {
            let empty = make(commit.parent_tree, &[])?;
            Sides {
                ours: make(onto, &[empty])?,
                theirs: make(commit.tree, &[empty])?,
            }
        }
    })
}
