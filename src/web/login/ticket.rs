//! What ties a log-in to the browser that began it.
//!
//! GitHub hands `state` back as it was sent, so a link can carry anybody's; only the browser that
//! began has the cookie that was signed for it. Neither can be made, changed, used late or used
//! twice. The proof that the code is ours (RFC 7636) is made of the nonce, so nothing of it has to be
//! kept.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::Secret;
use paprq_core::ids::{PullNumber, RepoLabel, Timestamp};

/// How long a person may take to log in, in seconds.
pub(super) const TICKET_S: u64 = 600;

/// What somebody wants who logs in; in the words of Homu's `state`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(super) struct Wish {
    pub(super) cmd: Cmd,
    pub(super) repo_label: RepoLabel,
    #[serde(default)]
    pub(super) nums: Vec<PullNumber>,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Cmd {
    /// A rollup of these pulls is to be made.
    Rollup,
    /// All open pulls of the repository are to be read anew.
    Synch,
}

/// What GitHub hands back.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    #[serde(flatten)]
    wish: Wish,
    nonce: String,
}

/// What a browser is sent away with.
#[derive(Debug)]
pub(super) struct Ticket {
    /// For GitHub to hand back.
    pub(super) state: String,
    /// For the browser to keep.
    pub(super) cookie: String,
    /// Of what only we know, for GitHub to keep (RFC 7636, method S256).
    pub(super) challenge: String,
}

/// What a browser that came back may have.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Redeemed {
    pub(super) wish: Wish,
    /// What the challenge was made of, for GitHub to compare.
    pub(super) verifier: String,
}

/// Why a browser that came back gets nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum BadTicket {
    /// It did not begin here, or is another one than the one that began.
    #[error("This browser did not begin this log-in.")]
    Foreign,
    /// It took too long.
    #[error("This log-in took too long.")]
    Expired,
    /// It came back before.
    #[error("This log-in was finished before.")]
    Spent,
}

/// Issues tickets and redeems each once.
pub(super) struct Tickets {
    keyed: Hmac<Sha256>,
    /// Nonces of redeemed tickets, with the moments at which they expire.
    spent: Mutex<HashMap<String, Timestamp>>,
}

impl Tickets {
    /// With a key of their own, made of the OAuth application's secret: they outlive a restart.
    ///
    /// # Errors
    /// None: HMAC takes keys of every length.
    pub(super) fn new(client_secret: &Secret) -> Result<Self, InvalidLength> {
        Ok(Self {
            keyed: derived(client_secret)?,
            spent: Mutex::default(),
        })
    }

    /// A ticket for what somebody wants.
    pub(super) fn issue(&self, wish: Wish, now: Timestamp) -> Ticket {
        let nonce = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 24]>());
        let expires = now.plus_s(TICKET_S).0.to_string();
        let state = State {
            wish,
            nonce: nonce.clone(),
        };
        // Labels, numbers and words have no form that JSON lacks.
        let state = serde_json::to_string(&state).unwrap_or_default();
        let seal = self.seal(&nonce, &expires, &state).finalize();
        Ticket {
            challenge: URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier(&nonce))),
            cookie: format!(
                "{nonce}.{expires}.{}",
                URL_SAFE_NO_PAD.encode(seal.into_bytes())
            ),
            state,
        }
    }

    /// What the ticket is for, the first time it is shown in time by the browser that it was issued to.
    ///
    /// # Errors
    /// See [`BadTicket`].
    pub(super) fn redeem(
        &self,
        state: &str,
        cookie: &str,
        now: Timestamp,
    ) -> Result<Redeemed, BadTicket> {
        let (nonce, expires) = self.check(state, cookie).ok_or(BadTicket::Foreign)?;
        let said: State = serde_json::from_str(state).or(Err(BadTicket::Foreign))?;
        if said.nonce != nonce {
            return Err(BadTicket::Foreign);
        }
        if now >= expires {
            return Err(BadTicket::Expired);
        }
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.retain(|_, expires| now < *expires);
        if spent.insert(nonce.clone(), expires).is_some() {
            return Err(BadTicket::Spent);
        }
        Ok(Redeemed {
            wish: said.wish,
            verifier: self.verifier(&nonce),
        })
    }

    /// The nonce and the end of a cookie that was issued with this very state.
    fn check(&self, state: &str, cookie: &str) -> Option<(String, Timestamp)> {
        let mut parts = cookie.splitn(3, '.');
        let (nonce, expires, seal) = (parts.next()?, parts.next()?, parts.next()?);
        let seal = URL_SAFE_NO_PAD.decode(seal).ok()?;
        self.seal(nonce, expires, state).verify_slice(&seal).ok()?;
        Some((nonce.to_owned(), Timestamp(expires.parse().ok()?)))
    }

    fn seal(&self, nonce: &str, expires: &str, state: &str) -> Hmac<Sha256> {
        self.mac(&["cookie", nonce, expires, state])
    }

    /// 43 characters that only we can make of a nonce.
    fn verifier(&self, nonce: &str) -> String {
        let tag = self.mac(&["verifier", nonce]).finalize();
        URL_SAFE_NO_PAD.encode(tag.into_bytes())
    }

    /// Of parts with their lengths, so that none can be taken for the beginning of the next.
    fn mac(&self, parts: &[&str]) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

