//! What people do to files, by chance: contents, names, modes, links, submodules.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::testing::{Entry, Files};

/// What somebody did to the files.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Put(Vec<u8>, Entry),
    SetLine(Index, Index, String),
    Append(Index, String),
    Delete(Index),
    Rename(Index, Vec<u8>),
    FlipMode(Index),
}

pub(super) fn path() -> impl Strategy<Value = Vec<u8>> {
    select(vec![
        &b"a"[..],
        b"b.txt",
        b"dir/c",
        b"dir/d.log",
        b"dir/sub/e",
        b"other/f",
        b"caf\xe9",
        b"two words",
    ])
    .prop_map(<[u8]>::to_vec)
}

pub(super) fn line() -> impl Strategy<Value = String> {
    select(vec!["one\n", "two\n", "three\r\n", "", "four", "ü \t\n"]).prop_map(str::to_owned)
}

pub(super) fn text() -> impl Strategy<Value = Vec<u8>> {
    (select(vec!["\n", "\r\n"]), 0..4_u8).prop_map(|(end, kind)| {
        let lines = (0..9).map(|n| format!("line {n} of kind {kind}{end}"));
        lines.collect::<String>().into_bytes()
    })
}

pub(super) fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        6 => text().prop_map(Entry::File),
        1 => text().prop_map(Entry::Program),
        1 => select(vec![&b"a"[..], b"dir"]).prop_map(|to| Entry::Link(to.to_vec())),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Entry::File),
        1 => (1..4_u8).prop_map(Entry::Module),
    ]
}

pub(super) fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        2 => (path(), entry()).prop_map(|(path, entry)| Edit::Put(path, entry)),
        5 => (at(), at(), line()).prop_map(|(file, row, text)| Edit::SetLine(file, row, text)),
        2 => (at(), line()).prop_map(|(file, text)| Edit::Append(file, text)),
        1 => at().prop_map(Edit::Delete),
        2 => (at(), path()).prop_map(|(file, to)| Edit::Rename(file, to)),
        1 => at().prop_map(Edit::FlipMode),
    ]
}

pub(super) fn apply(files: &mut Files, edit: &Edit) {
    let pick = |files: &Files, at: &Index| at.get(&files.keys().collect::<Vec<_>>()).to_vec();
    match edit {
        Edit::Put(path, entry) => {
            files.insert(path.clone(), entry.clone());
        }
        Edit::SetLine(file, row, text) => {
            let path = pick(files, file);
            if let Some(Entry::File(content)) = files.get_mut(&path) {
                let mut lines: Vec<_> = content.split_inclusive(|byte| *byte == b'\n').collect();
                if !lines.is_empty() {
                    let row = row.index(lines.len());
                    lines[row] = text.as_bytes();
                    *content = lines.concat();
                }
            }
        }
        Edit::Append(file, text) => {
            let path = pick(files, file);
            if let Some(Entry::File(content)) = files.get_mut(&path) {
                content.extend(text.as_bytes());
            }
        }
        Edit::Delete(file) if files.len() > 1 => {
            files.remove(&pick(files, file));
        }
        Edit::Delete(_) => {}
        Edit::Rename(file, to) => {
            let entry = files.remove(&pick(files, file)).unwrap();
            files.insert(to.clone(), entry);
        }
        Edit::FlipMode(file) => {
            let path = pick(files, file);
            let flipped = match files[&path].clone() {
                Entry::File(content) => Entry::Program(content),
                Entry::Program(content) => Entry::File(content),
                other @ (Entry::Link(_) | Entry::Module(_)) => other,
            };
            files.insert(path, flipped);
        }
    }
}
