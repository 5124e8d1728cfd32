//! The files in `tests/documents/VERSION/KIND/`: documents as that version wrote them, one a line.
//!
//! `NAME.jsonl` has what is written of the samples; `NAME.least.jsonl` has what older programs wrote,
//! which knew fewer fields: each field that may be missing is missing in one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use paprq::store::document::{self, Document, Kind};
use paprq_core::jobs::Job;
use paprq_core::queue::RepoState;
use paprq_core::queue::effect::Effect;
use paprq_core::queue::event::Event;
use paprq_core::queue::pull::Pull;
use paprq_core::queue::run::Run;
use serde_json::Value;

use crate::every::{Every, every};

every!(
    enum Kind {
        Repo,
        Pull,
        Run,
        Job,
        Event,
        Effect,
        Header,
    }
);

/// One file.
#[derive(Clone, Debug)]
pub(crate) struct Fixture {
    pub(crate) version: u32,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) lines: Vec<String>,
}

/// What became of a document that was read.
pub(crate) struct Reread {
    /// As it is written now.
    pub(crate) text: String,
    /// What of it is read by nothing.
    pub(crate) ignored: Vec<String>,
}

/// All files of all versions, the oldest first.
pub(crate) fn all() -> Vec<Fixture> {
    let mut fixtures: Vec<Fixture> = Kind::every().into_iter().flat_map(of_kind).collect();
    fixtures.sort_by_key(|fixture| fixture.version);
    fixtures
}

fn of_kind(kind: Kind) -> impl Iterator<Item = Fixture> {
    (0..=document::VERSION).flat_map(move |version| {
        let files = std::fs::read_dir(folder(version, kind))
            .into_iter()
            .flatten();
        let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(move |file| Fixture {
            version,
            kind,
            name: file.file_name().unwrap().to_str().unwrap().to_owned(),
            lines: std::fs::read_to_string(&file)
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect(),
        })
    })
}

/// The folder of a kind.
pub(crate) fn folder(version: u32, kind: Kind) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents");
    root.join(version.to_string())
        .join(format!("{kind:?}").to_lowercase())
}

/// The document of a line, without its number.
pub(crate) fn unnumbered(version: u32, line: &str) -> &str {
    if version == 0 {
        return line;
    }
    let rest = line.strip_prefix(&format!("{{\"version\":{version},\"doc\":"));
    rest.and_then(|rest| rest.strip_suffix('}')).unwrap()
}

/// The line of a document.
pub(crate) fn numbered(version: u32, doc: &str) -> String {
    match version {
        0 => doc.to_owned(),
        1.. => format!("{{\"version\":{version},\"doc\":{doc}}}"),
    }
}

/// What this version writes: lines of documents, by kind and file.
pub(crate) fn written_now() -> BTreeMap<(Kind, String), Vec<String>> {
    let mut files = BTreeMap::<_, Vec<String>>::new();
    for kind in Kind::every() {
        for text in samples(kind) {
            files
                .entry((kind, name(kind, &text)))
                .or_default()
                .push(text);
        }
    }
    let least: Vec<_> = files
        .iter()
        .map(|((kind, name), lines)| {
            let name = name.replace(".jsonl", ".least.jsonl");
            ((*kind, name), least(*kind, lines))
        })
        .collect();
    files.extend(least.into_iter().filter(|(_, lines)| !lines.is_empty()));
    files
}

/// In which file a document belongs: that of its variant, if it has variants.
fn name(kind: Kind, text: &str) -> String {
    let doc: Value = serde_json::from_str(unnumbered(document::VERSION, text)).unwrap();
    let variant = match kind {
        Kind::Event | Kind::Effect => {
            let named = doc.as_object().and_then(|doc| doc.keys().next());
            named.map_or_else(|| doc.as_str().unwrap(), String::as_str)
        }
        Kind::Repo | Kind::Pull | Kind::Run | Kind::Job | Kind::Header => "all",
    };
    format!("{variant}.jsonl")
}

