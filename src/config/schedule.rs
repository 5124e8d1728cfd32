//! `[schedule]`: which job goes first, and how long jobs wait and run. Here it is read; the
//! scheduler applies it.

use std::fmt;
use std::str::FromStr;

use super::section::{Section, Word};
use super::tree::Value;

const A_YEAR_S: u64 = 31_536_000;

/// Which job goes first, and how long jobs wait and run.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The first rule that fits a job gives its rank. Default none.
    pub rules: Vec<Rule>,
    /// Seconds after which a job goes before all others, whatever their rank, when it is the
    /// oldest of these and it is their turn. Default 3,600.
    pub max_wait_s: u64,
    /// Seconds after which a job is given up that no worker could execute. Default a day.
    pub no_worker_s: u64,
    /// Seconds without output after which an attempt is stopped; 0 for never. Default 1,800.
    pub silent_s: u64,
    /// Seconds for what comes before a suite's commands, beside its time. Default 1,800.
    pub setup_s: u64,
}

/// Gives the jobs that it fits their rank. The first rule that fits counts.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The kind of run. None fits all, as in all fields but the last two.
    pub run: Option<RuleRun>,
    /// The repository's label.
    pub repo: Option<Glob>,
    /// The base branch.
    pub branch: Option<Glob>,
    /// A label of the pull.
    pub label: Option<Glob>,
    /// The suite's context.
    pub suite: Option<Glob>,
    /// The pull's priority.
    pub priority: Option<PriorityBound>,
    /// The rank, -1,000,000 to 1,000,000; higher goes first. Required.
    pub rank: i32,
    /// Whether such a job may interrupt preemptible jobs of lower rank. Default false.
    pub preempt: bool,
}

/// The kind of run that a rule fits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RuleRun {
    /// The test of an approved merge.
    Auto,
    /// A try.
    Try,
    /// A pull's own test merge.
    Pull,
    /// A push to a watched branch.
    Branch,
}

/// A pattern with `*`, `?`, `[…]`; `*` also crosses slashes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Glob(glob::Pattern);

/// A comparison with a priority, such as `>=5`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PriorityBound {
    /// How.
    pub comparison: Comparison,
    /// With what.
    pub value: i64,
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `<`
    Below,
    /// `=`, or nothing
    Exactly,
}

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

impl Glob {
    /// Whether the whole text fits.
    pub fn fits(&self, text: &str) -> bool {
        self.0.matches(text)
    }

    /// Whether the whole of a name of GitHub's fits, which does not tell those apart by their case.
    pub fn fits_name(&self, name: &str) -> bool {
        let options = glob::MatchOptions {
            case_sensitive: false,
            ..glob::MatchOptions::default()
        };
        self.0.matches_with(name, options)
    }
}

impl FromStr for Glob {
    type Err = glob::PatternError;

    fn from_str(text: &str) -> Result<Self, glob::PatternError> {
        glob::Pattern::new(text).map(Self)
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl fmt::Display for PriorityBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.comparison {
            Comparison::AtLeast => ">=",
            Comparison::AtMost => "<=",
            Comparison::Above => ">",
            Comparison::Below => "<",
            Comparison::Exactly => "=",
        };
        write!(f, "{sign} {}", self.value)
    }
}

impl PriorityBound {
    /// Whether the priority fits.
    pub fn fits(self, priority: i64) -> bool {
        match self.comparison {
            Comparison::AtLeast => priority >= self.value,
            Comparison::AtMost => priority <= self.value,
            Comparison::Above => priority > self.value,
            Comparison::Below => priority < self.value,
            Comparison::Exactly => priority == self.value,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let forms = [
            (">=", Comparison::AtLeast),
            ("<=", Comparison::AtMost),
            (">", Comparison::Above),
            ("<", Comparison::Below),
            ("=", Comparison::Exactly),
            ("", Comparison::Exactly),
        ];
        let (number, comparison) = forms
            .iter()
            .find_map(|(sign, comparison)| Some((text.strip_prefix(sign)?, *comparison)))?;
        let value = number.trim().parse().ok()?;
        Some(Self { comparison, value })
    }

    fn read(section: &Section<'_>) -> Option<Self> {
        let bound = match section.value("priority")? {
            Value::Whole(value) => Some(Self {
                comparison: Comparison::Exactly,
                value: *value,
            }),
            Value::Text(_) => Self::parse(&section.text("priority")?),
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
}

impl Schedule {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let rules = section.list_of_sections("rules");
        let default = Self::default();
        let seconds = |key, least, default| section.whole(key, least..=A_YEAR_S).unwrap_or(default);
        Self {
            rules: rules.iter().map(rule).collect(),
            max_wait_s: seconds("max_wait_s", 60, default.max_wait_s),
            no_worker_s: seconds("no_worker_s", 60, default.no_worker_s),
            silent_s: seconds("silent_s", 0, default.silent_s),
            setup_s: seconds("setup_s", 60, default.setup_s),
        }
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            max_wait_s: 3600,
            no_worker_s: 86_400,
            silent_s: 1800,
            setup_s: 1800,
        }
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
        priority: PriorityBound::read(section),
        rank: rank.unwrap_or_default(),
        preempt: section.truth("preempt").unwrap_or(false),
    }
}

fn pattern(section: &Section<'_>, key: &'static str) -> Option<Glob> {
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
pub(super) fn no_pattern(section: &Section<'_>, key: &str, error: &glob::PatternError) {
    let message = format!("\"{key}\" is no pattern: {}", error.msg);
    let remedy = "write letters, * for any text, ? for any letter";
    section.error(key, message, remedy);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_are_compared_as_written() {
        for (text, fitting, other) in [
            (">=5", 5, 4),
            ("<= 5", 5, 6),
            (">5", 6, 5),
            ("<5", 4, 5),
            ("=5", 5, 6),
            ("-5", -5, 5),
        ] {
            let bound = PriorityBound::parse(text).unwrap();
            assert!(bound.fits(fitting), "{text} {fitting}");
            assert!(!bound.fits(other), "{text} {other}");
        }
        for text in ["", ">", "=>5", "5=", ">=5x", "five"] {
            assert_eq!(PriorityBound::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_star_crosses_slashes() {
        let glob: Glob = "release/*".parse().unwrap();
        assert!(glob.fits("release/1/x"));
        assert!(!glob.fits("a/release/1"));
        assert!(glob.fits_name("Release/1/X") && !glob.fits("Release/1/X"));
    }
}
