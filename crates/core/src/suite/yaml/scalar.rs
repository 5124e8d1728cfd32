//! What an unquoted word means in YAML 1.1, as PyYAML reads it (`resolver.py`, `constructor.py`):
//! `yes` and `off` are booleans, `010` is 8, `1:30` is 90, `2001-01-01` is a date, `0o10`, `1e3`
//! and `08` are text.

mod date;

use super::{Scalar, python};
use date::date;

/// What an unquoted word is.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Word {
    Scalar(Scalar),
    /// `<<`, which merges a mapping where it is a key and is nothing elsewhere.
    MergeSign,
    /// `=`, which is itself where it is a key and is nothing elsewhere.
    EqualsSign,
}

/// A word that looks like a number or a date and is none, or does not fit its tag.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Misfit;

/// Reads an unquoted word without a tag.
pub(super) fn resolve(word: &str) -> Result<Word, Misfit> {
    let scalar = match word {
        "<<" => return Ok(Word::MergeSign),
        "=" => return Ok(Word::EqualsSign),
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        _ => match boolean(word) {
            Some(truth) => Scalar::Bool(truth),
            None => number_or_text(word)?,
        },
    };
    Ok(Word::Scalar(scalar))
}

/// Reads a word that carries one of YAML's own tags, named without its prefix.
pub(super) fn resolve_tagged(tag: &str, word: &str) -> Result<Scalar, Misfit> {
    match tag {
        "str" => Ok(Scalar::from(word)),
        "null" => Ok(Scalar::Null),
        "bool" => boolean(&word.to_ascii_lowercase())
            .map(Scalar::Bool)
            .ok_or(Misfit),
        "int" => integer(word)?.ok_or(Misfit),
        "float" => float(word)
            .or_else(|| without_underscores(word).parse().ok())
            .map(|number| Scalar::Float(python::float(number)))
            .ok_or(Misfit),
        "timestamp" => date(word)?.ok_or(Misfit),
        _ => Err(Misfit),
    }
}

fn number_or_text(word: &str) -> Result<Scalar, Misfit> {
    // A cheap look first: nearly every word is plain text.
    if !word.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return Ok(Scalar::from(word));
    }
    if let Some(integer) = integer(word)? {
        return Ok(integer);
    }
    if let Some(number) = float(word) {
        return Ok(Scalar::Float(python::float(number)));
    }
    Ok(date(word)?.unwrap_or_else(|| Scalar::from(word)))
}

