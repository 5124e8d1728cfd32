//! Submodules, files of Git LFS and history, from real servers on the loopback interface.

mod forge;

use paprq_core::jobs::{JobOutcome, WorkerFault};
use paprq_core::suite::{Checkout, Lfs, Submodules};

use self::forge::pointer;
pub(super) use self::forge::{Forge, commit};
use super::server::Server;
use super::{Worker, suite};
use crate::protocol::{Order, Report};
use crate::public_address::Reach;

const DIRECT: Checkout = Checkout {
    submodules: Submodules::Direct,
    lfs: Lfs::Unsaid,
    depth: None,
};
const RECURSIVE: Checkout = Checkout {
    submodules: Submodules::Recursive,
    ..DIRECT
};
const LFS: Checkout = Checkout {
    submodules: Submodules::Without,
    lfs: Lfs::Fetched,
    depth: None,
};

/// A repository on our server that has to do with another one.
struct Stage {
    server: Server,
    forge: Forge,
    reach: Reach,
}

impl Stage {
    fn new() -> Self {
        Self {
            server: Server::start(),
            forge: Forge::start(),
            reach: Reach::PublicOnly,
        }
    }

    /// A commit with a submodule at `sub`, which has these values in .gitmodules.
    fn with_submodule(name: &str, values: &str) -> Self {
        let mut stage = Self::new();
        let id = stage.forge.repo("o/sub", &[("inside", "found\n")], &[]);
        stage.commit(name, values, &id);
        stage
    }

    fn commit(&mut self, name: &str, values: &str, id: &str) {
        let gitmodules = format!("[submodule \"{name}\"]\n{values}");
        let files = [(".gitmodules", gitmodules.as_str())];
        self.server.commit_with(&files, &[("sub", id)]);
    }

    async fn execute(&self, checkout: Checkout, tests: &[&str]) -> (String, Report) {
        self.execute_with(checkout, tests, |_order| {}).await
    }

    async fn execute_with(
        &self,
        checkout: Checkout,
        tests: &[&str],
        change: impl FnOnce(&mut Order),
    ) -> (String, Report) {
        let worker = Worker::start_with(&self.server, |settings| settings.reach = self.reach);
        let worker = worker.await;
        let done = self.server.execute(1, |order| {
            order.suite = suite(tests);
            order.suite.checkout = checkout;
            order.origin = Some(self.forge.url("o/main"));
            change(order);
        });
        let done = done.await;
        worker.stop().await.unwrap();
        done
    }

    /// What the suite is not executed for.
    async fn refusal(&self, checkout: Checkout) -> String {
        let (log, report) = self.execute(checkout, &["echo begun"]).await;
        assert!(!log.contains("begun"), "{log}");
        let JobOutcome::Error { message } = report.outcome else {
            panic!("{report:?}\n{log}");
        };
        assert!(log.contains(&message), "{log}");
        message
    }
}

fn passed((log, report): (String, Report)) -> String {
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    log
}

#[tokio::test]
async fn a_submodule_is_there_as_git_would_have_it() {
    let stage = Stage::with_submodule("sub", "path = sub\nurl = ../sub.git\n");
    let tests = [
        "cat sub/inside",
        "git submodule status --recursive",
        "git status --short; git -C sub config remote.origin.url; git config submodule.sub.url",
    ];
    let log = passed(stage.execute(DIRECT, &tests).await);
    let url = stage.forge.url("o/sub.git");
    assert!(log.contains(&format!(">>> git status --short; git -C sub config remote.origin.url; git config submodule.sub.url\n{url}\n{url}\n")), "{log}");
    assert!(log.contains("found\n"), "{log}");
    assert!(log.contains(" sub (heads/master)\n"), "{log}");
    assert!(!log.contains("NOT CHECKED OUT"), "{log}");
    let shown = stage.forge.asked().into_iter().map(|(_, shown)| shown);
    assert_eq!(shown.collect::<String>(), "", "nothing lets us in");
}

