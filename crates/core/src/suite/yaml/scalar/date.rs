//! Dates and moments of YAML 1.1's timestamp type.

use jiff::civil::{Date, Time};

use super::{Misfit, Scalar};

/// `None` where the word does not look like a date or a moment, a misfit where no calendar or
/// clock has it.
pub(super) fn date(word: &str) -> Result<Option<Scalar>, Misfit> {
    match read(word) {
        None => Ok(None),
        Some(fields) if fields.exist() => Ok(Some(Scalar::Date(word.to_owned()))),
        Some(_) => Err(Misfit),
    }
}

/// The figures of a date or a moment.
#[derive(Debug, Default)]
struct Fields {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
}

impl Fields {
    fn exist(&self) -> bool {
        self.year > 0
            && Date::new(self.year, self.month, self.day).is_ok()
            && Time::new(self.hour, self.minute, self.second, 0).is_ok()
    }
}

fn read(word: &str) -> Option<Fields> {
    let mut rest = Rest(word);
    let mut fields = Fields {
        year: rest.figure(4, 4)?,
        ..Fields::default()
    };
    let short_begin = rest;
    rest.sign("-")?;
    fields.month = narrow(rest.figure(1, 2)?)?;
    rest.sign("-")?;
    fields.day = narrow(rest.figure(1, 2)?)?;
    if rest.0.is_empty() {
        // A date alone must not leave out a zero.
        return (short_begin.0.len() == "-01-01".len()).then_some(fields);
    }
    rest.sign("Tt").or_else(|| rest.blanks(1))?;
    fields.hour = narrow(rest.figure(1, 2)?)?;
    rest.sign(":")?;
    fields.minute = narrow(rest.figure(2, 2)?)?;
    rest.sign(":")?;
    fields.second = narrow(rest.figure(2, 2)?)?;
    if rest.sign(".").is_some() {
        rest.skip(|letter| letter.is_ascii_digit());
    }
    rest.is_zone().then_some(fields)
}

fn narrow(figure: i16) -> Option<i8> {
    i8::try_from(figure).ok()
}

/// What is still to be read of a word.
#[derive(Clone, Copy, Debug)]
struct Rest<'a>(&'a str);

impl Rest<'_> {
    /// As many digits as there are up to `max`, at least `min`.
    fn figure(&mut self, min: usize, max: usize) -> Option<i16> {
        let length = self
            .0
            .bytes()
            .take(max)
            .take_while(u8::is_ascii_digit)
            .count();
        if length < min {
            return None;
        }
        let (digits, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        digits.parse().ok()
    }

    /// One of these characters.
    fn sign(&mut self, signs: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(|letter| signs.contains(letter))?;
        Some(())
    }

    /// At least this many blanks.
    fn blanks(&mut self, min: usize) -> Option<()> {
        (self.skip(|letter| matches!(letter, ' ' | '\t')) >= min).then_some(())
    }

    /// Skips what `is` likes; returns how many bytes that was.
    fn skip(&mut self, is: impl Fn(char) -> bool) -> usize {
        let before = self.0.len();
        self.0 = self.0.trim_start_matches(is);
        before - self.0.len()
    }

    /// Whether nothing is left but a time zone: `Z`, `+5`, `-05:30`.
    fn is_zone(mut self) -> bool {
        if self.0.is_empty() {
            return true;
        }
        self.skip(|letter| matches!(letter, ' ' | '\t'));
        if self.0 == "Z" {
            return true;
        }
        let hours = self.sign("+-").and_then(|()| self.figure(1, 2));
        let minutes = self.sign(":").map(|()| self.figure(2, 2));
        hours.is_some() && minutes != Some(None) && self.0.is_empty()
    }
}
