//! `[schedule]`: which job goes first, and how long jobs wait and run. Here it is read; the
//! scheduler applies it.

use super::section::{Section, Word};
use super::tree::Value;
use paprq_core::jobs::{Comparison, NoPattern, Pattern, PriorityBound, Rule, RuleRun, Schedule};

const A_YEAR_S: u64 = 31_536_000;

impl Word for RuleRun {
    const ALL: &'static [Self] = &[Self::Auto, Self::Try, Self::Pull, Self::Branch];

    fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Try => "try",
            Self::Pull => "pull",
            Self::Branch => "branch",
        }
    }
}

/// Reads `[schedule]`.
pub(super) fn schedule(section: &Section<'_>) -> Schedule {
    let rules = section.list_of_sections("rules");
    let default = Schedule::default();
    let seconds = |key, least, default| section.whole(key, least..=A_YEAR_S).unwrap_or(default);
    Schedule {
        rules: rules.iter().map(rule).collect(),
        max_wait_s: seconds("max_wait_s", 60, default.max_wait_s),
        no_worker_s: seconds("no_worker_s", 60, default.no_worker_s),
        silent_s: seconds("silent_s", 0, default.silent_s),
        setup_s: seconds("setup_s", 60, default.setup_s),
    }
}

fn rule(section: &Section<'_>) -> Rule {
    let rank = section.whole("rank", -1_000_000..=1_000_000);
    section.missing("rank", "write rank = 100; higher goes first");
    Rule {
        run: section.choice("run"),
        repo: pattern(section, "repo"),
        branch: pattern(section, "branch"),
        label: pattern(section, "label"),
        suite: pattern(section, "suite"),
        priority: priority(section),
        rank: rank.unwrap_or_default(),
        preempt: section.truth("preempt").unwrap_or(false),
    }
}

fn priority(section: &Section<'_>) -> Option<PriorityBound> {
    let bound = match section.value("priority")? {
        Value::Whole(value) => Some(PriorityBound {
            comparison: Comparison::Exactly,
            value: *value,
        }),
        Value::Text(_) => section.text("priority")?.parse().ok(),
        Value::Truth(_) | Value::List(_) | Value::Table(_) | Value::Other(_) => None,
    };
    if bound.is_none() {
        let message = "\"priority\" is no comparison";
        section.error(
            "priority",
            message,
            "write priority = \">=5\"; also >, <, <=, =",
        );
    }
    bound
}

fn pattern(section: &Section<'_>, key: &'static str) -> Option<Pattern> {
    let text = section.text(key)?;
    match text.parse() {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            no_pattern(section, key, &error);
            None
        }
    }
}

/// Notes that a text is no pattern.
pub(super) fn no_pattern(section: &Section<'_>, key: &str, error: &NoPattern) {
    let message = format!("\"{key}\" is no pattern: {error}");
    let remedy = "write letters, * for any text, ? for any letter";
    section.error(key, message, remedy);
}
