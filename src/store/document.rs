//! Stored documents: JSON, with the number of the version that it is written in.
//!
//! Whatever any version of paprq wrote can be read. `versions` has what changed from each version to
//! the next. What a document means is for the core.

mod versions;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use self::versions::{STEPS, Step};
use paprq_core::jobs::Job;
use paprq_core::queue::RepoState;
use paprq_core::queue::effect::Effect;
use paprq_core::queue::event::Event;
use paprq_core::queue::pull::Pull;
use paprq_core::queue::run::Run;

/// The version that documents are written in. Those that have no number are of version 0.
pub const VERSION: u32 = 2;

/// What the text of a document with a number begins with. No document of version 0 begins so.
const NUMBERED: &str = "{\"version\":";

/// What a document is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// A repository as a whole.
    Repo,
    /// A pull.
    Pull,
    /// A run.
    Run,
    /// A job.
    Job,
    /// Something that happened.
    Event,
    /// Something that is to be done.
    Effect,
    /// A header of a webhook that is to be passed on.
    Header,
}

/// A type that is stored as a document.
pub trait Document: Serialize + DeserializeOwned {
    /// What it is about.
    const KIND: Kind;
}

impl Document for RepoState {
    const KIND: Kind = Kind::Repo;
}

impl Document for Pull {
    const KIND: Kind = Kind::Pull;
}

impl Document for Run {
    const KIND: Kind = Kind::Run;
}

impl Document for Job {
    const KIND: Kind = Kind::Job;
}

impl Document for Event {
    const KIND: Kind = Kind::Event;
}

impl Document for Effect {
    const KIND: Kind = Kind::Effect;
}

impl Document for (String, String) {
    const KIND: Kind = Kind::Header;
}

/// A list is one document, and each of its items is about the same.
impl<T: Document> Document for Vec<T> {
    const KIND: Kind = T::KIND;
}

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// A newer version of paprq wrote it.
    #[error("a newer version of paprq wrote it (document version {0}, not {VERSION} or less)")]
    Newer(u32),
    /// It is not what any version writes.
    #[error("{0}")]
    Malformed(#[from] serde_json::Error),
}

#[derive(Serialize)]
struct Written<'a, T> {
    version: u32,
    doc: &'a T,
}

#[derive(Deserialize)]
struct Numbered<'a> {
    version: u32,
    #[serde(borrow)]
    doc: &'a RawValue,
}

/// The text of a document, in version [`VERSION`].
///
/// # Errors
/// If JSON cannot express it.
pub fn write<T: Document>(doc: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Written {
        version: VERSION,
        doc,
    })
}

/// Reads a document that any version up to [`VERSION`] wrote.
///
/// # Errors
/// If a newer version wrote it, or none.
pub fn read<T: Document>(text: &str) -> Result<T, Unreadable> {
    match number_and_rest(text)? {
        (VERSION, rest) => Ok(serde_json::from_str(rest)?),
        (version, rest) => Ok(T::deserialize(upgraded(T::KIND, version, rest)?)?),
    }
}

/// The document, without its number, as version [`VERSION`] would have written it.
///
/// # Errors
/// If a newer version wrote it, or it is no JSON.
pub fn upgrade<T: Document>(text: &str) -> Result<Value, Unreadable> {
    let (version, rest) = number_and_rest(text)?;
    upgraded(T::KIND, version, rest)
}

/// The version of a document, and the text of what was written in it.
fn number_and_rest(text: &str) -> Result<(u32, &str), Unreadable> {
    if !text.starts_with(NUMBERED) {
        return Ok((0, text));
    }
    let Numbered { version, doc } = serde_json::from_str(text)?;
    Ok((version, doc.get()))
}

fn upgraded(kind: Kind, version: u32, text: &str) -> Result<Value, Unreadable> {
    let missing = usize::try_from(version).ok();
    let missing = missing.and_then(|version| STEPS.get(version..));
    let missing = missing.ok_or(Unreadable::Newer(version))?;
    let mut doc = serde_json::from_str(text)?;
    step_up(missing, kind, &mut doc);
    Ok(doc)
}

/// Takes these steps, one after the other, with each item of a list or with the document itself.
fn step_up(steps: &[Step], kind: Kind, doc: &mut Value) {
    let all = |item: &mut Value| steps.iter().for_each(|step| step(kind, item));
    match doc.as_array_mut() {
        Some(items) => items.iter_mut().for_each(all),
        None => all(doc),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `{"name": "A B"}` became `{"names": "A B"}`, and that `{"names": ["A", "B"]}`.
    const MADE_UP: [Step; 2] = [
        |kind, doc| {
            if kind == Kind::Pull
                && let Some(name) = doc.as_object_mut().and_then(|doc| doc.remove("name"))
            {
                doc["names"] = name;
            }
        },
        |_, doc| {
            if let Some(names) = doc.get_mut("names") {
                let words = names.as_str().unwrap_or_default().split(' ');
                *names = words.collect();
            }
        },
    ];

    #[test]
    fn a_document_takes_every_step_from_its_own_version_on() {
        let now = json!({ "names": ["A", "B"] });
        let older = [
            json!({ "name": "A B" }),
            json!({ "names": "A B" }),
            now.clone(),
        ];
        for (version, mut doc) in older.iter().cloned().enumerate() {
            step_up(&MADE_UP[version..], Kind::Pull, &mut doc);
            assert_eq!(doc, now, "from version {version}");
        }
        let mut list = json!([older[0], older[0]]);
        step_up(&MADE_UP, Kind::Pull, &mut list);
        assert_eq!(list, json!([now, now]), "each item of a list");
        let mut other = older[0].clone();
        step_up(&MADE_UP, Kind::Run, &mut other);
        assert_eq!(other, older[0], "of another kind");
    }

    #[test]
    fn a_document_has_the_number_of_its_version_first() {
        let text = write(&Event::TimePassed).unwrap();
        assert_eq!(
            text,
            format!("{{\"version\":{VERSION},\"doc\":\"TimePassed\"}}")
        );
        assert_eq!(read::<Event>(&text).unwrap(), Event::TimePassed);
        assert_eq!(
            read::<Event>("\"TimePassed\"").unwrap(),
            Event::TimePassed,
            "without a number"
        );
    }

    /// A step may change what is about it, and how it is read.
    #[test]
    fn a_newer_number_is_refused_whatever_is_behind_it() {
        for rest in [
            "\"TimePassed\"",
            "{\"what\":[\"comes\",\"then\"]}",
            "[[]]",
            "null",
        ] {
            let newer = VERSION + 1;
            let text = format!("{{\"version\":{newer},\"doc\":{rest},\"more\":1}}");
            for said in [
                read::<Event>(&text).unwrap_err(),
                upgrade::<Event>(&text).unwrap_err(),
            ] {
                assert!(
                    matches!(said, Unreadable::Newer(number) if number == newer),
                    "{said}"
                );
            }
        }
    }

    #[test]
    fn what_no_version_writes_is_refused() {
        for text in [
            "",
            "{",
            "\"Nothing\"",
            "{\"version\":1}",
            "{\"version\":-1,\"doc\":\"TimePassed\"}",
        ] {
            let said = read::<Event>(text).unwrap_err();
            assert!(matches!(said, Unreadable::Malformed(_)), "{text}: {said}");
        }
    }
}
