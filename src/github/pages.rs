//! Lists that come in pages, linked as RFC 8288 says.

use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use url::Url;

use super::call::{GitHub, Question};
use super::error::{ApiError, Cause};
use super::ledger::Value;

/// How many items a page has at most; GitHub gives no more.
pub(super) const PAGE_ITEMS_MAX: usize = 100;
/// A list of more pages is taken for one that has no end.
pub(super) const PAGES_MAX: usize = 300;

impl GitHub {
    /// Reads all pages from the first on, in order.
    pub(super) async fn pages<P: DeserializeOwned>(
        &self,
        first: Url,
        value: Value,
    ) -> Result<Vec<P>, ApiError> {
        let mut pages = Vec::new();
        let mut next = Some(first);
        while let Some(url) = next {
            if pages.len() == PAGES_MAX {
                return Err(ApiError::transient(Cause::TooLong));
            }
            let answer = self.read(&Question::new(url.clone(), value)).await?;
            pages.push(answer.parse()?);
            next = link(&answer.headers, "next", &url);
        }
        Ok(pages)
    }
}

/// The address of a list, in pages as large as may be.
pub(super) fn paged(mut url: Url) -> Url {
    url.query_pairs_mut()
        .append_pair("per_page", &PAGE_ITEMS_MAX.to_string());
    url
}

/// Where the header `Link` of an answer from `here` says that `rel` is.
///
/// The token is for one server only, so whatever host is named there, it is taken to be `here`'s.
pub(super) fn link(headers: &HeaderMap, rel: &str, here: &Url) -> Option<Url> {
    let links = headers.get(header::LINK)?.to_str().ok()?;
    let target = links.split(",").find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        parameters
            .split(';')
            .filter_map(|parameter| parameter.trim().strip_prefix("rel="))
            .any(|rels| rels.trim_matches('"').split(' ').any(|each| each == rel))
            .then_some(target)
    })?;
    let target = here.join(target).ok()?;
    let mut url = here.clone();
    url.set_path(target.path());
    url.set_query(target.query());
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(links: &str) -> Option<String> {
        let headers = HeaderMap::from_iter([(header::LINK, links.parse().unwrap())]);
        let here = Url::parse("http://127.0.0.1:7/api/v3/repos/o/r/pulls?page=1").unwrap();
        link(&headers, "next", &here).map(String::from)
    }

    #[test]
    fn the_next_page_is_found_among_githubs_links() {
        let links = r#"<http://127.0.0.1:7/repositories/1/pulls?per_page=100&page=2>; rel="next", <http://127.0.0.1:7/repositories/1/pulls?page=9>; rel="last""#;
        let expected = "http://127.0.0.1:7/repositories/1/pulls?per_page=100&page=2";
        assert_eq!(next(links).as_deref(), Some(expected));
    }

    #[test]
    fn a_link_is_never_followed_to_another_server() {
        let links = r#"<https://evil.example/steal?page=2>; rel=next"#;
        assert_eq!(
            next(links).as_deref(),
            Some("http://127.0.0.1:7/steal?page=2")
        );
    }

    #[test]
    fn a_relative_link_is_followed() {
        let expected = "http://127.0.0.1:7/api/v3/repos/o/r/pulls?page=2";
        assert_eq!(next(r#"<?page=2>; rel="next""#).as_deref(), Some(expected));
    }

    #[test]
    fn other_and_broken_links_lead_nowhere() {
        for links in [
            r#"<http://x/?page=1>; rel="prev""#,
            "",
            "nonsense",
            "<",
            "<x; rel=next",
        ] {
            assert_eq!(next(links), None, "{links}");
        }
    }
}
