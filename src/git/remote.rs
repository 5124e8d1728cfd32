//! Where a mirror comes from, and the right to read and write there.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::GitError;

/// A text that must not be seen: it shows as `[secret]` in `Debug` and has no `Display`.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(String);

impl Secret {
    /// Hides the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for where it must be sent.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A repository on a server.
#[derive(Clone, Debug)]
pub struct Remote {
    /// `https://`, `http://`, `ssh://`, `user@host:path`, `file://` or an absolute path; without credentials.
    pub url: String,
    /// How to be let in.
    pub auth: RemoteAuth,
}

/// How git proves who it is.
#[derive(Clone, Debug)]
pub enum RemoteAuth {
    /// Not at all: a public or a local repository.
    None,
    /// HTTP basic authentication as `x-access-token`, GitHub's form for every sort of token.
    Token(Secret),
    /// The private key in this file, without a passphrase.
    SshKey(PathBuf),
}

impl Remote {
    /// The transports that git may use for this remote, as `GIT_ALLOW_PROTOCOL` wants them.
    ///
    /// # Errors
    /// [`GitError::BadUrl`] for any other kind of URL, above all git's `ext::`, which runs programs.
    pub(super) fn transports(&self) -> Result<&'static str, GitError> {
        if self.url.chars().any(char::is_control) || self.url.starts_with('-') {
            return Err(GitError::BadUrl(
                "it has control characters or begins with -",
            ));
        }
        match self.url.split_once("://") {
            Some(("https" | "http", rest)) => {
                let host = rest.split('/').next().unwrap_or_default();
                if host.contains('@') {
                    return Err(GitError::BadUrl("credentials do not belong in it"));
                }
                Ok("https:http")
            }
            Some(("ssh", rest)) if !rest.starts_with('-') => Ok("ssh"),
            Some(("file", _)) => Ok("file"),
            None if self.url.starts_with('/') => Ok("file"),
            None if self.is_scp_like() => Ok("ssh"),
            Some(_) | None => Err(GitError::BadUrl(
                "only https, http, ssh and file are allowed",
            )),
        }
    }

    /// `[user@]host:path`, as `scp` writes it; `transport::address` is something else.
    fn is_scp_like(&self) -> bool {
        let Some((host, path)) = self.url.split_once(':') else {
            return false;
        };
        !host.contains('/') && !path.starts_with(':')
    }

    /// The configuration entry that carries the token; passed by environment, never by argument.
    pub(super) fn header(&self) -> Option<(String, String)> {
        let RemoteAuth::Token(token) = &self.auth else {
            return None;
        };
        let login = STANDARD.encode(format!("x-access-token:{}", token.reveal()));
        let key = format!("http.{}.extraHeader", self.url);
        Some((key, format!("Authorization: Basic {login}")))
    }

    /// The `ssh` command line for `GIT_SSH_COMMAND`, which git gives to a shell.
    pub(super) fn ssh_command(&self) -> Option<String> {
        let RemoteAuth::SshKey(key) = &self.auth else {
            return None;
        };
        let quoted = key.to_string_lossy().replace('\'', r"'\''");
        Some(format!(
            "ssh -i '{quoted}' -o IdentitiesOnly=yes -o BatchMode=yes \
             -o StrictHostKeyChecking=accept-new -o ConnectTimeout=20"
        ))
    }

    /// Removes the token, in each form in which it is sent, from a text for people.
    pub(super) fn scrub(&self, text: &str) -> String {
        let RemoteAuth::Token(token) = &self.auth else {
            return text.to_owned();
        };
        if token.reveal().is_empty() {
            return text.to_owned();
        }
        let login = STANDARD.encode(format!("x-access-token:{}", token.reveal()));
        text.replace(token.reveal(), "[secret]")
            .replace(&login, "[secret]")
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn remote(url: &str) -> Remote {
        Remote {
            url: url.to_owned(),
            auth: RemoteAuth::Token(Secret::new("hunter2")),
        }
    }

    #[test]
    fn only_known_transports_without_credentials_are_allowed() {
        for (url, transports) in [
            ("https://github.com/o/r.git", Some("https:http")),
            ("http://127.0.0.1:80/o/r@x.git", Some("https:http")),
            ("ssh://git@github.com/o/r.git", Some("ssh")),
            ("git@github.com:o/r.git", Some("ssh")),
            ("file:///srv/r.git", Some("file")),
            ("/srv/r.git", Some("file")),
            ("https://me:pass@github.com/o/r.git", None),
            ("ext::sh -c touch% /tmp/x", None),
            ("ftp://host/r.git", None),
            ("ssh://-oProxyCommand=x/r.git", None),
            ("--upload-pack=x", None),
            ("-host:path", None),
            ("r.git", None),
        ] {
            assert_eq!(remote(url).transports().ok(), transports, "{url}");
        }
    }

    #[test]
    fn a_secret_does_not_show() {
        let remote = remote("https://h/r.git");
        assert!(!format!("{remote:?}").contains("hunter2"));
        let (_, header) = remote.header().unwrap();
        let text = remote.scrub(&format!("sent {header} for hunter2"));
        insta::assert_snapshot!(text, @"sent Authorization: Basic [secret] for [secret]");
    }

    #[test]
    fn the_shell_takes_any_path_of_a_key_as_one_word() {
        let key = "/keys/it's; touch x $(y)";
        let remote = Remote {
            url: "git@h:r".to_owned(),
            auth: RemoteAuth::SshKey(key.into()),
        };
        let command = remote.ssh_command().unwrap();
        let words = command.strip_prefix("ssh ").unwrap();
        let output = Command::new("sh")
            .args(["-c", &format!("printf '%s\\n' {words}")])
            .output()
            .unwrap();
        let words = String::from_utf8(output.stdout).unwrap();
        assert_eq!(words.lines().nth(1), Some(key));
    }
}
