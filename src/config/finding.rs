//! What is wrong with a configuration, where, and what to write instead.

use std::fmt;

/// A place in a file. Both numbers count from 1; columns are characters.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Where in the configuration something was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Location {
    /// The file, as it was named to us.
    pub file: String,
    /// None where the whole file is meant.
    pub position: Option<Position>,
    /// The table, such as `repo.x.github`; empty at the top of the file.
    pub table: String,
}

/// One thing that must be changed before the configuration can be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{place}{message}: {remedy}")]
pub struct ConfigError {
    /// Where it stands.
    pub place: Location,
    /// What is wrong. It never repeats a text of the file that may be secret.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
}

/// All that must be changed, in the file's order. Shown one to a line.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub struct ConfigErrors(pub Vec<ConfigError>);

/// Something that is allowed but does not do what one may expect.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Warning {
    /// Where it stands.
    pub place: Location,
    /// What is to be known.
    pub message: String,
    /// Why, or what happens instead.
    pub reason: String,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Position { line, .. }) = self.position {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if self.table.is_empty() {
            return Ok(());
        }
        write!(f, "[{}] ", self.table)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}: {}", self.place, self.message, self.reason)
    }
}
