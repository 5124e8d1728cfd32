//! Style, script and picture of our pages. Their addresses hold a digest of what they give, so
//! that browsers may keep them for ever.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::error::WebError;

/// A file that is part of the program.
pub(super) struct Asset {
    name: String,
    media: &'static str,
    body: &'static [u8],
}

/// All files that pages load.
pub(super) struct Assets {
    /// The style of all pages.
    pub(super) style: Asset,
    /// The colours of logs.
    pub(super) log_style: Asset,
    /// htmx: exchanges parts of a page.
    pub(super) htmx: Asset,
    /// htmx's extension for server-sent events.
    pub(super) sse: Asset,
    /// The picture in a browser's tab.
    pub(super) icon: Asset,
}

/// All files that pages load.
pub(super) static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    const CSS: &str = "text/css; charset=utf-8";
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    Assets {
        style: Asset::new(
            "paprq.css",
            CSS,
            include_bytes!("../../templates/assets/paprq.css"),
        ),
        log_style: Asset::new(
            "log.css",
            CSS,
            include_bytes!("../../templates/assets/log.css"),
        ),
        htmx: Asset::new(
            "htmx.js",
            SCRIPT,
            include_bytes!("../../templates/assets/htmx.min.js"),
        ),
        sse: Asset::new(
            "sse.js",
            SCRIPT,
            include_bytes!("../../templates/assets/sse.min.js"),
        ),
        icon: Asset::new(
            "icon.svg",
            "image/svg+xml",
            include_bytes!("../../templates/assets/icon.svg"),
        ),
    }
});

impl Asset {
    fn new(name: &str, media: &'static str, body: &'static [u8]) -> Self {
        let digest: String = hex::encode(Sha256::digest(body)).chars().take(12).collect();
        Self {
            name: format!("{digest}-{name}"),
            media,
            body,
        }
    }

    /// Where it is served.
    pub(super) fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

impl Assets {
    fn all(&self) -> [&Asset; 5] {
        [
            &self.style,
            &self.log_style,
            &self.htmx,
            &self.sse,
            &self.icon,
        ]
    }
}

/// `GET /assets/DIGEST-NAME`.
pub(super) async fn serve(name: web::Path<String>) -> Result<HttpResponse, WebError> {
    let assets = ASSETS.all();
    let asset = assets.iter().find(|asset| asset.name == *name);
    let asset = asset.ok_or(WebError::NoPage)?;
    Ok(HttpResponse::Ok()
        .content_type(asset.media)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(Bytes::from_static(asset.body)))
}
