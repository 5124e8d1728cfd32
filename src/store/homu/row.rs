//! One row, whose cells may hold anything: SQLite does not mind text in a column of numbers.

use std::collections::BTreeMap;

/// A row of one of Homu's tables.
#[derive(Clone, Debug, Default)]
pub struct Row(BTreeMap<&'static str, Vec<u8>>);

/// A cell that does not hold what its column is for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{column} is {value:?}")]
pub struct Odd {
    /// Which column.
    pub column: &'static str,
    /// The beginning of what stands there.
    pub value: String,
}

/// How much of an odd value is shown, in characters.
const SHOWN_CHARS_MAX: usize = 60;

impl Row {
    /// From cells that are `x` and hexadecimal digits, or empty for NULL, with commas between.
    pub(super) fn from_cells(columns: &[&'static str], line: &str) -> Self {
        let cells = columns.iter().zip(line.split(','));
        let cells = cells.filter_map(|(column, cell)| {
            let bytes = hex::decode(cell.strip_prefix('x')?).ok()?;
            Some((*column, bytes))
        });
        Self(cells.collect())
    }

    /// The cell's text; empty where there is none.
    ///
    /// # Errors
    /// If its bytes are no text.
    pub fn text(&self, column: &'static str) -> Result<&str, Odd> {
        let bytes = self.0.get(column).map_or(&[][..], Vec::as_slice);
        str::from_utf8(bytes).ok().ok_or_else(|| self.odd(column))
    }

    /// The cell's whole number; `None` where there is none.
    ///
    /// # Errors
    /// If it holds something else.
    pub fn whole(&self, column: &'static str) -> Result<Option<i64>, Odd> {
        let text = self.text(column)?.trim();
        if text.is_empty() {
            return Ok(None);
        }
        // A column without a type keeps numbers as floats where they were written so.
        let text = text.strip_suffix(".0").unwrap_or(text);
        text.parse().ok().map(Some).ok_or_else(|| self.odd(column))
    }

    /// The cell's truth, as 1 or 0; `None` where there is none.
    ///
    /// # Errors
    /// If it holds something else.
    pub fn truth(&self, column: &'static str) -> Result<Option<bool>, Odd> {
        match self.whole(column)? {
            Some(0) => Ok(Some(false)),
            Some(1) => Ok(Some(true)),
            Some(_) => Err(self.odd(column)),
            None => Ok(None),
        }
    }

    /// What is wrong with a cell, for people.
    pub fn odd(&self, column: &'static str) -> Odd {
        let bytes = self.0.get(column).map_or(&[][..], Vec::as_slice);
        let text = String::from_utf8_lossy(bytes);
        Odd {
            column,
            value: text.chars().take(SHOWN_CHARS_MAX).collect(),
        }
    }
}
