//! The name of a repository on GitHub.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A repository on GitHub: `OWNER/NAME`. Compared without regard to case, as GitHub does.
#[derive(Clone, Debug)]
pub struct Slug {
    owner: String,
    name: String,
}

impl Slug {
    /// Takes both parts as they are written.
    pub fn new(owner: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            owner: owner.into(),
            name: name.into(),
        }
    }

    /// Whose repository it is.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Its name among its owner's.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl PartialEq for Slug {
    fn eq(&self, other: &Self) -> bool {
        self.owner.eq_ignore_ascii_case(&other.owner) && self.name.eq_ignore_ascii_case(&other.name)
    }
}

impl Eq for Slug {}

impl Hash for Slug {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.owner.to_ascii_lowercase().hash(state);
        self.name.to_ascii_lowercase().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn slugs_that_differ_in_case_are_one() {
        let known = HashSet::from([Slug::new("Octo", "Hello-World")]);
        assert!(known.contains(&Slug::new("octo", "hello-WORLD")));
        assert!(!known.contains(&Slug::new("octo", "hello")));
        assert_ne!(Slug::new("Octo", "b"), Slug::new("Octo", "a"));
    }
}