#[tokio::test]
async fn submodules_of_submodules_are_there_only_if_they_are_wanted() {
    let mut stage = Stage::new();
    let inner = stage
        .forge
        .repo("deep/inner", &[("inside", "innermost\n")], &[]);
    let gitmodules = "[submodule \"i\"]\npath = i\nurl = ../../deep/inner\n";
    let files = [(".gitmodules", gitmodules), ("inside", "found\n")];
    let outer = stage.forge.repo("o/sub", &files, &[("i", &inner)]);
    stage.commit("sub", "path = sub\nurl = ../sub\n", &outer);
    let tests = ["cat sub/inside; if [ -e sub/i/inside ]; then cat sub/i/inside; fi"];
    let log = passed(stage.execute(DIRECT, &tests).await);
    assert!(log.contains("found") && !log.contains("innermost"), "{log}");
    let log = passed(stage.execute(RECURSIVE, &tests).await);
    assert!(log.contains("found\ninnermost\n"), "{log}");
}

#[tokio::test]
async fn the_depth_is_that_of_the_commit_and_of_its_submodules() {
    let mut stage = Stage::with_submodule("sub", "path = sub\nurl = ../sub\n");
    stage.forge.repo("o/sub", &[("inside", "newer\n")], &[]);
    let id = stage.forge.repo("o/sub", &[("inside", "newest\n")], &[]);
    stage.commit("sub", "path = sub\nurl = ../sub\nshallow = true\n", &id);
    let count = ["git rev-list --count HEAD; git -C sub rev-list --count HEAD"];
    let counts = |log: &str| {
        let lines = log.lines().filter_map(|line| line.parse::<u32>().ok());
        lines.collect::<Vec<_>>()
    };
    let log = passed(stage.execute(DIRECT, &count).await);
    assert_eq!(counts(&log), [4, 3], "{log}");
    for (depth, expected) in [(1, [1, 1]), (2, [2, 2]), (100, [4, 3])] {
        let depth = Some(depth);
        let log = passed(stage.execute(Checkout { depth, ..DIRECT }, &count).await);
        assert_eq!(counts(&log), expected, "{log}");
    }
}

/// Its server gives no single commit (version 0 of the protocol, which knows branches only).
#[tokio::test]
async fn a_submodule_behind_its_branch_is_there_at_any_depth() {
    let mut stage = Stage::with_submodule("sub", "path = sub\nurl = ../sub\n");
    let old = stage.forge.repo("o/sub", &[("inside", "old\n")], &[]);
    for text in ["newer\n", "newest\n"] {
        stage.forge.repo("o/sub", &[("inside", text)], &[]);
    }
    stage.commit("sub", "path = sub\nurl = ../sub\n", &old);
    let depth = Some(1);
    let log = passed(
        stage
            .execute(Checkout { depth, ..DIRECT }, &["cat sub/inside"])
            .await,
    );
    assert!(log.contains("old\n"), "{log}");
}

#[tokio::test]
async fn what_gitmodules_says_is_judged_before_git_acts() {
    for (name, values, expected) in [
        (
            "../../x",
            "path = sub\nurl = ../sub\n",
            "The name \"../../x\"",
        ),
        ("sub", "path = sub\nurl = -u./x\n", "The address \"-u./x\""),
        ("sub", "path = -x\nurl = ../sub\n", "The path \"-x\""),
        (
            "sub",
            "path = sub\nurl = file:///etc\n",
            "begins with https://",
        ),
        ("sub", "path = sub\nurl = /etc\n", "begins with https://"),
        (
            "sub",
            "path = sub\nurl = \"ext::sh -c 'touch x'\"\n",
            "begins with https://",
        ),
        (
            "sub",
            "path = sub\nurl = git@h.example:o/r\n",
            "begins with https://",
        ),
        (
            "sub",
            "path = sub\nurl = git://h.example/o/r\n",
            "begins with https://",
        ),
        (
            "sub",
            "path = sub\nurl = ../../../x\n",
            "leads out of the server",
        ),
        (
            "sub",
            "path = sub\nurl = https://u:p@h.example/\n",
            "user or password",
        ),
        (
            "sub",
            "path = sub\nurl = ../sub\nupdate = !touch x\n",
            "is a command",
        ),
        (
            "sub",
            "path = other\nurl = ../sub\n",
            "does not say where it comes from",
        ),
        ("sub", "path = sub\nurl\n [", "cannot be read"),
    ] {
        let stage = Stage::with_submodule(name, values);
        let refusal = stage.refusal(DIRECT).await;
        assert!(refusal.contains(expected), "{values}: {refusal}");
        assert_eq!(stage.forge.asked(), [], "{values}");
    }
}

