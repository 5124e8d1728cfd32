//! What of a log its viewers see: programs for it leave out escape sequences and control bytes,
//! each in its own way. Pure.

use paprq_core::notes::is_unseen;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
/// The longest character of UTF-8, in bytes.
const CHARACTER_BYTES_MAX: usize = 4;

/// How much a viewer leaves out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Viewer {
    /// Nothing: the raw log.
    Raw,
    /// Control bytes, and characters that cannot be seen.
    Plain,
    /// These, and the sequences that set colours and move the cursor.
    Colours,
    /// These, and longer sequences, with the texts in them.
    Page,
    /// These, and whatever one byte follows an escape.
    Terminal,
}

/// Where in a sequence a viewer is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Inside {
    Nothing,
    Escape,
    Intermediate,
    Control,
    Text,
    TextEscape,
}

/// One viewer, and what it has read so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Sight {
    viewer: Viewer,
    inside: Inside,
}

impl Sight {
    /// Every viewer, before the first byte.
    pub(super) fn all() -> [Self; 5] {
        [
            Viewer::Raw,
            Viewer::Plain,
            Viewer::Colours,
            Viewer::Page,
            Viewer::Terminal,
        ]
        .map(|viewer| Self {
            viewer,
            inside: Inside::Nothing,
        })
    }

    /// Reads on; returns which of these bytes are seen.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<usize> {
        let mut seen = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let unseen = self.unseen(rest);
            if unseen == 0 {
                seen.push(at);
            }
            at += unseen.max(1);
        }
        seen
    }

    /// How many of the next bytes are left out; 0 if the next one is seen.
    fn unseen(&mut self, rest: &[u8]) -> usize {
        let Some(byte) = rest.first().copied() else {
            return 0;
        };
        if self.viewer == Viewer::Raw || byte == b'\n' {
            self.inside = Inside::Nothing;
            return 0;
        }
        if self.inside != Inside::Nothing && self.goes_on(byte) {
            return 1;
        }
        match byte {
            ESC => {
                if self.viewer != Viewer::Plain {
                    self.inside = Inside::Escape;
                }
                1
            }
            b'\t' => 0,
            0..=0x1f | 0x7f => 1,
            0x80.. => unseen_character(rest),
            _ => 0,
        }
    }

    /// Whether a byte belongs to the sequence that has begun; where that is over, it is left.
    fn goes_on(&mut self, byte: u8) -> bool {
        let whole = matches!(self.viewer, Viewer::Page | Viewer::Terminal);
        let single = self.viewer == Viewer::Terminal;
        let (inside, belongs) = match (self.inside, byte) {
            (Inside::Escape | Inside::TextEscape, b'[') => (Inside::Control, true),
            (Inside::TextEscape, b'\\') => (Inside::Nothing, true),
            (Inside::Escape | Inside::TextEscape, b']' | b'P' | b'X' | b'^' | b'_') if whole => {
                (Inside::Text, true)
            }
            (Inside::Escape | Inside::TextEscape | Inside::Intermediate, 0x20..=0x2f) if whole => {
                (Inside::Intermediate, true)
            }
            (Inside::Intermediate, 0x30..=0x7e) => (Inside::Nothing, true),
            (Inside::Escape | Inside::TextEscape, 0x30..=0x7e) if single => (Inside::Nothing, true),
            (Inside::Control, 0x20..=0x3f) => (Inside::Control, true),
            (Inside::Control, 0x40..=0x7e) => (Inside::Nothing, true),
            (Inside::Text, BEL) => (Inside::Nothing, true),
            (Inside::Text, ESC) => (Inside::TextEscape, true),
            (Inside::Text, _) => (Inside::Text, true),
            (inside @ Inside::Control, 0..=0x1f) if byte != ESC => (inside, true),
            _ => (Inside::Nothing, false),
        };
        self.inside = inside;
        belongs
    }
}

/// What is left of a text where nothing of it is left out that can be seen.
pub(super) fn seen_of(text: &[u8]) -> Vec<u8> {
    let mut sight = Sight {
        viewer: Viewer::Plain,
        inside: Inside::Nothing,
    };
    let seen = sight.read(text).into_iter();
    seen.filter_map(|at| text.get(at).copied()).collect()
}

/// How many bytes at the end may be the beginning of a character.
pub(super) fn begun_character(bytes: &[u8]) -> usize {
    let most = bytes.len().min(CHARACTER_BYTES_MAX - 1);
    let is_begun = |len: &usize| {
        let end = bytes.get(bytes.len() - len..).unwrap_or_default();
        std::str::from_utf8(end)
            .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=most).rev().find(is_begun).unwrap_or(0)
}

/// The length of the character at the beginning, if it cannot be seen.
fn unseen_character(rest: &[u8]) -> usize {
    let first = rest
        .get(..rest.len().min(CHARACTER_BYTES_MAX))
        .unwrap_or_default();
    let valid = match std::str::from_utf8(first) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(first.get(..error.valid_up_to()).unwrap_or_default())
            .unwrap_or_default(),
    };
    let letter = valid.chars().next().filter(|letter| is_unseen(*letter));
    letter.map_or(0, char::len_utf8)
}
