//! GitHub: webhook payloads to events, questions and orders to REST calls, under one budget.
//!
//! * [`signature`]: whether a webhook comes from GitHub.
//! * [`webhook`]: what a webhook says, as an [`Event`](paprq_core::queue::event::Event).
//! * [`GitHub`] and [`Repo`]: the REST calls; each is sent once, and [`ApiError`] says what its
//!   caller does next. Trying again is the engine's business.
//! * [`Limits`] and [`Value`]: how many calls one token may make, and which go first.
//!
//! Nothing here knows what the queue wants; only calls that GitHub's published OpenAPI description
//! has are made. Fields that GitHub always sends but that nothing here needs may be missing: other
//! servers speak this API too.

mod answer;
mod branches;
mod budget;
mod call;
mod error;
mod identity;
mod ledger;
mod listing;
mod marks;
mod pages;
mod proposals;
mod repo;
mod shapes;
pub mod signature;
mod slug;
pub mod webhook;
mod writes;

pub use branches::RemoteMerge;
pub use call::{GitHub, NewClientError, Settings};
pub use error::{ApiError, Cause, Refusal, Unsettled};
pub use identity::Identity;
pub use ledger::{Limits, Value};
pub use listing::Listing;
pub use marks::PullEdit;
pub use proposals::NewPull;
pub use repo::{PullComment, Repo, Sorts};
pub use slug::Slug;
pub use writes::{Moved, StatusState, StatusText};

#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tests;
