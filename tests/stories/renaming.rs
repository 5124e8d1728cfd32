//! A repository that is renamed or transferred while cfg.toml goes on naming it as before.

use paprq_core::ids::PullNumber;
use paprq_practice::{Deliveries, HookFault, Practice, PullState, StatusState};

use crate::world::{BASE, REPO, Settings, World};

const RENAMED: &str = "octo/gadgets";
const TRANSFERRED: &str = "newcorp/widgets";

/// The answer to a comment that a story has heard may come when the repository has another name.
const OVERTAKEN: &str = "GitHub does not take what we say, and it is given up";

fn with_status() -> Settings {
    Settings {
        repo: "status.ci = { context = \"ci\" }".to_owned(),
        ..Settings::default()
    }
}

async fn approved(world: &World) -> PullNumber {
    world.tolerates(OVERTAKEN);
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    pull
}

async fn until_merged_as(world: &World, repo: &str, pull: PullNumber) {
    world
        .until("it is merged under its new name", |practice| {
            practice.pull(repo, pull).unwrap().state == PullState::Merged
        })
        .await;
    let sunny = |practice: &Practice| {
        let said = practice.comments(repo, pull).into_iter();
        said.filter(|said| said.body.starts_with(":sunny:")).count()
    };
    let said = world.until("it is said to have landed", |practice| sunny(practice) > 0);
    said.await;
    assert_eq!(sunny(&world.practice), 1, "{}", world.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_repository_goes_on_and_the_page_says_what_to_write() {
    let world = World::start().await;
    world.expects("write owner = ");
    world.tolerates("the mirror is not brought up to date");
    world.tolerates("reach the remote");
    world.tolerates(OVERTAKEN);
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    world.practice.rename_repo(REPO, RENAMED).unwrap();
    world
        .practice
        .comment(RENAMED, pull, "alice", "@bors r+")
        .unwrap();
    until_merged_as(&world, RENAMED, pull).await;
    world
        .until_logged("octo/widgets is called octo/gadgets", 1)
        .await;
    let page = world.page("/queue/widgets").await;
    assert!(page.contains("octo/gadgets now. In cfg.toml"), "{page}");
    assert!(world.page("/").await.contains("octo/gadgets now"));
    let told = world.log();
    let told = told
        .lines()
        .filter(|line| line.contains("is called octo/gadgets"));
    assert_eq!(told.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_tested_lands_though_the_repository_was_transferred_meanwhile_unheard() {
    let world = World::start_with(with_status()).await;
    world.expects("write owner = ");
    world.tolerates("the mirror is not brought up to date");
    let pull = approved(&world).await;
    let merge = world.practice.branch(REPO, "auto").unwrap().unwrap();
    let faults = world.practice.faults();
    faults.webhooks(Deliveries::of("repository").times(1), HookFault::Drop);
    world.practice.rename_repo(REPO, TRANSFERRED).unwrap();
    world
        .practice
        .set_status(TRANSFERRED, merge, "ci", StatusState::Success)
        .unwrap();
    until_merged_as(&world, TRANSFERRED, pull).await;
    assert_eq!(
        world.practice.branch(TRANSFERRED, BASE).unwrap(),
        Some(merge)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_was_renamed_while_the_server_was_down_is_found_again() {
    let mut world = World::start_with(with_status()).await;
    world.expects("write owner = ");
    world.tolerates("the mirror cannot be filled yet");
    world.tolerates("the mirror is not brought up to date");
    let pull = approved(&world).await;
    let merge = world.practice.branch(REPO, "auto").unwrap().unwrap();
    world.stop_server();
    world.practice.rename_repo(REPO, RENAMED).unwrap();
    world
        .practice
        .set_status(RENAMED, merge, "ci", StatusState::Success)
        .unwrap();
    world.start_server_of(RENAMED);
    until_merged_as(&world, RENAMED, pull).await;
    // From then on it is asked for by its new name, and git too.
    let next = world
        .practice
        .commit(RENAMED, "next", [("b", "1")], "More", "bob");
    next.unwrap();
    let next = world
        .practice
        .open_pull(RENAMED, "next", BASE, "More", "", "bob");
    let next = next.unwrap();
    world.until_logged("is called octo/gadgets", 1).await;
    let before = world.practice.requests().len();
    world
        .practice
        .comment(RENAMED, next, "alice", "@bors try")
        .unwrap();
    world
        .until("it is being tried", |practice| {
            let said = practice.comments(RENAMED, next);
            said.iter()
                .any(|said| said.body.starts_with(":hourglass: Trying"))
        })
        .await;
    let requests = world.practice.requests();
    let old = requests[before..]
        .iter()
        .filter(|asked| asked.path.contains(REPO));
    assert_eq!(old.count(), 0, "{requests:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_the_old_name_gets_nothing_that_was_meant_for_the_other() {
    let world = World::start_with(with_status()).await;
    world.expects("write owner = ");
    world.tolerates("the mirror is not brought up to date");
    let pull = approved(&world).await;
    let merge = world.practice.branch(REPO, "auto").unwrap().unwrap();
    world.practice.rename_repo(REPO, RENAMED).unwrap();
    world.until_logged("is called octo/gadgets", 1).await;
    world
        .practice
        .create_repo(REPO, [("a", "another")])
        .unwrap();
    let theirs = world.practice.branch(REPO, BASE).unwrap();
    world
        .practice
        .set_status(RENAMED, merge, "ci", StatusState::Success)
        .unwrap();
    until_merged_as(&world, RENAMED, pull).await;
    assert_eq!(world.practice.branch(REPO, BASE).unwrap(), theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_repository_in_cfg_toml_is_not_taken_for_the_former_one() {
    let mut world = World::start().await;
    world.expects("GitHub does not show a pull");
    world.tolerates("the mirror is not brought up to date");
    world.tolerates("post to #1: Awake");
    // What was ordered of the former one's commits.
    world.tolerates("git does not do what an order needs");
    world.tolerates("an order is given up");
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    world.until_logged(" swept ", 1).await;
    world.stop_server();
    let before = world.practice.requests().len();
    world
        .practice
        .create_repo("octo/others", [("a", "b")])
        .unwrap();
    world.rename_in_configuration("others");
    world.start_server();
    world.until_logged(" swept ", 2).await;
    let requests = world.practice.requests();
    let of_former = requests[before..]
        .iter()
        .filter(|asked| asked.path.contains(REPO));
    assert_eq!(of_former.count(), 0, "{requests:#?}");
}
