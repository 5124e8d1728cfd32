//! Rebases of random pulls against `git rebase` in a work tree: the same commit, to the byte.

use std::cell::Cell;
use std::fs;

use git2::{ObjectType, Repository};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::super::mirror::{commit_id, oid};
use super::super::testing::{AT, Entry, Files, bot, write_tree};
use super::super::{Autosquash, Credit, Rebase, RebasePlan};
use super::edits::{Edit, apply, edit, entry, path};
use super::oracle::{Bench, empty};
use paprq_core::ids::CommitId;

/// A pull, and the branch that it is to go to.
#[derive(Clone, Debug)]
struct History {
    start: Files,
    base: Vec<Vec<Edit>>,
    pull: Vec<Change>,
    way: Way,
}

/// What is to be done with the pull.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    Autosquash,
    Rebase(Autosquash),
}

/// What the pull's author did next.
#[derive(Clone, Debug)]
enum Change {
    Commit(Vec<Edit>, Message),
    /// Makes the files what they were before an earlier commit.
    Revert(Index, Message),
    /// Does what somebody did on the base.
    Pick(Index, Message),
    MergeBase(Index),
    /// Merges a side branch with one commit, which began at an earlier commit.
    MergeSide(Index, Vec<Edit>, Message),
}

#[derive(Clone, Debug)]
enum Message {
    Plain(Vec<u8>),
    Melt {
        mark: &'static str,
        target: Index,
        name: Name,
        rest: Vec<u8>,
    },
}

/// How a commit names the one into which it is to be melted.
#[derive(Clone, Copy, Debug)]
enum Name {
    Subject,
    Beginning,
    Id(usize),
    Missing,
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let lines = select(vec![
        &b"A change"[..],
        b"Another change",
        b"A",
        b"# not a comment",
        b"#",
        b"trailing \t ",
        b"",
        b"",
        b" \t",
        b"carriage\r",
        "größer".as_bytes(),
        b"latin \xe9\xe8",
        b"Signed-off-by: A <a@example.org>",
        b"fixup! ",
        b" indented",
        b"A change # with a hash",
    ]);
    let end = select(vec![&b"\n"[..], b"", b"\n\n", b"\r\n"]);
    (prop::collection::vec(lines, 0..6), end)
        .prop_map(|(lines, end)| [&lines.join(&b'\n')[..], end].concat())
}

fn message() -> impl Strategy<Value = Message> {
    let mark = select(vec![
        "fixup! ",
        "fixup! ",
        "squash! ",
        "amend! ",
        "fixup! fixup! ",
        "squash! amend! ",
        "amend!  fixup! ",
    ]);
    let name = select(vec![
        Name::Subject,
        Name::Subject,
        Name::Subject,
        Name::Beginning,
        Name::Id(40),
        Name::Id(8),
        Name::Missing,
    ]);
    let rest = prop_oneof![
        Just(b"\n".to_vec()),
        body().prop_map(|body| [b"\n\n", &body[..]].concat())
    ];
    let melt =
        (mark, any::<Index>(), name, rest).prop_map(|(mark, target, name, rest)| Message::Melt {
            mark,
            target,
            name,
            rest,
        });
    prop_oneof![
        4 => (0..40_u8, body()).prop_map(|(n, body)| {
            Message::Plain([format!("Change {n}\n\n").as_bytes(), &body].concat())
        }),
        1 => body().prop_map(Message::Plain),
        5 => melt,
    ]
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop_oneof![
        6 => prop::collection::vec(edit(), 1..2),
        2 => prop::collection::vec(edit(), 2..4),
        1 => Just(Vec::new()),
    ]
}

fn step() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        16 => (edits(), message()).prop_map(|(edits, message)| Change::Commit(edits, message)),
        1 => (at(), message()).prop_map(|(to, message)| Change::Revert(to, message)),
        1 => (at(), message()).prop_map(|(what, message)| Change::Pick(what, message)),
        1 => at().prop_map(Change::MergeBase),
        1 => (at(), edits(), message()).prop_map(|(at, edits, m)| Change::MergeSide(at, edits, m)),
    ]
}

