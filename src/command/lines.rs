//! The structure of a comment: its lines, and which of them are quoted or fenced code.
//!
//! This goes by what a writer means, not by the last rule of Markdown: a fence is a fence however
//! far it is indented, and one that is never closed goes on to the comment's end.

use std::ops::Range;

/// The stretches of a comment that can hold commands: neither quoted nor fenced.
///
/// A stretch has several lines where Markdown would make one paragraph of them, because inline code
/// may go over the end of a line but not of a paragraph.
pub(super) fn paragraphs(comment: &str) -> Vec<&str> {
    let mut paragraphs: Vec<Range<usize>> = Vec::new();
    let mut fence = None;
    let mut is_open = false;
    for range in ranges(comment) {
        let line = comment.get(range.clone()).unwrap_or_default();
        let role = role(line, &mut fence);
        match (role, paragraphs.last_mut()) {
            (Role::Continuation, Some(paragraph)) if is_open => paragraph.end = range.end,
            (Role::Continuation | Role::Beginning, _) => paragraphs.push(range),
            (Role::Nothing, _) => {}
        }
        is_open = role != Role::Nothing;
    }
    let texts = paragraphs.into_iter();
    texts.filter_map(|range| comment.get(range)).collect()
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
    /// It ends it and holds no commands: blank, quoted, a fence, or fenced.
    Nothing,
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
        return Role::Nothing;
    }
    let content = without_list_markers(line);
    *fence = Fence::opened_by(content);
    if fence.is_some() || content.is_empty() || content.starts_with('>') {
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

fn after_list_marker(content: &str) -> Option<&str> {
    let digits = content.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let rest = if digits.len() < content.len() {
        digits.strip_prefix(['.', ')'])?
    } else {
        content.strip_prefix(['-', '*', '+'])?
    };
    rest.starts_with(char::is_whitespace).then_some(rest)
}
