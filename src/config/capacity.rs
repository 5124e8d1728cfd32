//! How much of what the server has strangers may take at a time: keys of `[web]`.

use super::section::Section;

/// The least that holds the largest webhook, and room for others, in bytes.
const BODIES_BYTES_MIN: u64 = 32 << 20;

/// How much strangers may take at a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Capacity {
    /// Of all bodies that are being received or looked at, in bytes. Default 128 MiB.
    pub bodies_bytes_max: u64,
    /// Connections at a time; fewer where the system lets fewer be open. Default 2048.
    pub connections_max: u32,
    /// Connections of one address. Default none: half of all.
    pub connections_per_address_max: Option<u32>,
    /// Streams of live events and growing logs at a time. Default 512.
    pub streams_max: u32,
    /// Streams of one address. Default none: half of all.
    pub streams_per_address_max: Option<u32>,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            bodies_bytes_max: 128 << 20,
            connections_max: 2048,
            connections_per_address_max: None,
            streams_max: 512,
            streams_per_address_max: None,
        }
    }
}

impl Capacity {
    pub(super) fn read(web: &Section<'_>) -> Self {
        let default = Self::default();
        let bodies = web.whole("bodies_bytes_max", BODIES_BYTES_MIN..=u64::MAX);
        let count = |key| web.whole(key, 1..=u32::MAX);
        Self {
            connections_max: count("connections_max").unwrap_or(default.connections_max),
            connections_per_address_max: count("connections_per_address_max"),
            streams_max: count("streams_max").unwrap_or(default.streams_max),
            streams_per_address_max: count("streams_per_address_max"),
            bodies_bytes_max: bodies.unwrap_or(default.bodies_bytes_max),
        }
    }
}