fn history(ways: &'static [Way]) -> impl Strategy<Value = History> {
    let start = prop::collection::btree_map(path(), entry(), 4..7);
    let union = select(vec!["", "*.log merge=union\n", "*.txt -merge\n"]);
    let base = prop::collection::vec(prop::collection::vec(edit(), 1..3), 0..3);
    let pull = prop::collection::vec(step(), 1..7);
    (start, union, base, pull, select(ways)).prop_map(|(mut start, union, base, pull, way)| {
        let union = Entry::File(union.as_bytes().to_vec());
        start.insert(b".gitattributes".to_vec(), union);
        History {
            start,
            base,
            pull,
            way,
        }
    })
}

/// A commit as it was made.
#[derive(Clone)]
struct Made {
    id: CommitId,
    files: Files,
    message: Vec<u8>,
}

/// Makes commits, each a minute after the one before, by people whose clocks differ.
struct Maker<'a> {
    repository: &'a Repository,
    minutes: u32,
}

impl Maker<'_> {
    fn make(&mut self, parents: &[&Made], files: Files, message: Vec<u8>) -> Made {
        self.minutes += 1;
        let tree = write_tree(self.repository, &files);
        let parents = parents
            .iter()
            .map(|parent| format!("parent {}\n", parent.id));
        let author = match self.minutes % 4 {
            0 => "Ann O'Nymous <ann@example.org>",
            1 => "Bj\u{f6}rn, Jr. <b@example.org>",
            2 => "\"C\" <c@example.org.>",
            _ => "D <>",
        };
        let seconds = 1_600_000_000 + self.minutes * 60;
        let head = format!(
            "tree {tree}\n{}author {author} {} +0{}30\ncommitter C <c@c> {seconds} -0100\n{}\n",
            parents.collect::<String>(),
            seconds - 1000,
            self.minutes % 10,
            match self.minutes % 5 {
                0 => "change-id zzz\n more\n",
                1 => "gpgsig -----BEGIN\n xyz\n -----END\n",
                _ => "",
            },
        );
        let bytes = [head.as_bytes(), &message].concat();
        let odb = self.repository.odb().unwrap();
        Made {
            id: commit_id(odb.write(ObjectType::Commit, &bytes).unwrap()),
            files,
            message,
        }
    }
}

struct Tips {
    base: CommitId,
    head: CommitId,
}

impl History {
    fn make(&self, repository: &Repository) -> Tips {
        let mut maker = Maker {
            repository,
            minutes: 0,
        };
        let start = maker.make(&[], self.start.clone(), b"start\n".to_vec());
        let mut base = vec![start.clone()];
        for edits in &self.base {
            let before = base.last().unwrap();
            let after = edited(&before.files, edits);
            let next = maker.make(&[before], after, b"Base change\n".to_vec());
            base.push(next);
        }
        let mut pull = vec![start];
        for step in &self.pull {
            let next = step.make(&mut maker, &base, &pull);
            pull.push(next);
        }
        Tips {
            base: base.last().unwrap().id,
            head: pull.last().unwrap().id,
        }
    }
}

fn edited(files: &Files, edits: &[Edit]) -> Files {
    let mut files = files.clone();
    for edit in edits {
        apply(&mut files, edit);
    }
    files
}

impl Change {
    fn make(&self, maker: &mut Maker<'_>, base: &[Made], pull: &[Made]) -> Made {
        let last = pull.last().unwrap();
        match self {
            Self::Commit(edits, message) => {
                maker.make(&[last], edited(&last.files, edits), message.text(pull))
            }
            Self::Revert(to, message) => {
                let files = to.get(pull).files.clone();
                maker.make(&[last], files, message.text(pull))
            }
            Self::Pick(what, message) => {
                let mut files = last.files.clone();
                let at = what.index(base.len());
                let before = base[at.saturating_sub(1)].files.clone();
                for (path, entry) in &base[at].files {
                    if before.get(path) != Some(entry) {
                        files.insert(path.clone(), entry.clone());
                    }
                }
                maker.make(&[last], files, message.text(pull))
            }
            Self::MergeBase(which) => {
                let with = which.get(base);
                let mut files = last.files.clone();
                files.extend(with.files.clone());
                maker.make(&[last, with], files, b"Merge branch 'main'\n".to_vec())
            }
            Self::MergeSide(from, edits, message) => {
                let from = from.get(pull);
                let files = edited(&from.files, edits);
                let side = maker.make(&[from], files, message.text(pull));
                let files = edited(&last.files, edits);
                maker.make(&[last, &side], files, b"Merge branch 'side'\n".to_vec())
            }
        }
    }
}

