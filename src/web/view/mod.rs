//! What pages show, as plain values: words, shapes, addresses. No page's layout is here.

mod badge;
mod file;
mod forge;
mod job;
mod moment;
mod pull;
mod queue;
mod run;

pub(super) use badge::Badge;
pub(super) use file::{FileView, shown_path};
pub(super) use forge::Forge;
pub(super) use job::{JobView, worker};
pub(super) use moment::{Moment, duration};
pub(super) use pull::PullView;
pub(super) use queue::{PAGE, QueueView, RepoLine, notices, tests};
pub(super) use run::{MemberView, RunView, not_needed, passed, purpose};

use paprq_core::notes;

/// How much of a title is shown, in characters.
const TITLE_CHARS_MAX: usize = 200;

/// How much of any other name that others chose is shown, in characters.
const NAME_CHARS_MAX: usize = 80;

/// A link, or text alone where there is no address.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// What is read.
    pub(super) text: String,
    /// Where it leads.
    pub(super) url: Option<String>,
}

/// A name that others chose, as it may be shown.
pub(super) fn name(text: &str) -> String {
    notes::plain(text, NAME_CHARS_MAX)
}
