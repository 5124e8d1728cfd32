//! How long to wait before something is tried again.

use std::time::Duration;

use backon::ExponentialBuilder;

/// The longest wait between two tries.
pub(super) const DELAY_MAX: Duration = Duration::from_secs(60);

/// Waits for a GitHub that is behind itself: they grow, and are a minute in all.
pub(super) fn lag() -> impl Iterator<Item = Duration> {
    LAG_PAUSES_S.into_iter().map(Duration::from_secs)
}

/// See [`lag`].
pub(super) const LAG_PAUSES_S: [u64; 6] = [1, 2, 4, 8, 15, 30];

/// Waits from 200 ms, doubling up to [`DELAY_MAX`], for ever.
pub(super) fn patient() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(DELAY_MAX)
        .with_jitter()
        .without_max_times()
}
