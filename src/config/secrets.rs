//! `[repo.LABEL.secrets]`: what suites may know and nobody may read.

use std::collections::BTreeMap;

use super::secret::Secret;
use super::section::Section;

/// What is shorter cannot be hidden in a log without hiding half of the log with it, in
/// characters.
const LEAST_CHARACTERS: usize = 8;

/// What our own variables begin with; they are exported later and would win.
const OURS: [&str; 2] = ["PAPR_", "RHCI_"];

/// The secrets of a repository, by name.
pub(super) fn read(section: &Section<'_>) -> BTreeMap<String, Secret> {
    let mut secrets = BTreeMap::new();
    for entry in section.names() {
        let name = &entry.key;
        if !is_variable(name) {
            let message = format!("\"{name}\" cannot be the name of a variable");
            let remedy = "take letters, digits and _, and begin with no digit";
            section.error(name, message, remedy);
        }
        if OURS.iter().any(|ours| name.starts_with(ours)) {
            let message = format!("\"{name}\" begins as the variables of the run do");
            section.error(name, message, "take another name");
        }
        if let Some(value) = section.named_text(entry) {
            check(section, name, &value);
            secrets.insert(name.clone(), Secret::new(value));
        }
    }
    secrets
}

fn check(section: &Section<'_>, name: &str, value: &str) {
    if value.trim().chars().count() < LEAST_CHARACTERS {
        let message = format!("\"{name}\" is too short to be hidden in logs");
        let remedy =
            "take a value of at least 8 characters: hiding fewer would hide much of any log";
        section.error(name, message, remedy);
    }
    if value.contains('\0') {
        let message = format!("\"{name}\" holds a NUL character");
        section.error(
            name,
            message,
            "take another value: no variable can hold that",
        );
    }
}

fn is_variable(name: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    name.chars().all(fits) && !name.starts_with(|first: char| first.is_ascii_digit())
}
