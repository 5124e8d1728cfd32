//! Comments, reviews and comments of reviews.

use serde_json::{Value, json};

use crate::world::{Comment, Pull, Repo, Review, ReviewComment};

use super::{Shapes, iso, node, reactions};

impl Shapes<'_> {
    /// `issue-comment`.
    pub(crate) fn comment(&self, repo: &Repo, pull: &Pull, comment: &Comment) -> Value {
        let url = self.repo_api(repo, &format!("/issues/comments/{}", comment.id));
        let anchor = format!("/pull/{}#issuecomment-{}", pull.number, comment.id);
        json!({
            "url": url,
            "html_url": self.page(repo, &anchor),
            "issue_url": self.repo_api(repo, &format!("/issues/{}", pull.number)),
            "id": comment.id,
            "node_id": node("IC", comment.id),
            "user": self.user(&comment.author),
            "created_at": iso(comment.created_at),
            "updated_at": iso(comment.updated_at),
            "body": comment.body,
            "author_association": self.association(repo, &comment.author),
            "reactions": reactions(&url),
            "performed_via_github_app": null,
        })
    }

    /// `pull-request-review`.
    pub(crate) fn review(&self, repo: &Repo, pull: &Pull, review: &Review) -> Value {
        let anchor = format!("/pull/{}#pullrequestreview-{}", pull.number, review.id);
        let page = self.page(repo, &anchor);
        let pull_url = self.repo_api(repo, &format!("/pulls/{}", pull.number));
        json!({
            "id": review.id,
            "node_id": node("PRR", review.id),
            "user": self.user(&review.author),
            "body": review.body,
            "state": review.state.as_str(),
            "html_url": page,
            "pull_request_url": pull_url,
            "author_association": self.association(repo, &review.author),
            "_links": {"html": {"href": page}, "pull_request": {"href": pull_url}},
            "submitted_at": iso(review.at),
            "commit_id": review.commit.to_string(),
        })
    }

    /// `pull-request-review-comment`.
    pub(crate) fn review_comment(
        &self,
        repo: &Repo,
        pull: &Pull,
        comment: &ReviewComment,
    ) -> Value {
        let url = self.repo_api(repo, &format!("/pulls/comments/{}", comment.id));
        let page = self.page(
            repo,
            &format!("/pull/{}#discussion_r{}", pull.number, comment.id),
        );
        let pull_url = self.repo_api(repo, &format!("/pulls/{}", pull.number));
        json!({
            "url": url,
            "pull_request_review_id": comment.review,
            "id": comment.id,
            "node_id": node("PRRC", comment.id),
            "diff_hunk": format!("@@ -{0},1 +{0},1 @@", comment.line),
            "path": comment.path,
            "position": 1,
            "original_position": 1,
            "commit_id": comment.commit.to_string(),
            "original_commit_id": comment.commit.to_string(),
            "user": self.user(&comment.author),
            "body": comment.body,
            "created_at": iso(comment.at),
            "updated_at": iso(comment.at),
            "html_url": page,
            "pull_request_url": pull_url,
            "author_association": self.association(repo, &comment.author),
            "_links": {
                "self": {"href": url},
                "html": {"href": page},
                "pull_request": {"href": pull_url},
            },
            "reactions": reactions(&url),
            "start_line": null,
            "original_start_line": null,
            "start_side": null,
            "line": comment.line,
            "original_line": comment.line,
            "side": "RIGHT",
            "subject_type": "line",
        })
    }
}
