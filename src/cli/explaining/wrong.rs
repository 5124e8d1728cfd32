//! What is wrong with a file, each thing with its line.

use std::io::{self, Write};

use super::harmless;
use paprq_core::suite::{Finding, Position, SuiteFileError};

/// How many of several faults are shown.
const FINDINGS_MAX: usize = 50;

/// How much of a line is shown, in characters.
const EXCERPT_CHARS: usize = 100;

/// Says what is wrong with a file of these bytes, and shows where: in plain words where there are
/// any, else in PAPR's.
pub(in crate::cli) fn complain(
    out: &mut impl Write,
    error: &SuiteFileError,
    bytes: &[u8],
) -> io::Result<()> {
    let (file, text) = (harmless(&error.file_name), String::from_utf8_lossy(bytes));
    for finding in error.plain.iter().take(FINDINGS_MAX) {
        let Finding { message, place } = finding;
        let message = harmless(message);
        writeln!(out, "{file}:{}:{}: {message}", place.line, place.column)?;
        show(out, &text, *place)?;
    }
    match error.plain.len().saturating_sub(FINDINGS_MAX) {
        0 if error.plain.is_empty() => unexplained(out, error, &text),
        0 => Ok(()),
        more => writeln!(out, "and {more} more"),
    }
}

fn unexplained(out: &mut impl Write, error: &SuiteFileError, text: &str) -> io::Result<()> {
    write!(out, "{}", harmless(&error.file_name))?;
    if let Some(place) = error.place {
        write!(out, ":{}:{}", place.line, place.column)?;
    }
    writeln!(out, ": {}", harmless(&error.message))?;
    if let Some(detail) = &error.detail {
        writeln!(out, "  {}", harmless(detail))?;
    }
    match error.place {
        Some(place) => show(out, text, place),
        None => Ok(()),
    }
}

/// Shows the line, and below it where in it.
fn show(out: &mut impl Write, text: &str, place: Position) -> io::Result<()> {
    let Some(line) = text.lines().nth(place.line.saturating_sub(1)) else {
        return Ok(());
    };
    let column = place.column.saturating_sub(1);
    // Of a long line, the part that it is about.
    let skipped = column.saturating_sub(EXCERPT_CHARS / 2);
    let before: String = line.chars().skip(skipped).take(column - skipped).collect();
    let behind: String = line
        .chars()
        .skip(column)
        .take(EXCERPT_CHARS.saturating_sub(column - skipped))
        .collect();
    let before = harmless(&before);
    let head = format!("   {}:{}  ", place.line, place.column);
    writeln!(out, "{head}{before}{}", harmless(&behind))?;
    let indent = head.chars().count() + before.chars().count();
    writeln!(out, "{:indent$}^", "")
}
