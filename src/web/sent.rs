//! What the headers of a request say. One that cannot be read, or is there twice, is refused: it never
//! counts as one that was not sent, so that nobody can choose what is looked at instead.

use actix_web::HttpRequest;
use actix_web::cookie::Cookie;
use actix_web::http::header::HeaderMap;

use super::error::WebError;

/// The one value of a header; none where it was not sent.
///
/// # Errors
/// [`WebError::Header`] if it was sent twice or holds anything but visible ASCII.
pub(super) fn sole<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a str>, WebError> {
    let mut values = headers.get_all(name);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(WebError::Header(name));
    }
    value.to_str().map(Some).or(Err(WebError::Header(name)))
}

/// Refuses a header that holds anything but visible ASCII, however often it was sent.
///
/// # Errors
/// [`WebError::Header`].
pub(super) fn readable(headers: &HeaderMap, name: &'static str) -> Result<(), WebError> {
    let are_readable = headers.get_all(name).all(|value| value.to_str().is_ok());
    are_readable.then_some(()).ok_or(WebError::Header(name))
}

/// The one cookie of a name; none where it was not sent.
///
/// # Errors
/// [`WebError::Header`] if the cookies cannot be read or two have the name.
pub(super) fn cookie(
    request: &HttpRequest,
    name: &str,
) -> Result<Option<Cookie<'static>>, WebError> {
    const REFUSED: WebError = WebError::Header("cookie");
    readable(request.headers(), "cookie")?;
    let cookies = request.cookies().or(Err(REFUSED))?;
    let mut named = cookies.iter().filter(|cookie| cookie.name() == name);
    let first = named.next().cloned();
    if named.next().is_some() {
        return Err(REFUSED);
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use actix_web::test::TestRequest;
    use proptest::prelude::*;

    use super::*;

    fn headers(values: &[Vec<u8>]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            let name = HeaderName::from_static("x-hub-signature-256");
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    proptest! {
        /// Of all that can be sent, only nothing is nothing.
        #[test]
        fn what_was_sent_is_read_or_refused_but_never_missing(
            values in prop::collection::vec(prop::collection::vec(0x20_u8..=0xff, 0..8), 0..3),
        ) {
            prop_assume!(values.iter().flatten().all(|byte| *byte != 0x7f));
            let headers = headers(&values);
            let told = sole(&headers, "x-hub-signature-256");
            match &*values {
                [] => prop_assert_eq!(told, Ok(None)),
                [value] if value.iter().all(u8::is_ascii) => {
                    prop_assert_eq!(told.map(|told| told.map(str::as_bytes)), Ok(Some(&**value)));
                }
                _ => prop_assert_eq!(told, Err(WebError::Header("x-hub-signature-256"))),
            }
        }
    }

    #[test]
    fn a_cookie_that_is_there_twice_is_none_of_both() {
        let sent = |values: &[&'static [u8]]| {
            let request = values.iter().fold(TestRequest::get(), |request, value| {
                request.append_header(("cookie", HeaderValue::from_bytes(value).unwrap()))
            });
            let cookie = cookie(&request.to_http_request(), "ours");
            cookie.map(|cookie| cookie.map(|cookie| cookie.value().to_owned()))
        };
        let refused = Err(WebError::Header("cookie"));
        assert_eq!(sent(&[]), Ok(None));
        assert_eq!(sent(&[b"theirs=1"]), Ok(None));
        assert_eq!(sent(&[b"theirs=1; ours=2"]), Ok(Some("2".to_owned())));
        assert_eq!(sent(&[b"ours=1; ours=2"]), refused);
        assert_eq!(sent(&[b"ours=1", b"ours=2"]), refused);
        assert_eq!(sent(&[b"ours=1; theirs=\xff"]), refused);
    }
}
