//! What a file of suites means, or what is wrong with it, for a person at a terminal.

mod meaning;
mod occasions;
mod warnings;
mod wrong;

pub(super) use meaning::explain;
pub(super) use wrong::complain;

/// The text without characters that a terminal would obey.
pub(super) fn harmless(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if letter.is_control() && letter != '\n' {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    out
}
