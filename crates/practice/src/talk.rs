//! Comments and reviews: what people say on a pull.

use serde_json::{Value, json};

use paprq_core::ids::{Login, PullNumber};

use super::announce::Told;
use super::core::Core;
use super::hooks::News;
use super::pulls::unknown_pull;
use super::world::{Comment, Pull, Repo, Review, ReviewComment, ReviewState, World};
use super::{Practice, PracticeError};

impl Practice {
    /// Writes a comment on a pull; returns its id.
    ///
    /// # Errors
    /// If there is no such pull.
    pub fn comment(
        &self,
        repo: &str,
        number: PullNumber,
        author: &str,
        body: &str,
    ) -> Result<u64, PracticeError> {
        self.core().comment(repo, number, &Login::new(author), body)
    }

    /// Changes the text of a comment.
    ///
    /// # Errors
    /// If there is no such comment.
    pub fn edit_comment(
        &self,
        repo: &str,
        id: u64,
        by: &str,
        body: &str,
    ) -> Result<(), PracticeError> {
        self.core().edit_comment(repo, id, &Login::new(by), body)
    }

    /// Deletes a comment.
    ///
    /// # Errors
    /// If there is no such comment.
    pub fn delete_comment(&self, repo: &str, id: u64, by: &str) -> Result<(), PracticeError> {
        self.core().delete_comment(repo, id, &Login::new(by))
    }

    /// Reviews the pull's present head; returns the review's id.
    ///
    /// # Errors
    /// If there is no such pull.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is another thing, none can be left out"
    )]
    pub fn review(
        &self,
        repo: &str,
        number: PullNumber,
        author: &str,
        state: ReviewState,
        body: &str,
    ) -> Result<u64, PracticeError> {
        let author = Login::new(author);
        let id = self.core().next_id_for(&author);
        let now = self.core().now();
        self.core().say(repo, number, |pull| {
            pull.reviews.push(Review {
                id,
                author: author.clone(),
                state,
                body: body.to_owned(),
                commit: pull.head,
                at: now,
            });
            pull.updated_at = now;
        })?;
        self.core().tell_review(repo, number, id);
        Ok(id)
    }

    /// Comments on the first line of a file at the pull's present head; returns the comment's id.
    ///
    /// # Errors
    /// If there is no such pull.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is another thing, none can be left out"
    )]
    pub fn review_comment(
        &self,
        repo: &str,
        number: PullNumber,
        author: &str,
        path: &str,
        body: &str,
    ) -> Result<u64, PracticeError> {
        let author = Login::new(author);
        let id = self.core().next_id_for(&author);
        let review = self.core().next_id_for(&author);
        let now = self.core().now();
        self.core().say(repo, number, |pull| {
            pull.review_comments.push(ReviewComment {
                id,
                review,
                author: author.clone(),
                body: body.to_owned(),
                path: path.to_owned(),
                line: 1,
                commit: pull.head,
                at: now,
            });
            pull.updated_at = now;
        })?;
        self.core().tell_review_comment(repo, number, id);
        Ok(id)
    }
}

impl Core {
    /// A fresh id for something that this user makes.
    pub(super) fn next_id_for(&self, author: &Login) -> u64 {
        let mut world = self.world();
        world.user(author, self.now());
        world.next_id()
    }

    /// Changes what is said on a pull.
    fn say<T>(
        &self,
        repo: &str,
        number: PullNumber,
        change: impl FnOnce(&mut Pull) -> T,
    ) -> Result<T, PracticeError> {
        self.change_repo(repo, |repo| repo.pulls.get_mut(&number).map(change))?
            .ok_or_else(|| unknown_pull(number))
    }

    pub(super) fn comment(
        &self,
        repo: &str,
        number: PullNumber,
        author: &Login,
        body: &str,
    ) -> Result<u64, PracticeError> {
        let id = self.next_id_for(author);
        let now = self.now();
        let comment = Comment {
            id,
            author: author.clone(),
            body: body.to_owned(),
            created_at: now,
            updated_at: now,
        };
        let mut world = self.world();
        let pull = world
            .repo_mut(repo)
            .and_then(|repo| repo.pulls.get_mut(&number))
            .ok_or_else(|| unknown_pull(number))?;
        pull.comments.push(comment.clone());
        pull.updated_at = now;
        self.tell_comment(&mut world, repo, &comment, Told::new("created", author));
        drop(world);
        self.changed();
        Ok(id)
    }

