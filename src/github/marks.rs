//! What a pull wears: its labels, its title, whether it is open.

use http::Method;
use serde::{Deserialize, Serialize};
use url::Url;

use super::call::Order;
use super::error::ApiError;
use super::ledger::Kind;
use super::pages::paged;
use super::repo::Repo;
use paprq_core::ids::PullNumber;
use paprq_core::queue::event::PullState;

/// How many characters of a title GitHub takes.
const TITLE_CHARS_MAX: usize = 256;

/// What is to become of a pull; what is none stays as it is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PullEdit {
    /// Its title, cut where it is longer than GitHub's 256 characters.
    pub title: Option<String>,
    /// Whether it is open. Nothing but a merge makes it [`PullState::Merged`]: that is not sent.
    pub state: Option<PullState>,
}

impl Repo {
    /// The names of a pull's labels.
    ///
    /// # Errors
    ///
    /// [`ApiError::Gone`] where there is no pull of this number.
    pub async fn labels(&self, number: PullNumber) -> Result<Vec<String>, ApiError> {
        #[derive(Deserialize)]
        struct Label {
            name: String,
        }
        let url = paged(self.url(&["issues", &number.to_string(), "labels"]));
        let pages: Vec<Vec<Label>> = self.github.pages(url, self.value).await?;
        let labels = pages.into_iter().flatten();
        Ok(labels.map(|label| label.name).collect())
    }

    /// Puts labels on a pull, beside those that it has. May be repeated.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn add_labels(&self, number: PullNumber, labels: &[String]) -> Result<(), ApiError> {
        #[derive(Serialize)]
        struct NewLabels<'a> {
            labels: &'a [String],
        }
        let order = Order {
            method: Method::POST,
            url: self.url(&["issues", &number.to_string(), "labels"]),
            kind: Kind::Write,
            body: &NewLabels { labels },
        };
        self.github.write(order, self.value).await
    }

    /// Takes one label off a pull. May be repeated.
    ///
    /// # Errors
    ///
    /// [`ApiError::Gone`] where the pull does not have it.
    pub async fn remove_label(&self, number: PullNumber, label: &str) -> Result<(), ApiError> {
        let url = self.label_url(number, label).ok_or(ApiError::Gone)?;
        self.github.delete(url, self.value).await
    }

    /// The address of one label of a pull. A label whose name an address cannot hold has none:
    /// what would be left is the address of all labels.
    fn label_url(&self, number: PullNumber, label: &str) -> Option<Url> {
        let in_an_address = !matches!(label, "" | "." | "..");
        in_an_address.then(|| self.url(&["issues", &number.to_string(), "labels", label]))
    }

    /// Changes a pull's title and state. May be repeated.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn edit_pull(&self, number: PullNumber, edit: &PullEdit) -> Result<(), ApiError> {
        #[derive(Serialize)]
        struct Edited {
            #[serde(skip_serializing_if = "Option::is_none")]
            title: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            state: Option<&'static str>,
        }
        let title = edit.title.as_deref();
        let order = Order {
            method: Method::PATCH,
            url: self.url(&["pulls", &number.to_string()]),
            kind: Kind::Write,
            body: &Edited {
                title: title.map(|title| title.chars().take(TITLE_CHARS_MAX).collect()),
                state: match edit.state {
                    Some(PullState::Open) => Some("open"),
                    Some(PullState::Closed) => Some("closed"),
                    Some(PullState::Merged) | None => None,
                },
            },
        };
        self.github.write(order, self.value).await
    }
}
