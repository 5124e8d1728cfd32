//! What a team writes about its jobs: which goes first, and how long jobs wait and run.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::pattern::Pattern;

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
    pub repo: Option<Pattern>,
    /// The base branch.
    pub branch: Option<Pattern>,
    /// A label of the pull.
    pub label: Option<Pattern>,
    /// The suite's context.
    pub suite: Option<Pattern>,
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
    /// A pull request's test merge.
    Pull,
    /// A push to a watched branch.
    Branch,
}

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

/// How many jobs of certain suites run at a time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SuiteLimit {
    /// The contexts of the suites.
    pub suites: Pattern,
    /// How many; at least 1.
    pub jobs_max: u32,
}

/// A text compares a priority with nothing.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("it is no comparison")]
pub struct NoComparison;

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
}

impl FromStr for PriorityBound {
    type Err = NoComparison;

    fn from_str(text: &str) -> Result<Self, NoComparison> {
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
            .find_map(|(sign, comparison)| Some((text.strip_prefix(sign)?, *comparison)))
            .ok_or(NoComparison)?;
        match number.trim().parse() {
            Ok(value) => Ok(Self { comparison, value }),
            Err(_out_of_form) => Err(NoComparison),
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
            let bound = PriorityBound::from_str(text).unwrap();
            assert!(bound.fits(fitting), "{text} {fitting}");
            assert!(!bound.fits(other), "{text} {other}");
        }
        for text in ["", ">", "=>5", "5=", ">=5x", "five"] {
            assert_eq!(PriorityBound::from_str(text), Err(NoComparison), "{text}");
        }
    }
}
