//! The headers of every answer, by which browsers keep what others wrote from acting.

use actix_web::http::header;
use actix_web::middleware::DefaultHeaders;

use super::login::Login;

/// What our pages may load: our own style, script and pictures, nothing inline, nothing of others.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     connect-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What a raw log may do: nothing.
pub(super) const RAW_POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// Headers of answers that do not set them themselves.
///
/// Forms are only there to log in. Browsers hold what answers a form to the policy too, and say
/// where a form came from only to pages that let them tell.
pub(super) fn defaults(login: Option<&Login>) -> DefaultHeaders {
    let (targets, referrer) = match login {
        Some(login) => (login.form_targets(), "same-origin"),
        None => ("'none'".to_owned(), "no-referrer"),
    };
    let policy = format!("{PAGE_POLICY}; form-action {targets}");
    DefaultHeaders::new()
        .add((header::CONTENT_SECURITY_POLICY, policy))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::REFERRER_POLICY, referrer))
        .add((header::CACHE_CONTROL, "no-cache"))
}
