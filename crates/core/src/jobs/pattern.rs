//! Patterns of names: `*`, `?` and `[…]`, as in a shell.
//!
//! Globs of paths are another thing, see `suite::paths`: they know directories, and see bytes where a
//! name has letters.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A pattern with `*`, `?`, `[…]`; `*` also crosses slashes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

/// A text is no pattern.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a [ has no ] behind it")]
pub struct NoPattern;

/// What a part of a pattern fits.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    /// Any letters, or none.
    Any,
    /// One letter, whichever.
    One,
    /// This letter.
    Letter(char),
    /// A letter in one of these ranges.
    Among(Vec<Range>),
    /// A letter in none of these ranges.
    Besides(Vec<Range>),
}

/// From this letter to that one, with both.
type Range = (char, char);

/// Whether large and small letters differ.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Case {
    Differs,
    IsTheSame,
}

impl Pattern {
    /// Whether the whole text fits.
    pub fn fits(&self, text: &str) -> bool {
        self.fits_in(text, Case::Differs)
    }

    /// Whether the whole of a name of GitHub's fits, which does not tell those apart by their case.
    pub fn fits_name(&self, name: &str) -> bool {
        self.fits_in(name, Case::IsTheSame)
    }

    fn fits_in(&self, text: &str, case: Case) -> bool {
        let letters: Vec<char> = text.chars().collect();
        let (mut parts, mut letters) = (self.parts.as_slice(), letters.as_slice());
        // What comes behind the last `*`, and the letters that it has not taken.
        let mut behind_any = None;
        loop {
            match (parts, letters) {
                ([], []) => return true,
                ([Part::Any, rest @ ..], _) => {
                    behind_any = Some((rest, letters));
                    parts = rest;
                }
                ([part, rest @ ..], [letter, others @ ..]) if part.fits(*letter, case) => {
                    (parts, letters) = (rest, others);
                }
                _ => {
                    // What comes earlier need not change: the last `*` can take all that others could.
                    let Some((rest, [_, others @ ..])) = behind_any else {
                        return false;
                    };
                    behind_any = Some((rest, others));
                    (parts, letters) = (rest, others);
                }
            }
        }
    }
}

impl Part {
    fn fits(&self, letter: char, case: Case) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Letter(own) => within((*own, *own), letter, case),
            Self::Among(ranges) => ranges.iter().any(|range| within(*range, letter, case)),
            Self::Besides(ranges) => !ranges.iter().any(|range| within(*range, letter, case)),
        }
    }

    /// What stands between brackets, from behind the first one, and what follows the last.
    fn class(rest: &[char]) -> Result<(Self, &[char]), NoPattern> {
        let (make, inside): (fn(Vec<Range>) -> Self, _) = match rest {
            ['!', inside @ ..] => (Self::Besides, inside),
            inside => (Self::Among, inside),
        };
        // A bracket that comes first is a letter.
        let end = inside.iter().skip(1).position(|letter| *letter == ']');
        let end = end.ok_or(NoPattern)? + 1;
        let (members, rest) = inside.split_at_checked(end).ok_or(NoPattern)?;
        Ok((make(ranges(members)), rest.get(1..).unwrap_or_default()))
    }
}

fn ranges(mut members: &[char]) -> Vec<Range> {
    let mut ranges = Vec::new();
    loop {
        match members {
            [] => return ranges,
            [from, '-', to, rest @ ..] => {
                ranges.push((*from, *to));
                members = rest;
            }
            [one, rest @ ..] => {
                ranges.push((*one, *one));
                members = rest;
            }
        }
    }
}

fn within((from, to): Range, letter: char, case: Case) -> bool {
    let is_within = |letter: char| (from..=to).contains(&letter);
    let other = || is_within(letter.to_ascii_lowercase()) || is_within(letter.to_ascii_uppercase());
    is_within(letter) || (case == Case::IsTheSame && other())
}

impl FromStr for Pattern {
    type Err = NoPattern;

    fn from_str(text: &str) -> Result<Self, NoPattern> {
        let letters: Vec<char> = text.chars().collect();
        let (mut rest, mut parts) = (letters.as_slice(), Vec::new());
        while let [letter, others @ ..] = rest {
            let (part, others) = match letter {
                '*' => (Part::Any, others),
                '?' => (Part::One, others),
                '[' => Part::class(others)?,
                letter => (Part::Letter(*letter), others),
            };
            parts.push(part);
            rest = others;
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_star_crosses_slashes() {
        let release = pattern("release/*");
        assert!(release.fits("release/1/x"));
        assert!(release.fits("release/"));
        assert!(!release.fits("a/release/1"));
        assert!(release.fits_name("Release/1/X") && !release.fits("Release/1/X"));
    }

    #[test]
    fn names_fit_as_in_a_shell() {
        for (text, fitting, other) in [
            ("", "", "a"),
            ("*", "", "-"),
            ("a*b*c", "a1b2b3c", "a1b2"),
            ("**", "a/b", "-"),
            ("v?", "vé", "v"),
            ("v?", "v🦀", "v12"),
            ("[a-cx]", "b", "d"),
            ("[!a-c]", "d", "b"),
            ("[é-ü]", "ö", "o"),
            ("[]]", "]", "["),
            ("[!]]", "[", "]"),
            ("[a-]", "-", "b"),
            ("[^a]", "^", "b"),
            ("{a,b}", "{a,b}", "a"),
            ("a\\*", "a\\b", "a*"),
            ("a.c", "a.c", "abc"),
        ] {
            assert!(pattern(text).fits(fitting), "{text} {fitting}");
            assert!(!pattern(text).fits(other) || other == "-", "{text} {other}");
        }
        for text in ["[", "a[", "[]", "[!", "[!]", "[a", "*[a-"] {
            assert_eq!(Pattern::from_str(text), Err(NoPattern), "{text}");
        }
    }

    #[test]
    fn case_is_the_same_in_names_only() {
        for (text, name) in [("LINUX-?", "linux-é"), ("[a-c]", "B"), ("[A-C]", "b")] {
            assert!(pattern(text).fits_name(name), "{text} {name}");
            assert!(!pattern(text).fits(name), "{text} {name}");
        }
        assert!(!pattern("[!a]").fits_name("A"));
    }

    #[test]
    fn a_pattern_is_shown_as_it_was_written() {
        assert_eq!(pattern("a[!b-c]*?").to_string(), "a[!b-c]*?");
    }

    /// The same, slow and obvious.
    fn obviously_fits(parts: &[Part], letters: &[char]) -> bool {
        match (parts, letters) {
            ([], _) => letters.is_empty(),
            ([Part::Any, rest @ ..], _) => {
                (0..=letters.len()).any(|taken| obviously_fits(rest, &letters[taken..]))
            }
            ([part, rest @ ..], [letter, others @ ..]) => {
                part.fits(*letter, Case::Differs) && obviously_fits(rest, others)
            }
            ([_, ..], []) => false,
        }
    }

    proptest! {
        #[test]
        fn stars_take_what_lets_the_rest_fit(text in "([ab/]|\\*|\\?|\\[ab\\]|\\[!a\\]){0,8}", name in "[ab/é]{0,10}") {
            let pattern = pattern(&text);
            let letters: Vec<char> = name.chars().collect();
            prop_assert_eq!(pattern.fits(&name), obviously_fits(&pattern.parts, &letters));
        }

        #[test]
        fn any_text_is_read_in_short_time(text in "\\PC{0,200}", name in "\\PC{0,200}") {
            if let Ok(pattern) = Pattern::from_str(&text) {
                let _fits = pattern.fits(&name);
            }
        }
    }
}
