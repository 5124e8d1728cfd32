//! `[repo.LABEL.suites]`: how our workers run the suites of the commit's own file.

use super::repo::logins;
use super::schedule::no_pattern;
use super::section::{Section, Word};
use paprq_core::ids::Login;
use paprq_core::jobs::SuiteLimit;

const A_DAY_S: u64 = 86_400;

const A_YEAR_S: u64 = 365 * A_DAY_S;

/// More jobs than ever run at a time.
const JOBS_MAX: u32 = 1_000_000;

/// How our workers run the suites of the commit's own file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Suites {
    /// The file's path from the repository's top. Default `.papr.yml`.
    pub file: String,
    /// Which pulls are tested before they are approved. Default trusted.
    pub pulls: PullTests,
    /// Which suites an `auto` or `try` run takes. Default named.
    pub on_merge: OnMerge,
    /// Whose pulls are tested without being asked for, beside those who may write. Default none.
    pub trusted: Vec<Login>,
    /// Seconds for which a suite that passed is not run again on the same content (keys `reuse`
    /// and `reuse_s`); none: it always is. Default a day.
    pub reuse_s: Option<u64>,
    /// How many of the repository's jobs run at a time; 0 for any number. Default 0.
    pub jobs_max: u32,
    /// How many of its jobs whose suite fits a pattern run at a time. Default none.
    pub limits: Vec<SuiteLimit>,
}

/// Which pulls are tested before they are approved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PullTests {
    /// Those of people who are trusted.
    Trusted,
    /// All.
    All,
    /// None.
    None,
}

/// Which suites an `auto` or `try` run takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnMerge {
    /// Those that name its branch; all where none does.
    Named,
    /// All.
    All,
}

impl Suites {
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        if !section.exists() {
            return None;
        }
        let file = section.text("file").unwrap_or_else(|| Self::default().file);
        if file.split('/').any(|part| matches!(part, "" | "." | "..")) {
            let message = "\"file\" is no path inside the repository";
            section.error("file", message, "write file = \".papr.yml\"");
        }
        Some(Self {
            file,
            pulls: section.choice("pulls").unwrap_or(PullTests::Trusted),
            on_merge: section.choice("on_merge").unwrap_or(OnMerge::Named),
            trusted: logins(section, "trusted"),
            reuse_s: reuse_s(section),
            jobs_max: section.whole("jobs_max", 0..=JOBS_MAX).unwrap_or(0),
            limits: limits(&section.section("limits")),
        })
    }
}

impl Default for Suites {
    fn default() -> Self {
        Self {
            file: ".papr.yml".to_owned(),
            pulls: PullTests::Trusted,
            on_merge: OnMerge::Named,
            trusted: Vec::new(),
            reuse_s: Some(A_DAY_S),
            jobs_max: 0,
            limits: Vec::new(),
        }
    }
}

fn reuse_s(section: &Section<'_>) -> Option<u64> {
    let reuse = section.truth("reuse").unwrap_or(true);
    let seconds = section.whole("reuse_s", 1..=A_YEAR_S);
    reuse.then(|| seconds.unwrap_or(A_DAY_S))
}

fn limits(section: &Section<'_>) -> Vec<SuiteLimit> {
    let entries = section.names();
    let limits = entries.iter().filter_map(|entry| {
        let jobs_max = section.named_whole(entry, 1..=JOBS_MAX);
        match entry.key.parse() {
            Ok(suites) => Some(SuiteLimit {
                suites,
                jobs_max: jobs_max?,
            }),
            Err(error) => {
                no_pattern(section, &entry.key, &error);
                None
            }
        }
    });
    limits.collect()
}

impl Word for PullTests {
    const ALL: &'static [Self] = &[Self::Trusted, Self::All, Self::None];

    fn word(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::All => "all",
            Self::None => "none",
        }
    }
}

impl Word for OnMerge {
    const ALL: &'static [Self] = &[Self::Named, Self::All];

    fn word(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::All => "all",
        }
    }
}
