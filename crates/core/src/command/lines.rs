//! The structure of a comment: its lines, and which of them are quoted or fenced code.
//!
//! This goes by what a writer means, not by the last rule of Markdown: a fence is a fence however
//! far it is indented, and one that is never closed goes on to the comment's end.

use std::ops::Range;

use super::mail;
use super::said::{Look, Said};

/// The stretches of a comment that can hold commands: neither quoted, by mark or by mail, nor
/// fenced, nor buried in HTML.
///
/// A stretch has several lines where Markdown would make one paragraph of them, because inline code
/// may go over the end of a line but not of a paragraph.
pub(super) fn paragraphs(comment: &str, said: &Said) -> Vec<Range<usize>> {
    let mut paragraphs: Vec<Range<usize>> = Vec::new();
    let mut fence = None;
    let mut is_open = false;
    let lines = roles(comment, said, &mut fence);
    let open = lines.iter().filter(|(_, role)| role.is_open());
    let open: Vec<_> = open.map(|(range, _)| range.clone()).collect();
    let end = mail::beginning(comment, &open).unwrap_or(comment.len());
    for (range, role) in lines {
        if range.start >= end {
            break;
        }
        match (role, paragraphs.last_mut()) {
            (Role::Continuation, Some(paragraph)) if is_open => paragraph.end = range.end,
            (Role::Continuation | Role::Beginning, _) => paragraphs.push(range),
            (Role::Nothing | Role::Fenced, _) => {}
        }
        is_open = role.is_open();
    }
    paragraphs
}

/// What is seen of a comment. Where the page and the lines do not agree on what is fenced, the
/// lines are right, and the page is looked at without what is fenced in them.
pub(super) fn said(comment: &str, look: Look) -> Said {
    let said = Said::of(comment, look);
    let lines = roles(comment, &said, &mut None);
    let is_disputed =
        |(range, role): &(Range<usize>, Role)| *role != Role::Fenced && said.fences(range.clone());
    if lines.iter().any(is_disputed) {
        Said::of(&without_fences(comment, &lines), look)
    } else {
        said
    }
}

/// The comment with blanks for what is fenced; every position stays what it is.
fn without_fences(comment: &str, lines: &[(Range<usize>, Role)]) -> String {
    let mut copy = String::with_capacity(comment.len());
    for (range, role) in lines {
        let end_of_last = comment.get(copy.len()..range.start);
        copy.push_str(end_of_last.unwrap_or_default());
        match role {
            Role::Fenced => copy.extend(std::iter::repeat_n(' ', range.len())),
            Role::Continuation | Role::Beginning | Role::Nothing => {
                copy.push_str(comment.get(range.clone()).unwrap_or_default());
            }
        }
    }
    copy
}

/// The lines of a text, and what each does.
fn roles(text: &str, said: &Said, fence: &mut Option<Fence>) -> Vec<(Range<usize>, Role)> {
    let lines = ranges(text).map(|range| {
        let line = text.get(range.clone()).unwrap_or_default();
        let indent = line.len() - line.trim_start().len();
        let role = if said.buries(range.start + indent..range.end) {
            Role::Nothing
        } else {
            role(line, fence)
        };
        (range, role)
    });
    lines.collect()
}

/// Where the lines of a text are, without their ends: LF, CRLF or CR, as in Markdown.
fn ranges(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let end = rest.get(length..).unwrap_or_default();
        let end_length = if end.starts_with("\r\n") { 2 } else { 1 };
        let line = start..start + length;
        start = (line.end + end_length).min(text.len());
        Some(line)
    })
}

/// What a line does to the paragraph before it.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Role {
    /// It belongs to it.
    Continuation,
    /// It begins the next one.
    Beginning,
    /// It ends it and holds no commands: blank, quoted, or buried in HTML.
    Nothing,
    /// The same, because it is a fence, or fenced.
    Fenced,
}

impl Role {
    fn is_open(self) -> bool {
        match self {
            Self::Continuation | Self::Beginning => true,
            Self::Nothing | Self::Fenced => false,
        }
    }
}

/// An open fence: the character it is made of, and how many of them.
struct Fence {
    mark: char,
    length: usize,
}

fn role(line: &str, fence: &mut Option<Fence>) -> Role {
    if let Some(open) = fence {
        if open.is_closed_by(line) {
            *fence = None;
        }
        return Role::Fenced;
    }
    let content = without_list_markers(line);
    *fence = Fence::opened_by(content);
    if fence.is_some() {
        Role::Fenced
    } else if content.is_empty() || content.starts_with('>') {
        Role::Nothing
    } else if content.len() < line.trim_start().len() || content.starts_with(['#', '|', '<']) {
        Role::Beginning
    } else {
        Role::Continuation
    }
}

impl Fence {
    fn opened_by(content: &str) -> Option<Self> {
        let mark = content
            .chars()
            .next()
            .filter(|first| "`~".contains(*first))?;
        let info = content.trim_start_matches(mark);
        // Marks are one byte long, so that a difference of lengths counts them.
        let length = content.len() - info.len();
        let is_inline_code = mark == '`' && info.contains('`');
        (length >= 3 && !is_inline_code).then_some(Self { mark, length })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.length && line.chars().all(|letter| letter == self.mark)
    }
}

/// What is left of a line after white space and the markers of list items.
fn without_list_markers(line: &str) -> &str {
    let mut content = line.trim_start();
    while let Some(item) = after_list_marker(content) {
        content = item.trim_start();
    }
    content
}

/// What follows the marker of a list item, if a text begins with one.
pub(super) fn after_list_marker(content: &str) -> Option<&str> {
    let digits = content.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let rest = if digits.len() < content.len() {
        digits.strip_prefix(['.', ')'])?
    } else {
        content.strip_prefix(['-', '*', '+'])?
    };
    rest.starts_with(char::is_whitespace).then_some(rest)
}
