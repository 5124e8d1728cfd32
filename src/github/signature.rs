//! Whether a webhook's body was signed with the repository's secret.
//!
//! GitHub: "Validating webhook deliveries"; the construction is RFC 2104.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

/// Why a webhook is not believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadSignature {
    /// Neither header was sent.
    #[error("check the signature: the webhook has none (is a secret set on GitHub?)")]
    Missing,
    /// The header that decides is not `ALGORITHM=HEX`.
    #[error("check the signature: its header is malformed")]
    Malformed,
    /// It was made with another secret or for another body.
    #[error("check the signature: it was made with another secret")]
    Wrong,
}

/// Checks a body against the headers `X-Hub-Signature-256` and `X-Hub-Signature`.
///
/// Where the former is present it alone decides; the latter, which Homu used, is for servers that
/// send nothing better. Compares in constant time.
///
/// # Errors
///
/// Unless the header that decides was made from this body with this secret.
pub fn verify(
    secret: &[u8],
    body: &[u8],
    sha256: Option<&str>,
    sha1: Option<&str>,
) -> Result<(), BadSignature> {
    match (sha256, sha1) {
        (Some(header), _) => check::<Hmac<Sha256>>(secret, body, header, "sha256="),
        (None, Some(header)) => check::<Hmac<Sha1>>(secret, body, header, "sha1="),
        (None, None) => Err(BadSignature::Missing),
    }
}

/// What a body is sent with so that [`verify`] believes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signed {
    /// `X-Hub-Signature-256`.
    pub sha256: String,
    /// `X-Hub-Signature`, for those who do not know the other.
    pub sha1: String,
}

/// Signs a body.
pub fn sign(secret: &[u8], body: &[u8]) -> Signed {
    Signed {
        sha256: format!("sha256={}", tag::<Hmac<Sha256>>(secret, body)),
        sha1: format!("sha1={}", tag::<Hmac<Sha1>>(secret, body)),
    }
}

fn tag<M: Mac + KeyInit>(secret: &[u8], body: &[u8]) -> String {
    // A secret may be of any length (RFC 2104), so that there always is one.
    let mac = <M as KeyInit>::new_from_slice(secret).map(|mut mac| {
        mac.update(body);
        mac.finalize().into_bytes()
    });
    mac.map(hex::encode).unwrap_or_default()
}

fn check<M: Mac + KeyInit>(
    secret: &[u8],
    body: &[u8],
    header: &str,
    prefix: &str,
) -> Result<(), BadSignature> {
    let digits = header
        .trim()
        .strip_prefix(prefix)
        .ok_or(BadSignature::Malformed)?;
    let Ok(tag) = hex::decode(digits) else {
        return Err(BadSignature::Malformed);
    };
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(secret) else {
        return Err(BadSignature::Wrong);
    };
    mac.update(body);
    mac.verify_slice(&tag).or(Err(BadSignature::Wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of GitHub's documentation; the SHA-1 twin was computed with `openssl dgst`.
    const SECRET: &[u8] = b"It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SHA256: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const SHA1: &str = "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59";

    #[test]
    fn githubs_own_example_is_believed_by_either_header() {
        assert_eq!(verify(SECRET, BODY, Some(SHA256), None), Ok(()));
        assert_eq!(verify(SECRET, BODY, None, Some(SHA1)), Ok(()));
    }

    #[test]
    fn another_body_or_secret_is_not_believed() {
        for (secret, body) in [(SECRET, &b"Hello, World?"[..]), (b"guess", BODY)] {
            for (sha256, sha1) in [(Some(SHA256), None), (None, Some(SHA1))] {
                assert_eq!(verify(secret, body, sha256, sha1), Err(BadSignature::Wrong));
            }
        }
    }

    #[test]
    fn a_wrong_sha256_is_not_saved_by_a_right_sha1() {
        let wrong = SHA256.replace('7', "8");
        let wrong_verdict = verify(SECRET, BODY, Some(&wrong), Some(SHA1));
        assert_eq!(wrong_verdict, Err(BadSignature::Wrong));
        let empty_verdict = verify(SECRET, BODY, Some(""), Some(SHA1));
        assert_eq!(empty_verdict, Err(BadSignature::Malformed));
    }

    #[test]
    fn a_right_sha256_does_not_need_the_sha1() {
        let verdict = verify(SECRET, BODY, Some(SHA256), Some("sha1=00"));
        assert_eq!(verdict, Ok(()));
    }

    #[test]
    fn no_header_is_an_error() {
        let verdict = verify(SECRET, BODY, None, None);
        assert_eq!(verdict, Err(BadSignature::Missing));
    }

    #[test]
    fn a_header_of_another_form_is_malformed() {
        let bare = SHA256.trim_start_matches("sha256=");
        for header in [bare, SHA1, "sha256=", "sha256=xyz", "sha256=757"] {
            let verdict = verify(SECRET, BODY, Some(header), None);
            assert!(verdict.is_err(), "{header}");
        }
        let cut = SHA256.get(..SHA256.len() - 2);
        assert_eq!(verify(SECRET, BODY, cut, None), Err(BadSignature::Wrong));
    }
}
