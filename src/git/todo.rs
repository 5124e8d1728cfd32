//! The order in which a rebase takes commits over, with `fixup!` and the like behind their targets.

use std::collections::HashMap;

use super::message::{Melting, is_space, subject};
use super::object::Source;

/// A commit to take over, and those to melt into it.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) target: Source,
    pub(super) others: Vec<Other>,
}

/// A commit that is melted into another.
#[derive(Clone, Debug)]
pub(super) struct Other {
    pub(super) how: Melting,
    pub(super) commit: Source,
}

/// Each commit for itself, in their order.
pub(super) fn in_order(commits: Vec<Source>) -> Vec<Group> {
    let alone = |target| Group {
        target,
        others: Vec::new(),
    };
    commits.into_iter().map(alone).collect()
}

/// Moves what is to be melted behind its target (git: `sequencer.c todo_list_rearrange_squash`).
///
/// A target is an earlier commit: the one with exactly this subject, else with this id or its
/// beginning, else the first whose subject begins so. Ids count among these commits only, and names of
/// branches and tags, which git would also take, do not.
pub(super) fn autosquashed(commits: Vec<Source>) -> Vec<Group> {
    let mut order: Vec<TodoLine> = Vec::new();
    let mut known = Known::default();
    for (index, commit) in commits.iter().enumerate() {
        let subject = subject(&commit.text.message);
        let found = wanted(&subject).and_then(|(how, name)| Some((how, known.find(name)?)));
        match found {
            Some((how, target)) => {
                let behind = known.tails.insert(target, index).unwrap_or(target);
                let at = order.iter().position(|place| place.index == behind);
                let how = Some(how);
                order.insert(at.map_or(order.len(), |at| at + 1), TodoLine { index, how });
            }
            None => {
                known.by_subject.entry(subject.clone()).or_insert(index);
                order.push(TodoLine { index, how: None });
            }
        }
        known.ids.push(commit.id.to_string());
        known.subjects.push(subject);
    }
    grouped(commits, &order)
}

/// Where a commit is to go: a pick, or melted into what is before it.
struct TodoLine {
    index: usize,
    how: Option<Melting>,
}

fn grouped(commits: Vec<Source>, order: &[TodoLine]) -> Vec<Group> {
    let mut commits: Vec<_> = commits.into_iter().map(Some).collect();
    let mut groups: Vec<Group> = Vec::new();
    for place in order {
        let Some(commit) = commits.get_mut(place.index).and_then(Option::take) else {
            continue;
        };
        match (place.how, groups.last_mut()) {
            (Some(how), Some(group)) => group.others.push(Other { how, commit }),
            (_, _) => groups.extend(in_order(vec![commit])),
        }
    }
    groups
}

/// The commits before this one.
#[derive(Default)]
struct Known {
    ids: Vec<String>,
    subjects: Vec<Vec<u8>>,
    by_subject: HashMap<Vec<u8>, usize>,
    /// What was last moved behind a commit.
    tails: HashMap<usize, usize>,
}

impl Known {
    fn find(&self, name: &[u8]) -> Option<usize> {
        let by_subject = self.by_subject.get(name).copied();
        by_subject.or_else(|| self.by_id(name)).or_else(|| {
            let mut subjects = self.subjects.iter();
            subjects.position(|subject| subject.starts_with(name))
        })
    }

    fn by_id(&self, name: &[u8]) -> Option<usize> {
        const DIGITS_MIN: usize = 4;
        let name = str::from_utf8(name).ok()?.to_ascii_lowercase();
        let mut fitting = (0..).zip(&self.ids).filter(|(_, id)| id.starts_with(&name));
        let (index, _) = fitting.next()?;
        (name.len() >= DIGITS_MIN && fitting.next().is_none()).then_some(index)
    }
}

/// How a commit with this subject wants to be melted into which.
fn wanted(subject: &[u8]) -> Option<(Melting, &[u8])> {
    let (how, mut name) = marked(subject)?;
    loop {
        while let Some((first, rest)) = name.split_first()
            && is_space(*first)
        {
            name = rest;
        }
        match marked(name) {
            Some((_, inner)) => name = inner,
            None => return Some((how, name)),
        }
    }
}

fn marked(subject: &[u8]) -> Option<(Melting, &[u8])> {
    let marks: [(&[u8], Melting); 3] = [
        (b"fixup! ", Melting::Fixup),
        (b"amend! ", Melting::Amend),
        (b"squash! ", Melting::Squash),
    ];
    let mut fitting = marks
        .into_iter()
        .filter_map(|(mark, how)| Some((how, subject.strip_prefix(mark)?)));
    fitting.next()
}

#[cfg(test)]
mod tests {
    use git2::Oid;

    use super::super::object::Text;
    use super::*;
    use paprq_core::ids::CommitId;

    /// What becomes of commits with these subjects, whose ids are `01…`, `02…` and so on.
    fn arranged(subjects: &[&str]) -> Vec<String> {
        let commit = |(n, subject): (u8, &&str)| Source {
            id: CommitId::from_bytes([n; 20]),
            parent: None,
            parent_tree: Oid::ZERO_SHA1,
            tree: Oid::ZERO_SHA1,
            text: Text {
                message: subject.as_bytes().to_vec(),
                ..Text::default()
            },
        };
        let commits = (1..).zip(subjects).map(commit).collect();
        let name = |commit: &Source| String::from_utf8(commit.text.message.clone()).unwrap();
        let line = |group: Group| {
            let others = group.others.iter().map(|other| name(&other.commit));
            let all: Vec<_> = [name(&group.target)].into_iter().chain(others).collect();
            all.join(" < ")
        };
        autosquashed(commits).into_iter().map(line).collect()
    }

    #[test]
    fn targets_are_found_by_subject_then_by_id_then_by_how_they_begin() {
        for (subjects, groups) in [
            (vec!["a", "b", "fixup! a"], vec!["a < fixup! a", "b"]),
            (
                vec!["a", "0101", "fixup! 0101"],
                vec!["a", "0101 < fixup! 0101"],
            ),
            (vec!["a", "b", "fixup! 0101"], vec!["a < fixup! 0101", "b"]),
            (vec!["a", "b", "fixup! 010"], vec!["a", "b", "fixup! 010"]),
            (vec!["abc", "b", "fixup! ab"], vec!["abc < fixup! ab", "b"]),
            (vec!["a", "fixup! c", "c"], vec!["a", "fixup! c", "c"]),
            (vec!["a", "a", "squash! a"], vec!["a < squash! a", "a"]),
            (
                vec!["a", "fixup!a", "fixup!  a"],
                vec!["a < fixup!  a", "fixup!a"],
            ),
        ] {
            assert_eq!(arranged(&subjects), groups);
        }
    }

    #[test]
    fn several_fixups_of_one_target_keep_their_order() {
        let subjects = ["a", "b", "fixup! a", "squash! a", "amend! fixup! a"];
        let all = "a < fixup! a < squash! a < amend! fixup! a";
        assert_eq!(arranged(&subjects), [all, "b"]);
    }

    #[test]
    fn a_fixup_without_a_target_can_be_one_itself_by_its_id() {
        let subjects = ["fixup! gone", "b", "fixup! 0101"];
        assert_eq!(arranged(&subjects), ["fixup! gone < fixup! 0101", "b"]);
    }
}
