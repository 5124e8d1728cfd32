//! `@bot r+` tests the merge and lands it; what does not pass does not land.

use paprq_practice::{PullState, StatusState};

use crate::world::{BASE, REPO, Settings, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_good_pull_lands_on_exactly_the_tested_commit() {
    let world = World::start().await;
    let before = world.base();
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    let tested = world.practice.branch(REPO, "auto").unwrap();
    assert_eq!(tested, Some(world.base()));
    world.assert_landed_once(pull, before);
    let head = world.head(pull);
    world.until_status(head, "homu", StatusState::Success).await;
    world
        .until_status(world.base(), "unit", StatusState::Success)
        .await;
    let message = world.practice.message(REPO, world.base()).unwrap();
    assert!(
        message.starts_with(&format!(
            "Auto merge of #{pull} - octo:good, r=alice\n\nChange good"
        )),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_pull_does_not_land_and_says_why_and_lands_when_it_is_mended() {
    let world = World::start().await;
    let before = world.base();
    let pull = world.open_pull("bad", &[("fine.sh", "echo broken; exit 3\n")]);
    world.tell(pull, "r+");
    let why = world.hear(pull, ":broken_heart: Test failed").await;
    assert!(why.contains("Test failed with rc 3."), "{why}");
    world
        .until_status(world.head(pull), "homu", StatusState::Failure)
        .await;
    assert_eq!(world.base(), before);
    let mended = world.push("bad", &[("fine.sh", "echo mended\n")]);
    world.tell(pull, &format!("r+ {mended}"));
    world.until_merged(pull).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_a_push_to_the_base_lands_what_failed() {
    let world = World::start().await;
    let pull = world.open_pull("needs", &[("fine.sh", "test -e settings\n")]);
    world.tell(pull, "r+");
    world.hear(pull, ":broken_heart: Test failed").await;
    let fixed = world
        .practice
        .commit(REPO, BASE, [("settings", "1")], "Settings", "alice")
        .unwrap();
    world.tell(pull, "retry");
    world.until_merged(pull).await;
    let parents = world.practice.parents(REPO, world.base()).unwrap();
    assert_eq!(parents, [fixed, world.head(pull)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflicting_pull_is_told_to_rebase_and_the_queue_goes_on() {
    let world = World::start().await;
    let clashing = world.open_pull("clash", &[("a", "theirs\n")]);
    let other = world.open_pull("other", &[("b", "1")]);
    let before = world
        .practice
        .commit(REPO, BASE, [("a", "ours\n")], "Ours", "alice")
        .unwrap();
    world.tell(clashing, "r+ p=5");
    world.tell(other, "r+");
    let told = world.hear(clashing, ":lock: Merge conflict").await;
    assert!(told.contains("git rebase"), "{told}");
    world
        .until_status(world.head(clashing), "homu", StatusState::Error)
        .await;
    world.until_merged(other).await;
    world.hear(other, ":sunny: Test successful").await;
    world.assert_landed_once(other, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_is_tested_and_never_lands() {
    let world = World::start().await;
    let before = world.base();
    let pull = world.open_pull("tried", &[("a", "1")]);
    world.say("bob", pull, "@bors try");
    world.hear(pull, ":sunny: Try build successful").await;
    world
        .until_status(world.head(pull), "homu", StatusState::Success)
        .await;
    assert_eq!(world.base(), before);
    let tried = world.practice.branch(REPO, "try").unwrap().unwrap();
    let parents = world.practice.parents(REPO, tried).unwrap();
    assert_eq!(parents, [before, world.head(pull)]);
    let seen = world.practice.pull(REPO, pull).unwrap();
    assert_eq!(seen.state, PullState::Open);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_approve_nothing_and_near_misses_get_one_answer() {
    let world = World::start().await;
    let pull = world.open_pull("asked", &[("a", "1")]);
    world.say("mallory", pull, "@bors r+");
    let refused = world.hear(pull, "@mallory: :key:").await;
    assert!(refused.contains("Not in reviewers"), "{refused}");
    world.say("alice", pull, "@bors rty\n@bors treeclose=5");
    world.hear(pull, "@alice: :question:").await;
    world.say("alice", pull, "thank you @bors, good work");
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy: I'm awake I'm awake").await;
    assert_eq!(world.count(pull, "@alice: :question:"), 1);
    assert_eq!(world.said(pull).len(), 3, "{:#?}", world.said(pull));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_while_testing_stops_the_run_and_drops_the_approval() {
    let world = World::start().await;
    let slow = world.open_pull("slow", &[("fine.sh", "sleep 600\n")]);
    let next = world.open_pull("next", &[("b", "1")]);
    world.tell(slow, "r+ p=1");
    world.hear(slow, ":hourglass: Testing").await;
    world.tell(next, "r+");
    let before = world.base();
    world.push("slow", &[("fine.sh", "echo quick\n")]);
    world.until_merged(next).await;
    world.hear(next, ":sunny: Test successful").await;
    world.assert_landed_once(next, before);
    let seen = world.practice.pull(REPO, slow).unwrap();
    assert_eq!(seen.state, PullState::Open);
    assert_eq!(world.count(slow, ":sunny:"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_tree_holds_back_what_is_below_its_priority() {
    let world = World::start().await;
    let waiting = world.open_pull("waiting", &[("a", "1")]);
    let urgent = world.open_pull("urgent", &[("b", "1")]);
    world.tell(waiting, "treeclosed=5");
    world.tell(waiting, "r+");
    world
        .hear(waiting, ":evergreen_tree: The tree is currently closed")
        .await;
    world.tell(urgent, "r+ p=5");
    world.until_merged(urgent).await;
    assert_eq!(world.count(waiting, ":hourglass:"), 0);
    world.tell(urgent, "treeclosed-");
    world.until_merged(waiting).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_suite_file_gets_a_status_and_a_comment_and_the_queue_goes_on() {
    let world = World::start().await;
    let broken = world.open_pull("broken", &[(".papr.yml", "tests: [\n")]);
    let wrong = world.open_pull("wrong", &[(".papr.yml", "sandbox: true\ntest: [a]\n")]);
    let good = world.open_pull("good", &[("a", "1")]);
    for pull in [broken, wrong, good] {
        world.tell(pull, "r+");
    }
    let said = world.hear(broken, ":boom: Invalid `.papr.yml`").await;
    assert!(
        said.contains("file could not be parsed as valid YAML"),
        "{said}"
    );
    let said = world.hear(wrong, ":boom: Invalid `.papr.yml`").await;
    assert!(said.contains("failed to parse 1st testsuite"), "{said}");
    world
        .until_status(world.head(broken), "Red Hat CI", StatusState::Error)
        .await;
    world.until_merged(good).await;
}

/// Some machine's suite, which no worker of these stories can execute.
const FOR_A_MACHINE: &str =
    "context: machine\nhost: {distro: fedora/28/atomic}\nbranches: [auto]\ntests: [make]\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_suite_that_no_worker_can_execute_waits_where_everybody_can_see_it() {
    let world = World::start().await;
    let pull = world.open_pull("machine", &[(".papr.yml", FOR_A_MACHINE)]);
    let head = world.head(pull);
    world
        .until_status(head, "machine", StatusState::Pending)
        .await;
    let page = world.page("/workers").await;
    assert!(page.contains("No worker offers vm"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_address_nothing_that_is_posted_leads_to_our_pages() {
    let world = World::start_with(Settings {
        base_url: String::new(),
        ..Settings::default()
    })
    .await;
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    let said = world.said(pull).join("\n");
    let of_merge = world.practice.statuses(REPO, world.base());
    let of_head = world.practice.statuses(REPO, world.head(pull));
    let on_github = format!("{}/{REPO}/pull/{pull}", world.practice.url());
    let ended = of_merge
        .iter()
        .filter(|status| status.state == StatusState::Success);
    let targets: Vec<_> = ended.map(|status| status.target_url.clone()).collect();
    assert_eq!(targets, [Some(on_github)]);
    let targets = of_merge
        .iter()
        .chain(&of_head)
        .filter_map(|status| status.target_url.clone());
    let posted = targets.chain([said]).collect::<Vec<_>>().join("\n");
    for ours in ["localhost", &world.address(), "/job/", "/queue/"] {
        assert!(!posted.contains(ours), "{ours} is in {posted}");
    }
}
