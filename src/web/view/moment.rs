//! Moments and durations, for people and for machines.

use std::fmt;

use askama::filters::HtmlSafe;

use paprq_core::ids::Timestamp;

/// A moment. Written out, it is a `<time>` in UTC, to the second.
#[derive(Clone, Copy, Debug)]
pub(in crate::web) struct Moment(pub(in crate::web) Timestamp);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(at) = jiff::Timestamp::from_millisecond(self.0.0) else {
            return f.write_str("—");
        };
        let machine = at.strftime("%Y-%m-%dT%H:%M:%SZ");
        let people = at.strftime("%Y-%m-%d %H:%M:%S UTC");
        write!(f, "<time datetime=\"{machine}\">{people}</time>")
    }
}

/// It is made of digits.
impl HtmlSafe for Moment {}

/// How long something took, such as `2 h 5 min`, `3 min 4 s` or `0.4 s`.
pub(in crate::web) fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..10 => format!("{}.{} s", seconds, ms % 1000 / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_for_machines_and_people() {
        assert_eq!(
            Moment(Timestamp(1_700_000_000_123)).to_string(),
            "<time datetime=\"2023-11-14T22:13:20Z\">2023-11-14 22:13:20 UTC</time>"
        );
        assert_eq!(Moment(Timestamp(i64::MAX)).to_string(), "—");
    }

    #[test]
    fn durations_have_two_parts_at_most() {
        let shown = [0, 450, 12_999, 61_000, 7_500_000].map(duration);
        assert_eq!(shown, ["0.0 s", "0.4 s", "12 s", "1 min 1 s", "2 h 5 min"]);
    }
}
