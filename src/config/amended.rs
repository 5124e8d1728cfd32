//! A configuration whose repositories are changed while it is in use (homu: `server.py admin`).
//!
//! The file stays as it is: at the next start it counts alone.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Config, ConfigErrors, Environment, unreadable};
use paprq_core::ids::RepoLabel;

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum Amendment {
    /// There is another repository, or one of this label is another now.
    Put {
        /// Its label.
        label: RepoLabel,
        /// Its table, with the keys of `[repo.LABEL]`.
        repo: Value,
    },
    /// The repository of this label is not configured any more.
    Remove {
        /// Its label.
        label: RepoLabel,
    },
}

/// A file, and what was changed since it was read.
#[derive(Clone, Debug)]
pub struct Amended {
    file: PathBuf,
    amendments: Vec<Amendment>,
}

impl Amended {
    /// Nothing is changed yet.
    pub fn new(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            amendments: Vec::new(),
        }
    }

    /// The configuration with one change more; the change is kept if that can be used.
    ///
    /// # Errors
    /// All faults of it. Then nothing is changed.
    pub fn with(
        &mut self,
        amendment: Amendment,
        environment: Environment<'_>,
    ) -> Result<Config, ConfigErrors> {
        let mut next = self.clone();
        next.amendments.push(amendment);
        let config = next.read(environment)?;
        *self = next;
        Ok(config)
    }

    fn read(&self, environment: Environment<'_>) -> Result<Config, ConfigErrors> {
        // The file alone says best what is wrong with it.
        Config::load(&self.file, environment)?;
        let name = self.file.display().to_string();
        let text = std::fs::read_to_string(&self.file);
        let text = text.map_err(|error| unreadable(&name, &error))?;
        let text = text.trim_start_matches('\u{feff}');
        let mut top: Value = match self.file.extension() {
            Some(end) if end == "json" => serde_json::from_str(text).unwrap_or_default(),
            Some(_) | None => toml::from_str(text).unwrap_or_default(),
        };
        for amendment in &self.amendments {
            amendment.apply(&mut top);
        }
        let called = format!("{name}, as changed by /admin");
        Config::from_json(&called, &top.to_string(), environment)
    }
}

impl Amendment {
    fn apply(&self, top: &mut Value) {
        let Some(top) = top.as_object_mut() else {
            return;
        };
        let none = || Value::Object(Map::new());
        let repos = top.entry("repo").or_insert_with(none);
        let Some(repos) = repos.as_object_mut() else {
            return;
        };
        match self {
            Self::Put { label, repo } => {
                repos.insert(label.to_string(), repo.clone());
            }
            Self::Remove { label } => {
                repos.remove(label.as_str());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FILE: &str = "[github]\naccess_token = 't'\n[repo.a]\nowner = 'o'\nname = 'a'\n\
                        github = { secret = 's' }\n";

    fn put(label: &str, repo: Value) -> Amendment {
        let label = RepoLabel::new(label);
        Amendment::Put { label, repo }
    }

    #[test]
    fn changes_add_up_and_one_that_is_wrong_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cfg.toml");
        std::fs::write(&file, FILE).unwrap();
        let mut amended = Amended::new(&file);
        let labels =
            |config: Config| -> Vec<_> { config.repos.keys().map(ToString::to_string).collect() };
        let good = json!({"owner": "o", "name": "b", "github": {"secret": "s"}});
        let config = amended.with(put("b", good), &|_| None).unwrap();
        assert_eq!(labels(config), ["a", "b"]);
        let errors = amended.with(put("c", json!({"owner": "o"})), &|_| None);
        let errors = errors.unwrap_err().to_string();
        assert!(errors.contains("as changed by /admin"), "{errors}");
        assert!(errors.contains("missing key \"name\""), "{errors}");
        let label = RepoLabel::new("a");
        let config = amended.with(Amendment::Remove { label }, &|_| None);
        assert_eq!(labels(config.unwrap()), ["b"]);
        assert_eq!(std::fs::read_to_string(file).unwrap(), FILE);
    }
}
