//! `[repo.LABEL] forward_to` and `forward_secret`: a service beside us that hears what we hear.

use super::address;
use super::secret::Secret;
use super::section::Section;

/// Where every webhook of a repository is passed on to.
#[derive(Clone, Debug)]
pub struct Forward {
    /// The address, as it is written: a slash at its end may mean something there.
    pub url: String,
    /// What is passed on is signed with this.
    pub secret: Secret,
}

impl Forward {
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        let url = section.text("forward_to");
        let secret = section.secret("forward_secret");
        if url.as_deref().is_some_and(|url| !address::is_web(url)) {
            let message = "\"forward_to\" is no address that can be used here";
            let remedy = "write http:// or https://, a host, and a path, nothing else";
            section.error("forward_to", message, remedy);
        }
        let is_there = |key| section.value(key).is_some();
        if is_there("forward_to") && !is_there("forward_secret") {
            section.missing(
                "forward_secret",
                "write what that service checks webhooks with",
            );
        }
        if is_there("forward_secret") && !is_there("forward_to") {
            let message = "\"forward_secret\" is of no use without \"forward_to\"";
            section.error("forward_secret", message, "write where to, or remove it");
        }
        Some(Self {
            url: url?,
            secret: secret?,
        })
    }
}
