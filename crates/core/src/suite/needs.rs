//! What the suites of a file are called, and which of them `needs` means.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::error::Problem;
use super::{Document, Suite};

/// How many bytes the contexts that a file's suites need may have together: they grow with the
/// square of the file.
const NEEDS_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The contexts and names of a file's suites, none of which means two things.
#[derive(Debug, Default)]
pub(super) struct Calls {
    meant: HashMap<String, Meant>,
}

/// The suites that a call means.
#[derive(Debug)]
struct Meant {
    /// The place in the file, from 0, of the document that they are from.
    document: usize,
    contexts: Vec<String>,
}

/// A context or a name that another suite has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Taken {
    /// The key that says it.
    pub(super) key: &'static str,
}

impl Calls {
    /// Adds what a document's suites are called; the document is at this place of the file, from 0.
    pub(super) fn add(&mut self, at: usize, document: &Document) -> Result<(), Taken> {
        let suites = &document.suites;
        for suite in suites {
            self.mean(&suite.context, at, [suite])
                .ok_or(Taken { key: "context" })?;
        }
        let stated = document.context();
        if !suites.iter().any(|suite| suite.context == stated) {
            self.mean(stated, at, suites)
                .ok_or(Taken { key: "context" })?;
        }
        for name in names(document) {
            let is_stated = document.name() == Some(name);
            let called = suites
                .iter()
                .filter(|suite| is_stated || suite.name.as_deref() == Some(name));
            self.mean(name, at, called).ok_or(Taken { key: "name" })?;
        }
        Ok(())
    }

    /// `None` if the call means something already.
    fn mean<'a>(
        &mut self,
        call: &str,
        document: usize,
        suites: impl IntoIterator<Item = &'a Suite>,
    ) -> Option<()> {
        let contexts = suites.into_iter().map(|suite| suite.context.clone());
        let meant = Meant {
            document,
            contexts: contexts.collect(),
        };
        let earlier = self.meant.insert(call.to_owned(), meant);
        earlier.is_none().then_some(())
    }

    /// What the suites of this document need.
    fn needed_by(&self, at: usize, document: &Document) -> Result<Needed, Problem> {
        let mut needed = Needed::default();
        for (call, place) in document.needs() {
            let wrong = |what: &str| Problem::at(place, format!("{what} '{call}' in 'needs'"));
            let meant = self.meant.get(call).ok_or_else(|| wrong("unknown suite"))?;
            if meant.document == at {
                return Err(wrong("the suite's own name"));
            }
            needed.documents.insert(meant.document);
            needed.add(&meant.contexts);
        }
        Ok(needed)
    }
}

/// What a document's suites need.
#[derive(Debug, Default)]
struct Needed {
    documents: BTreeSet<usize>,
    /// Distinct, in the order of `needs`.
    contexts: Vec<String>,
    bytes: usize,
}

impl Needed {
    fn add(&mut self, contexts: &[String]) {
        let known: HashSet<&String> = self.contexts.iter().collect();
        let new: Vec<String> = contexts
            .iter()
            .filter(|context| !known.contains(context))
            .cloned()
            .collect();
        self.bytes += new.iter().map(String::len).sum::<usize>();
        self.contexts.extend(new);
    }
}

/// Replaces what `needs` of all suites says by the contexts that it means.
///
/// # Errors
///
/// Something is unknown, or suites wait for themselves or for each other.
pub(super) fn resolve(documents: &mut [Document], calls: &Calls) -> Result<(), Problem> {
    let mut graph = Vec::new();
    let mut bytes = 0_usize;
    for (at, document) in documents.iter_mut().enumerate() {
        let needed = calls
            .needed_by(at, document)
            .map_err(|problem| problem.of_document(at + 1))?;
        bytes = bytes.saturating_add(needed.bytes.saturating_mul(document.suites.len()));
        if bytes > NEEDS_BYTES_MAX {
            let problem = Problem::at(document.place(), "too large with what it needs");
            return Err(problem.of_document(at + 1));
        }
        for suite in &mut document.suites {
            suite.needs.clone_from(&needed.contexts);
        }
        graph.push(needed.documents);
    }
    match circle(&graph).as_deref() {
        None | Some([]) => Ok(()),
        Some(circle @ [first, ..]) => Err(in_circle(documents, circle).of_document(first + 1)),
    }
}

fn in_circle(documents: &[Document], circle: &[usize]) -> Problem {
    let members = || circle.iter().filter_map(|&at| documents.get(at));
    let names: Vec<String> = members()
        .map(|document| format!("'{}'", document.context()))
        .collect();
    let message = format!("suites need each other: {}", names.join(", "));
    match members().find_map(|document| Some(document.needs().next()?.1)) {
        Some(place) => Problem::at(place, message),
        None => Problem::of_file(message),
    }
}

/// Some documents each of which needs the next, and the last the first.
fn circle(graph: &[BTreeSet<usize>]) -> Option<Vec<usize>> {
    let mut stuck: BTreeSet<usize> = (0..graph.len()).collect();
    let waits = |at: usize, stuck: &BTreeSet<usize>| {
        let needed = graph.get(at)?;
        needed.iter().copied().find(|needed| stuck.contains(needed))
    };
    loop {
        let before = stuck.len();
        let now = stuck.clone();
        stuck.retain(|&at| waits(at, &now).is_some());
        if stuck.len() == before {
            break;
        }
    }
    let mut trail = vec![*stuck.first()?];
    loop {
        let next = waits(*trail.last()?, &stuck)?;
        if let Some(begin) = trail.iter().position(|&at| at == next) {
            return Some(trail.split_off(begin));
        }
        trail.push(next);
    }
}

/// The names that a document's suites have, and the one that it states.
fn names(document: &Document) -> BTreeSet<&str> {
    let own = document
        .suites
        .iter()
        .filter_map(|suite| suite.name.as_deref());
    own.chain(document.name()).collect()
}
