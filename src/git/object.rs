//! Commits to the byte: what a rebase keeps of one, and how the new one is written.
//!
//! libgit2 makes commits of texts only; git keeps the bytes of an author line and of a message, so
//! the new object is put together here.

use git2::{Commit, ObjectType, Oid, Repository};

use super::GitError;
use super::mirror::{commit_id, find_commit};
use paprq_core::ids::CommitId;
use paprq_core::queue::message::{Contribution, Kept};

/// What a rebase needs to know of a commit that it takes over.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) id: CommitId,
    /// The first parent; a root has none.
    pub(super) parent: Option<CommitId>,
    /// The first parent's tree, or the empty one.
    pub(super) parent_tree: Oid,
    pub(super) tree: Oid,
    pub(super) text: Text,
}

/// What people wrote in a commit, with whatever else is in its header.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Text {
    /// `NAME <MAIL> SECONDS ZONE`.
    pub(super) author: Vec<u8>,
    /// Header lines of other programs, as they are; no signatures.
    pub(super) extra: Vec<u8>,
    /// Up to the first NUL, as git reads it.
    pub(super) message: Vec<u8>,
}

impl Source {
    /// Whether the commit changes nothing, and never did.
    pub(super) fn is_empty(&self) -> bool {
        self.tree == self.parent_tree
    }

    /// What the commit brings into another one.
    pub(super) fn contribution(&self, kept: Kept) -> Contribution {
        Contribution {
            author: self.text.person(),
            message: utf8(&self.text.message),
            kept,
        }
    }

    pub(super) fn read(repository: &Repository, commit: &Commit<'_>) -> Result<Self, GitError> {
        let parent = match commit.parent_count() {
            0 => None,
            _ => Some(find_commit(repository, commit_id(commit.parent_id(0)?))?),
        };
        let parent_tree = match &parent {
            Some(parent) => parent.tree_id(),
            None => repository.treebuilder(None)?.write()?,
        };
        Ok(Self {
            id: commit_id(commit.id()),
            parent: parent.map(|parent| commit_id(parent.id())),
            parent_tree,
            tree: commit.tree_id(),
            text: Text::of(commit),
        })
    }
}

impl Text {
    pub(super) fn of(commit: &Commit<'_>) -> Self {
        let mut text = Self {
            message: commit.message_raw_bytes().to_vec(),
            ..Self::default()
        };
        let mut kept = false;
        for line in commit.raw_header_bytes().split_inclusive(|b| *b == b'\n') {
            let key = line.split(|byte| *byte == b' ').next().unwrap_or_default();
            match key {
                // The rest of the line before.
                b"" => {}
                b"author" => {
                    let value = line.strip_prefix(b"author ").unwrap_or_default();
                    text.author = value.trim_ascii_end().to_vec();
                    kept = false;
                }
                b"tree" | b"parent" | b"committer" | b"encoding" => kept = false,
                b"gpgsig" | b"gpgsig-sha256" => kept = false,
                _ => kept = line.trim_ascii() != b"",
            }
            if kept {
                text.extra.extend_from_slice(line);
            }
        }
        text
    }

    /// The author as `NAME <MAIL>`.
    pub(super) fn person(&self) -> String {
        let end = self.author.iter().rposition(|byte| *byte == b'>');
        let person = end.and_then(|end| self.author.get(..=end));
        utf8(person.unwrap_or(&self.author)).trim().to_owned()
    }

    /// The author line as `git commit --amend` writes it, which takes the odd ends of names off.
    pub(super) fn with_clean_author(mut self) -> Self {
        if let Some((name, mail, when)) = split_author(&self.author) {
            let (name, mail) = (without_crud(name), without_crud(mail));
            self.author = [&name[..], b" <", &mail, b"> ", when.trim_ascii()].concat();
        }
        self
    }
}

/// A commit that is about to be made.
#[derive(Clone, Debug)]
pub(super) struct NewCommit<'a> {
    pub(super) tree: Oid,
    pub(super) parents: &'a [CommitId],
    pub(super) text: &'a Text,
    /// `NAME <MAIL> SECONDS ZONE`.
    pub(super) committer: &'a [u8],
}

impl NewCommit<'_> {
    pub(super) fn write(&self, repository: &Repository) -> Result<CommitId, GitError> {
        let mut bytes = format!("tree {}\n", self.tree).into_bytes();
        for parent in self.parents {
            bytes.extend(format!("parent {parent}\n").into_bytes());
        }
        let parts = [
            b"author ",
            self.text.author.as_slice(),
            b"\ncommitter ",
            self.committer,
            b"\n",
            &self.text.extra,
            b"\n",
            &self.text.message,
        ];
        bytes.extend(parts.concat());
        let odb = repository.odb()?;
        Ok(commit_id(
            odb.write(ObjectType::Commit, utf8(&bytes).as_bytes())?,
        ))
    }
}

/// What is no UTF-8 is taken for Latin-1, byte by byte (git: `commit.c verify_utf8`).
pub(super) fn utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if is_noncharacter(letter) {
                let mut buffer = [0; 4];
                let bytes = letter.encode_utf8(&mut buffer).bytes();
                text.extend(bytes.map(char::from));
            } else {
                text.push(letter);
            }
        }
        text.extend(chunk.invalid().iter().copied().map(char::from));
    }
    text
}

/// The code points that git does not let pass for text.
fn is_noncharacter(letter: char) -> bool {
    let code = u32::from(letter);
    code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
}

fn split_author(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let end = line.iter().rposition(|byte| *byte == b'>')?;
    let (person, when) = line.split_at_checked(end)?;
    let start = person.iter().position(|byte| *byte == b'<')?;
    let (name, mail) = person.split_at_checked(start)?;
    Some((name, mail.get(1..)?, when.get(1..)?))
}

/// git: `ident.c strbuf_addstr_without_crud`, which takes no dots off since 2.43.
fn without_crud(text: &[u8]) -> Vec<u8> {
    let is_crud = |byte: &u8| *byte <= b' ' || b",:;<>\"\\'".contains(byte);
    let Some(start) = text.iter().position(|byte| !is_crud(byte)) else {
        return Vec::new();
    };
    let end = text
        .iter()
        .rposition(|byte| !is_crud(byte))
        .unwrap_or(start);
    let inner = text.get(start..=end).unwrap_or_default();
    let kept = inner.iter().filter(|byte| !b"\n<>".contains(byte));
    kept.copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_utf8_is_taken_for_latin_1() {
        assert_eq!(utf8("größe".as_bytes()), "größe");
        assert_eq!(utf8(b"gr\xf6\xdfe \xe2\x82"), "größe â\u{82}");
        assert_eq!(utf8("\u{fffe}".as_bytes()), "ï¿¾");
    }

    #[test]
    fn an_amended_commit_loses_the_odd_ends_of_its_authors_name() {
        let text = |author: &str| Text {
            author: author.as_bytes().to_vec(),
            ..Text::default()
        };
        for (before, after) in [
            ("A B <a@b> 1 +0200", "A B <a@b> 1 +0200"),
            ("\"Sam Jr.\" <a@b,> 1 +0200", "Sam Jr. <a@b> 1 +0200"),
            ("no mail", "no mail"),
        ] {
            assert_eq!(text(before).with_clean_author(), text(after));
        }
    }
}
