//! Which suites of the file are executed.

use anyhow::bail;

use paprq_core::suite::{Called, NotFound, Occasion, OnMerge, Suite, find, needed};

/// What would be tested on a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(super) enum Kind {
    /// A pull request.
    Pull,
    /// An approved pull before it lands.
    Auto,
    /// A try.
    Try,
    /// A push to the branch that is checked out.
    Branch,
}

/// How the suites are chosen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Choice<'a> {
    /// All that this kind of run needs.
    Kind(Kind),
    /// Those that were named, and no others.
    Named(&'a [String]),
}

impl Choice<'_> {
    /// The chosen suites, in the order of the file.
    ///
    /// # Errors
    ///
    /// A name means no suite or several.
    pub(super) fn of(self, suites: &[Suite], branch: Option<String>) -> anyhow::Result<Vec<Suite>> {
        match self {
            Self::Kind(kind) => {
                let branch = branch.unwrap_or_default();
                let needed = needed(suites, kind.occasion(&branch));
                Ok(needed.into_iter().cloned().collect())
            }
            Self::Named(names) => named(suites, names),
        }
    }
}

impl Kind {
    fn occasion(self, branch: &str) -> Occasion<'_> {
        let merge = |branch| Occasion::Merge {
            branch,
            on_merge: OnMerge::Named,
        };
        match self {
            Self::Pull => Occasion::Pull,
            Self::Auto => merge("auto"),
            Self::Try => merge("try"),
            Self::Branch => Occasion::Branch(branch),
        }
    }
}

fn named(suites: &[Suite], names: &[String]) -> anyhow::Result<Vec<Suite>> {
    let called: Vec<Called> = suites.iter().map(Suite::called).collect();
    let mut contexts = Vec::new();
    for name in names {
        match find(&called, name) {
            Ok(found) => contexts.extend(found.into_iter().map(|called| &called.context)),
            Err(NotFound::Unknown) => {
                let all: Vec<&str> = suites.iter().map(|suite| suite.context.as_str()).collect();
                bail!("there is no suite {name}; there are {}", all.join(", "));
            }
            Err(error @ NotFound::Ambiguous(_)) => bail!("{name} is not clear: {error}"),
        }
    }
    let chosen = suites
        .iter()
        .filter(|suite| contexts.contains(&&suite.context));
    Ok(chosen.cloned().collect())
}
