//! The public addresses from which a working copy may be completed.
//!
//! Whoever writes a commit chooses them, so nothing but plain addresses of the web goes: no
//! other protocol, which might read the worker's files or run programs, and no log-in.

use std::fmt;

use url::Url;

/// How much of what a commit says is quoted, in characters.
const QUOTED_CHARS_MAX: usize = 200;

/// The address of a repository, `http` or `https`, with a host and without a log-in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin(Url);

/// Why an address does not go. Displayed, it is the end of a sentence that began with the address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadAddress {
    /// Another protocol, a path, or the form of `scp`.
    #[error("is not a public address: write one that begins with https://")]
    NotWeb,
    /// It has a user or a password.
    #[error("has a user or password in it: only public addresses are used")]
    LogIn,
    /// It cannot be read, or has a query or a fragment.
    #[error("is not a valid address of a repository")]
    Invalid,
    /// It is relative, and goes above the server that it is relative to.
    #[error("leads out of the server that it is relative to")]
    LeadsOut,
    /// It is relative, and nobody knows to what.
    #[error("is relative, and it is not known to what: write the whole address")]
    NothingKnown,
}

impl Origin {
    /// Reads a whole address.
    ///
    /// # Errors
    /// If it is none of the public web.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        let is_web = ["https://", "http://"].iter().any(|scheme| {
            let beginning = text.get(..scheme.len());
            beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(scheme))
        });
        if !is_web {
            return Err(BadAddress::NotWeb);
        }
        let is_odd = |letter: char| letter.is_control() || letter == '\\' || letter == ' ';
        if text.contains(is_odd) {
            return Err(BadAddress::Invalid);
        }
        let url = Url::parse(text).map_err(|_malformed| BadAddress::Invalid)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadAddress::LogIn);
        }
        if url.query().is_some() || url.fragment().is_some() || !url.has_host() {
            return Err(BadAddress::Invalid);
        }
        Ok(Self(url))
    }

    /// The public address of a repository from where it is cloned: `git@HOST:PATH` and
    /// `ssh://git@HOST/PATH` are one of the web as well, and a log-in is left out.
    pub fn of_clone(remote: &str) -> Option<Self> {
        if let Some((scheme @ ("https" | "http"), rest)) = remote.split_once("://") {
            let (host, path) = rest.split_once('/')?;
            let host = host.rsplit('@').next()?;
            return Self::parse(&format!("{scheme}://{host}/{path}")).ok();
        }
        let rest = remote.strip_prefix("ssh://");
        let (host, path) = match rest {
            Some(rest) => rest.split_once('/')?,
            None => remote.split_once(':')?,
        };
        if path.starts_with("//") {
            return None;
        }
        let host = host.rsplit('@').next()?.split(':').next()?;
        Self::parse(&format!("https://{host}/{path}")).ok()
    }

    /// Resolves an address of a submodule as `git submodule` does: where it begins with `./` or
    /// `../` it is relative to the repository's own, `this`.
    ///
    /// # Errors
    /// If it is none of the public web.
    pub fn resolve(text: &str, this: Option<&Self>) -> Result<Self, BadAddress> {
        if !text.starts_with("./") && !text.starts_with("../") {
            return Self::parse(text);
        }
        let this = this.ok_or(BadAddress::NothingKnown)?;
        let parts = this.path().split('/').filter(|part| !part.is_empty());
        let mut parts: Vec<&str> = parts.collect();
        let mut rest = text;
        loop {
            if let Some(below) = rest.strip_prefix("./") {
                rest = below;
            } else if let Some(beside) = rest.strip_prefix("../") {
                parts.pop().ok_or(BadAddress::LeadsOut)?;
                rest = beside;
            } else {
                break;
            }
        }
        if rest.split('/').any(|part| part == "..") {
            return Err(BadAddress::LeadsOut);
        }
        parts.push(rest.trim_end_matches('/'));
        let mut url = this.0.clone();
        url.set_path("");
        Self::parse(&format!("{url}{}", parts.join("/")))
    }

    /// Where its files of Git LFS are, if nothing else is said (git-lfs: docs/api/server-discovery).
    pub fn lfs(&self) -> Option<Self> {
        let text = self.0.as_str().trim_end_matches('/');
        let suffix = if text.ends_with(".git") { "" } else { ".git" };
        Self::parse(&format!("{text}{suffix}/info/lfs")).ok()
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.0
    }

    fn path(&self) -> &str {
        self.0.path().trim_matches('/')
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a commit says, as it can stand in a line for people.
pub(super) fn quoted(text: &str) -> String {
    let beginning: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    let more = if beginning.len() < text.len() {
        "…"
    } else {
        ""
    };
    format!("\"{}{more}\"", beginning.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<String, BadAddress> {
        let this = Origin::parse("https://host.example/owner/name").unwrap();
        Origin::resolve(text, Some(&this)).map(|origin| origin.to_string())
    }

    #[test]
    fn only_plain_addresses_of_the_web_go() {
        use BadAddress::{Invalid, LogIn, NotWeb};
        for (text, fault) in [
            ("file:///etc", NotWeb),
            ("FILE:///etc", NotWeb),
            ("/etc", NotWeb),
            ("ext::sh -c id", NotWeb),
            ("https::ext", NotWeb),
            ("git@host.example:o/r.git", NotWeb),
            ("ssh://host.example/o/r", NotWeb),
            ("git://host.example/o/r", NotWeb),
            ("-u./payload", NotWeb),
            ("--upload-pack=x", NotWeb),
            ("", NotWeb),
            ("other.git", NotWeb),
            ("https:/host.example/o", NotWeb),
            (" https://host.example/o", NotWeb),
            ("https://u@host.example/o", LogIn),
            ("https://u:p@host.example/o", LogIn),
            ("https://", Invalid),
            ("https://host.example/o\n", Invalid),
            ("https://host.example\\@other.example/o", Invalid),
            ("https://host.example/o?x=1", Invalid),
            ("https://host.example/o#x", Invalid),
        ] {
            assert_eq!(resolved(text), Err(fault), "{text}");
        }
        for (text, expected) in [
            (
                "HTTPS://Host.Example/o/r.git",
                "https://host.example/o/r.git",
            ),
            ("http://host.example:81/r", "http://host.example:81/r"),
        ] {
            assert_eq!(resolved(text).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn relative_addresses_are_resolved_as_git_does() {
        for (text, expected) in [
            ("../other.git", "https://host.example/owner/other.git"),
            ("../../org/other", "https://host.example/org/other"),
            ("./below", "https://host.example/owner/name/below"),
            ("./../other/", "https://host.example/owner/other"),
        ] {
            assert_eq!(resolved(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["../../../x", "../../../../x", "../a/../../x", "./.."] {
            assert_eq!(resolved(text), Err(BadAddress::LeadsOut), "{text}");
        }
        let nowhere = Origin::resolve("../other.git", None);
        assert_eq!(nowhere, Err(BadAddress::NothingKnown));
    }

    #[test]
    fn where_a_clone_comes_from_has_a_public_address() {
        for (remote, expected) in [
            (
                "git@host.example:o/r.git",
                Some("https://host.example/o/r.git"),
            ),
            (
                "ssh://git@host.example:22/o/r",
                Some("https://host.example/o/r"),
            ),
            (
                "https://me:pass@host.example/o/r",
                Some("https://host.example/o/r"),
            ),
            ("http://127.0.0.1:80/o/r", Some("http://127.0.0.1/o/r")),
            ("/srv/r.git", None),
            ("file:///srv/r.git", None),
            ("", None),
        ] {
            let found = Origin::of_clone(remote).map(|origin| origin.to_string());
            assert_eq!(found.as_deref(), expected, "{remote}");
        }
    }

    #[test]
    fn lfs_is_beside_the_repository() {
        let lfs = |text| Origin::parse(text).unwrap().lfs().unwrap().to_string();
        let expected = "https://h.example/o/r.git/info/lfs";
        assert_eq!(lfs("https://h.example/o/r"), expected);
        assert_eq!(lfs("https://h.example/o/r.git"), expected);
        assert_eq!(lfs("https://h.example/o/r/"), expected);
    }

    #[test]
    fn what_is_quoted_stays_in_its_line() {
        assert_eq!(quoted("a\nb\u{1b}"), r#""a\nb\u{1b}""#);
        assert!(quoted(&"x".repeat(10_000)).chars().count() < 300);
    }
}
