//! The time until GitHub has said who the bot is.
//!
//! Nothing waits for it that can do without: webhooks are made durable, pages show what the database knows,
//! and where the database knows the bot from an earlier start, the queue goes on.

use std::time::Duration;

use backon::BackoffBuilder as _;
use tokio::sync::watch;

use super::start::StartError;
use super::{Engine, retry};
use crate::github::{ApiError, GitHub};
use crate::store::{Store, StoreError};
use paprq_core::ids::Login;

/// How long a start waits for GitHub: mostly it answers within this, and nobody sees that there was
/// anything to wait for.
const FIRST_ANSWER: Duration = Duration::from_millis(500);

/// Who the bot is, as far as it is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Bot {
    /// GitHub said so, now or at an earlier start.
    Known(Login),
    /// GitHub has never answered. Nothing is decided until it does.
    Unknown,
}

impl Bot {
    /// What stands for the bot in rules that nobody applies yet.
    pub(super) fn login(&self) -> Login {
        match self {
            Self::Known(login) => login.clone(),
            Self::Unknown => Login::new("unknown"),
        }
    }
}

/// How far GitHub has answered since the start.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Connection {
    /// Not yet.
    Waiting,
    /// It has, and the bot is who it was thought to be.
    Made,
    /// It has, and the bot is somebody else: the engine must be started anew.
    Anew,
    /// It refuses the access token.
    Refused,
}

impl Engine {
    /// The address of the GitHub that has not answered since the start; none once it has.
    pub fn waits_for(&self) -> Option<&str> {
        let is_waiting = *self.0.connection.borrow() == Connection::Waiting;
        is_waiting.then_some(self.0.config.github.api_url.as_str())
    }

    /// Whether nothing is decided because it is not known who the bot is.
    pub fn is_asleep(&self) -> bool {
        self.0.bot == Bot::Unknown
    }

    /// Waits until GitHub has said that the bot is somebody else than it was thought to be, and the engine
    /// must be started anew.
    ///
    /// # Errors
    /// [`StartError::Token`] if GitHub refuses the access token.
    pub async fn until_outdated(&self) -> Result<(), StartError> {
        let mut connection = self.0.connection.subscribe();
        let ended =
            |connection: &Connection| matches!(connection, Connection::Anew | Connection::Refused);
        let found = connection.wait_for(ended).await;
        match found.map(|found| found.clone()) {
            Ok(Connection::Refused) => Err(StartError::Token(ApiError::Unauthorized)),
            Ok(Connection::Anew | Connection::Made | Connection::Waiting) => Ok(()),
            // Without a sender the process is ending.
            Err(_) => std::future::pending().await,
        }
    }

    /// Goes on asking GitHub until it answers.
    pub(super) async fn connect(self, github: GitHub) {
        let connection = match who_am_i(&github, &self.0.config.github.api_url).await {
            Ok(login) if self.0.bot == Bot::Known(login.clone()) => Connection::Made,
            Ok(login) => {
                remember(&self.0.store, &login).await;
                Connection::Anew
            }
            Err(_) => Connection::Refused,
        };
        tracing::info!(?connection, "GitHub has answered");
        self.0.connection.send_replace(connection);
    }
}

/// Asks GitHub who the bot is; where it does not answer soon, the database.
pub(super) async fn ask(
    github: &GitHub,
    store: &Store,
) -> Result<(Bot, watch::Sender<Connection>), StartError> {
    match tokio::time::timeout(FIRST_ANSWER, github.login()).await {
        Ok(Ok(login)) => {
            store.remember_bot(&login).await?;
            Ok((Bot::Known(login), watch::Sender::new(Connection::Made)))
        }
        Ok(Err(error @ ApiError::Unauthorized)) => Err(StartError::Token(error)),
        Ok(Err(_)) | Err(_) => {
            let known = store.bot().await?.map_or(Bot::Unknown, Bot::Known);
            Ok((known, watch::Sender::new(Connection::Waiting)))
        }
    }
}

/// Asks GitHub until it answers.
pub(super) async fn who_am_i(github: &GitHub, address: &str) -> Result<Login, StartError> {
    let mut delays = retry::patient().build();
    let mut failures: u64 = 0;
    loop {
        let error = match github.login().await {
            Ok(login) => return Ok(login),
            Err(error @ ApiError::Unauthorized) => return Err(StartError::Token(error)),
            Err(error) => error,
        };
        failures += 1;
        if failures.is_power_of_two() {
            tracing::warn!(
                %error, github.api_url = address, failures,
                "GitHub does not say who the bot is; it is asked again. Look whether [github] api_url is \
                 right and this machine reaches it"
            );
        }
        tokio::time::sleep(delays.next().unwrap_or(retry::DELAY_MAX)).await;
    }
}

async fn remember(store: &Store, login: &Login) {
    if let Err(error) = store.remember_bot(login).await {
        let error: StoreError = error;
        tracing::error!(%error, "who the bot is could not be written down");
    }
}