#[tokio::test]
async fn private_networks_are_reached_only_if_the_operator_says_so() {
    let neighbour = Forge::start();
    let url = neighbour.url("o/sub");
    let mut stage = Stage::with_submodule("sub", &format!("path = sub\nurl = {url}\n"));
    let id = neighbour.repo("o/sub", &[("inside", "next door\n")], &[]);
    stage.commit("sub", &format!("path = sub\nurl = {url}\n"), &id);
    let refusal = stage.refusal(DIRECT).await;
    assert!(refusal.contains("is in a private network"), "{refusal}");
    assert_eq!(neighbour.asked(), [], "it was not even asked");
    stage.reach = Reach::Anywhere;
    let log = passed(stage.execute(DIRECT, &["cat sub/inside"]).await);
    assert!(log.contains("next door\n"), "{log}");
}

#[tokio::test]
async fn nobody_is_redirected_into_a_private_network() {
    let neighbour = Forge::start();
    let id = neighbour.repo("o/sub", &[("inside", "next door\n")], &[]);
    let mut stage = Stage::with_submodule("sub", "path = sub\nurl = ../moved\n");
    stage.commit("sub", "path = sub\nurl = ../moved\n", &id);
    stage.forge.moves("o/moved", &neighbour.url("o/sub"));
    let refusal = stage.refusal(DIRECT).await;
    assert!(refusal.contains("is in a private network"), "{refusal}");
    assert_eq!(neighbour.asked(), []);
    stage.reach = Reach::Anywhere;
    let log = passed(stage.execute(DIRECT, &["cat sub/inside"]).await);
    assert!(log.contains("next door\n"), "{log}");
}

