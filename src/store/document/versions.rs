//! What changed in the stored documents from each version to the next.
//!
//! A step is never changed once a database may hold what it leads to, and never taken away: there are
//! databases and backups of every version. `tests/documents/` has samples of each.

use serde_json::{Map, Value};

use super::{Kind, VERSION};
use paprq_core::jobs::PasswordDigest;

/// Makes of a document what the next version would have written. It is given what is as old as
/// itself, and leaves alone what it does not know.
pub(super) type Step = fn(Kind, &mut Value);

/// The steps, from version 0 on: each leads from the version of its place to the next.
///
/// To 2: a suite has a `checkout`.
pub(super) const STEPS: [Step; VERSION as usize] = [hash_passwords, |_, _| ()];

/// To 1: of an attempt's password only its digest is kept. Documents have a number from here on.
fn hash_passwords(kind: Kind, doc: &mut Value) {
    let leased = match kind {
        Kind::Job => doc.pointer_mut("/state/Leased"),
        Kind::Repo | Kind::Pull | Kind::Run | Kind::Event | Kind::Effect | Kind::Header => None,
    };
    let Some(leased) = leased.and_then(Value::as_object_mut) else {
        return;
    };
    replace(leased, "git_token", "git_password", |token| {
        let token = token.as_str().unwrap_or_default();
        serde_json::to_value(PasswordDigest::of(token)).unwrap_or_default()
    });
}

/// Gives an entry another key, in the same place, and another value.
fn replace(
    object: &mut Map<String, Value>,
    key: &str,
    new_key: &str,
    new_value: impl Fn(&Value) -> Value,
) {
    if !object.contains_key(key) {
        return;
    }
    let entries = std::mem::take(object).into_iter();
    object.extend(entries.map(|(known, value)| {
        if known == key {
            (new_key.to_owned(), new_value(&value))
        } else {
            (known, value)
        }
    }));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_password_becomes_its_digest_where_it_stood() {
        let stored = |key: &str, value: &str| json!({ "state": { "Leased": { "attempt": 1, key: value, "wish": "stop" } } });
        let mut doc = stored("git_token", "password");
        hash_passwords(Kind::Job, &mut doc);
        let digest = serde_json::to_value(PasswordDigest::of("password")).unwrap();
        let hashed = stored("git_password", digest.as_str().unwrap());
        assert_eq!(doc.to_string(), hashed.to_string());
        hash_passwords(Kind::Job, &mut doc);
        assert_eq!(doc, hashed, "what has a digest keeps it");
    }
}
