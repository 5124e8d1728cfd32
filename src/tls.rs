//! Which cryptography TLS uses: ring, for every client and server in the program.

/// Makes ring the process's choice. Call it before the first HTTP client is built; calling it
/// again, or after somebody else has chosen, changes nothing.
pub fn install() {
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
}
