//! What a repository is called, and the number that it keeps whatever it is called.

use serde::Deserialize;

use super::slug::Slug;
use paprq_core::ids::GitHubRepoId;

/// A repository as GitHub knows it. Renaming or transferring it changes its name only.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize)]
#[serde(try_from = "Shape")]
pub struct Identity {
    /// Its number.
    pub id: GitHubRepoId,
    /// Its name at that moment.
    pub slug: Slug,
}

#[derive(Deserialize)]
struct Shape {
    id: u64,
    full_name: String,
}

impl TryFrom<Shape> for Identity {
    type Error = &'static str;

    fn try_from(shape: Shape) -> Result<Self, Self::Error> {
        let (owner, name) = shape
            .full_name
            .split_once('/')
            .ok_or("full_name is not OWNER/NAME")?;
        Ok(Self {
            id: GitHubRepoId(shape.id),
            slug: Slug::new(owner, name),
        })
    }
}
