//! Changing what is configured while the engine runs: whoever started it does so, by starting
//! another one.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::Engine;
use crate::config::Amendment;

/// A change that somebody asks for, and who waits for the answer.
#[derive(Debug)]
pub struct AmendmentAsked {
    /// The change.
    pub amendment: Amendment,
    /// What was wrong with it, in words for operators; nothing if it is made now.
    pub reply: oneshot::Sender<Result<(), String>>,
}

/// Why nothing is changed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AmendError {
    /// Nobody is there to do it: the program was not started by a configuration file.
    #[error("change the configuration of this server")]
    NotOffered,
    /// The configuration would be wrong.
    #[error("change the configuration: {0}")]
    Wrong(String),
}

/// The way from those who ask to the one who changes.
pub(super) struct Amendments {
    sender: mpsc::Sender<AmendmentAsked>,
    receiver: Mutex<Option<mpsc::Receiver<AmendmentAsked>>>,
}

impl Default for Amendments {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(1);
        Self {
            sender,
            receiver: Mutex::new(Some(receiver)),
        }
    }
}

impl Amendments {
    fn take(&self) -> Option<mpsc::Receiver<AmendmentAsked>> {
        let mut receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        receiver.take()
    }

    fn is_taken(&self) -> bool {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        receiver.is_none()
    }
}

impl Engine {
    /// The changes that are asked for, for whoever can make them; once.
    pub fn take_amendments(&self) -> Option<mpsc::Receiver<AmendmentAsked>> {
        self.0.amendments.take()
    }

    /// Has what is configured changed. Soon after, this engine is shut down and another one goes on.
    ///
    /// # Errors
    /// See [`AmendError`]; then nothing is changed.
    pub async fn amend(&self, amendment: Amendment) -> Result<(), AmendError> {
        if !self.0.amendments.is_taken() {
            return Err(AmendError::NotOffered);
        }
        let (reply, answer) = oneshot::channel();
        let asked = AmendmentAsked { amendment, reply };
        let sent = self.0.amendments.sender.send(asked).await;
        sent.map_err(|_gone| AmendError::NotOffered)?;
        let answer = answer.await.map_err(|_gone| AmendError::NotOffered)?;
        answer.map_err(AmendError::Wrong)
    }
}
