//! Who wrote a commit that is made of others, and what else those said for programs to read.

use super::trailers::{self, Trailer, add_new};
use super::without_skip_marks;
use crate::ids::CommitId;

const CO_AUTHOR: &str = "Co-authored-by";

/// A commit that goes into another one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Contribution {
    /// Its author, as `NAME <MAIL>`.
    pub author: String,
    /// Its message.
    pub message: String,
    /// What of its message lives on.
    pub kept: Kept,
}

/// What of a message lives on in a commit that has another one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kept {
    /// All trailers: the commit becomes part of a squashed one.
    Trailers,
    /// Only who wrote it: its message was to be forgotten (`fixup!`).
    Authors,
}

/// The message of a commit by `author` (`NAME <MAIL>`) that these were made into: with their
/// trailers, and with everybody who wrote one of them as a co-author, each once.
pub fn credited(message: &str, author: &str, of: &[Contribution]) -> String {
    let mut kept: Vec<Trailer> = Vec::new();
    let mut authors: Vec<Trailer> = Vec::new();
    for contribution in of {
        authors.push(Trailer::new(CO_AUTHOR, &contribution.author));
        for trailer in trailers::of(&without_skip_marks(&contribution.message)) {
            if is_co_author(&trailer) {
                authors.push(trailer);
            } else if contribution.kept == Kept::Trailers {
                add_new(&mut kept, trailer);
            }
        }
    }
    let there = trailers::of(message);
    let mut known: Vec<String> = there
        .iter()
        .filter(|one| is_co_author(one))
        .map(mail)
        .collect();
    known.push(mail(&Trailer::new(CO_AUTHOR, author)));
    for trailer in authors {
        let mail = mail(&trailer);
        if !known.contains(&mail) {
            known.push(mail);
            kept.push(trailer);
        }
    }
    trailers::appended(message, &kept, &[])
}

/// The message of a commit that was rebased from `source`, with `lines` (`Closes: #1`, …) among its
/// trailers.
///
/// Git takes a paragraph with `Approved by: NAME`, which is Homu's and no trailer, for one of
/// trailers only beside a line of its own, so there is one: where the commit was picked from.
pub fn landed(message: &str, source: CommitId, lines: &str) -> String {
    let picked = format!("(cherry picked from commit {source})");
    let lines = lines.lines().filter(|line| !line.is_empty());
    let lines: Vec<String> = std::iter::once(picked)
        .chain(lines.map(str::to_owned))
        .collect();
    trailers::appended(message, &[], &lines)
}

fn is_co_author(trailer: &Trailer) -> bool {
    trailer.token.eq_ignore_ascii_case(CO_AUTHOR)
}

/// By what a person is known: the address, else the name.
fn mail(trailer: &Trailer) -> String {
    let value = trailer.value.as_str();
    let inside = value.rsplit_once('<').map(|(_, rest)| rest);
    let mail = inside.and_then(|rest| rest.split_once('>'));
    mail.map_or(value, |(mail, _)| mail).trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(author: &str, message: &str) -> Contribution {
        Contribution {
            author: author.to_owned(),
            message: message.to_owned(),
            kept: Kept::Trailers,
        }
    }

    #[test]
    fn everybody_else_is_a_co_author_once() {
        let of = [
            by("A <a@x>", "one\n\nReviewed-by: R\nCo-authored-by: C <c@x>"),
            by(
                "B <b@x>",
                "two\n\nreviewed-by: R\nco-authored-by: Cee <C@X>\n",
            ),
            by("A Again <A@x>", "three"),
        ];
        assert_eq!(
            credited("Title\n\nText.\n", "A <a@x>", &of),
            "Title\n\nText.\n\nReviewed-by: R\nCo-authored-by: C <c@x>\nCo-authored-by: B <b@x>\n"
        );
    }

    #[test]
    fn the_trailers_of_a_description_are_added_to() {
        let said = "Title\n\nFixes: #1\nCo-authored-by: B <b@x>\n";
        let of = [by("B <b@x>", "one\n\nFixes: #1"), by("C <c@x>", "two")];
        assert_eq!(
            credited(said, "A <a@x>", &of),
            format!("{said}Co-authored-by: C <c@x>\n")
        );
        assert_eq!(credited(said, "A <a@x>", &of[..1]), said);
    }

    #[test]
    fn of_a_fixup_only_its_authors_are_kept() {
        let fixup = Contribution {
            kept: Kept::Authors,
            ..by(
                "B <b@x>",
                "fixup! one\n\nFixes: #1\nCo-authored-by: C <c@x>\n",
            )
        };
        assert_eq!(
            credited("one", "A <a@x>", &[fixup]),
            "one\n\nCo-authored-by: B <b@x>\nCo-authored-by: C <c@x>\n"
        );
    }

    #[test]
    fn lines_of_a_landing_are_trailers_among_trailers() {
        let lines = "\nCloses: #1\nApproved by: r";
        let picked = format!("(cherry picked from commit {})", CommitId::ZERO);
        for (message, before) in [
            ("one", "one\n\n"),
            ("one\n\nSee: a\n\n\n", "one\n\nSee: a\n"),
            (
                "one\n\nSee: a\n---\nv2",
                "one\n\nSee: a\n ---\nv2\n\nSee: a\n",
            ),
            ("one\n\nSee: a\n\n# b\n", "one\n\nSee: a\n\n# b\n\nSee: a\n"),
            ("one\n\ntext: a\nb\n", "one\n\ntext: a\nb\n\n"),
        ] {
            assert_eq!(
                landed(message, CommitId::ZERO, lines),
                format!("{before}{picked}\nCloses: #1\nApproved by: r\n"),
                "{message}"
            );
        }
    }
}
