//! The time, for the practice GitHub under test.

use paprq_core::ids::Timestamp;

/// The present moment by the system's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "what is under test is told the time by whoever starts it"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}
