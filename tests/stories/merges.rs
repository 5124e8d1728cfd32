//! How pulls come into the base branch: each of Homu's ways, to the last ref.

use paprq_core::ids::{CommitId, PullNumber};
use paprq_practice::{Calls, PullState, StatusState};

use crate::world::{BASE, REPO, Settings, World};

/// One status to wait for, and these lines.
fn with(lines: &str) -> Settings {
    Settings {
        repo: format!("status.ci = {{ context = \"ci\" }}\n{lines}"),
        ..Settings::default()
    }
}

/// Bob's pull of these commits, each with its message and the file that it writes.
fn pull_of(world: &World, branch: &str, commits: &[(&str, &str, &str)]) -> PullNumber {
    for (message, file, content) in commits {
        world
            .practice
            .commit(REPO, branch, [(*file, *content)], message, "bob")
            .unwrap();
    }
    let title = format!("Change {branch}");
    let body = "Why it is good.\n\ncc @carol";
    world
        .practice
        .open_pull(REPO, branch, BASE, &title, body, "bob")
        .unwrap()
}

/// Has what is tested found good; returns the tested commit.
async fn pass(world: &World, pull: PullNumber, repo: &str) -> CommitId {
    world.hear(pull, ":hourglass: Testing").await;
    let merge = world.practice.branch(repo, "auto").unwrap().unwrap();
    world
        .practice
        .set_status(repo, merge, "ci", StatusState::Success)
        .unwrap();
    merge
}

/// The history of the base branch by first parents, oldest first. The commits from which they were
/// picked are numbered in that order.
fn messages(world: &World, since: CommitId) -> Vec<String> {
    let mut messages = Vec::new();
    let mut at = world.base();
    while at != since {
        messages.push(world.practice.message(REPO, at).unwrap());
        at = first_parent(world, at);
    }
    messages.reverse();
    let numbered = messages.iter().zip(1..).map(|(message, number)| {
        let (before, rest) = message.split_once("picked from commit ").unwrap();
        let (_, rest) = rest.split_once(')').unwrap();
        format!("{before}picked from commit {number}){rest}")
    });
    numbered.collect()
}

/// Has what is tested found good, and waits until exactly that has landed.
async fn land(world: &World, pull: PullNumber) -> CommitId {
    let tested = pass(world, pull, REPO).await;
    world.hear(pull, ":sunny: Test successful").await;
    assert_eq!(world.base(), tested);
    tested
}

fn first_parent(world: &World, commit: CommitId) -> CommitId {
    let parents = world.practice.parents(REPO, commit).unwrap();
    *parents.first().unwrap()
}

