//! The headers of every answer, by which browsers keep what others wrote from acting.

use actix_web::http::header;
use actix_web::middleware::DefaultHeaders;

/// What our pages may load: our own style, script and pictures, nothing inline, nothing of others.
pub(super) const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// What a raw log may do: nothing.
pub(super) const RAW_POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// Headers of answers that do not set them themselves.
pub(super) fn defaults() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((header::CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::REFERRER_POLICY, "no-referrer"))
        .add((header::CACHE_CONTROL, "no-cache"))
}
