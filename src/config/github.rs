//! `[github]`: which GitHub, and as whom we speak to it.

use std::path::PathBuf;

use super::secret::Secret;
use super::section::Section;

const A_YEAR_S: u64 = 31_536_000;

/// Which GitHub, and as whom we speak to it.
#[derive(Clone, Debug)]
pub struct GitHub {
    /// The bot's personal access token; its account's login is the bot's name.
    pub access_token: Secret,
    /// Where the REST API is, without a slash at its end. Default `https://api.github.com`.
    pub api_url: String,
    /// Where people see GitHub, without a slash at its end. Default `https://github.com`.
    pub web_url: String,
    /// Below which address the repositories are fetched and pushed, http, https or ssh, without
    /// a slash at its end. Default [`GitHub::web_url`].
    pub git_url: String,
    /// Seconds between two sweeps for what webhooks lost. Default 600.
    pub reconcile_s: u64,
    /// Seconds between two readings of the external checks of runs in flight. Default 120.
    pub poll_pending_s: u64,
    /// How much may be asked of GitHub.
    pub limits: GitHubLimits,
    /// The GitHub App that we are, beside the token. Default none.
    pub app: Option<App>,
    /// The OAuth application by which people log in on our pages. Default none.
    pub app_client_id: Option<String>,
    /// Its secret. Default none.
    pub app_client_secret: Option<Secret>,
}

/// How much may be asked of GitHub. The defaults are what github.com allows; a server of one's own
/// may allow more (GitHub: "Rate limits for the REST API").
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GitHubLimits {
    /// Points within a minute: a reading call costs 1, a writing one 5. Default 900.
    pub points_per_min: u32,
    /// Comments within a minute. Default 80.
    pub comments_per_min: u32,
    /// Comments within an hour. Default 500.
    pub comments_per_h: u32,
}

/// A GitHub App.
#[derive(Clone, Debug)]
pub struct App {
    /// The number GitHub gave it.
    pub id: u64,
    /// What its tokens are signed with.
    pub private_key: PrivateKey,
    /// What its webhooks are signed with; it serves every repository without a secret of its own.
    pub webhook_secret: Secret,
}

/// Where a private key is.
#[derive(Clone, Debug)]
pub enum PrivateKey {
    /// Here: PEM text.
    Text(Secret),
    /// In this PEM file, which is not read with the configuration.
    File(PathBuf),
}

impl GitHub {
    /// Whether repositories are fetched and pushed by ssh, with `git.ssh_key`; else by http, with
    /// the token.
    pub fn goes_by_ssh(&self) -> bool {
        self.git_url.starts_with("ssh:")
    }

    /// Below which address everybody finds the repositories with git, without a slash at its end.
    pub fn public_git_url(&self) -> &str {
        if self.git_url.starts_with("http") {
            &self.git_url
        } else {
            &self.web_url
        }
    }

    pub(super) fn read(section: &Section<'_>) -> Self {
        let web_url = section.address("web_url");
        let web_url = web_url.unwrap_or_else(|| "https://github.com".to_owned());
        let api_url = section.address("api_url");
        let token = section.needed_text(
            "access_token",
            "write the bot's token: access_token = \"${GITHUB_TOKEN}\"",
        );
        if token.contains(char::is_whitespace) {
            let message = "\"access_token\" contains white space";
            section.error("access_token", message, "write the token alone");
        }
        Self {
            access_token: Secret::new(token),
            api_url: api_url.unwrap_or_else(|| "https://api.github.com".to_owned()),
            git_url: section
                .git_address("git_url")
                .unwrap_or_else(|| web_url.clone()),
            web_url,
            reconcile_s: section.whole("reconcile_s", 1..=A_YEAR_S).unwrap_or(600),
            poll_pending_s: section.whole("poll_pending_s", 1..=A_YEAR_S).unwrap_or(120),
            limits: GitHubLimits::read(&section.section("limits")),
            app: App::read(&section.section("app")),
            app_client_id: section.text_unless_empty("app_client_id"),
            app_client_secret: section.secret_unless_empty("app_client_secret"),
        }
        .with_whole_client(section)
    }
}

impl GitHub {
    /// Notes where one of the two things that a log-in needs is missing.
    fn with_whole_client(self, section: &Section<'_>) -> Self {
        let lone = match (&self.app_client_id, &self.app_client_secret) {
            (Some(_), None) => Some(("app_client_id", "app_client_secret")),
            (None, Some(_)) => Some(("app_client_secret", "app_client_id")),
            (Some(_), Some(_)) | (None, None) => None,
        };
        if let Some((key, other)) = lone {
            let message = format!("\"{key}\" is of no use without \"{other}\"");
            section.warn(key, message, "nobody can log in on the pages");
        }
        self
    }
}

impl GitHubLimits {
    fn read(section: &Section<'_>) -> Self {
        let limit = |key| section.whole(key, 1..=u32::MAX);
        Self {
            points_per_min: limit("points_per_min").unwrap_or(900),
            comments_per_min: limit("comments_per_min").unwrap_or(80),
            comments_per_h: limit("comments_per_h").unwrap_or(500),
        }
    }
}

impl App {
    fn read(section: &Section<'_>) -> Option<Self> {
        if !section.exists() {
            return None;
        }
        let id = section.whole("id", 1..=u64::MAX);
        section.missing("id", "write the App's number from its settings page");
        let webhook_secret =
            section.needed_text("webhook_secret", "write the App's webhook secret");
        Some(Self {
            id: id.unwrap_or_default(),
            private_key: PrivateKey::read(section),
            webhook_secret: Secret::new(webhook_secret),
        })
    }
}

impl PrivateKey {
    fn read(section: &Section<'_>) -> Self {
        let file = section.text("private_key_file");
        let text = section.secret("private_key");
        let by_file = section.value("private_key_file").is_some();
        if by_file && section.value("private_key").is_some() {
            let message = "\"private_key\" and \"private_key_file\" are both there";
            section.error("private_key_file", message, "remove one of them");
        }
        if !by_file {
            section.missing("private_key", "write it, or private_key_file = \"…\"");
        }
        match (text, file) {
            (None, Some(file)) => Self::File(file.into()),
            (text, _) => Self::Text(text.unwrap_or_else(|| Secret::new(""))),
        }
    }
}
