//! Trailers of random messages, before and after, as `git interpret-trailers` reads them.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use git2::{Repository, Signature, Time};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::super::mirror::{commit_id, oid};
use super::super::testing::{AT, Origin, bot, files, write_tree};
use super::super::{Autosquash, Credit, Mirror, Rebase, RebasePlan};
use paprq_core::ids::CommitId;

const LINES: &str = "\nCloses: #7\nApproved by: rev";

/// What `git interpret-trailers --parse` finds, with or without `---` as the end.
fn parsed(message: &str, divider: &[&str]) -> BTreeSet<String> {
    let mut child = Command::new("git")
        .args(["interpret-trailers", "--parse"])
        .args(divider)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git must run: install the package git");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(message.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(normal).collect()
}

/// Without what does not make another trailer: the case of the token, and how often blanks come.
fn normal(line: &str) -> String {
    let (token, value) = line.split_once(':').unwrap();
    let value: Vec<&str> = value.split_whitespace().collect();
    format!("{}: {}", token.trim().to_lowercase(), value.join(" "))
}

/// What a message has, as git finds it either way.
fn had(message: &str) -> BTreeSet<String> {
    let mut all = parsed(message, &["--no-divider"]);
    all.extend(parsed(message, &[]));
    all
}

fn message() -> impl Strategy<Value = String> {
    let lines = select(vec![
        "Subject",
        "some words",
        "Signed-off-by: A <a@example.org>",
        "Reviewed-by: R <r@example.org>",
        "reviewed-by:  R <r@example.org>",
        "Co-authored-by: C <c@example.org>",
        "Change-Id: I1",
        "Fixes : #3",
        "Empty:",
        " going on",
        "\tindented",
        "https://example.org/a",
        "(cherry picked from commit 1234567)",
        "# a comment",
        "---",
        "--- a/file",
        "Conflicts:",
        "\ta/file",
        "",
        "",
        "  ",
        "größer: no token",
        "# ------------------------ >8 ------------------------",
    ]);
    let end = select(vec!["", "\n", "\n\n", "\r\n"]);
    (prop::collection::vec(lines, 0..9), end)
        .prop_map(|(lines, end)| format!("{}{end}", lines.join("\n")))
        // Git keeps no blank lines before a message.
        .prop_map(|text| match text.trim_start() {
            "" => "x\n".to_owned(),
            text => text.to_owned(),
        })
}

struct Scene {
    _origin: Origin,
    mirror: Mirror,
    start: CommitId,
}

impl Scene {
    fn new() -> Self {
        let origin = Origin::new();
        let mirror = origin.mirror();
        let start = commit(&mirror.repository().unwrap(), &[], "start", "A");
        Self {
            _origin: origin,
            mirror,
            start,
        }
    }

    /// Commits these messages one on the other, each by an author of its own.
    fn pull(&self, messages: &[String]) -> CommitId {
        let repository = self.mirror.repository().unwrap();
        let mut head = self.start;
        for (message, author) in messages.iter().zip(["Ann", "Bob", "Cid"]) {
            head = commit(&repository, &[head], message, author);
        }
        head
    }

    /// The messages from a commit back to the start.
    fn messages(&self, made: &Rebase) -> Vec<String> {
        let Rebase::Made(tip) = made else {
            panic!("{made:?}");
        };
        let repository = self.mirror.repository().unwrap();
        let mut commit = repository.find_commit(oid(*tip).unwrap()).unwrap();
        let mut messages = Vec::new();
        while commit_id(commit.id()) != self.start {
            messages.push(commit.message().unwrap().to_owned());
            commit = commit.parent(0).unwrap();
        }
        messages
    }
}

fn commit(repository: &Repository, parents: &[CommitId], message: &str, author: &str) -> CommitId {
    let parents: Vec<_> = parents
        .iter()
        .map(|parent| repository.find_commit(oid(*parent).unwrap()).unwrap())
        .collect();
    let parents: Vec<_> = parents.iter().collect();
    let mail = format!("{}@example.org", author.to_lowercase());
    let person = Signature::new(author, &mail, &Time::new(1_600_000_000, 0)).unwrap();
    let tree = write_tree(
        repository,
        &files(&[("who", &format!("{author}{parents:?}"))]),
    );
    let tree = repository.find_tree(tree).unwrap();
    let made = repository.commit(None, &person, &person, message, &tree, &parents);
    commit_id(made.unwrap())
}