fn samples(kind: Kind) -> Vec<String> {
    match kind {
        Kind::Repo => texts::<RepoState>(),
        Kind::Pull => texts::<Pull>(),
        Kind::Run => texts::<Run>(),
        Kind::Job => texts::<Job>(),
        Kind::Event => texts::<Event>(),
        Kind::Effect => texts::<Effect>(),
        Kind::Header => texts::<Vec<(String, String)>>(),
    }
}

fn texts<T: Document + Every>() -> Vec<String> {
    let texts = T::every()
        .into_iter()
        .map(|doc| document::write(&doc).unwrap());
    texts.collect()
}

/// Reads a document of any version and writes it again.
pub(crate) fn reread(kind: Kind, text: &str) -> Result<Reread, String> {
    match kind {
        Kind::Repo => reread_as::<RepoState>(text),
        Kind::Pull => reread_as::<Pull>(text),
        Kind::Run => reread_as::<Run>(text),
        Kind::Job => reread_as::<Job>(text),
        Kind::Event => reread_as::<Event>(text),
        Kind::Effect => reread_as::<Effect>(text),
        Kind::Header => reread_as::<Vec<(String, String)>>(text),
    }
}

fn reread_as<T: Document>(text: &str) -> Result<Reread, String> {
    let doc: T = document::read(text).map_err(|error| error.to_string())?;
    let upgraded = document::upgrade::<T>(text).map_err(|error| error.to_string())?;
    let mut ignored = Vec::new();
    let again: Result<T, _> =
        serde_ignored::deserialize(upgraded, |path| ignored.push(path.to_string()));
    let written = document::write(&doc).unwrap();
    for again in [again.unwrap(), document::read(&written).unwrap()] {
        assert_eq!(document::write(&again).unwrap(), written);
    }
    Ok(Reread {
        text: written,
        ignored,
    })
}

/// A step on the way to a value inside a document.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Step {
    Key(String),
    Item(usize),
}

/// The same documents, in each of which some entries are missing that may be; each entry that may be
/// is in one of them.
fn least(kind: Kind, lines: &[String]) -> Vec<String> {
    let mut tried = BTreeSet::new();
    let mut least = Vec::new();
    for line in lines {
        let whole: Value = serde_json::from_str(unnumbered(document::VERSION, line)).unwrap();
        let mut paths = Vec::new();
        collect_paths(&whole, &mut Vec::new(), &mut paths);
        // What is inside of an entry is looked at where the entry is there.
        for depth in 1.. {
            let here: Vec<_> = paths
                .iter()
                .filter(|path| depth_of(path) == depth)
                .collect();
            if here.is_empty() {
                break;
            }
            let mut doc = whole.clone();
            for path in here {
                if !tried.insert(place(path)) {
                    continue;
                }
                let mut without = doc.clone();
                remove(&mut without, path);
                if reread(kind, &numbered(document::VERSION, &without.to_string())).is_ok() {
                    doc = without;
                }
            }
            if doc != whole {
                least.push(numbered(document::VERSION, &doc.to_string()));
            }
        }
    }
    least
}

fn collect_paths(value: &Value, path: &mut Vec<Step>, paths: &mut Vec<Vec<Step>>) {
    if let Some(object) = value.as_object() {
        for (key, inner) in object {
            path.push(Step::Key(key.clone()));
            paths.push(path.clone());
            collect_paths(inner, path, paths);
            path.pop();
        }
    }
    for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
        path.push(Step::Item(index));
        collect_paths(inner, path, paths);
        path.pop();
    }
}

fn depth_of(path: &[Step]) -> usize {
    path.iter()
        .filter(|step| matches!(step, Step::Key(_)))
        .count()
}

/// The same for all items of a list.
fn place(path: &[Step]) -> Vec<Step> {
    let step = |step: &Step| match step {
        Step::Key(key) => Step::Key(key.clone()),
        Step::Item(_) => Step::Item(0),
    };
    path.iter().map(step).collect()
}

fn remove(doc: &mut Value, path: &[Step]) {
    let (Some(Step::Key(key)), inside) = (path.last(), &path[..path.len() - 1]) else {
        unreachable!("a path ends with a key")
    };
    let object = inside.iter().fold(doc, |at, step| match step {
        Step::Key(key) => &mut at[key],
        Step::Item(index) => &mut at[index],
    });
    object.as_object_mut().unwrap().shift_remove(key);
}