impl Message {
    fn text(&self, pull: &[Made]) -> Vec<u8> {
        let (mark, target, name, rest) = match self {
            Self::Plain(text) => return text.clone(),
            Self::Melt {
                mark,
                target,
                name,
                rest,
            } => (mark, target, name, rest),
        };
        let target = target.get(pull);
        let subject = target.message.split(|byte| *byte == b'\n').next().unwrap();
        let subject = subject.trim_ascii_end();
        let name = match name {
            Name::Subject => subject.to_vec(),
            Name::Beginning => subject[..subject.len().min(7)].to_vec(),
            Name::Id(digits) => target.id.to_string().as_bytes()[..*digits].to_vec(),
            Name::Missing => b"nobody's subject".to_vec(),
        };
        [mark.as_bytes(), &name, rest].concat()
    }
}

/// What the real git made of it.
struct Expected {
    rebase: Rebase,
    stderr: String,
}

impl Bench {
    fn rebased(&self, way: Way, tips: &Tips, editor: &str) -> Expected {
        let work = self.oracle.workdir().unwrap();
        empty(work);
        drop(fs::remove_dir_all(self.oracle.path().join("rebase-merge")));
        let none = self.commit(&[], &Files::new());
        self.oracle.set_head_detached(oid(none).unwrap()).unwrap();
        let upstream = match way {
            Way::Autosquash => self.fork_point(tips),
            Way::Rebase(_) => tips.base,
        };
        let head = tips.head.to_string();
        let editor = format!("sequence.editor={editor}");
        let mut args = vec!["-c", "core.editor=:", "-c", &editor];
        args.extend(["rebase", "--quiet", "--empty=drop"]);
        args.push(match way {
            Way::Autosquash | Way::Rebase(Autosquash::On) => "--autosquash",
            Way::Rebase(Autosquash::Off) => "--no-autosquash",
        });
        let upstream_id = upstream.to_string();
        args.extend(["--interactive", &upstream_id, &head]);
        let output = self.git(&args);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let rebase = if output.status.success() {
            let now = commit_id(self.oracle.refname_to_id("HEAD").unwrap());
            if now == upstream {
                Rebase::AlreadyMerged
            } else {
                Rebase::Made(now)
            }
        } else {
            self.stopped(&stderr)
        };
        Expected { rebase, stderr }
    }

    fn fork_point(&self, tips: &Tips) -> CommitId {
        let args = ["merge-base", &tips.base.to_string(), &tips.head.to_string()];
        let output = self.git(&args).stdout;
        String::from_utf8(output).unwrap().trim().parse().unwrap()
    }

    fn stopped(&self, stderr: &str) -> Rebase {
        let done = self.oracle.path().join("rebase-merge/done");
        let done = fs::read(&done).unwrap_or_else(|_| panic!("git failed otherwise: {stderr}"));
        let done = String::from_utf8_lossy(&done).into_owned();
        let last = done.lines().last().unwrap();
        let commit = last.split(' ').find_map(|word| word.parse().ok()).unwrap();
        let listed = self
            .git(&["ls-files", "-u", "-z", "--format=%(path)"])
            .stdout;
        let mut paths: Vec<_> = listed
            .split(|byte| *byte == 0)
            .map(String::from_utf8_lossy)
            .filter(|path| !path.is_empty())
            .map(|path| path.split('~').next().unwrap().to_owned())
            .collect();
        paths.sort();
        paths.dedup();
        Rebase::Conflict { commit, paths }
    }

