//! Keys that are read and checked, but do not yet, or do no longer, do what they say: so that
//! nobody trusts in vain. Whoever builds the thing takes its line out.

use super::reading::Reading;
use super::survey::Found;
use super::tree::{Table, Value};

/// One key that does not do what it says.
struct Unbuilt {
    /// The key, with `*` for names that people choose.
    pattern: &'static str,
    when: When,
    /// What happens instead.
    instead: &'static str,
}

/// For which values a key is warned of.
#[derive(Clone, Copy)]
enum When {
    /// All but false, an empty text, an empty list and an empty table.
    On,
    /// More than one.
    Several,
}

const fn on(pattern: &'static str, instead: &'static str) -> Unbuilt {
    Unbuilt {
        pattern,
        when: When::On,
        instead,
    }
}

const NOT_YET: &[Unbuilt] = &[
    on(
        "github.app",
        "the bot uses the access token; only webhook_secret is used",
    ),
    Unbuilt {
        pattern: "repo.*.batch",
        when: When::Several,
        instead: "each run tests one pull",
    },
    Unbuilt {
        pattern: "repo.*.window",
        when: When::Several,
        instead: "one run is in flight at a time",
    },
];

const NO_LONGER: &[Unbuilt] = &[on(
    "repo.*.travis.token",
    "Travis reports a commit status, which is waited for without a token",
)];

/// Notes a warning for each such key that is set.
pub(super) fn warn(reading: &Reading<'_>, found: &[Found<'_>]) {
    for key in found {
        warn_of(reading, key, NOT_YET, "is not acted on yet");
        warn_of(reading, key, NO_LONGER, "means nothing any more");
    }
}

fn warn_of(reading: &Reading<'_>, key: &Found<'_>, list: &[Unbuilt], what: &str) {
    let value = &key.entry.node.value;
    let fits = |unbuilt: &&Unbuilt| {
        key.pattern.as_deref() == Some(unbuilt.pattern) && unbuilt.when.fits(value)
    };
    if let Some(unbuilt) = list.iter().find(fits) {
        let place = reading.place(Some(key.entry.at), &key.table);
        let message = format!("\"{}\" {what}", key.entry.key);
        reading.warn(place, message, unbuilt.instead);
    }
}

impl When {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::On => is_on(value),
            Self::Several => matches!(value, Value::Whole(2..)),
        }
    }
}

fn is_on(value: &Value) -> bool {
    match value {
        Value::Truth(truth) => *truth,
        Value::Text(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Table(Table(entries)) => !entries.is_empty(),
        Value::Whole(_) | Value::Other(_) => true,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The patterns, for the test that each is a key that somebody reads.
    pub(in crate::config) fn patterns() -> impl Iterator<Item = &'static str> {
        NOT_YET
            .iter()
            .chain(NO_LONGER)
            .map(|unbuilt| unbuilt.pattern)
    }

    /// Those of what is not built yet, for the test that the documentation marks them.
    pub(in crate::config) fn not_yet() -> impl Iterator<Item = &'static str> {
        NOT_YET.iter().map(|unbuilt| unbuilt.pattern)
    }

    #[test]
    fn only_values_that_ask_for_something_are_warned_of() {
        for off in [
            Value::Truth(false),
            Value::Text(String::new()),
            Value::List(Vec::new()),
            Value::Table(Table::default()),
        ] {
            assert!(!When::On.fits(&off), "{off:?}");
        }
        assert!(When::On.fits(&Value::Truth(true)));
        assert!(When::Several.fits(&Value::Whole(2)) && !When::Several.fits(&Value::Whole(1)));
    }
}
