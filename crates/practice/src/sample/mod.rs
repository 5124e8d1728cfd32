//! A small world to try things in: people, a repository with suites, and pulls that each play a role.
//!
//! The repository's files are in `files/`. Its suites need a POSIX shell and nothing else.

use paprq_core::ids::PullNumber;

use super::disk::Change;
use super::pulls::Push;
use super::world::Permission;
use super::{Practice, PracticeError};

const REPO: &str = "octo/demo";
const BRANCH: &str = "master";
const BOT: &str = "paprq-bot";
const REVIEWER: &str = "alice";
const AUTHOR: &str = "bob";
const NEWCOMER: &str = "carol";

const FILES: [(&str, &str); 8] = [
    (".papr.yml", include_str!("files/papr.yml")),
    ("README.md", README),
    ("src/greet.sh", GREET),
    ("tests/expect.sh", include_str!("files/tests/expect.sh")),
    ("tests/lint.sh", include_str!("files/tests/lint.sh")),
    ("tests/spelling.sh", include_str!("files/tests/spelling.sh")),
    ("tests/unit.sh", include_str!("files/tests/unit.sh")),
    ("tests/unit/greet.sh", GREET_TEST),
];
const README: &str = include_str!("files/README.md");
const GREET: &str = include_str!("files/src/greet.sh");
const GREET_TEST: &str = include_str!("files/tests/unit/greet.sh");

const FAREWELL: &str = "\
# Takes leave of whoever is named, or of the world.
farewell() {
    echo \"Goodbye, ${1:-World}!\"
}
";
const FAREWELL_TEST: &str = "\
. ./tests/expect.sh
. ./src/farewell.sh

expect \"Goodbye, World!\" \"$(farewell)\"
expect \"Goodbye, Ada!\" \"$(farewell Ada)\"
";

/// For how many seconds the slow pull's test prints a line each second.
const SOAK_S: u32 = 30;

/// What [`Practice::sample`] made, by the roles that things play.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sample {
    /// `OWNER/NAME`; its default branch is [`Sample::branch`].
    pub repo: &'static str,
    /// The branch that all the pulls go to.
    pub branch: &'static str,
    /// The bot's login; it may write to the repository.
    pub bot: &'static str,
    /// The bot's token.
    pub bot_token: String,
    /// Somebody who reviews; may write to the repository.
    pub reviewer: &'static str,
    /// Who opened the good, the failing and the slow pull.
    pub author: &'static str,
    /// Who opened the others, and may do nothing else.
    pub newcomer: &'static str,
    /// All its suites pass.
    pub good: PullNumber,
    /// Its suite `unit` fails and prints why; [`Practice::push_prepared`] mends it.
    pub failing: PullNumber,
    /// It changes lines that were changed on the branch since: it conflicts from the start.
    pub conflicting: PullNumber,
    /// It merges now and conflicts as soon as the good one has landed (and the other way round).
    pub rival: PullNumber,
    /// Its suite `unit` prints a line a second for half a minute. Once it has landed, so does
    /// every later merge's.
    pub slow: PullNumber,
    /// As good as the good one; meant to be left waiting.
    pub unapproved: PullNumber,
}

/// What [`Practice::sample_repo`] made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SampleRepo {
    /// See [`Sample::repo`].
    pub repo: &'static str,
    /// The bot's token.
    pub bot_token: String,
    /// See [`Sample::reviewer`].
    pub reviewer: &'static str,
    /// See [`Sample::author`].
    pub author: &'static str,
}

impl Practice {
    /// Makes `octo/demo` with its people and pulls. No webhook yet.
    ///
    /// # Errors
    /// If it exists, or the disk or git fails.
    pub fn sample(&self) -> Result<Sample, PracticeError> {
        let repo = self.sample_repo()?;
        self.sample_pulls(repo)
    }

    /// Makes `octo/demo` with its people, without any pulls.
    ///
    /// # Errors
    /// If it exists, or the disk or git fails.
    pub fn sample_repo(&self) -> Result<SampleRepo, PracticeError> {
        let bot_token = format!("practice-{:032x}", rand::random::<u128>());
        self.add_user(BOT, Some(&bot_token));
        self.create_repo(REPO, FILES)?;
        self.add_collaborator(REPO, BOT, Permission::Write)?;
        self.add_collaborator(REPO, REVIEWER, Permission::Write)?;
        Ok(SampleRepo {
            repo: REPO,
            bot_token,
            reviewer: REVIEWER,
            author: AUTHOR,
        })
    }

