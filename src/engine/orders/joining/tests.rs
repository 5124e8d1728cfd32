//! Whatever the style, what is made of a pull holds what a plain merge holds, or is not made.

use std::process::Command;

use git2::{Oid, Repository, Signature, Time};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{Joined, Joiner};
use crate::git::{Limits, Mirror, Person, Remote, RemoteAuth};
use paprq_core::ids::{CommitId, PullNumber, Timestamp};
use paprq_core::queue::effect::{History, MemberMerge, MergeStyle, Shape};

const FILES: usize = 2;
const LINES: usize = 3;

/// A line of a file gets a text.
#[derive(Clone, Copy, Debug)]
struct Edit {
    file: usize,
    line: usize,
    text: u8,
}

/// What happens, one after the other, to a base and to a pull that left it.
#[derive(Clone, Debug)]
enum Change {
    Base(Edit),
    /// The base gets the pull's last change as a commit of its own.
    Pick,
    /// The base takes its last change back.
    Revert,
    Pull(Edit),
    /// A commit that is to go into the pull's first.
    Fixup(Edit),
    /// The base is merged into the pull, with changes of the merge commit's own.
    Merge(Vec<Edit>),
}

fn first_tree(repository: &Repository) -> Oid {
    let mut tree = repository.treebuilder(None).unwrap();
    for file in 0..FILES {
        // Far enough apart not to be in each other's way.
        let text = "line 0\n\n\n\n\nline 0\n\n\n\n\nline 0\n";
        let blob = repository.blob(text.as_bytes()).unwrap();
        tree.insert(format!("f{file}"), blob, 0o100_644).unwrap();
    }
    tree.write().unwrap()
}

/// The mirror, with a base and a pull's head.
struct Stage {
    dir: TempDir,
    repository: Repository,
    mirror: Mirror,
    base: CommitId,
    head: CommitId,
}

impl Stage {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let remote = Remote {
            url: "/nowhere".to_owned(),
            auth: RemoteAuth::None,
        };
        let mirror = Mirror::open(dir.path(), remote, Limits::default()).unwrap();
        let repository = Repository::open_bare(dir.path()).unwrap();
        let start = CommitId::ZERO;
        let mut stage = Self {
            dir,
            repository,
            mirror,
            base: start,
            head: start,
        };
        let tree = first_tree(&stage.repository);
        stage.base = stage.commit(&[], tree, "Start");
        stage.head = stage.base;
        stage
    }

    fn play(steps: &[Change]) -> Self {
        let mut stage = Self::new();
        let first = stage.base;
        let (mut last, mut undone) = (None, first);
        for step in steps {
            match step {
                Change::Base(edit) => {
                    undone = stage.base;
                    stage.base = stage.edited(stage.base, *edit, "Base");
                }
                Change::Pick => {
                    if let Some(edit) = last {
                        undone = stage.base;
                        stage.base = stage.edited(stage.base, edit, "Picked");
                    }
                }
                Change::Revert => {
                    let tree = stage.tree(undone);
                    stage.base = stage.commit(&[stage.base], tree, "Revert");
                }
                Change::Pull(edit) => {
                    last = Some(*edit);
                    stage.head = stage.edited(stage.head, *edit, "Work");
                }
                Change::Fixup(edit) => {
                    stage.head = stage.edited(stage.head, *edit, "fixup! Work");
                }
                Change::Merge(edits) => stage.head = stage.merged(edits),
            }
        }
        stage
    }

    fn tree(&self, commit: CommitId) -> Oid {
        let id = Oid::from_str(&commit.to_string()).unwrap();
        self.repository.find_commit(id).unwrap().tree_id()
    }

    fn commit(&self, parents: &[CommitId], tree: Oid, message: &str) -> CommitId {
        let person = Signature::new("A", "a@example.org", &Time::new(1_600_000_000, 0)).unwrap();
        let tree = self.repository.find_tree(tree).unwrap();
        let parents = parents.iter().map(|parent| {
            let id = Oid::from_str(&parent.to_string()).unwrap();
            self.repository.find_commit(id).unwrap()
        });
        let parents: Vec<_> = parents.collect();
        let parents: Vec<_> = parents.iter().collect();
        let made = self
            .repository
            .commit(None, &person, &person, message, &tree, &parents);
        made.unwrap().to_string().parse().unwrap()
    }

    fn edited(&self, parent: CommitId, edit: Edit, message: &str) -> CommitId {
        let tree = self.with_edit(self.tree(parent), edit);
        self.commit(&[parent], tree, message)
    }

    fn with_edit(&self, tree: Oid, edit: Edit) -> Oid {
        let tree = self.repository.find_tree(tree).unwrap();
        let name = format!("f{}", edit.file);
        let blob = tree.get_name(&name).unwrap().id();
        let blob = self.repository.find_blob(blob).unwrap();
        let text = String::from_utf8(blob.content().to_vec()).unwrap();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines[edit.line * 5] = format!("line {}", edit.text);
        let blob = self.repository.blob((lines.join("\n") + "\n").as_bytes());
        let mut tree = self.repository.treebuilder(Some(&tree)).unwrap();
        tree.insert(name, blob.unwrap(), 0o100_644).unwrap();
        tree.write().unwrap()
    }

    /// The base merged into the pull; where they contradict, the pull has it its way.
    fn merged(&self, edits: &[Edit]) -> CommitId {
        let theirs = self.plain_merge(self.head, self.base);
        let tree = theirs.unwrap_or_else(|| self.tree(self.head));
        let tree = edits
            .iter()
            .fold(tree, |tree, edit| self.with_edit(tree, *edit));
        self.commit(&[self.head, self.base], tree, "Merge the base")
    }

    /// The tree that git itself makes of two commits, if they do not contradict each other.
    fn plain_merge(&self, one: CommitId, other: CommitId) -> Option<Oid> {
        let output = Command::new("git")
            .arg("--git-dir")
            .arg(self.dir.path())
            .args([
                "merge-tree",
                "--write-tree",
                &one.to_string(),
                &other.to_string(),
            ])
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let clean = output.status.success();
        clean.then(|| Oid::from_str(printed.trim()).unwrap())
    }

    async fn join(&self, style: &MergeStyle) -> Joined {
        let committer = Person {
            name: "Bot".to_owned(),
            email: "bot@example.org".to_owned(),
        };
        let joiner = Joiner {
            mirror: &self.mirror,
            committer: &committer,
            at: Timestamp(1_700_000_000_000),
        };
        let member = MemberMerge {
            pull: PullNumber(1),
            head: self.head,
            message: "Closes: #1".to_owned(),
            style: style.clone(),
        };
        joiner.join(self.base, &member).await.unwrap()
    }
}

