//! Tabs between values: YAML 1.2 has room for some, YAML 1.1 as PyYAML reads it for none.

use std::ops::Range;

/// A stretch of the text that one value's writing takes, in characters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Stretch {
    pub(super) characters: Range<usize>,
    pub(super) style: Style,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Style {
    /// Without quotes: no room for tabs.
    Plain,
    /// In quotes or as a block: tabs are part of the text.
    Marked,
}

/// The first tab that is neither in a comment nor in a quoted or block text, as the index of its
/// character. The stretches are in the order of the text.
pub(super) fn stray_tab(text: &str, stretches: &[Stretch]) -> Option<usize> {
    let mut stretches = stretches.iter().peekable();
    let mut in_comment = false;
    for (index, letter) in text.chars().enumerate() {
        while stretches.next_if(|s| s.characters.end <= index).is_some() {}
        let style = stretches
            .peek()
            .filter(|s| s.characters.contains(&index))
            .map(|s| s.style);
        match (letter, style) {
            ('\n' | '\r', _) => in_comment = false,
            ('#', None) => in_comment = true,
            ('\t', None | Some(Style::Plain)) if !in_comment => return Some(index),
            _ => {}
        }
    }
    None
}