#[tokio::test]
async fn what_is_not_public_or_not_there_is_the_suites_fault() {
    let stage = Stage::with_submodule("sub", "path = sub\nurl = ../sub\n");
    stage.forge.closes("o/sub");
    let refusal = stage.refusal(DIRECT).await;
    assert!(refusal.contains("asks for a log-in"), "{refusal}");
    let stage = Stage::with_submodule("sub", "path = sub\nurl = ../none\n");
    let (log, report) = stage.execute(DIRECT, &["true"]).await;
    let JobOutcome::Error { message } = report.outcome else {
        panic!("{report:?}");
    };
    assert!(message.ends_with("answers 404."), "{message}");
    // The log names the address that was meant, and none of the gateway.
    let url = stage.forge.url("o/none");
    assert!(log.contains(&format!("'{url}/'")), "{log}");
    assert_eq!(
        log.matches("http://127.0.0.1").count(),
        log.matches(&url).count(),
        "{log}"
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_no_fault_of_the_suite() {
    let stage = Stage::with_submodule("sub", "path = sub\nurl = ../sub\n");
    stage.forge.go_away().await;
    let (log, report) = stage.execute(DIRECT, &["true"]).await;
    assert_eq!(report.fault, Some(WorkerFault::BrokeOff), "{log}");
    assert!(log.contains("cannot be reached"), "{log}");
}

#[tokio::test]
async fn a_submodule_is_within_the_limits_of_the_suite() {
    let mut stage = Stage::new();
    let noise: String = (0..400_000)
        .map(|number: u32| format!("{:x}", number.wrapping_mul(2_654_435_761)))
        .collect();
    let id = stage.forge.repo("o/sub", &[("noise", &noise)], &[]);
    stage.commit("sub", "path = sub\nurl = ../sub\n", &id);
    let worker = Worker::start_with(&stage.server, |settings| {
        settings.limits.disk_bytes = 1 << 20;
    });
    let worker = worker.await;
    let executed = stage.server.execute(1, |order| {
        order.suite = suite(&["true"]);
        order.suite.checkout = DIRECT;
        order.origin = Some(stage.forge.url("o/main"));
    });
    let (log, report) = executed.await;
    worker.stop().await.unwrap();
    assert!(
        matches!(report.outcome, JobOutcome::Error { .. }),
        "{report:?}\n{log}"
    );
}

#[tokio::test]
async fn files_of_git_lfs_are_there_if_they_are_wanted() {
    let mut stage = Stage::new();
    let large = stage.forge.keep("a large file\n");
    let attributes = (
        "data/.gitattributes",
        "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    );
    stage
        .server
        .commit_with(&[attributes, ("data/a.bin", &large)], &[]);
    let log = passed(stage.execute(DIRECT, &["cat data/a.bin"]).await);
    assert!(log.contains("git-lfs.github.com/spec"), "{log}");
    let tests = ["cat data/a.bin; git status --short; git lfs ls-files"];
    let log = passed(stage.execute(LFS, &tests).await);
    assert!(log.contains("git lfs ls-files\na large file\n"), "{log}");
    assert!(
        log.contains(" * data/a.bin\n") && !log.contains(" M "),
        "{log}"
    );
    let asked = stage.forge.asked();
    let batch = asked.iter().find(|(path, _)| path.ends_with("/batch"));
    assert_eq!(
        batch.unwrap(),
        &(
            "/o/main.git/info/lfs/objects/batch".to_owned(),
            String::new()
        )
    );
    let object = asked.iter().find(|(path, _)| path.starts_with("/objects/"));
    assert_eq!(
        object.unwrap().1,
        "let-me-in",
        "what the server says lets in there"
    );
}

#[tokio::test]
async fn files_of_git_lfs_of_submodules_come_from_where_those_come_from() {
    let mut stage = Stage::new();
    let large = stage.forge.keep("large below\n");
    let files = [(".gitattributes", "*.bin filter=lfs\n"), ("a.bin", &*large)];
    let id = stage.forge.repo("o/sub", &files, &[]);
    stage.commit("sub", "path = sub\nurl = ../sub.git\n", &id);
    let both = Checkout {
        submodules: Submodules::Direct,
        ..LFS
    };
    let log = passed(stage.execute(both, &["cat sub/a.bin"]).await);
    assert!(log.contains("large below\n"), "{log}");
    let batch = "/o/sub.git/info/lfs/objects/batch";
    assert!(stage.forge.asked().iter().any(|(path, _)| path == batch));
}

#[tokio::test]
async fn lfs_leads_into_no_private_network() {
    // By the repository's own word, and by that of its server.
    for lies in [false, true] {
        let neighbour = Forge::start();
        let large = neighbour.keep("next door\n");
        let files = [(".gitattributes", "*.bin filter=lfs\n"), ("a.bin", &*large)];
        let lfsconfig = format!("[lfs]\nurl = {}\n", neighbour.url("o/r/info/lfs"));
        let cat = ["cat a.bin"];
        let mut stage = Stage::new();
        stage.server.commit_with(&files, &[]);
        if lies {
            stage.forge.keeps_at(&neighbour.url("objects"));
        } else {
            stage.server.commit_with(&[(".lfsconfig", &lfsconfig)], &[]);
        }
        let refusal = stage.refusal(LFS).await;
        assert!(refusal.contains("is in a private network"), "{refusal}");
        assert_eq!(neighbour.asked(), []);
        stage.reach = Reach::Anywhere;
        let log = passed(stage.execute(LFS, &cat).await);
        assert!(log.contains("next door\n"), "{log}");
    }
}

#[tokio::test]
async fn lfs_that_is_no_public_address_or_lacks_an_object_is_refused() {
    for (lfsconfig, expected) in [
        ("[lfs]\nurl = file:///etc\n", "begins with https://"),
        ("[lfs]\nurl = ssh://h.example/o/r\n", "begins with https://"),
        (
            "[remote \"origin\"]\nlfsurl = https://u:p@h.example/\n",
            "user or password",
        ),
        ("[", ".lfsconfig cannot be read"),
    ] {
        let mut stage = Stage::new();
        let files = [
            ("a.bin", &*pointer(&"0".repeat(64), 5)),
            (".lfsconfig", lfsconfig),
        ];
        stage.server.commit_with(&files, &[]);
        stage
            .server
            .commit_with(&[(".gitattributes", "*.bin filter=lfs\n")], &[]);
        let refusal = stage.refusal(LFS).await;
        assert!(refusal.contains(expected), "{lfsconfig}: {refusal}");
    }
    let mut stage = Stage::new();
    let files = [
        ("a.bin", &*pointer(&"0".repeat(64), 5)),
        (".gitattributes", "*.bin filter=lfs\n"),
    ];
    stage.server.commit_with(&files, &[]);
    let refusal = stage.refusal(LFS).await;
    assert!(refusal.contains("answers 404"), "{refusal}");
}

#[tokio::test]
async fn what_is_not_asked_for_is_named_in_the_log_if_it_is_there() {
    let lines = |log: &str| {
        let lines = log.lines().filter(|line| line.contains("NOT CHECKED OUT"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let nothing = Checkout::default();
    let mut stage = Stage::new();
    let log = passed(stage.execute(nothing, &["true"]).await);
    assert_eq!(lines(&log), [""; 0]);
    // A gitlink without .gitmodules is nothing that could be had.
    stage.server.commit_with(&[], &[("sub", &"1".repeat(40))]);
    let log = passed(stage.execute(nothing, &["true"]).await);
    assert_eq!(lines(&log), [""; 0]);
    stage.commit("sub", "path = sub\nurl = ../sub\n", &"1".repeat(40));
    let log = passed(stage.execute(nothing, &["true"]).await);
    assert!(
        lines(&log)[0].ends_with("checkout: {submodules: true}"),
        "{log}"
    );
    stage
        .server
        .commit_with(&[("deep/a.bin", &pointer(&"0".repeat(64), 5))], &[]);
    let log = passed(stage.execute(nothing, &["true"]).await);
    assert!(
        lines(&log)[0].ends_with("{submodules: true, lfs: true}"),
        "{log}"
    );
    let log = passed(stage.execute(LFS_UNSAID, &["true"]).await);
    assert!(lines(&log)[0].ends_with("{lfs: true}"), "{log}");
    // By attributes alone, too.
    let mut stage = Stage::new();
    stage
        .server
        .commit_with(&[("deep/.gitattributes", "*.bin filter=lfs\n")], &[]);
    let log = passed(stage.execute(nothing, &["true"]).await);
    assert!(lines(&log)[0].ends_with("{lfs: true}"), "{log}");
}

/// Says of submodules that they are not wanted, and nothing of Git LFS.
const LFS_UNSAID: Checkout = Checkout {
    submodules: Submodules::Without,
    ..DIRECT
};

#[test]
fn a_worker_without_git_lfs_is_told_from_a_repository_without_its_files() {
    let script = crate::worker::script::list_lfs("");
    let directory = tempfile::tempdir().unwrap();
    super::server::git(directory.path(), &["init", "--quiet"]);
    let code = |path: &str| {
        let done = std::process::Command::new("/bin/bash")
            .args(["-c", &script])
            .env_clear()
            .envs([
                ("PATH", path),
                ("PAPRQ_CHECKOUT", directory.path().to_str().unwrap()),
            ])
            .output()
            .unwrap();
        (done.status.code(), done.stdout)
    };
    assert_eq!(
        code("/nowhere"),
        (Some(crate::worker::script::NO_LFS), Vec::new())
    );
    assert_eq!(
        code("/usr/bin:/bin"),
        (Some(0), Vec::new()),
        "package git-lfs"
    );
}
