//! Addresses on GitHub.

use super::{Link, name};
use paprq_core::ids::{BranchName, CommitId, Login, PullNumber};
use paprq_core::notes::{self, Links};

/// Where a repository's things are on GitHub.
#[derive(Clone, Debug)]
pub(in crate::web) struct Forge {
    web_url: String,
    slug: String,
}

impl Forge {
    pub(in crate::web) fn new(links: &Links) -> Self {
        Self {
            web_url: links.web_url.trim_end_matches('/').to_owned(),
            slug: links.slug.clone(),
        }
    }

    /// `OWNER/NAME`.
    pub(in crate::web) fn repo(&self) -> Link {
        self.link(self.slug.clone(), "")
    }

    pub(in crate::web) fn pull(&self, number: PullNumber) -> Link {
        self.link(format!("#{number}"), &format!("/pull/{number}"))
    }

    pub(in crate::web) fn commit(&self, commit: CommitId) -> Link {
        self.link(commit.short(), &format!("/commit/{commit}"))
    }

    pub(in crate::web) fn branch(&self, branch: &BranchName) -> Link {
        self.link(name(branch.as_str()), &format!("/tree/{branch}"))
    }

    pub(in crate::web) fn user(&self, login: &Login) -> Link {
        Link {
            text: format!("@{}", name(login.as_str())),
            url: notes::url(&format!("{}/{login}", self.web_url)),
        }
    }

    fn link(&self, text: String, path: &str) -> Link {
        Link {
            text,
            url: notes::url(&format!("{}/{}{path}", self.web_url, self.slug)),
        }
    }
}
