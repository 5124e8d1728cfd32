//! Logging people in elsewhere: OAuth apps, codes that are good once, and people's tokens.
//!
//! Source: GitHub's documentation, "Authorizing OAuth apps"; RFC 7636 for `code_challenge`.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use paprq_core::ids::Login;

use super::core::Core;
use super::{Practice, PracticeError};

/// What is known of logins elsewhere.
#[derive(Debug, Default)]
pub(super) struct Logins {
    apps: BTreeMap<String, App>,
    codes: HashMap<String, Grant>,
    /// The tokens that people were given.
    pub(super) tokens: HashMap<String, Login>,
}

#[derive(Debug)]
struct App {
    secret: String,
    callback: String,
}

/// What a code stands for.
#[derive(Debug)]
struct Grant {
    login: Login,
    ask: Ask,
}

/// What an app asks for on behalf of a person.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) client_id: String,
    pub(super) redirect_uri: Option<String>,
    pub(super) scope: String,
    pub(super) state: Option<String>,
    pub(super) code_challenge: Option<String>,
}

/// An app that wants a token for a code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    pub(super) client_id: &'a str,
    pub(super) client_secret: &'a str,
    pub(super) code: &'a str,
    pub(super) redirect_uri: Option<&'a str>,
    pub(super) code_verifier: Option<&'a str>,
}

/// A token with what it may be used for.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) token: String,
    pub(super) scope: String,
}

impl Practice {
    /// Knows an OAuth app, whose people are led back to this address or one below it.
    pub fn add_oauth_app(&self, client_id: &str, secret: &str, callback: &str) {
        let app = App {
            secret: secret.to_owned(),
            callback: callback.to_owned(),
        };
        let mut world = self.core().world();
        world.logins.apps.insert(client_id.to_owned(), app);
    }

    /// Takes back all tokens that a person gave to apps.
    pub fn revoke_logins(&self, login: &str) {
        let login = Login::new(login);
        let mut world = self.core().world();
        world.logins.tokens.retain(|_, owner| *owner != login);
    }
}

impl Core {
    /// Where a person who agrees is led to, without the code.
    pub(super) fn callback(&self, ask: &Ask) -> Result<String, PracticeError> {
        let world = self.world();
        let app = world.logins.apps.get(&ask.client_id);
        let app = app.ok_or_else(|| PracticeError::Unknown(format!("app {}", ask.client_id)))?;
        let wanted = ask.redirect_uri.as_ref().unwrap_or(&app.callback);
        match wanted.strip_prefix(&app.callback) {
            Some(rest) if rest.is_empty() || rest.starts_with(['/', '?']) => Ok(wanted.clone()),
            Some(_) | None => Err(PracticeError::Refused(
                "the redirect_uri is not associated with this application".to_owned(),
            )),
        }
    }

    /// Makes the code by which an app gets a person's token; where the person is led with it.
    pub(super) fn grant(&self, ask: Ask, login: Login) -> Result<String, PracticeError> {
        let code = format!("{:032x}", rand::random::<u128>());
        let broken = |error: url::ParseError| PracticeError::Refused(error.to_string());
        let mut to: url::Url = self.callback(&ask)?.parse().map_err(broken)?;
        to.query_pairs_mut().append_pair("code", &code);
        if let Some(state) = &ask.state {
            to.query_pairs_mut().append_pair("state", state);
        }
        let mut world = self.world();
        world.logins.codes.insert(code, Grant { login, ask });
        Ok(to.into())
    }

    /// A token for a code, which is used up; or GitHub's word for why not.
    pub(super) fn redeem(&self, claim: Claim<'_>) -> Result<Issued, &'static str> {
        let logins = &mut self.world().logins;
        let app = logins.apps.get(claim.client_id);
        if app.is_none_or(|app| app.secret != claim.client_secret) {
            return Err("incorrect_client_credentials");
        }
        let grant = logins.codes.remove(claim.code);
        let Some(Grant { login, ask }) = grant else {
            return Err("bad_verification_code");
        };
        if ask.client_id != claim.client_id || !proves(&ask, claim.code_verifier) {
            return Err("bad_verification_code");
        }
        if claim.redirect_uri.is_some() && claim.redirect_uri != ask.redirect_uri.as_deref() {
            return Err("redirect_uri_mismatch");
        }
        let token = format!("gho_{:032x}", rand::random::<u128>());
        logins.tokens.insert(token.clone(), login);
        let scope = ask.scope;
        Ok(Issued { token, scope })
    }
}

fn proves(ask: &Ask, verifier: Option<&str>) -> bool {
    match (&ask.code_challenge, verifier) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(challenge), Some(verifier)) => {
            URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == *challenge
        }
    }
}
