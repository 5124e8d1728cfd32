//! Which addresses belong to the public network, and where a name leads.
//!
//! Who is sent somewhere by another server must not be sent to what only this machine can reach. A
//! name is therefore resolved once, its addresses are looked at, and the connection is made to
//! exactly these: a second resolution could say something else.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::{Client, ClientBuilder, Response, header};
use url::{Host, Url};

/// How often a server may send us elsewhere.
pub const REDIRECTS_MAX: usize = 5;

/// Whether an address may be one of a private network.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Reach {
    /// The operator said so.
    Anywhere,
    /// Nobody but others said so.
    #[default]
    PublicOnly,
}

/// Why there is no way to an address.
#[derive(Debug, thiserror::Error)]
pub enum NoWay {
    /// There is no such host, or no client for it.
    #[error("there is no such host")]
    NoHost(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It leads into a private network.
    #[error("it is in a private network")]
    Inside,
}

/// An answer sends us to no address that can be followed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it redirects to no address")]
pub struct Astray;

/// Makes a client that connects to exactly the addresses that were looked at.
///
/// # Errors
/// If there are none, or one of them may not be reached.
pub async fn client(begun: ClientBuilder, url: &Url, reach: Reach) -> Result<Client, NoWay> {
    let addresses = resolve(url).await;
    let addresses = addresses.map_err(|error| NoWay::NoHost(error.into()))?;
    let mut ips = addresses.iter().map(SocketAddr::ip);
    if reach == Reach::PublicOnly && !ips.all(is_public) {
        return Err(NoWay::Inside);
    }
    begun
        .no_proxy()
        .resolve_to_addrs(url.host_str().unwrap_or_default(), &addresses)
        .build()
        .map_err(|error| NoWay::NoHost(error.without_url().into()))
}

/// Where an answer sends us; nowhere if it is none that does.
///
/// # Errors
/// If it sends us to no address of the web.
pub fn redirected(response: &Response, from: &Url) -> Result<Option<Url>, Astray> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(header::LOCATION);
    let location = location.and_then(|location| location.to_str().ok());
    let next = location.and_then(|location| from.join(location).ok());
    let next = next.filter(|next| matches!(next.scheme(), "http" | "https"));
    next.map(Some).ok_or(Astray)
}

/// Whether this is the server that the operator named, maybe by https instead of http.
pub fn is_at(named: &Url, url: &Url) -> bool {
    let port = named.port_or_known_default();
    let other = url.port_or_known_default();
    named.host() == url.host() && (port == other || (port, other) == (Some(80), Some(443)))
}

/// The addresses of the host that an address of the web names.
///
/// # Errors
/// If there is no such host.
async fn resolve(url: &Url) -> io::Result<Vec<SocketAddr>> {
    let port = url.port_or_known_default().unwrap_or_default();
    match url.host() {
        Some(Host::Ipv4(address)) => Ok(vec![SocketAddr::from((address, port))]),
        Some(Host::Ipv6(address)) => Ok(vec![SocketAddr::from((address, port))]),
        Some(Host::Domain(name)) => Ok(tokio::net::lookup_host((name, port)).await?.collect()),
        None => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// Whether an address is one of the public network (IANA's special-purpose registries).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // This network; shared by customers of one provider; protocols; benchmarks; reserved.
        [0, ..] | [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18..=19, ..] | [240..=255, ..] => {
            true
        }
        _ => false,
    };
    !(special
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    match address.segments() {
        // A translator to IPv4 reaches what the last 32 bits say.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Tunnels, which end who knows where, and documentation.
        [0x2001, 0 | 0xdb8, ..] | [0x2002, ..] => false,
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_this_machine_or_its_neighbours_reach_is_not_public() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::1",
            "::",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "fec0::1",
            "ff02::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_host_is_found_however_it_is_written() {
        for (text, expected) in [
            ("http://127.1:81/", "127.0.0.1:81"),
            ("http://0x7f000001/", "127.0.0.1:80"),
            ("http://2130706433/", "127.0.0.1:80"),
            ("https://[::1]/", "[::1]:443"),
        ] {
            let found = resolve(&text.parse().unwrap()).await.unwrap();
            assert_eq!(found, [expected.parse().unwrap()], "{text}");
        }
        let found = resolve(&"http://localhost:7/".parse().unwrap()).await;
        let found = found.unwrap();
        assert!(!found.is_empty());
        assert!(found.iter().all(|found| found.ip().is_loopback()));
    }
}