fn holds(cases: u32, test: impl Fn(&Scene, &[String]) -> Result<(), TestCaseError>) {
    let scene = Scene::new();
    let mut runner = TestRunner::new(Config {
        cases,
        max_shrink_iters: 300,
        ..Config::with_source_file(file!())
    });
    let messages = prop::collection::vec(message(), 1..=3);
    let outcome = runner.run(&messages, |messages| test(&scene, &messages));
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

fn found_in(message: &str, expected: &BTreeSet<String>) -> Result<(), TestCaseError> {
    for divider in [&["--no-divider"][..], &[]] {
        let found = parsed(message, divider);
        let lost: Vec<_> = expected.difference(&found).collect();
        prop_assert!(lost.is_empty(), "{:?} not in {:?}", lost, message);
    }
    Ok(())
}

#[test]
fn what_lands_in_a_linear_history_has_the_trailers_of_its_commits_and_ours() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    holds(60, |scene, messages| {
        let head = scene.pull(messages);
        let plan = RebasePlan {
            autosquash: Autosquash::Off,
            credit: Credit::CoAuthors,
            append: LINES.to_owned(),
            source: None,
            committer: bot(),
            at: AT,
        };
        let made = runtime.block_on(scene.mirror.rebase(scene.start, head, &plan));
        let made = scene.messages(&made.unwrap());
        for (before, after) in messages.iter().zip(made.iter().rev()) {
            let mut expected = had(before);
            expected.insert("closes: #7".to_owned());
            found_in(after, &expected)?;
            prop_assert!(
                after.ends_with("\nCloses: #7\nApproved by: rev\n"),
                "{:?}",
                after
            );
        }
        Ok(())
    });
}

#[test]
fn a_squashed_pull_has_the_trailers_and_the_authors_of_its_commits() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    holds(60, |scene, messages| {
        let (description, commits) = messages.split_last().unwrap();
        let description = format!("Title\n\n{description}");
        let commits = [&["Subject".to_owned()], commits].concat();
        let head = scene.pull(&commits);
        let bot = bot();
        let made = scene
            .mirror
            .squash(scene.start, head, &description, &bot, AT);
        let made = scene.messages(&runtime.block_on(made).unwrap()).remove(0);
        let mut expected: BTreeSet<_> = commits.iter().flat_map(|message| had(message)).collect();
        let others = ["bob", "cid"].into_iter().take(commits.len() - 1);
        let others = others.map(|who| {
            let name = who[..1].to_uppercase() + &who[1..];
            format!("co-authored-by: {name} <{who}@example.org>")
        });
        expected.extend(others);
        found_in(&made, &expected)?;
        let found = parsed(&made, &[]);
        prop_assert!(!found.iter().any(|line| line.contains("<ann@")), "{}", made);
        Ok(())
    });
}

#[tokio::test]
async fn a_mark_in_a_commit_is_broken_wherever_the_commit_is_written_again() {
    let scene = Scene::new();
    let messages = ["Fix [skip ci]", "More\n\nskip-checks: true"].map(str::to_owned);
    let head = scene.pull(&messages);
    let plan = RebasePlan {
        autosquash: Autosquash::Off,
        credit: Credit::CoAuthors,
        append: LINES.to_owned(),
        source: None,
        committer: bot(),
        at: AT,
    };
    let made = scene.mirror.rebase(scene.start, head, &plan).await.unwrap();
    let told = scene.messages(&made).join("\n");
    assert!(told.contains("Fix (skip ci)\n"), "{told}");
    assert!(!told.contains("skip-checks"), "{told}");
    let (title, bot) = ("Title [ci\0 skip]", bot());
    let squashed = scene.mirror.squash(scene.start, head, title, &bot, AT);
    let told = scene.messages(&squashed.await.unwrap()).remove(0);
    assert_eq!(
        told,
        "Title (ci skip)\n\nCo-authored-by: Bob <bob@example.org>\n"
    );
}

#[tokio::test]
async fn the_author_of_a_fixup_is_a_co_author_of_what_it_mends() {
    let scene = Scene::new();
    let messages = ["One\n\nSee: a", "fixup! One"].map(str::to_owned);
    let head = scene.pull(&messages);
    let plan = RebasePlan {
        autosquash: Autosquash::On,
        credit: Credit::CoAuthors,
        append: String::new(),
        source: None,
        committer: bot(),
        at: AT,
    };
    let made = scene.mirror.autosquash(scene.start, head, &plan).await;
    assert_eq!(
        scene.messages(&made.unwrap()),
        ["One\n\nSee: a\nCo-authored-by: Bob <bob@example.org>\n"]
    );
}
