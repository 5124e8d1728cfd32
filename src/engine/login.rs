//! People who log in on our pages with their account on GitHub (OAuth's web application flow).
//!
//! A person's token is kept for as long as what they came for is being done, and nowhere written.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, header};
use serde::Deserialize;

use super::{Engine, Repo};
use crate::git::Secret;
use crate::github::{ApiError, GitHub, NewClientError, Settings};
use paprq_core::ids::Login;

/// How long GitHub may take to give a token.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(10);

/// Somebody who has just shown who they are.
pub struct Person {
    pub(super) login: Login,
    /// GitHub as they see it.
    pub(super) github: GitHub,
    pub(super) token: Secret,
}

/// What GitHub sent a browser back with, and what proves that it was meant for us.
#[derive(Clone)]
pub struct Grant<'a> {
    /// GitHub's code.
    pub code: &'a str,
    /// What the challenge was made of (RFC 7636).
    pub verifier: &'a str,
    /// Where the browser was sent back to.
    pub redirect_uri: &'a str,
}

/// Why nobody was logged in. No variant holds a token, a code or a secret.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// No OAuth application is configured.
    #[error("log anybody in: [github] has no app_client_id and app_client_secret")]
    NotOffered,
    /// GitHub does not take the code: the person starts anew, or the operator looks at the
    /// application's settings.
    #[error("get a token for a code: GitHub says {0}")]
    Refused(String),
    /// GitHub was not reached, or did not answer as it should: the person tries later.
    #[error("get a token for a code: {0}")]
    Unreached(#[source] reqwest::Error),
    /// GitHub answered with a failure: the person tries later.
    #[error("get a token for a code: GitHub answers {0}")]
    Failed(StatusCode),
    /// The token is none.
    #[error(transparent)]
    Client(#[from] NewClientError),
    /// GitHub does not say whose token it is.
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// GitHub's answer to a code. Failures come with status 200 as well.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    error: Option<String>,
}

impl Person {
    /// Their account.
    pub fn login(&self) -> &Login {
        &self.login
    }
}

impl Engine {
    /// Exchanges what GitHub sent a browser back with for the person who uses it.
    ///
    /// # Errors
    /// See [`LoginError`].
    pub async fn log_in(&self, grant: &Grant<'_>) -> Result<Person, LoginError> {
        let token = self.token_for(grant).await?;
        let api_url = &self.config().github.api_url;
        let github = GitHub::new(api_url, &token, Settings::default())?;
        Ok(Person {
            login: github.login().await?,
            token: Secret::new(token),
            github,
        })
    }

    async fn token_for(&self, grant: &Grant<'_>) -> Result<String, LoginError> {
        let config = &self.config().github;
        let (Some(id), Some(secret)) = (&config.app_client_id, &config.app_client_secret) else {
            return Err(LoginError::NotOffered);
        };
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", id)
            .append_pair("client_secret", secret.expose())
            .append_pair("code", grant.code)
            .append_pair("redirect_uri", grant.redirect_uri)
            .append_pair("code_verifier", grant.verifier)
            .finish();
        let http = Client::builder()
            .timeout(EXCHANGE_TIMEOUT)
            // Like all other calls to GitHub.
            .no_proxy()
            .redirect(Policy::none())
            .build();
        let call = http
            .map_err(LoginError::Unreached)?
            .post(format!("{}/login/oauth/access_token", config.web_url))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let answer = call.send().await.map_err(LoginError::Unreached)?;
        if !answer.status().is_success() {
            return Err(LoginError::Failed(answer.status()));
        }
        let answer: TokenAnswer = answer.json().await.map_err(LoginError::Unreached)?;
        answer.access_token.ok_or_else(|| {
            let error = answer.error.unwrap_or_else(|| "nothing".to_owned());
            LoginError::Refused(paprq_core::notes::plain(&error, 100))
        })
    }
}

impl Repo {
    /// Whether not everybody may see the repository on GitHub. Asked once: visitors, who may ask as
    /// often as they like, cost no further call.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn is_private(&self) -> Result<bool, ApiError> {
        let shared = self.shared();
        let private = shared.private.get_or_try_init(|| shared.api.is_private());
        private.await.copied()
    }

    /// Whether somebody may approve any pull of the repository. Who is a delegate of one may not.
    ///
    /// # Errors
    /// If GitHub has to be asked, and does not answer.
    pub async fn is_reviewer(&self, who: &Login) -> Result<bool, ApiError> {
        let config = self.config();
        if *who == self.shared().rules.grammar.bot || config.reviewers.contains(who) {
            return Ok(true);
        }
        Ok(config.auth_collaborators && self.shared().api.may_write(who).await?)
    }
}