    pub(super) fn edit_comment(
        &self,
        repo: &str,
        id: u64,
        by: &Login,
        body: &str,
    ) -> Result<(), PracticeError> {
        let now = self.now();
        let mut world = self.world();
        let pull = pull_with_comment(&mut world, repo, id)?;
        pull.updated_at = now;
        let Some(comment) = pull.comments.iter_mut().find(|comment| comment.id == id) else {
            return Err(unknown_comment(id));
        };
        let from = std::mem::replace(&mut comment.body, body.to_owned());
        comment.updated_at = now;
        let comment = comment.clone();
        let changes = json!({"changes": {"body": {"from": from}}});
        self.tell_comment(
            &mut world,
            repo,
            &comment,
            Told::new("edited", by).with(changes),
        );
        drop(world);
        self.changed();
        Ok(())
    }

    pub(super) fn delete_comment(
        &self,
        repo: &str,
        id: u64,
        by: &Login,
    ) -> Result<(), PracticeError> {
        let mut world = self.world();
        let pull = pull_with_comment(&mut world, repo, id)?;
        let found = pull.comments.iter().find(|comment| comment.id == id);
        let comment = found.cloned().ok_or_else(|| unknown_comment(id))?;
        self.tell_comment(&mut world, repo, &comment, Told::new("deleted", by));
        let pull = pull_with_comment(&mut world, repo, id)?;
        pull.comments.retain(|comment| comment.id != id);
        pull.updated_at = self.now();
        drop(world);
        self.changed();
        Ok(())
    }

    fn tell_comment(&self, world: &mut World, repo: &str, comment: &Comment, told: Told<'_>) {
        let Some(found) = world.repo(repo) else {
            return;
        };
        let pull = found
            .pulls
            .values()
            .find(|pull| pull.comments.iter().any(|other| other.id == comment.id));
        let Some(pull) = pull else {
            return;
        };
        let shapes = self.shapes(world);
        let payload = json!({
            "issue": shapes.issue(found, pull),
            "comment": shapes.comment(found, pull, comment),
        });
        self.tell(
            world,
            News {
                repo,
                event: "issue_comment",
                action: Some(told.action),
                sender: told.by,
                payload: super::json::with(payload, told.more),
            },
        );
    }

    fn tell_review(&self, repo: &str, number: PullNumber, id: u64) {
        let mut world = self.world();
        let Some((found, pull)) = pull_of(&world, repo, number) else {
            return;
        };
        let Some(review) = pull.reviews.iter().find(|review| review.id == id) else {
            return;
        };
        let sender = review.author.clone();
        let shapes = self.shapes(&world);
        // Webhooks write the state in small letters, REST in capitals.
        let state = review.state.as_str().to_lowercase();
        let body = Some(&review.body).filter(|body| !body.is_empty());
        let payload = json!({
            "pull_request": shapes.simple_pull(found, pull),
            "review": super::json::with(
                shapes.review(found, pull, review),
                json!({"state": state, "body": body}),
            ),
        });
        self.tell(
            &mut world,
            News {
                repo,
                event: "pull_request_review",
                action: Some("submitted"),
                sender: &sender,
                payload,
            },
        );
    }

    fn tell_review_comment(&self, repo: &str, number: PullNumber, id: u64) {
        let mut world = self.world();
        let Some((found, pull)) = pull_of(&world, repo, number) else {
            return;
        };
        let Some(comment) = pull.review_comments.iter().find(|made| made.id == id) else {
            return;
        };
        let sender = comment.author.clone();
        let shapes = self.shapes(&world);
        let payload: Value = json!({
            "pull_request": shapes.simple_pull(found, pull),
            "comment": shapes.review_comment(found, pull, comment),
        });
        self.tell(
            &mut world,
            News {
                repo,
                event: "pull_request_review_comment",
                action: Some("created"),
                sender: &sender,
                payload,
            },
        );
    }
}

fn pull_of<'a>(world: &'a World, repo: &str, number: PullNumber) -> Option<(&'a Repo, &'a Pull)> {
    let repo = world.repo(repo)?;
    Some((repo, repo.pulls.get(&number)?))
}

fn pull_with_comment<'a>(
    world: &'a mut World,
    repo: &str,
    id: u64,
) -> Result<&'a mut Pull, PracticeError> {
    world
        .repo_mut(repo)
        .and_then(|repo| {
            repo.pulls
                .values_mut()
                .find(|pull| pull.comments.iter().any(|comment| comment.id == id))
        })
        .ok_or_else(|| unknown_comment(id))
}

pub(super) fn unknown_comment(id: u64) -> PracticeError {
    PracticeError::Unknown(format!("comment {id}"))
}