fn styles() -> Vec<MergeStyle> {
    let squashed = Shape::Squashed {
        message: "All of it".to_owned(),
    };
    let shapes = [Shape::AsTheyAre, Shape::Autosquashed, squashed];
    let styles = shapes.into_iter().flat_map(|shape| {
        [History::Merged, History::Linear].map(|history| MergeStyle {
            shape: shape.clone(),
            history,
        })
    });
    styles.collect()
}

fn edit() -> impl Strategy<Value = Edit> {
    (0..FILES, 0..LINES, 1..4_u8).prop_map(|(file, line, text)| Edit { file, line, text })
}

fn step() -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => edit().prop_map(Change::Base),
        1 => Just(Change::Pick),
        1 => Just(Change::Revert),
        3 => edit().prop_map(Change::Pull),
        1 => edit().prop_map(Change::Fixup),
        2 => prop::collection::vec(edit(), 0..3).prop_map(Change::Merge),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_made_of_a_pull_is_what_a_plain_merge_makes(
        steps in prop::collection::vec(step(), 1..9),
    ) {
        let stage = Stage::play(&steps);
        let Some(plain) = stage.plain_merge(stage.base, stage.head) else {
            return Ok(());
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        for style in styles() {
            match runtime.block_on(stage.join(&style)) {
                Joined::Made(tip) => prop_assert_eq!(stage.tree(tip), plain, "{:?}", style),
                Joined::Nothing => prop_assert_eq!(stage.tree(stage.base), plain, "{:?}", style),
                Joined::Altered(files) => prop_assert!(!files.named.is_empty()),
                Joined::Conflict(_) | Joined::TooLarge => {}
            }
        }
    }
}

fn at(file: usize, line: usize) -> Edit {
    Edit {
        file,
        line,
        text: 1,
    }
}

#[tokio::test]
async fn a_change_that_was_made_in_a_merge_commit_is_never_left_out() {
    let evil = [
        Change::Pull(at(0, 0)),
        Change::Base(at(1, 0)),
        Change::Merge(vec![at(0, 2)]),
    ];
    let only = [
        Change::Base(at(1, 0)),
        Change::Pull(at(1, 0)),
        Change::Merge(vec![at(0, 2)]),
    ];
    for steps in [&evil[..], &only[..]] {
        let stage = Stage::play(steps);
        for style in styles() {
            let joined = stage.join(&style).await;
            let keeps_merges = match (&style.shape, style.history) {
                (Shape::AsTheyAre, History::Merged) | (Shape::Squashed { .. }, _) => true,
                (Shape::AsTheyAre | Shape::Autosquashed, _) => false,
            };
            match joined {
                Joined::Made(_) => assert!(keeps_merges, "{style:?}"),
                Joined::Altered(files) => {
                    assert!(!keeps_merges, "{style:?}");
                    assert_eq!((files.named, files.others), (vec!["f0".to_owned()], 0));
                }
                Joined::Nothing | Joined::Conflict(_) | Joined::TooLarge => panic!("{style:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_merge_of_the_base_that_changes_nothing_is_in_nobodys_way() {
    let stage = Stage::play(&[
        Change::Pull(at(0, 0)),
        Change::Base(at(1, 0)),
        Change::Merge(vec![]),
        Change::Fixup(at(0, 2)),
    ]);
    for style in styles() {
        let joined = stage.join(&style).await;
        assert!(matches!(joined, Joined::Made(_)), "{style:?}");
    }
}
