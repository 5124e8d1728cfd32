//! Labels: putting them on pulls and taking them off, over REST, on the pages, or from a test.

use serde_json::{Value, json};

use paprq_core::ids::{Login, PullNumber};

use super::announce::Told;
use super::core::Core;
use super::pulls::unknown_pull;
use super::setup::unknown_repo;
use super::{Practice, PracticeError};

impl Practice {
    /// Puts a label on a pull; nothing is told if it is there already.
    ///
    /// # Errors
    /// If there is no such pull.
    pub fn add_label(
        &self,
        repo: &str,
        number: PullNumber,
        label: &str,
        by: &str,
    ) -> Result<(), PracticeError> {
        let labels = [label.to_owned()];
        self.core()
            .add_labels(repo, number, &labels, &Login::new(by))
    }

    /// Takes a label off a pull.
    ///
    /// # Errors
    /// If there is no such pull, or it has no such label.
    pub fn remove_label(
        &self,
        repo: &str,
        number: PullNumber,
        label: &str,
        by: &str,
    ) -> Result<(), PracticeError> {
        self.core()
            .remove_label(repo, number, label, &Login::new(by))
    }
}

impl Core {
    /// Puts labels on a pull; those that it has already stay silent.
    pub(super) fn add_labels(
        &self,
        repo: &str,
        number: PullNumber,
        labels: &[String],
        by: &Login,
    ) -> Result<(), PracticeError> {
        for label in labels {
            let label = self.known_label(repo, label, by)?;
            let shape = self.label_json(repo, &label)?;
            self.change_pull(repo, number, |pull| {
                if pull.labels.contains(&label) {
                    return Ok(None);
                }
                pull.labels.push(label);
                pull.updated_at = self.now();
                Ok(Some(Told::new("labeled", by).with(json!({"label": shape}))))
            })?;
        }
        Ok(())
    }

    /// Takes a label off a pull.
    pub(super) fn remove_label(
        &self,
        repo: &str,
        number: PullNumber,
        label: &str,
        by: &Login,
    ) -> Result<(), PracticeError> {
        let has = self.labels_of(repo, number)?;
        let label = has
            .into_iter()
            .find(|has| has.eq_ignore_ascii_case(label))
            .ok_or_else(|| PracticeError::Unknown(format!("label {label}")))?;
        let shape = self.label_json(repo, &label)?;
        self.change_pull(repo, number, |pull| {
            pull.labels.retain(|has| *has != label);
            pull.updated_at = self.now();
            let told = Told::new("unlabeled", by);
            Ok(Some(told.with(json!({"label": shape}))))
        })
    }

    /// Gives a pull exactly these labels.
    pub(super) fn set_labels(
        &self,
        repo: &str,
        number: PullNumber,
        labels: &[String],
        by: &Login,
    ) -> Result<(), PracticeError> {
        for has in self.labels_of(repo, number)? {
            if !labels.iter().any(|label| has.eq_ignore_ascii_case(label)) {
                self.remove_label(repo, number, &has, by)?;
            }
        }
        self.add_labels(repo, number, labels, by)
    }

    fn labels_of(&self, repo: &str, number: PullNumber) -> Result<Vec<String>, PracticeError> {
        let pull = self.pull(repo, number);
        Ok(pull.ok_or_else(|| unknown_pull(number))?.labels)
    }

    /// The repository's own spelling of a label, which is made if there is none in any case.
    fn known_label(&self, repo: &str, label: &str, by: &Login) -> Result<String, PracticeError> {
        let id = self.next_id_for(by);
        self.change_repo(repo, |repo| {
            let known = repo.labels.keys();
            let known = known
                .into_iter()
                .find(|has| has.eq_ignore_ascii_case(label));
            if let Some(known) = known {
                return known.clone();
            }
            repo.labels.insert(label.to_owned(), id);
            label.to_owned()
        })
    }

    fn label_json(&self, repo: &str, label: &str) -> Result<Value, PracticeError> {
        let world = self.world();
        let found = world.repo(repo).ok_or_else(|| unknown_repo(repo))?;
        Ok(self.shapes(&world).label(found, label))
    }
}