    /// Opens the pulls of `octo/demo`.
    ///
    /// # Errors
    /// If the disk or git fails.
    pub fn sample_pulls(&self, repo: SampleRepo) -> Result<Sample, PracticeError> {
        let good = self.propose(&GOOD)?;
        let failing = self.propose(&FAILING)?;
        self.prepare_push(REPO, failing, mend())?;
        let conflicting = self.propose(&CONFLICTING)?;
        let rival = self.propose(&RIVAL)?;
        let slow = self.propose(&SLOW)?;
        let unapproved = self.propose(&UNAPPROVED)?;
        let moved = README.replace("by octo", "by octo and alice");
        let changes = [("README.md".to_owned(), moved)];
        self.commit(REPO, BRANCH, changes, "Name the maintainers", REVIEWER)?;
        Ok(Sample {
            repo: repo.repo,
            branch: BRANCH,
            bot: BOT,
            bot_token: repo.bot_token,
            reviewer: repo.reviewer,
            author: repo.author,
            newcomer: NEWCOMER,
            good,
            failing,
            conflicting,
            rival,
            slow,
            unapproved,
        })
    }

    fn propose(&self, proposal: &Proposal) -> Result<PullNumber, PracticeError> {
        let Proposal {
            branch,
            title,
            author,
            ..
        } = *proposal;
        self.commit(REPO, branch, (proposal.files)(), title, author)?;
        self.open_pull(REPO, branch, BRANCH, title, proposal.body, author)
    }
}

/// A pull of the sample.
struct Proposal {
    branch: &'static str,
    title: &'static str,
    body: &'static str,
    author: &'static str,
    files: fn() -> Vec<Change>,
}

const GOOD: Proposal = Proposal {
    branch: "good-day",
    title: "Greet more formally",
    body: "`Hello` becomes `Good day`. All suites pass: say `@paprq-bot r+` and it lands.",
    author: AUTHOR,
    files: || greet_with("Good day"),
};

const FAILING: Proposal = Proposal {
    branch: "farewell",
    title: "Say goodbye as well",
    body: "A second function, with a test. The test fails: a comma is missing.",
    author: AUTHOR,
    files: || {
        let wrong = FAREWELL.replace("Goodbye, ", "Goodbye ");
        vec![
            Change::write("src/farewell.sh", wrong),
            Change::write("tests/unit/farewell.sh", FAREWELL_TEST),
        ]
    },
};

const CONFLICTING: Proposal = Proposal {
    branch: "maintainers",
    title: "Say who maintains this",
    body: "The same line was changed on the branch since: this must be rebased before it can land.",
    author: NEWCOMER,
    files: || {
        let text = README.replace("by octo", "by the octo project");
        vec![Change::write("README.md", text)]
    },
};

const RIVAL: Proposal = Proposal {
    branch: "welcome",
    title: "Greet more warmly",
    body: "`Hello` becomes `Welcome`. It changes the lines that *Greet more formally* changes: \
           whichever lands second conflicts.",
    author: NEWCOMER,
    files: || greet_with("Welcome"),
};

const SLOW: Proposal = Proposal {
    branch: "soak",
    title: "Greet for half a minute",
    body: "A test that prints a line every second: watch its log grow.",
    author: AUTHOR,
    files: || vec![Change::write("tests/unit/soak.sh", soak())],
};

const UNAPPROVED: Proposal = Proposal {
    branch: "contributing",
    title: "Tell how to contribute",
    body: "Waits for somebody to approve it. `@paprq-bot try` tests it without landing it.",
    author: NEWCOMER,
    files: || {
        let text = "# Contributing\n\nWrite a test under `tests/unit`, then open a pull request.\n";
        vec![Change::write("CONTRIBUTING.md", text)]
    },
};

fn greet_with(word: &str) -> Vec<Change> {
    vec![
        Change::write("src/greet.sh", GREET.replace("Hello", word)),
        Change::write("tests/unit/greet.sh", GREET_TEST.replace("Hello", word)),
    ]
}

fn soak() -> String {
    format!(
        ". ./src/greet.sh\n\n\
         second=1\n\
         while [ \"$second\" -le {SOAK_S} ]; do\n\
         \x20   echo \"   second $second of {SOAK_S}: $(greet)\"\n\
         \x20   second=$((second + 1))\n\
         \x20   sleep 1\n\
         done\n"
    )
}

/// What lets the failing pull pass.
fn mend() -> Push {
    Push {
        changes: vec![Change::write("src/farewell.sh", FAREWELL)],
        message: "Put the comma back".to_owned(),
    }
}

#[cfg(test)]
mod tests;
