//! Which comment one is, and which of two came first.

use serde::{Deserialize, Serialize};

use crate::ids::Timestamp;

/// Which comment: unique in a repository, ordered by age.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct CommentKey {
    /// When it was made, by GitHub's clock, in whole seconds.
    pub at: Timestamp,
    /// GitHub's number for it, counted within its sort.
    pub id: u64,
    /// Its sort.
    pub sort: CommentSort,
}

impl CommentKey {
    /// The key of what was taken over from another queue, which knew all that was said until then.
    /// Comments of the same second count as younger.
    pub fn imported(until: Timestamp) -> Self {
        Self {
            at: Timestamp(until.0 - until.0.rem_euclid(1000)),
            id: 0,
            sort: CommentSort::Issue,
        }
    }

    /// Whether this is no comment, but [`CommentKey::imported`]: GitHub counts from 1.
    pub fn is_imported(self) -> bool {
        self.id == 0
    }
}

/// GitHub's three sorts of comments on pulls.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum CommentSort {
    /// In the conversation.
    Issue,
    /// The text of a review.
    Review,
    /// On a line of the change.
    ReviewComment,
}