/// Keyed by what can be made of the OAuth application's secret, but not lead back to it. HMAC
/// takes keys of every length.
fn derived(client_secret: &Secret) -> Result<Hmac<Sha256>, InvalidLength> {
    let secret = client_secret.expose().as_bytes();
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret)?;
    mac.update(b"paprq: tickets of log-ins");
    <Hmac<Sha256> as KeyInit>::new_from_slice(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn tickets() -> Tickets {
        Tickets::new(&Secret::new("the application's secret")).unwrap()
    }

    fn wish() -> Wish {
        Wish {
            cmd: Cmd::Rollup,
            repo_label: RepoLabel::new("demo"),
            nums: vec![PullNumber(3), PullNumber(5)],
        }
    }

    #[test]
    fn a_ticket_is_good_for_what_it_was_issued_for() {
        let (tickets, ticket) = (tickets(), tickets().issue(wish(), NOW));
        assert!(
            ticket
                .state
                .starts_with(r#"{"cmd":"rollup","repo_label":"demo","nums":[3,5],"#)
        );
        let redeemed = tickets.redeem(&ticket.state, &ticket.cookie, NOW).unwrap();
        assert_eq!(redeemed.wish, wish());
        // RFC 7636, section 4.2.
        let digest = Sha256::digest(&redeemed.verifier);
        assert_eq!(URL_SAFE_NO_PAD.encode(digest), ticket.challenge);
        assert!((43..=128).contains(&redeemed.verifier.len()));
    }

    #[test]
    fn another_browsers_state_is_refused() {
        let tickets = tickets();
        let (mine, theirs) = (tickets.issue(wish(), NOW), tickets.issue(wish(), NOW));
        for (state, cookie) in [
            (&theirs.state, mine.cookie.as_str()),
            (&mine.state, theirs.cookie.as_str()),
            (&theirs.state, ""),
        ] {
            let answer = tickets.redeem(state, cookie, NOW);
            assert_eq!(answer, Err(BadTicket::Foreign), "{cookie}");
        }
        // What was tried in vain did not spend them.
        assert!(tickets.redeem(&mine.state, &mine.cookie, NOW).is_ok());
        assert!(tickets.redeem(&theirs.state, &theirs.cookie, NOW).is_ok());
    }

    #[test]
    fn a_ticket_expires_to_the_millisecond() {
        let tickets = tickets();
        let (late, just) = (tickets.issue(wish(), NOW), tickets.issue(wish(), NOW));
        let end = NOW.plus_s(TICKET_S);
        let answer = tickets.redeem(&late.state, &late.cookie, end);
        assert_eq!(answer, Err(BadTicket::Expired));
        let before = Timestamp(end.0 - 1);
        assert!(tickets.redeem(&just.state, &just.cookie, before).is_ok());
    }

    #[test]
    fn a_ticket_is_good_once() {
        let tickets = tickets();
        let ticket = tickets.issue(wish(), NOW);
        assert!(tickets.redeem(&ticket.state, &ticket.cookie, NOW).is_ok());
        for _ in 0..2 {
            let again = tickets.redeem(&ticket.state, &ticket.cookie, NOW.plus_s(1));
            assert_eq!(again, Err(BadTicket::Spent));
        }
        // Others are not kept from theirs, and what has expired is forgotten.
        let other = tickets.issue(wish(), NOW.plus_s(TICKET_S));
        let later = NOW.plus_s(TICKET_S + 1);
        assert!(tickets.redeem(&other.state, &other.cookie, later).is_ok());
        assert_eq!(tickets.spent.lock().unwrap().len(), 1);
    }

    #[test]
    fn what_was_forged_or_changed_is_refused() {
        let tickets = tickets();
        let ticket = tickets.issue(wish(), NOW);
        let parts: Vec<&str> = ticket.cookie.split('.').collect();
        let (nonce, expires, seal) = (parts[0], parts[1], parts[2]);
        let stranger = Tickets::new(&Secret::new("another secret")).unwrap();
        let stranger = stranger.issue(wish(), NOW);
        let later = NOW.plus_s(9 * TICKET_S).0;
        for (state, cookie) in [
            (
                ticket.state.replace("[3,5]", "[3,6]"),
                ticket.cookie.clone(),
            ),
            (
                ticket.state.replace("rollup", "synch"),
                ticket.cookie.clone(),
            ),
            (ticket.state.replace("demo", "other"), ticket.cookie.clone()),
            (format!("{} ", ticket.state), ticket.cookie.clone()),
            (ticket.state.clone(), format!("{nonce}.{later}.{seal}")),
            (ticket.state.clone(), format!("{nonce}.{expires}.")),
            (
                ticket.state.clone(),
                format!("{nonce}.{expires}.{}", &seal[..42]),
            ),
            (ticket.state.clone(), format!("{nonce}.{expires}")),
            (ticket.state.clone(), format!("x{nonce}.{expires}.{seal}")),
            (stranger.state.clone(), stranger.cookie.clone()),
            // Homu's, which is tied to nothing.
            (
                r#"{"cmd":"synch","repo_label":"demo"}"#.to_owned(),
                ticket.cookie.clone(),
            ),
            (String::new(), String::new()),
        ] {
            let answer = tickets.redeem(&state, &cookie, NOW);
            assert_eq!(answer, Err(BadTicket::Foreign), "{state} {cookie}");
        }
    }

    #[test]
    fn tickets_outlive_a_restart_and_differ_from_each_other() {
        let ticket = tickets().issue(wish(), NOW);
        assert!(tickets().redeem(&ticket.state, &ticket.cookie, NOW).is_ok());
        let other = tickets().issue(wish(), NOW);
        assert_ne!(other.state, ticket.state);
        assert_ne!(other.challenge, ticket.challenge);
        assert_ne!(other.cookie, ticket.cookie);
    }

    #[test]
    fn parts_that_are_sealed_together_do_not_run_together() {
        let tickets = tickets();
        let tag = |parts: &[&str]| tickets.mac(parts).finalize().into_bytes();
        assert_ne!(tag(&["ab", "c"]), tag(&["a", "bc"]));
        assert_eq!(tag(&["ab", "c"]), tag(&["ab", "c"]));
    }
}