const FIXED_UP: [(&str, &str, &str); 3] = [
    ("Add the door", "door", "wood"),
    ("Add the window", "window", "glass"),
    ("fixup! Add the door", "door", "oak"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_linear_history_has_rebased_commits_with_their_approver_and_no_merge() {
    let world = World::start_with(with("linear = true")).await;
    let pull = pull_of(&world, "house", &FIXED_UP[..2]);
    let before = world
        .practice
        .commit(REPO, BASE, [("street", "1")], "Pave the street", "alice")
        .unwrap();
    world.tell(pull, "r=carol");
    land(&world, pull).await;
    insta::assert_debug_snapshot!(messages(&world, before), @r#"
    [
        "Add the door\n\n(cherry picked from commit 1)\nCloses: #1\nApproved by: carol\n",
        "Add the window\n\n(cherry picked from commit 2)\nCloses: #1\nApproved by: carol\n",
    ]
    "#);
    world
        .until("the title says so", |practice| {
            let pull = practice.pull(REPO, pull).unwrap();
            pull.title == "[merged] Change house" && pull.state == PullState::Closed
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn autosquash_puts_fixups_where_they_belong_before_the_merge() {
    let world = World::start_with(with("autosquash = true")).await;
    let before = world.base();
    let pull = pull_of(&world, "house", &FIXED_UP);
    world.tell(pull, "r+");
    let tested = land(&world, pull).await;
    let parents = world.practice.parents(REPO, tested).unwrap();
    assert_eq!(parents[0], before);
    let second = parents[1];
    let first = world.practice.parents(REPO, second).unwrap()[0];
    let subjects = [first, second].map(|commit| world.practice.message(REPO, commit).unwrap());
    assert_eq!(subjects, ["Add the door", "Add the window"]);
    let door = world.practice.file(REPO, first, "door").unwrap();
    assert_eq!(door.as_deref(), Some("oak"));
    world
        .until("it is closed", |practice| {
            practice.pull(REPO, pull).unwrap().state == PullState::Closed
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn linear_and_autosquash_go_together() {
    let world = World::start_with(with("linear = true\nautosquash = true")).await;
    let before = world.base();
    let pull = pull_of(&world, "house", &FIXED_UP);
    world.tell(pull, "r+");
    land(&world, pull).await;
    insta::assert_debug_snapshot!(messages(&world, before), @r#"
    [
        "Add the door\n\n(cherry picked from commit 1)\nCloses: #1\nApproved by: alice\n",
        "Add the window\n\n(cherry picked from commit 2)\nCloses: #1\nApproved by: alice\n",
    ]
    "#);
    let title = world.practice.pull(REPO, pull).unwrap().title;
    assert_eq!(title, "Change house");
}

#[tokio::test(flavor = "multi_thread")]
async fn fixups_that_contradict_each_other_are_said_to() {
    let world = World::start_with(with("autosquash = true")).await;
    let commits = [
        ("Add the door", "door", "wood"),
        ("Paint the door", "door", "wood, blue"),
        ("fixup! Add the door", "door", "oak, blue"),
    ];
    let pull = pull_of(&world, "house", &commits);
    world.tell(pull, "r+");
    world.hear(pull, ":lock: Auto-squashing failed").await;
    let head = world.head(pull);
    world.until_status(head, "homu", StatusState::Error).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn squash_makes_one_commit_of_the_pull_with_its_title_and_body() {
    let world = World::start_with(with("")).await;
    let before = world.base();
    let pull = pull_of(&world, "house", &FIXED_UP[..2]);
    world.tell(pull, "squash r+");
    let tested = land(&world, pull).await;
    let parents = world.practice.parents(REPO, tested).unwrap();
    assert_eq!(parents[0], before);
    assert_eq!(world.practice.parents(REPO, parents[1]).unwrap(), [before]);
    let message = world.practice.message(REPO, parents[1]).unwrap();
    insta::assert_snapshot!(message, @r"
    Change house

    Why it is good.

    cc @carol
    ");
    world
        .until("the title says so", |practice| {
            practice.pull(REPO, pull).unwrap().title == "[merged] Change house"
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_who_wrote_a_squashed_commit_is_named_and_no_ci_is_told_to_skip_the_merge() {
    let world = World::start_with(with("")).await;
    for (message, file, author) in [
        ("Add the door", "door", "bob"),
        (
            "Add the window [skip ci]\n\nReviewed-by: Dan <dan@x>",
            "window",
            "carol",
        ),
    ] {
        let files = [(file, "1")];
        let made = world.practice.commit(REPO, "house", files, message, author);
        made.unwrap();
    }
    let body = "Why.\n\nCo-authored-by: Eve <1+eve[bot]@x>\n";
    let pull = world
        .practice
        .open_pull(REPO, "house", BASE, "House [ci skip]", body, "bob");
    let pull = pull.unwrap();
    world.tell(pull, "squash r+");
    let tested = land(&world, pull).await;
    let squashed = world.practice.parents(REPO, tested).unwrap()[1];
    let message = world.practice.message(REPO, squashed).unwrap();
    let (before, carol) = message.split_once("Co-authored-by: carol <").unwrap();
    assert_eq!(
        before,
        "House (ci skip)\n\nWhy.\n\nCo-authored-by: Eve <1+eve[bot]@x>\n\
         Reviewed-by: Dan <dan@x>\n"
    );
    assert_eq!(carol.lines().count(), 1, "{message}");
    let merge = world.practice.message(REPO, tested).unwrap();
    assert!(!merge.contains("[ci skip]"), "{merge}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mirror_github_makes_the_merge_and_says_what_conflicts() {
    let settings = Settings {
        git: "local_git = false".to_owned(),
        ..with("")
    };
    let world = World::start_with(settings).await;
    let before = world.base();
    let pull = world.open_pull("good", &[("a", "1")]);
    let other = world.open_pull("other", &[("a", "2")]);
    world.tell(pull, "r+");
    let tested = pass(&world, pull, REPO).await;
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    assert_eq!(world.base(), tested);
    world.assert_landed_once(pull, before);
    world.tell(other, "r+");
    world.hear(other, ":lock: Merge conflict").await;
    assert!(
        !world.path("cache/widgets/FETCH_HEAD").exists(),
        "nothing was fetched"
    );
}

/// Homu takes as many.
const CALLS_WITHOUT_A_MIRROR_MAX: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mirror_a_merge_costs_at_most_twelve_calls() {
    let settings = Settings {
        git: "local_git = false".to_owned(),
        ..with("")
    };
    let world = World::start_with(settings).await;
    let first = world.open_pull("first", &[("a", "1")]);
    let pull = world.open_pull("good", &[("b", "1")]);
    world.tell(first, "r+");
    pass(&world, first, REPO).await;
    world.hear(first, ":sunny: Test successful").await;
    world
        .until_status(world.head(first), "homu", StatusState::Success)
        .await;
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    world.until_logged(" swept ", 1).await;
    let asked = world.practice.requests().len();
    let before = world.practice.api_calls();
    world.tell(pull, "r+");
    pass(&world, pull, REPO).await;
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    world
        .until_status(world.head(pull), "homu", StatusState::Success)
        .await;
    let calls = world.practice.api_calls() - before;
    let requests = world.practice.requests().split_off(asked);
    let lines: Vec<_> = requests
        .iter()
        .map(|request| format!("{} {}", request.method, request.path))
        .collect();
    assert!(
        calls <= CALLS_WITHOUT_A_MIRROR_MAX,
        "{calls} calls:\n{lines:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_run_merges_on_the_same_branch_at_that_moment_does_not_land() {
    let settings = Settings {
        git: "local_git = false".to_owned(),
        ..with("")
    };
    let world = World::start_with(settings).await;
    world.expects("merge into auto, which moves meanwhile");
    let before = world.base();
    let withdrawn = world.open_pull("withdrawn", &[("b", "1")]);
    let pull = world.open_pull("good", &[("a", "1")]);
    let (practice, other) = (world.practice.clone(), world.head(withdrawn));
    let merges = Calls::to("POST", "/merges").nth(1);
    world.practice.faults().before(merges, move |_| {
        practice.set_branch(REPO, "auto", other, "bors").unwrap();
    });
    world.tell(pull, "r+");
    pass(&world, pull, REPO).await;
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    world.assert_landed_once(pull, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_tested_on_a_fork_lands_in_the_repository_itself() {
    let settings = with("test-on-fork = { owner = \"testers\", name = \"widgets\" }");
    let mut world = World::prepare(settings).await;
    let fork = "testers/widgets";
    world.practice.fork(REPO, "testers").unwrap();
    world
        .practice
        .add_collaborator(fork, crate::world::BOT, paprq_practice::Permission::Write)
        .unwrap();
    let hook = world
        .practice
        .add_webhook(fork, "http://127.0.0.1:9/", crate::world::SECRET)
        .unwrap();
    world.start_server();
    world.until_logged("serving address=", 1).await;
    let webhook = format!("http://{}/github", world.address());
    world.practice.move_webhook(fork, hook, &webhook).unwrap();
    let before = world.base();
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    let tested = pass(&world, pull, fork).await;
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    assert_eq!(world.base(), tested);
    world.assert_landed_once(pull, before);
    assert_eq!(world.practice.branch(REPO, "auto").unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_branch_is_moved_once_the_commit_has_our_status() {
    let world = World::start_with(with("")).await;
    world.practice.protect_branch(REPO, BASE, "homu").unwrap();
    let before = world.base();
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    let tested = pass(&world, pull, REPO).await;
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    world.assert_landed_once(pull, before);
    let status = world.practice.status(REPO, tested, "homu").unwrap();
    assert_eq!(status.state, StatusState::Success);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_green_pull_that_is_up_to_date_lands_without_a_test() {
    let world = World::start_with(with("status_based_exemption = true")).await;
    let before = world.base();
    let pull = world.open_pull("good", &[("a", "1")]);
    let head = world.head(pull);
    world
        .practice
        .set_status(REPO, head, "ci", StatusState::Success)
        .unwrap();
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    world.hear(pull, ":zap: Test exempted:").await;
    assert_eq!(world.count(pull, ":hourglass:"), 0);
    let parents = world.practice.parents(REPO, world.base()).unwrap();
    assert_eq!(parents, [before, head]);
    assert_eq!(world.practice.branch(REPO, "auto").unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn githubs_own_merge_that_is_green_and_the_same_lands_without_a_test() {
    let world = World::start_with(with("status_based_exemption = true")).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    world
        .practice
        .commit(REPO, BASE, [("b", "1")], "Move on", "alice")
        .unwrap();
    let test_merge = githubs_merge(&world, pull).await;
    world
        .practice
        .set_status(REPO, test_merge, "ci", StatusState::Success)
        .unwrap();
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    world.hear(pull, ":zap: Test exempted:").await;
    assert_eq!(world.count(pull, ":hourglass:"), 0);
}

/// GitHub makes its merge of a pull when somebody looks at that.
async fn githubs_merge(world: &World, pull: PullNumber) -> CommitId {
    let address = format!("{}/repos/{REPO}/pulls/{pull}", world.practice.api_url());
    let looked = reqwest::get(address).await.unwrap();
    let looked: serde_json::Value = looked.json().await.unwrap();
    let test_merge = looked["merge_commit_sha"].as_str().unwrap();
    test_merge.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_green_on_another_base_or_with_another_content_is_tested() {
    for forged in [Forged::OnTheOldBase, Forged::OfAnotherContent] {
        let world = World::start_with(with("status_based_exemption = true")).await;
        let pull = world.open_pull("good", &[("a", "1")]);
        let head = world.head(pull);
        let old = githubs_merge(&world, pull).await;
        let before = world
            .practice
            .commit(REPO, BASE, [("b", "1")], "Move on", "alice")
            .unwrap();
        let test_merge = match forged {
            Forged::OnTheOldBase => old,
            Forged::OfAnotherContent => {
                let tree = format!("{head}^{{tree}}");
                let (base, head) = (before.to_string(), head.to_string());
                let commit = ["commit-tree", "-p", &base, "-p", &head, "-m", "x", &tree];
                git(&world, &commit).parse().unwrap()
            }
        };
        // Once it is made for this base, it is not made again when it is fetched.
        githubs_merge(&world, pull).await;
        let name = format!("refs/pull/{pull}/merge");
        git(&world, &["update-ref", &name, &test_merge.to_string()]);
        for commit in [head, test_merge] {
            let practice = &world.practice;
            practice
                .set_status(REPO, commit, "ci", StatusState::Success)
                .unwrap();
        }
        world.tell(pull, "r+");
        pass(&world, pull, REPO).await;
        world.until_merged(pull).await;
        world.hear(pull, ":sunny: Test successful").await;
        world.assert_landed_once(pull, before);
    }
}

/// What GitHub's own merge may be that is not ours.
#[derive(Clone, Copy)]
enum Forged {
    OnTheOldBase,
    OfAnotherContent,
}

/// What git says on GitHub's side.
fn git(world: &World, words: &[&str]) -> String {
    let output = std::process::Command::new("git")
        .arg("--git-dir")
        .arg(world.practice.repo_dir(REPO).unwrap())
        .args(["-c", "user.name=x", "-c", "user.email=x@example.org"])
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_is_not_known_to_be_green_is_tested() {
    let world = World::start_with(with("status_based_exemption = true")).await;
    let before = world.base();
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    pass(&world, pull, REPO).await;
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    world.assert_landed_once(pull, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_landing_that_makes_another_pull_unmergeable_is_named_to_it_at_no_call() {
    let world = World::start_with(with("")).await;
    // A pull that is opened while the first sweep lists them is asked for once.
    world.until_logged("swept", 1).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    let other = world.open_pull("other", &[("a", "2")]);
    let apart = world.open_pull("apart", &[("b", "2")]);
    world
        .until_logged("check mergeability into master", 1)
        .await;
    world.tell(pull, "r+");
    pass(&world, pull, REPO).await;
    world.until_merged(pull).await;
    let told = world.hear(other, ":umbrella:").await;
    assert!(told.contains(&format!("(presumably #{pull})")), "{told}");
    assert_eq!(world.count(apart, ":umbrella:"), 0);
    let asked = world.practice.requests();
    let about = format!("/pulls/{other}");
    let asked = asked
        .iter()
        .filter(|request| request.path.ends_with(&about));
    assert_eq!(asked.count(), 0, "GitHub was not asked");
    let by_hand = world
        .practice
        .commit(REPO, BASE, [("a", "3"), ("b", "3")], "Move on", "alice")
        .unwrap();
    let told = world.hear(apart, ":umbrella:").await;
    assert!(told.contains(&format!("(presumably {by_hand})")), "{told}");
    assert_eq!(world.count(other, ":umbrella:"), 1, "once for each change");
}