fn boolean(word: &str) -> Option<bool> {
    match word {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// `None` where the word does not look like an integer.
fn integer(word: &str) -> Result<Option<Scalar>, Misfit> {
    let (sign, body) = signed(word);
    let size = if body.contains(':') {
        let parts: Vec<&str> = body.split(':').collect();
        base_sixty(&parts)
    } else {
        let (digits, radix) = notation(body);
        if !is_number(digits, radix) {
            return Ok(None);
        }
        let digits = without_underscores(digits);
        if digits.is_empty() {
            return Err(Misfit);
        }
        Some(i128::from_str_radix(&digits, radix).ok())
    };
    Ok(size.map(|size| {
        size.and_then(|size| i64::try_from(size.checked_mul(sign.factor())?).ok())
            .map_or_else(|| Scalar::HugeInt(word.to_owned()), Scalar::Int)
    }))
}

/// The digits of an integer and the base that its beginning gives them.
fn notation(body: &str) -> (&str, u32) {
    if let Some(digits) = body.strip_prefix("0b") {
        (digits, 2)
    } else if let Some(digits) = body.strip_prefix("0x") {
        (digits, 16)
    } else if body.starts_with('0') {
        (body, 8)
    } else if body.starts_with('_') {
        ("", 10)
    } else {
        (body, 10)
    }
}

fn is_number(digits: &str, radix: u32) -> bool {
    !digits.is_empty() && digits.chars().all(|c| c == '_' || c.is_digit(radix))
}

/// `1:30`: minutes and seconds, or as many sixties as there are. The outer `None` is for what
/// does not look like that, the inner for what is too large.
fn base_sixty(parts: &[&str]) -> Option<Option<i128>> {
    let (first, others) = parts.split_first()?;
    if !first.starts_with(|c: char| ('1'..='9').contains(&c)) || !is_number(first, 10) {
        return None;
    }
    let mut sum = without_underscores(first).parse::<i128>().ok();
    for part in others {
        let digit = sixtieth(part)?;
        sum = sum
            .and_then(|sum| sum.checked_mul(60))
            .and_then(|sum| sum.checked_add(digit.into()));
    }
    Some(sum)
}

/// One or two digits below 60.
fn sixtieth(part: &str) -> Option<u8> {
    if part.is_empty() || part.len() > 2 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    part.parse().ok().filter(|&digit| digit < 60)
}

fn float(word: &str) -> Option<f64> {
    let (sign, body) = signed(word);
    let size = match body {
        ".inf" | ".Inf" | ".INF" => f64::INFINITY,
        _ if matches!(word, ".nan" | ".NaN" | ".NAN") => f64::NAN,
        _ if body.contains(':') => float_base_sixty(body)?,
        _ => decimal_fraction(body, word)?,
    };
    Some(match sign {
        Sign::Plus => size,
        Sign::Minus => -size,
    })
}

/// `1:30.5`.
fn float_base_sixty(body: &str) -> Option<f64> {
    let (whole, fraction) = body.split_once('.')?;
    if !are_digits(fraction) {
        return None;
    }
    let parts: Vec<&str> = whole.split(':').collect();
    let (first, others) = parts.split_first()?;
    if !first.starts_with(is_digit) || !are_digits(first) {
        return None;
    }
    let fraction: f64 = format!("0.{}", without_underscores(fraction))
        .parse()
        .ok()?;
    let mut sum: f64 = without_underscores(first).parse().ok()?;
    for part in others {
        sum = sum * 60.0 + f64::from(sixtieth(part)?);
    }
    Some(sum + fraction)
}

/// `1.5`, `1.`, `1.5e+3` and, only without a sign, `.5`: the point is needed, and an exponent's
/// sign.
fn decimal_fraction(body: &str, word: &str) -> Option<f64> {
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (body, None),
    };
    let (whole, fraction) = mantissa.split_once('.')?;
    let begins_well = whole.starts_with(is_digit)
        || (whole.is_empty() && fraction.starts_with(is_digit) && body == word);
    let good = begins_well
        && are_digits(whole)
        && are_digits(fraction)
        && exponent.is_none_or(is_signed_number);
    good.then(|| without_underscores(body).parse().ok())?
}

fn is_signed_number(exponent: &str) -> bool {
    exponent
        .strip_prefix(['+', '-'])
        .is_some_and(|digits| !digits.is_empty() && digits.chars().all(is_digit))
}

fn is_digit(letter: char) -> bool {
    letter.is_ascii_digit()
}

/// Whether there is nothing but digits and underscores, or nothing at all.
fn are_digits(text: &str) -> bool {
    text.chars().all(|letter| letter == '_' || is_digit(letter))
}

fn without_underscores(digits: &str) -> String {
    digits.replace('_', "")
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sign {
    Plus,
    Minus,
}

impl Sign {
    fn factor(self) -> i128 {
        match self {
            Self::Plus => 1,
            Self::Minus => -1,
        }
    }
}

/// The sign of a number and the rest.
fn signed(word: &str) -> (Sign, &str) {
    if let Some(rest) = word.strip_prefix('-') {
        (Sign::Minus, rest)
    } else {
        (Sign::Plus, word.strip_prefix('+').unwrap_or(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a word and writes down what it is.
    fn kind(word: &str) -> String {
        match resolve(word) {
            Ok(Word::Scalar(Scalar::Null)) => "null".to_owned(),
            Ok(Word::Scalar(Scalar::Text(text))) => format!("text {text}"),
            Ok(Word::Scalar(Scalar::Date(text))) => format!("date {text}"),
            Ok(Word::Scalar(Scalar::Int(number))) => format!("int {number}"),
            Ok(Word::Scalar(Scalar::HugeInt(text))) => format!("huge {text}"),
            Ok(Word::Scalar(Scalar::Float(text))) => format!("float {text}"),
            Ok(Word::Scalar(Scalar::Bool(truth))) => format!("bool {truth}"),
            Ok(Word::MergeSign) => "merge".to_owned(),
            Ok(Word::EqualsSign) => "equals".to_owned(),
            Err(Misfit) => "misfit".to_owned(),
        }
    }

    /// Reads words and checks that all are of this kind.
    fn all_are(expected: &str, words: &[&str]) {
        for word in words {
            assert_eq!(kind(word), expected.replace("WORD", word), "{word:?}");
        }
    }

    #[test]
    fn yes_no_on_off_are_booleans_but_y_and_n_are_text() {
        all_are(
            "bool true",
            &[
                "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE",
            ],
        );
        all_are(
            "bool false",
            &[
                "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE",
            ],
        );
        all_are(
            "text WORD",
            &["y", "n", "Y", "N", "yEs", "oN", "tRUE", "yes!"],
        );
    }

    #[test]
    fn nothing_and_tilde_are_null() {
        all_are("null", &["", "~", "null", "Null", "NULL"]);
        all_are("text WORD", &["nULL", "None", "nil", "~x"]);
    }

    #[test]
    fn integers_come_in_five_notations() {
        all_are("int 0", &["0", "-0", "+0", "00", "0_", "0b0", "0x0"]);
        all_are(
            "int 8",
            &["8", "+8", "010", "0_10", "0b1000", "0x8", "0b1_000"],
        );
        all_are("int -255", &["-255", "-0377", "-0xff", "-0xF_F", "-2_55"]);
        all_are("int 90", &["1:30", "+1:30"]);
        all_are("int 685230", &["190:20:30", "1_90:20:30"]);
        all_are("int -90", &["-1:30"]);
    }

    #[test]
    fn near_integers_are_text() {
        all_are(
            "text WORD",
            &[
                "08", "0o10", "1e3", "1a", "_1", "-_1", "-", "+", "--1", "0B1", "0X1", "0x", "0b",
                "1:60", "1:", "0:30", "1:300", ":30", "1:2_0", "١", "1 2", "20s", "0b2", "0xg",
            ],
        );
    }

    #[test]
    fn integers_beyond_64_bits_keep_their_writing() {
        all_are("int 9223372036854775807", &["9223372036854775807"]);
        all_are("int -9223372036854775808", &["-9223372036854775808"]);
        all_are(
            "huge WORD",
            &[
                "9223372036854775808",
                "-9223372036854775809",
                "0123456701234567012345670123456701234567012345670123456701234567",
                "9999999999999999999999999999999999999999:00",
            ],
        );
    }

    #[test]
    fn floats_need_a_point() {
        all_are(
            "float 1.5",
            &["1.5", "+1.5", "1_.5", "1.5_0", "0.15e+1", "15.e-1"],
        );
        all_are("float 0.5", &[".5", "0.5", ".5_0"]);
        all_are("float 90.5", &["1:30.5"]);
        all_are("float 30.0", &["0:30.", "30."]);
        all_are("float -inf", &["-.inf", "-.INF"]);
        all_are("float nan", &[".nan", ".NaN", ".NAN"]);
        all_are(
            "text WORD",
            &[
                "1e5", "1.5e5", "-.5", "+.5", "1.26.2", ".", "-.", "._5", "-.nan", ".iNF", "1.5e+",
                "1.5e+_1", "v1.5", "1:60.5", "1.5:30",
            ],
        );
    }

    #[test]
    fn dates_and_moments_keep_their_writing() {
        all_are(
            "date WORD",
            &[
                "2001-01-01",
                "2001-1-1 1:02:03",
                "2001-12-14T21:59:43.10-05:00",
                "2001-12-14t21:59:43Z",
                "2001-12-14  21:59:43.1 +5",
                "2001-12-14 \t21:59:43 Z",
                "2001-12-14 21:59:43.",
            ],
        );
        all_are(
            "text WORD",
            &[
                "2001-1-1",
                "2001-01",
                "2001-01-01T",
                "2001-01-01 10:00",
                "2001-01-01 10:00:00 UTC",
                "20010-01-01",
                "2001-01-01x",
                "2001-01-01 10:00:00+5:0",
                "2001-01-01 10:00:00  ",
            ],
        );
    }

    #[test]
    fn a_day_that_no_calendar_has_is_a_misfit() {
        all_are(
            "misfit",
            &[
                "2001-02-29",
                "0000-01-01",
                "2001-13-01",
                "2001-01-01 24:00:00",
            ],
        );
        all_are("misfit", &["0x_", "0b_"]);
    }

    #[test]
    fn signs_are_read_as_signs() {
        all_are("merge", &["<<"]);
        all_are("equals", &["="]);
        all_are("text WORD", &["<", "<<<", "=="]);
    }

    #[test]
    fn a_tag_turns_a_word_into_its_type_or_fails() {
        assert_eq!(resolve_tagged("str", "5"), Ok(Scalar::from("5")));
        assert_eq!(resolve_tagged("null", "x"), Ok(Scalar::Null));
        assert_eq!(resolve_tagged("int", "010"), Ok(Scalar::Int(8)));
        assert_eq!(resolve_tagged("bool", "YeS"), Ok(Scalar::Bool(true)));
        assert_eq!(
            resolve_tagged("float", "5"),
            Ok(Scalar::Float("5.0".to_owned()))
        );
        assert_eq!(
            resolve_tagged("float", ".5"),
            Ok(Scalar::Float("0.5".to_owned()))
        );
        for (tag, word) in [
            ("int", "x"),
            ("bool", "1"),
            ("float", "x"),
            ("timestamp", "x"),
            ("binary", "eA=="),
            ("python/name:os.system", ""),
        ] {
            assert_eq!(resolve_tagged(tag, word), Err(Misfit), "{tag}");
        }
    }
}
