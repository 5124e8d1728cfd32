//! HTTP to services that are not GitHub.

use reqwest::{Client, ClientBuilder, Response, redirect};

/// What happened underneath, without the address: that may hold what even the log is not to know.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The beginnings of a client that goes nowhere but where it is sent.
pub(super) fn client() -> ClientBuilder {
    crate::tls::install();
    Client::builder()
        .user_agent("paprq")
        .redirect(redirect::Policy::none())
}

/// Reads an answer up to this size; what else it holds is never waited for.
pub(super) async fn read(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    while bytes.len() < bytes_max {
        match response.chunk().await.map_err(cause)? {
            Some(chunk) => bytes.extend_from_slice(&chunk),
            None => break,
        }
    }
    bytes.truncate(bytes_max);
    Ok(bytes)
}

pub(super) fn cause(error: reqwest::Error) -> Cause {
    error.without_url().into()
}