    /// Whether git left something out that is a fixup or has one.
    fn dropped_a_melted_one(&self, way: Way, tips: &Tips) -> bool {
        let list = self.oracle.path().join("list");
        let copy = format!("f() {{ cp \"$1\" {}; }}; f", list.display());
        let expected = self.rebased(way, tips, &copy);
        let list = String::from_utf8_lossy(&fs::read(list).unwrap()).into_owned();
        let list: Vec<_> = list.lines().filter(|line| !line.starts_with('#')).collect();
        let is_melted = |line: &str| line.starts_with("fixup") || line.starts_with("squash");
        let dropped = expected.stderr.split("dropping ").skip(1);
        dropped.map(|rest| rest[..40].to_owned()).any(|id| {
            let at = list.iter().position(|line| {
                let mut words = line.split(' ');
                words.any(|word| word.len() >= 7 && id.starts_with(word))
            });
            let next = list.get(at.unwrap() + 1);
            is_melted(list[at.unwrap()]) || next.is_some_and(|line| is_melted(line))
        })
    }
}

/// How often which outcome came.
#[derive(Default)]
struct Counts {
    made: Cell<u32>,
    conflicts: Cell<u32>,
    untold: Cell<u32>,
}

impl Counts {
    fn all(&self) -> [u32; 3] {
        [&self.made, &self.conflicts, &self.untold].map(Cell::get)
    }
}

fn count(cell: &Cell<u32>) {
    cell.set(cell.get() + 1);
}

fn check(
    bench: &Bench,
    runtime: &tokio::runtime::Runtime,
    history: &History,
    counts: &Counts,
) -> Result<(), TestCaseError> {
    let tips = history.make(&bench.mirror.repository().unwrap());
    let ours = runtime.block_on(async {
        match history.way {
            Way::Autosquash => {
                let plan = as_git(Autosquash::On);
                bench.mirror.autosquash(tips.base, tips.head, &plan).await
            }
            Way::Rebase(autosquash) => {
                let plan = as_git(autosquash);
                bench.mirror.rebase(tips.base, tips.head, &plan).await
            }
        }
    });
    let ours = ours.unwrap();
    let expected = bench.rebased(history.way, &tips, ":");
    if expected.stderr.contains("dropping ") && bench.dropped_a_melted_one(history.way, &tips) {
        // Here git would melt what follows into the wrong commit.
        count(&counts.untold);
        prop_assert!(matches!(ours, Rebase::Conflict { .. }), "{:?}", ours);
        return Ok(());
    }
    match &ours {
        Rebase::Made(_) => count(&counts.made),
        Rebase::Conflict { .. } => count(&counts.conflicts),
        Rebase::AlreadyMerged => {}
        Rebase::TooLarge => panic!("a small pull is too large"),
    }
    prop_assert_eq!(ours, expected.rebase, "{}", expected.stderr);
    Ok(())
}

fn as_git(autosquash: Autosquash) -> RebasePlan {
    RebasePlan {
        autosquash,
        credit: Credit::AsGit,
        append: String::new(),
        source: None,
        committer: bot(),
        at: AT,
    }
}

fn compare(cases: u32, ways: &'static [Way]) {
    let bench = Bench::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let counts = Counts::default();
    let mut runner = TestRunner::new(Config {
        cases,
        max_shrink_iters: 300,
        ..Config::with_source_file(file!())
    });
    let outcome = runner.run(&history(ways), |history| {
        check(&bench, &runtime, &history, &counts)
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let [made, conflicts, untold] = counts.all();
    assert!(made > cases / 4, "only {made} rebases were made");
    assert!(conflicts > cases / 40, "only {conflicts} conflicts");
    assert!(untold < cases / 10, "{untold} cases have no oracle");
}

const CASES: u32 = 280;

#[test]
fn autosquashed_pulls_are_those_of_git() {
    compare(CASES, &[Way::Autosquash]);
}

#[test]
fn rebased_pulls_are_those_of_git() {
    let ways = &[Way::Rebase(Autosquash::On), Way::Rebase(Autosquash::Off)];
    compare(CASES, ways);
}
