//! Every word that is posted to GitHub. Pure.
//!
//! [`comment`] and [`status`] turn what the queue has to say into words; texts that people and
//! other bots match on are Homu's and PAPR's. What others chose (names of checks, branches,
//! messages) goes through `harmless` first.

mod comment;
mod harmless;
mod job_status;
mod machine;
mod reason;
mod repository;
mod rollup;
mod status;

#[cfg(test)]
mod tests;

pub use comment::comment;
pub use harmless::{is_unseen, plain, url};
pub use job_status::{deadlines, job_status};
pub use reason::reason;
pub use repository::{reading, renamed};
pub use rollup::{RollupText, rollup};
pub use status::{QUEUE_CONTEXT, State, StatusText, status, verdict};

use crate::ids::{Login, PullNumber, RepoLabel, RunId};
use crate::queue::note::MARKER;

/// How much of a name that others chose is shown, in characters.
const NAME_CHARS_MAX: usize = 80;

/// How much of a message that others chose is shown, in characters.
const MESSAGE_CHARS_MAX: usize = 2000;

/// Why an order is given up at which the process ended again and again.
pub const GIVEN_UP: &str = "the server ended three times while it worked on this, so it does not \
                            try again. Its operator finds more in the log.";

/// Where things are, as far as words link to them.
#[derive(Clone, Debug)]
pub struct Links {
    /// The address of our own pages, with or without a `/` at its end; empty where unknown.
    pub base_url: String,
    /// Which repository.
    pub repo: RepoLabel,
    /// The address of GitHub's pages, such as `https://github.com`.
    pub web_url: String,
    /// The repository on GitHub, as `OWNER/NAME`.
    pub slug: String,
    /// The bot's own login.
    pub bot: Login,
}

impl Links {
    fn page(&self, path: &str) -> Option<String> {
        url(&format!("{}/{path}", self.base_url.trim_end_matches('/')))
    }

    fn queue(&self) -> Option<String> {
        self.page(&format!("queue/{}", self.repo))
    }

    fn pull(&self, number: PullNumber) -> Option<String> {
        self.page(&format!("pull/{}/{number}", self.repo))
    }

    fn run(&self, run: RunId) -> Option<String> {
        self.page(&format!("run/{run}"))
    }

    /// The page of a pull on GitHub, or the repository's; empty where that is unknown.
    fn on_github(&self, pull: Option<PullNumber>) -> String {
        let repository = format!("{}/{}", self.web_url.trim_end_matches('/'), self.slug);
        let page = match pull {
            Some(number) => format!("{repository}/pull/{number}"),
            None => repository,
        };
        url(&page).unwrap_or_default()
    }
}

/// The text with a hidden mark at its end by which the bot finds it again.
///
/// The key is the caller's own and holds no `-->`.
pub fn marked(body: &str, key: &str) -> String {
    format!("{body}\n{MARKER}{key} -->")
}
