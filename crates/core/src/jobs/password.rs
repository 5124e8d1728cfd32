//! What is kept of the password with which an attempt fetches its commit.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Enough of a password to know it again, and nothing to show it with. A password is 160 random bits,
/// so that a plain digest gives nobody a guess.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordDigest(String);

impl PasswordDigest {
    /// Of this password.
    pub fn of(password: &str) -> Self {
        Self(hex::encode(Sha256::digest(password)))
    }

    /// Whether it is of this password. How long that takes says nothing of the password.
    pub fn is_of(&self, password: &str) -> bool {
        *self == Self::of(password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_knows_its_password_and_is_not_one() {
        let digest = PasswordDigest::of("password");
        assert!(digest.is_of("password"));
        let stored = serde_json::to_value(&digest).unwrap();
        assert!(!digest.is_of(stored.as_str().unwrap()));
        assert!(!stored.to_string().contains("password"));
        assert_eq!(
            serde_json::from_value::<PasswordDigest>(stored).unwrap(),
            digest
        );
    }
}
