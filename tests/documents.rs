//! Whatever any version stored is read for ever, and nothing of it is lost.
//!
//! `tests/documents/VERSION/KIND/` has documents of each version, with every variant and field, as
//! that version wrote them. `every` holds that they are complete, `fixtures` compares them with what
//! is written now, `applied` lets the store, the queue and the job board go on with them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test, helpers too fail by panicking"
)]

#[path = "documents/applied.rs"]
mod applied;
#[path = "documents/effects.rs"]
mod effects;
#[path = "documents/events.rs"]
mod events;
#[path = "documents/every.rs"]
mod every;
#[path = "documents/fixtures.rs"]
mod fixtures;
#[path = "documents/jobs.rs"]
mod jobs;
#[path = "documents/names.rs"]
mod names;
#[path = "documents/notes.rs"]
mod notes;
#[path = "documents/rows.rs"]
mod rows;
#[path = "documents/states.rs"]
mod states;
#[path = "documents/suites.rs"]
mod suites;

use std::collections::BTreeMap;

use fixtures::{Fixture, numbered, unnumbered};
use paprq::store::document::{self, Kind};
use serde_json::Value;

/// What may get lost of documents, and why.
const LET_GO: [(Kind, &str, &str); 1] = [(
    Kind::Job,
    "0123456789abcdef0123456789abcdef01234567",
    "version 1 keeps a password's digest instead",
)];

#[test]
fn this_version_writes_the_newest_documents() {
    let mut newest = BTreeMap::new();
    for fixture in fixtures::all() {
        newest.insert((fixture.kind, fixture.name.clone()), fixture);
    }
    let mut wrong = Vec::new();
    for ((kind, name), lines) in fixtures::written_now() {
        let known = newest.get(&(kind, name.clone()));
        let file = fixtures::folder(document::VERSION, kind).join(&name);
        match known {
            Some(known) if is_same(known, &lines) => continue,
            Some(known) if known.version == document::VERSION => wrong.push(format!(
                "{} is not what is written now. If it is in a commit that others have, raise \
                 store::document::VERSION; if not, delete the file and test again",
                file.display()
            )),
            Some(_) | None => {
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(&file, lines.join("\n") + "\n").unwrap();
                wrong.push(format!(
                    "{} is new: look at it, commit it and test again. If version {} is in a commit \
                     that others have, delete the file and raise store::document::VERSION first",
                    file.display(),
                    document::VERSION
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_same(known: &Fixture, lines: &[String]) -> bool {
    let then = known
        .lines
        .iter()
        .map(|line| unnumbered(known.version, line));
    then.eq(lines.iter().map(|line| unnumbered(document::VERSION, line)))
}

#[test]
fn every_document_that_was_ever_written_is_read_and_nothing_of_it_is_lost() {
    let fixtures = fixtures::all();
    assert!(fixtures.iter().any(|fixture| fixture.version == 0));
    for fixture in fixtures {
        for line in &fixture.lines {
            let at = format!(
                "version {}, {:?}/{}: {line}",
                fixture.version, fixture.kind, fixture.name
            );
            let reread =
                fixtures::reread(fixture.kind, line).unwrap_or_else(|why| panic!("{why}\n{at}"));
            assert_eq!(reread.ignored, [""; 0], "read by nothing\n{at}");
            let lost = lost(&fixture, line, &reread.text);
            assert_eq!(lost, [""; 0], "not in {}\n{at}", reread.text);
        }
    }
}

/// The numbers, and the names and texts of people, that are not in the other document.
fn lost(fixture: &Fixture, line: &str, reread: &str) -> Vec<String> {
    let said = |version, text| {
        let doc = serde_json::from_str(unnumbered(version, text)).unwrap();
        let mut said = Vec::new();
        collect_said(&doc, &mut said);
        said
    };
    let mut kept = said(document::VERSION, reread);
    let mut lost = said(fixture.version, line);
    lost.retain(|word| match kept.iter().position(|kept| kept == word) {
        Some(at) => {
            kept.swap_remove(at);
            false
        }
        None => !LET_GO
            .iter()
            .any(|(kind, gone, _)| *kind == fixture.kind && gone == word),
    });
    lost
}

fn collect_said(value: &Value, said: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => said.push(number.to_string()),
        Value::String(text) if names::is_said_by_people(text) => said.push(text.clone()),
        Value::String(_) => {}
        Value::Array(items) => items.iter().for_each(|item| collect_said(item, said)),
        Value::Object(entries) => {
            for (key, value) in entries {
                collect_said(&Value::String(key.clone()), said);
                collect_said(value, said);
            }
        }
    }
}

/// Serde takes a document with a field that it does not know, and without one that has a default.
#[test]
fn a_field_that_is_not_read_any_more_and_a_text_that_is_not_kept_are_noticed() {
    let mut fixtures = fixtures::all().into_iter();
    let pushed = fixtures
        .find(|fixture| fixture.name == "HeadPushed.jsonl")
        .unwrap();
    let line = pushed.lines[0].replace("\"pushed_at\":", "\"last_push\":");
    let reread = fixtures::reread(Kind::Event, &line).unwrap();
    assert_eq!(reread.ignored, ["facts.last_push"]);
    let kept = reread.text.replace("Rev-1", "octo-cat");
    assert!(lost(&pushed, &line, &kept).contains(&"Rev-1".to_owned()));
}

#[test]
fn a_number_is_put_before_a_document_and_taken_off_again() {
    for version in [0, 1, 12] {
        assert_eq!(unnumbered(version, &numbered(version, "[1]")), "[1]");
    }
}
