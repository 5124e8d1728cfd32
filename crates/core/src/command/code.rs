//! Inline code in a paragraph: text between two equally long runs of backticks
//! (CommonMark 6.1, with the backslash escapes of 2.4).

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

/// Where the inline code of a paragraph is, with its backticks, in order.
pub(super) fn spans(paragraph: &str) -> Vec<Range<usize>> {
    let mut closers = Runs::of(paragraph);
    let mut spans = Vec::new();
    let mut position = 0;
    while let Some(rest) = paragraph.get(position..)
        && let Some(next) = rest.find(['`', '\\'])
    {
        position += next;
        let rest = rest.get(next..).unwrap_or_default();
        if rest.starts_with('\\') {
            // A backslash takes its power from an ASCII mark alone; anything else is skipped over
            // just as well, for only a backtick matters here.
            let escaped = rest.chars().nth(1).map_or(0, char::len_utf8);
            position += 1 + escaped;
            continue;
        }
        let length = rest.len() - rest.trim_start_matches('`').len();
        let opener = position;
        position += length;
        if let Some(closer) = closers.next_of(length, position) {
            position = closer + length;
            spans.push(opener..position);
        }
    }
    spans
}

/// The runs of backticks in a paragraph: where those of each length start.
struct Runs(HashMap<usize, VecDeque<usize>>);

impl Runs {
    fn of(paragraph: &str) -> Self {
        let mut runs: HashMap<usize, VecDeque<usize>> = HashMap::new();
        let mut position = 0;
        while let Some(rest) = paragraph.get(position..)
            && let Some(next) = rest.find('`')
        {
            let run = rest.get(next..).unwrap_or_default();
            let length = run.len() - run.trim_start_matches('`').len();
            let start = position + next;
            runs.entry(length).or_default().push_back(start);
            position = start + length;
        }
        Self(runs)
    }

    /// The first run of this length at or after `position`. Positions must not go down from call to
    /// call: runs before them are forgotten, which keeps the whole linear.
    fn next_of(&mut self, length: usize, position: usize) -> Option<usize> {
        let starts = self.0.get_mut(&length)?;
        while starts.front().is_some_and(|start| *start < position) {
            starts.pop_front();
        }
        starts.front().copied()
    }
}
