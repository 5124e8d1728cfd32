//! Slips of the pen in configurations that are good: each is found, wherever it is and however
//! many there are.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::config::section::join;
use crate::config::survey::survey;

/// What happens to one letter of a key.
#[derive(Clone, Debug)]
enum Slip {
    Lost(Index),
    Added(Index, char),
    Wrong(Index, char),
    Swapped(Index),
}

/// A key of a file that somebody reads, and is not a name that people choose.
#[derive(Clone, Debug)]
struct Key {
    table: String,
    table_pattern: String,
    key: String,
    at: Position,
}

/// A key and what became of it.
struct Misspelt {
    key: Key,
    written: String,
}

fn samples() -> [String; 3] {
    [
        include_str!("../../../tests/homu/cfg.servo.toml").to_owned(),
        include_str!("../../../tests/homu/cfg.rust.toml").to_owned(),
        sample::usable_sample(),
    ]
}

/// The keys of a file, and all that are known.
fn keys(text: &str) -> (Vec<Key>, BTreeSet<String>) {
    let table = Table::from_toml(text).unwrap();
    let reading = Reading::new("cfg.toml", &any_variable);
    read(&table, &reading).unwrap();
    let known = reading.known.take();
    let found = survey(&table, &known).into_iter();
    let fixed = found.filter(|found| {
        let pattern = found.pattern.as_deref();
        pattern.is_some_and(|pattern| !pattern.ends_with('*'))
    });
    let keys = fixed.map(|found| Key {
        table: found.table,
        table_pattern: found.table_pattern,
        key: found.entry.key.clone(),
        at: found.entry.at,
    });
    (keys.collect(), known)
}

impl Key {
    fn path(&self) -> String {
        join(&self.table, &self.key)
    }

    fn is_below(&self, other: &Self) -> bool {
        self.path().starts_with(&join(&other.path(), ""))
    }

    /// The known keys of its table.
    fn neighbours<'k>(&self, known: &'k BTreeSet<String>) -> Vec<&'k str> {
        let neighbours = known
            .iter()
            .filter_map(|pattern| match pattern.rsplit_once('.') {
                Some((table, key)) => (table == self.table_pattern).then_some(key),
                None => self.table_pattern.is_empty().then_some(pattern.as_str()),
            });
        neighbours.collect()
    }
}

impl Slip {
    fn of(&self, key: &str) -> String {
        let mut letters: Vec<char> = key.chars().collect();
        match self {
            Self::Lost(at) => drop(letters.remove(at.index(letters.len()))),
            Self::Added(at, letter) => letters.insert(at.index(letters.len() + 1), *letter),
            Self::Wrong(at, letter) => {
                let at = at.index(letters.len());
                letters[at] = *letter;
            }
            Self::Swapped(at) => {
                let at = at.index(letters.len() - 1);
                letters.swap(at, at + 1);
            }
        }
        letters.into_iter().collect()
    }
}

fn slip() -> impl Strategy<Value = Slip> {
    let letter = prop::char::range('a', 'z');
    prop_oneof![
        any::<Index>().prop_map(Slip::Lost),
        (any::<Index>(), letter.clone()).prop_map(|(at, letter)| Slip::Added(at, letter)),
        (any::<Index>(), letter).prop_map(|(at, letter)| Slip::Wrong(at, letter)),
        any::<Index>().prop_map(Slip::Swapped),
    ]
}

/// The slips that make unknown keys, each of another key, none below another: what stands below
/// an unknown key is not looked at.
fn misspelt(slips: &[(Index, Slip)], keys: &[Key], known: &BTreeSet<String>) -> Vec<Misspelt> {
    let mut misspelt: Vec<Misspelt> = Vec::new();
    for (which, slip) in slips {
        let key = which.get(keys).clone();
        let written = slip.of(&key.key);
        let is_known = key.neighbours(known).contains(&written.as_str());
        let is_alone = misspelt.iter().all(
            |Misspelt {
                 key: other,
                 written: before,
             }| {
                let are_apart = !key.is_below(other) && !other.is_below(&key);
                are_apart && key.path() != other.path() && written != *before
            },
        );
        if !is_known && is_alone {
            misspelt.push(Misspelt { key, written });
        }
    }
    misspelt
}

/// The text with these keys written as they were misspelt.
fn rewritten(text: &str, misspelt: &mut [Misspelt]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    misspelt.sort_by_key(|misspelt| std::cmp::Reverse(misspelt.key.at));
    for Misspelt { key, written } in misspelt {
        let line = &mut lines[key.at.line - 1];
        let start = key.at.column - 1;
        let end = start + key.key.len();
        assert_eq!(line.get(start..end), Some(key.key.as_str()), "{line}");
        line.replace_range(start..end, written);
    }
    lines.join("\n")
}

proptest! {
    #[test]
    fn every_misspelt_key_is_named_with_its_line_and_the_nearest_known_key(
        which in 0..samples().len(),
        slips in prop::collection::vec((any::<Index>(), slip()), 1..6),
    ) {
        let text = &samples()[which];
        let (keys, known) = keys(text);
        let mut misspelt = misspelt(&slips, &keys, &known);
        prop_assume!(!misspelt.is_empty());
        let text = rewritten(text, &mut misspelt);
        let errors = Config::from_toml("cfg.toml", &text, &any_variable).unwrap_err();
        let unknown = |error: &&ConfigError| error.message.starts_with("unknown key");
        prop_assert_eq!(errors.0.iter().filter(unknown).count(), misspelt.len(), "{}", errors);
        for Misspelt { key, written } in &misspelt {
            let message = format!("unknown key \"{written}\"");
            let told = errors.0.iter().find(|error| {
                let place = &error.place;
                error.message == message && place.table == key.table && place.file == "cfg.toml"
            });
            let told = told.ok_or_else(|| TestCaseError::fail(format!("{message}: {errors}")))?;
            prop_assert_eq!(told.place.position.map(|at| at.line), Some(key.at.line));
            let meant = told.remedy.strip_prefix("did you mean \"");
            let meant = meant.and_then(|rest| rest.strip_suffix("\"?")).unwrap_or_default();
            prop_assert!(key.neighbours(&known).contains(&meant), "{}", told);
            let distance = |known: &str| strsim::damerau_levenshtein(written, known);
            prop_assert!(distance(meant) <= distance(&key.key), "{}", told);
        }
    }
}
