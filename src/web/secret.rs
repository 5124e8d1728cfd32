//! Whether somebody knows a secret of the configuration, found out without telling how near a
//! guess was.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::config::Secret;

/// Whether this is the secret. Takes as long for a guess that is nearly right as for any other of
/// its length.
pub(super) fn is_same(secret: &Secret, shown: &str) -> bool {
    // A key that nobody knows makes of both what cannot be aimed at; `verify` compares all of it.
    let key = rand::random::<[u8; 32]>();
    match (mac(&key, secret.expose()), mac(&key, shown)) {
        (Some(secret), Some(shown)) => secret.verify_slice(&shown.finalize().into_bytes()).is_ok(),
        (Some(_) | None, Some(_) | None) => false,
    }
}

fn mac(key: &[u8], text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secret_itself_is_the_secret() {
        let secret = Secret::new("hunter2");
        assert!(is_same(&secret, "hunter2"));
        for guess in ["", "hunter", "hunter22", "Hunter2"] {
            assert!(!is_same(&secret, guess), "{guess}");
        }
    }
}
