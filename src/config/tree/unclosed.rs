//! Finding a list or an inline table that is never closed. A parser notices that lines later, in
//! the middle of what was meant as something else.

use super::{Malformed, position};

/// In which notation a text is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Notation {
    Toml,
    Json,
}

/// Of a text that cannot be read: what is not closed in it, if that is why.
pub(super) fn find(text: &str, notation: Notation) -> Option<Malformed> {
    let open = Scan::of(text, notation).first_unclosed()?;
    let (message, remedy) = match open.close {
        ']' => (
            "the list that begins here is not closed",
            "write \"]\" after its last value",
        ),
        _ => (
            "the table that begins here is not closed",
            "write \"}\" after its last value",
        ),
    };
    Some(Malformed {
        at: Some(position(text, open.offset)),
        message: message.to_owned(),
        remedy: Some(remedy),
    })
}

/// A bracket that is open.
#[derive(Clone, Copy)]
struct Open {
    offset: usize,
    close: char,
}

struct Scan<'t> {
    text: &'t str,
    notation: Notation,
    at: usize,
    open: Vec<Open>,
    /// The last character that was neither white space nor in a comment.
    last: char,
}

impl<'t> Scan<'t> {
    fn of(text: &'t str, notation: Notation) -> Self {
        Self {
            text,
            notation,
            at: 0,
            open: Vec::new(),
            last: '\n',
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn first_unclosed(mut self) -> Option<Open> {
        let mut is_line_start = true;
        while let Some(letter) = self.rest().chars().next() {
            if is_line_start && self.notation == Notation::Toml {
                let line = self.rest().lines().next().unwrap_or_default();
                if self.is_next_thing(line) {
                    return self.open.last().copied();
                }
                if self.open.is_empty() && line.trim_start().starts_with('[') {
                    self.at += line.len();
                    is_line_start = false;
                    continue;
                }
            }
            is_line_start = letter == '\n';
            if let Some(found) = self.take(letter) {
                return Some(found);
            }
        }
        // An object of JSON that ends with the file: its beginning tells nobody where to look.
        let is_told = |open: &Open| self.notation == Notation::Toml || open.close == ']';
        self.open.last().copied().filter(is_told)
    }

    /// Whether a line cannot be a part of what is open: it begins a table, or gives a key its value
    /// although no comma came before.
    fn is_next_thing(&self, line: &str) -> bool {
        let Some(open) = self.open.last() else {
            return false;
        };
        let line = line.trim();
        let is_key = |text: &str| {
            let is_of_key = |byte: u8| byte.is_ascii_alphanumeric() || b"-_. \"'".contains(&byte);
            text.starts_with(|first: char| first.is_ascii_alphabetic())
                && text.bytes().all(is_of_key)
        };
        let header = line
            .strip_prefix('[')
            .map(|rest| rest.trim_start_matches('['));
        let header = header.and_then(|rest| rest.split_once(']'));
        let is_header = header.is_some_and(|(name, rest)| {
            let rest = rest.trim_start_matches(']').trim_start();
            is_key(name)
                && !["true", "false", "inf", "nan"].contains(&name)
                && (rest.is_empty() || rest.starts_with('#'))
        });
        let is_entry = open.close == '}'
            && !",{".contains(self.last)
            && line
                .split_once('=')
                .is_some_and(|(key, _)| is_key(key.trim()));
        is_header || is_entry
    }

    /// Goes over one character, or over a whole text or comment; an open bracket is given back
    /// where this shows that it is not closed.
    fn take(&mut self, letter: char) -> Option<Open> {
        let offset = self.at;
        match letter {
            '#' if self.notation == Notation::Toml => {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                return None;
            }
            '"' => self.skip_text('"'),
            '\'' if self.notation == Notation::Toml => self.skip_text('\''),
            _ => self.at += letter.len_utf8(),
        }
        if !letter.is_whitespace() {
            self.last = letter;
        }
        let top = self.open.last().copied();
        match letter {
            '[' => self.open.push(Open { offset, close: ']' }),
            '{' => self.open.push(Open { offset, close: '}' }),
            ']' | '}' => match top {
                Some(open) if open.close == letter => drop(self.open.pop()),
                open => return open,
            },
            '=' | ':' if self.gives_value(letter) => {
                return top.filter(|open| open.close == ']');
            }
            _ => {}
        }
        None
    }

    /// Whether what is before this character is a key: lists have none.
    fn gives_value(&self, letter: char) -> bool {
        match self.notation {
            Notation::Toml => letter == '=',
            Notation::Json => letter == ':',
        }
    }

    /// Goes over a text in quotes. One that is not closed ends with its line.
    fn skip_text(&mut self, quote: char) {
        let long: String = std::iter::repeat_n(quote, 3).collect();
        if self.notation == Notation::Toml && self.rest().starts_with(&long) {
            let inner = self.rest().get(3..).unwrap_or_default();
            self.at += inner.find(&long).map_or(self.rest().len(), |end| end + 6);
            return;
        }
        let mut is_escaped = false;
        let mut length = quote.len_utf8();
        for letter in self.rest().chars().skip(1) {
            if letter == '\n' {
                break;
            }
            length += letter.len_utf8();
            if letter == quote && !is_escaped {
                break;
            }
            is_escaped = letter == '\\' && !is_escaped && quote == '"';
        }
        self.at += length;
    }
}
