//! The list of open pulls, of which only what changed is transferred.
//!
//! Each page is asked for by the ETag that it had before; what did not change costs nothing of the
//! hourly limit. The first page alone would not tell: a pull on a later page may have changed.

use std::sync::PoisonError;

use http::{StatusCode, header};
use url::Url;

use super::call::Question;
use super::error::{ApiError, Cause};
use super::pages::{PAGE_ITEMS_MAX, PAGES_MAX, link, paged};
use super::repo::Repo;
use super::shapes::Pull;
use paprq_core::queue::event::PullFacts;

/// The open pulls of a repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listing {
    /// All of them, newest first; whether they can be merged is not said.
    ///
    /// A pull that was closed or opened while the pages were read may have hidden another one:
    /// whoever misses one asks for it before taking it as closed.
    pub pulls: Vec<PullFacts>,
    /// Whether all is as it was when the list was last read through this [`Repo`] or a clone.
    pub unchanged: bool,
}

/// One page as it was last read.
#[derive(Clone)]
pub(super) struct Page {
    url: Url,
    etag: Option<String>,
    pulls: Vec<PullFacts>,
    next: Option<Url>,
}

impl Repo {
    /// All open pulls, and whether any of them changed since they were last asked for.
    ///
    /// # Errors
    ///
    /// See [`ApiError`]; what was known of the list is kept then.
    pub async fn open_pulls(&self) -> Result<Listing, ApiError> {
        let known = self.known_pages();
        let mut pages: Vec<Page> = Vec::new();
        let mut next = Some(paged(self.url(&["pulls"])));
        while let Some(url) = next {
            if pages.len() == PAGES_MAX {
                return Err(ApiError::transient(Cause::TooLong));
            }
            let before = known.iter().find(|page| page.url == url);
            let page = self.turn(url, before).await?;
            next = page.next.clone();
            pages.push(page);
        }
        let pulls = pulls_of(&pages);
        let unchanged = !known.is_empty() && pulls == pulls_of(&known);
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = pages;
        Ok(Listing { pulls, unchanged })
    }

    fn known_pages(&self) -> Vec<Page> {
        let listed = self.listed.lock();
        listed.unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn turn(&self, url: Url, before: Option<&Page>) -> Result<Page, ApiError> {
        let etag = before.and_then(|page| page.etag.clone());
        let question = Question::new(url.clone(), self.value).unless(etag);
        let answer = self.github.read(&question).await?;
        let next = link(&answer.headers, "next", &url);
        if let Some(before) = before.filter(|_| answer.status == StatusCode::NOT_MODIFIED) {
            let next = next
                .or_else(|| before.next.clone())
                .or_else(|| before.following());
            return Ok(Page {
                next,
                ..before.clone()
            });
        }
        let pulls: Vec<Pull> = answer.parse()?;
        let etag = answer.headers.get(header::ETAG);
        Ok(Page {
            url,
            etag: etag.and_then(|etag| etag.to_str().ok()).map(str::to_owned),
            pulls: pulls.into_iter().map(Pull::facts).collect(),
            next,
        })
    }
}

fn pulls_of(pages: &[Page]) -> Vec<PullFacts> {
    pages.iter().flat_map(|page| page.pulls.clone()).collect()
}

impl Page {
    /// The page behind one that was the last and is full: its ETag covers what is on it, not
    /// whether there is another behind it.
    fn following(&self) -> Option<Url> {
        if self.pulls.len() < PAGE_ITEMS_MAX {
            return None;
        }
        let mut url = self.url.clone();
        let number = self.number() + 1;
        let others: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| name != "page")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        url.query_pairs_mut()
            .clear()
            .extend_pairs(others)
            .append_pair("page", &number.to_string());
        Some(url)
    }

    fn number(&self) -> u64 {
        let mut pairs = self.url.query_pairs();
        let page = pairs.find(|(name, _)| name == "page");
        page.and_then(|(_, number)| number.parse().ok())
            .unwrap_or(1)
    }
}
