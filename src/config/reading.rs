//! One reading of one file: what was asked for, and what was found to be wrong.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::finding::{ConfigError, Location, Position, Warning};

/// How the value of an environment variable is asked for.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// One reading of one file, and all that was found on the way.
pub(super) struct Reading<'e> {
    file: String,
    pub(super) environment: Environment<'e>,
    pub(super) errors: RefCell<Vec<ConfigError>>,
    pub(super) warnings: RefCell<Vec<Warning>>,
    /// Every key that was asked for, with `*` for names that people choose: `repo.*.owner`.
    /// Whatever else stands in the file is unknown.
    pub(super) known: RefCell<BTreeSet<String>>,
}

impl<'e> Reading<'e> {
    pub(super) fn new(file: &str, environment: Environment<'e>) -> Self {
        Self {
            file: file.to_owned(),
            environment,
            errors: RefCell::default(),
            warnings: RefCell::default(),
            known: RefCell::default(),
        }
    }

    pub(super) fn error(&self, place: Location, message: impl Into<String>, remedy: &str) {
        let error = ConfigError {
            place,
            message: message.into(),
            remedy: remedy.to_owned(),
        };
        // What is read twice is told of once.
        let mut errors = self.errors.borrow_mut();
        if !errors.contains(&error) {
            errors.push(error);
        }
    }

    pub(super) fn warn(&self, place: Location, message: impl Into<String>, reason: &str) {
        self.warnings.borrow_mut().push(Warning {
            place,
            message: message.into(),
            reason: reason.to_owned(),
        });
    }

    pub(super) fn place(&self, position: Option<Position>, table: &str) -> Location {
        Location {
            file: self.file.clone(),
            position,
            table: table.to_owned(),
        }
    }
}
