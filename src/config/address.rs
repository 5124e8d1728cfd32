//! Which addresses can be used.

use url::Url;

/// Whether this is an http or https address with nothing but host, port and path.
pub(super) fn is_web(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| is_plain(&url) && is_web_address(&url))
}

/// Whether this is such an address, or an ssh one, which may name a user.
pub(super) fn is_git(text: &str) -> bool {
    Url::parse(text)
        .is_ok_and(|url| is_plain(&url) && (is_web_address(&url) || url.scheme() == "ssh"))
}

fn is_web_address(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.username().is_empty()
}

fn is_plain(url: &Url) -> bool {
    url.has_host() && url.password().is_none() && url.query().is_none() && url.fragment().is_none()
}
