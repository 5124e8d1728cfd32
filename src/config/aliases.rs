//! `[aliases]`: lines that stand for commands to the bot.

use std::collections::BTreeMap;

use super::finding::Location;
use super::section::Section;

/// Phrases that are commands although they do not name the bot.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Aliases(BTreeMap<String, String>);

impl Aliases {
    /// What a line of a comment stands for, to be read as commands without the bot's name, if
    /// the whole line is a phrase. Upper and lower case are alike, and so is any white space; a
    /// full stop at the end is not looked at.
    pub fn commands(&self, line: &str) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&normal(line)).map(String::as_str)
    }

    /// The phrases in lower case, each with what it stands for.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let each = self.0.iter();
        each.map(|(phrase, commands)| (phrase.as_str(), commands.as_str()))
    }

    pub(super) fn read(section: &Section<'_>) -> Self {
        let mut aliases = BTreeMap::new();
        for entry in section.names() {
            let phrase = normal(&entry.key);
            if phrase.is_empty() || entry.key.trim().contains('\n') {
                let message = format!("{:?} is no phrase", entry.key);
                section.error(&entry.key, message, "write the words of one line");
            }
            if aliases.contains_key(&phrase) {
                let message = format!("the phrase \"{phrase}\" is there twice");
                section.error(&entry.key, message, "remove one of the two");
            }
            if let Some(commands) = section.named_text(entry) {
                aliases.insert(phrase, commands);
            }
        }
        Self(aliases)
    }
}

/// Where each phrase stands.
pub(super) fn places(section: &Section<'_>) -> BTreeMap<String, Location> {
    let phrases = section.names().into_iter();
    phrases
        .map(|entry| (normal(&entry.key), section.place(&entry.key)))
        .collect()
}

/// A line in the form in which lines are compared.
fn normal(line: &str) -> String {
    let line = line.trim();
    let line = line.strip_suffix('.').unwrap_or(line);
    let words: Vec<&str> = line.split_whitespace().collect();
    words.join(" ").to_lowercase()
}
