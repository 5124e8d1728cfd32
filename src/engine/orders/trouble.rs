//! Why an order was not carried out, and for how long it is tried again.
//!
//! What can pass is tried until it does. What GitHub or git refuses is not: the order ends and says
//! why, after a few tries where what was asked for may only be late.

use std::time::Duration;

use super::super::buildbot::BuildbotError;
use super::super::permissions::PermissionError;
use super::super::retry::LAG_PAUSES_S;
use super::merging::{explanation, is_passing};
use crate::git::GitError;
use crate::github::{ApiError, Refusal, Unsettled};
use crate::store::StoreError;
use paprq_core::ids::{BranchName, PullNumber};

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub(in crate::engine) enum Trouble {
    /// Something that can pass: the order is tried again.
    #[error(transparent)]
    Passing(#[from] Passing),
    /// Something that does not: the order ends, and says why.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Something that can pass. It cannot be made of what GitHub or git refuse.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(in crate::engine) struct Passing(Reason);

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Api(Unsettled),
    #[error(transparent)]
    Git(GitError),
    #[error(transparent)]
    Permission(PermissionError),
    #[error(transparent)]
    Buildbot(BuildbotError),
    #[error("merge into {0}, which moves meanwhile")]
    Moved(BranchName),
    #[error(transparent)]
    Store(StoreError),
}

/// Something that does not pass by itself.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{why}")]
pub(in crate::engine) struct Refused {
    /// What sort of refusal it is.
    pub(super) kind: Kind,
    /// Why, in words for people: whole sentences.
    pub(super) why: String,
}

/// What sort of refusal one is: by that it is tried again a few times, or not at all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// The answer is final.
    Denied,
    /// Something is not there, perhaps not yet.
    Missing,
    /// This pull is not there, or cannot be seen, perhaps for the moment.
    Unseen(PullNumber),
    /// GitHub has not yet noticed what was done just before.
    Lag,
    /// GitHub does not take the token.
    Token,
}

/// What was just made may be missing for some seconds.
const MISSING_PAUSES_S: [u64; 2] = [1, 3];
/// Five minutes: tokens of an app are made anew meanwhile.
const TOKEN_PAUSES_S: [u64; 9] = [1, 2, 4, 8, 15, 30, 60, 90, 90];

impl Refused {
    /// What is refused for this reason, whenever it is asked for.
    pub(super) fn denied(why: impl Into<String>) -> Self {
        Self {
            kind: Kind::Denied,
            why: why.into(),
        }
    }

    /// What GitHub does not yet know to be possible.
    pub(super) fn lag(why: impl Into<String>) -> Self {
        Self {
            kind: Kind::Lag,
            why: why.into(),
        }
    }

    /// A pull that GitHub does not show.
    pub(super) fn unseen(pull: PullNumber, refusal: &Refusal) -> Self {
        Self {
            kind: Kind::Unseen(pull),
            why: format!("GitHub does not show #{pull}: it {refusal}."),
        }
    }

    /// How long to wait before the order is tried again that was refused so often before; `None` if it
    /// is given up.
    pub(in crate::engine) fn pause(&self, refused_before: usize) -> Option<Duration> {
        let pauses: &[u64] = match self.kind {
            Kind::Denied => &[],
            Kind::Missing => &MISSING_PAUSES_S,
            Kind::Unseen(_) | Kind::Lag => &LAG_PAUSES_S,
            Kind::Token => &TOKEN_PAUSES_S,
        };
        pauses.get(refused_before).copied().map(Duration::from_secs)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self {
            kind: match refusal {
                Refusal::Answered { .. } => Kind::Denied,
                Refusal::Missing => Kind::Missing,
                Refusal::Token => Kind::Token,
            },
            why: format!("GitHub {refusal}."),
        }
    }
}

impl From<Unsettled> for Trouble {
    fn from(unsettled: Unsettled) -> Self {
        Passing(Reason::Api(unsettled)).into()
    }
}

impl From<ApiError> for Trouble {
    fn from(error: ApiError) -> Self {
        match error.settle() {
            Ok(refusal) => Refused::from(refusal).into(),
            Err(unsettled) => unsettled.into(),
        }
    }
}

impl From<GitError> for Trouble {
    fn from(error: GitError) -> Self {
        if is_passing(&error) {
            return Passing(Reason::Git(error)).into();
        }
        tracing::error!(%error, "git does not do what an order needs");
        Refused::denied(explanation(&error)).into()
    }
}

impl From<PermissionError> for Trouble {
    fn from(error: PermissionError) -> Self {
        match error {
            PermissionError::Api(error) => error.into(),
            error @ PermissionError::Team(_) => Passing(Reason::Permission(error)).into(),
        }
    }
}

impl From<BuildbotError> for Trouble {
    fn from(error: BuildbotError) -> Self {
        if error.may_pass() {
            Passing(Reason::Buildbot(error)).into()
        } else {
            Refused::denied(error.to_string()).into()
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Passing(Reason::Store(error)).into()
    }
}

impl Trouble {
    /// Somebody else used a branch at the same time.
    pub(super) fn moved(branch: BranchName) -> Self {
        Passing(Reason::Moved(branch)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_refused_is_given_up_in_bounded_time() {
        for (kind, at_most_s) in [
            (Kind::Denied, 0),
            (Kind::Missing, 10),
            (Kind::Unseen(PullNumber(1)), 60),
            (Kind::Lag, 60),
            (Kind::Token, 300),
        ] {
            let refused = Refused {
                kind,
                why: String::new(),
            };
            let pauses: Vec<_> = (0..100).map_while(|before| refused.pause(before)).collect();
            let in_all: Duration = pauses.iter().sum();
            assert!(
                pauses.len() < 100 && in_all.as_secs() <= at_most_s,
                "{kind:?}"
            );
            assert!(pauses.is_sorted(), "{kind:?} grows impatient");
        }
        let lag = Refused::lag("");
        let tries: Duration = (0..6).filter_map(|before| lag.pause(before)).sum();
        assert_eq!(tries.as_secs(), 60);
    }

    #[test]
    fn what_github_refuses_is_never_taken_for_what_can_pass() {
        for error in [
            ApiError::Gone,
            ApiError::Unauthorized,
            ApiError::Rejected {
                status: 403,
                message: String::new(),
            },
        ] {
            assert!(matches!(Trouble::from(error), Trouble::Refused(_)));
        }
    }
}
