//! GitHub and the network as they are on bad days.

use paprq_core::ids::CommitId;
use paprq_practice::{ApiFault, Calls, Chaos, Deliveries, HookFault, StatusState};

use crate::world::{BASE, REPO, Settings, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_webhook_is_found_by_the_sweep() {
    let settings = Settings {
        reconcile_s: 1,
        ..Settings::default()
    };
    let world = World::start_with(settings).await;
    let before = world.base();
    world
        .practice
        .faults()
        .webhooks(Deliveries::any(), HookFault::Drop);
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    world.assert_landed_once(pull, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_come_twice_late_or_never_change_nothing_in_the_end() {
    let settings = Settings {
        reconcile_s: 1,
        ..Settings::default()
    };
    let world = World::start_with(settings).await;
    world.practice.faults().chaos(Chaos {
        seed: 7,
        drop: 20,
        duplicate: 30,
        reorder: 30,
    });
    let pulls: Vec<_> = (0..4)
        .map(|number| world.open_pull(&format!("p{number}"), &[(&format!("f{number}"), "1")]))
        .collect();
    for pull in &pulls {
        world.tell(*pull, "r+");
    }
    for pull in &pulls {
        world.until_merged(*pull).await;
        world.hear(*pull, ":sunny: Test successful").await;
        assert_eq!(world.count(*pull, ":pushpin: Commit"), 1);
        assert_eq!(world.count(*pull, ":sunny: Test successful"), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_whose_answer_was_lost_shows_once() {
    let world = World::start().await;
    world.expects("an order is tried again later");
    let pull = world.open_pull("good", &[("a", "1")]);
    let before = world.base();
    let comments = Calls::to("POST", "/comments");
    world
        .practice
        .faults()
        .api(comments, ApiFault::ApplyThenBreak);
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    world.assert_landed_once(pull, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_landing_whose_answer_was_lost_is_read_back() {
    let world = World::start().await;
    world.expects("an order is tried again later");
    let pull = world.open_pull("good", &[("a", "1")]);
    let before = world.base();
    let landing = Calls::to("PATCH", &format!("/git/refs/heads/{BASE}")).times(1);
    world
        .practice
        .faults()
        .api(landing, ApiFault::ApplyThenBreak);
    world.tell(pull, "r+");
    world.hear(pull, ":sunny: Test successful").await;
    world.until_merged(pull).await;
    world.assert_landed_once(pull, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_fail_for_a_while_are_made_again() {
    let world = World::start().await;
    world.expects("an order is tried again later");
    world.tolerates("it answers 502: Planned failure");
    world.tolerates("reach the remote");
    let pull = world.open_pull("good", &[("a", "1")]);
    let before = world.base();
    let faults = world.practice.faults();
    faults.api(Calls::any().times(3), ApiFault::Fail(502));
    faults.api(Calls::to("PATCH", "/git/refs").times(1), ApiFault::Refuse);
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    world.assert_landed_once(pull, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_that_moved_before_the_landing_is_tested_again_without_being_asked() {
    let world = World::start().await;
    let pull = world.open_pull("good", &[("a", "1")]);
    let practice = world.practice.clone();
    world
        .practice
        .faults()
        .before(Calls::to("PATCH", "/git/refs").nth(1), move |_| {
            practice
                .commit(REPO, BASE, [("human", "1")], "By hand", "alice")
                .unwrap();
        });
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    let tip = world.base();
    let files = world.practice.file(REPO, tip, "human").unwrap();
    assert_eq!(files.as_deref(), Some("1"), "what a human pushed is kept");
    let tested = world.practice.branch(REPO, "auto").unwrap();
    assert_eq!(tested, Some(tip));
}

/// One status to wait for, which the story sets.
fn with_status() -> Settings {
    Settings {
        repo: "status.ci = { context = \"ci\" }".to_owned(),
        ..Settings::default()
    }
}

/// Has what is tested found good; returns it.
fn pass(world: &World) -> CommitId {
    let merge = world.practice.branch(REPO, "auto").unwrap().unwrap();
    world
        .practice
        .set_status(REPO, merge, "ci", StatusState::Success)
        .unwrap();
    merge
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_after_a_push_that_nobody_told_never_announces_the_old_commit() {
    let world = World::start().await;
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    let old = world.head(pull);
    let faults = world.practice.faults();
    faults.webhooks(Deliveries::of("pull_request"), HookFault::Drop);
    faults.webhooks(Deliveries::of("push"), HookFault::Drop);
    let new = world.push("good", &[("a", "2")]);
    world.tell(pull, "r+");
    let answers = format!("{new}");
    world
        .until("the new head is named", |practice| {
            let mut comments = practice.comments(REPO, pull).into_iter();
            comments.any(|comment| comment.body.contains(&answers))
        })
        .await;
    let pinned = format!(":pushpin: Commit {old}");
    assert_eq!(world.count(pull, &pinned), 0, "{:?}", world.said(pull));
    // Within one second nobody can say which came first: the reviewer is asked then.
    if world.count(pull, &format!(":pushpin: Commit {new}")) == 0 {
        world.tell(pull, &format!("r+ {new}"));
    }
    world.until_merged(pull).await;
    assert_eq!(world.count(pull, &pinned), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_right_before_the_landing_keeps_the_pull_out() {
    let world = World::start_with(with_status()).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    let (before, head) = (world.base(), world.head(pull));
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    let faults = world.practice.faults();
    faults.webhooks(Deliveries::of("pull_request"), HookFault::Drop);
    faults.webhooks(Deliveries::of("push"), HookFault::Drop);
    let practice = world.practice.clone();
    // From now on it is asked for only by the landing, which is answered after the push.
    let asked = Calls::to("GET", &format!("/repos/{REPO}/pulls/{pull}")).nth(1);
    faults.before(asked, move |_| {
        practice
            .commit(REPO, "good", [("sneaked", "in")], "Sneak in", "bob")
            .unwrap();
    });
    pass(&world);
    world
        .until("the landing is refused or made", |practice| {
            let status = practice.status(REPO, head, "homu");
            let is_stopped = status.is_some_and(|status| status.state == StatusState::Error);
            is_stopped || practice.branch(REPO, BASE).unwrap() != Some(before)
        })
        .await;
    assert_ne!(world.head(pull), head, "it was pushed to");
    assert_eq!(world.base(), before, "{}", world.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_landing_that_is_refused_for_good_ends_with_githubs_reason_and_the_next_turn() {
    const REASON: &str = "At least 1 approving review is required";
    let world = World::start_with(with_status()).await;
    world.expects("an order is given up");
    let (refused, next) = (
        world.open_pull("good", &[("a", "1")]),
        world.open_pull("next", &[("b", "1")]),
    );
    let faults = world.practice.faults();
    let landings = Calls::to("PATCH", &format!("/git/refs/heads/{BASE}"));
    faults.api(landings, ApiFault::Say(422, REASON));
    world.tell(refused, "r+");
    world.hear(refused, ":hourglass: Testing").await;
    world.tell(next, "r+");
    world.hear(next, ":pushpin: Commit").await;
    // The token may not set this status.
    let merge = world.practice.branch(REPO, "auto").unwrap().unwrap();
    let statuses = Calls::to("POST", &format!("/statuses/{merge}"));
    faults.api(statuses, ApiFault::Say(403, "Resource not accessible"));
    pass(&world);
    let said = world.hear(refused, ":eyes: Test was successful").await;
    assert!(said.contains(REASON), "{said}");
    world.hear(next, ":hourglass: Testing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_github_does_not_make_ends_with_its_reason() {
    let settings = Settings {
        git: "local_git = false".to_owned(),
        ..with_status()
    };
    let world = World::start_with(settings).await;
    world.expects("an order is given up");
    world.expects("an order is refused and tried again");
    let faults = world.practice.faults();
    for (branch, path, method, status) in [
        ("one", "/merges", "POST", 403),
        ("two", "/merges", "POST", 404),
        ("three", "/git/refs/heads/auto", "PATCH", 422),
    ] {
        let pull = world.open_pull(branch, &[(branch, "1")]);
        faults.api(
            Calls::to(method, path).times(4),
            ApiFault::Say(status, "The bot may not do this"),
        );
        world.tell(pull, "r+");
        let said = world.hear(pull, ":boom: This could not be tested").await;
        assert!(said.contains(&format!("GitHub answers {status}")), "{said}");
        faults.clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_github_that_is_behind_itself_at_a_landing_is_asked_again() {
    let world = World::start_with(with_status()).await;
    world.expects("an order is refused and tried again");
    for (branch, times, words) in [
        ("one", 1, "Update is not a fast forward"),
        ("two", 2, "Required status check \"homu\" is expected."),
    ] {
        let pull = world.open_pull(branch, &[(branch, "1")]);
        let landings = Calls::to("PATCH", &format!("/git/refs/heads/{BASE}")).times(times);
        world
            .practice
            .faults()
            .api(landings, ApiFault::Say(422, words));
        world.tell(pull, "r+");
        world.hear(pull, ":hourglass: Testing").await;
        let tested = pass(&world);
        world.until_merged(pull).await;
        assert_eq!(world.base(), tested);
        assert_eq!(world.count(pull, ":hourglass: Testing"), 1);
        assert!(
            world.log().contains("landing is tried again"),
            "{}",
            world.log()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_github_does_not_show_for_a_moment_goes_on() {
    let world = World::start_with(with_status()).await;
    world.expects("an order is refused and tried again");
    for (branch, status) in [("one", 404), ("two", 403)] {
        let pull = world.open_pull(branch, &[(branch, "1")]);
        world.tell(pull, "r+");
        world.hear(pull, ":hourglass: Testing").await;
        let asked = Calls::to("GET", &format!("/repos/{REPO}/pulls/{pull}")).times(2);
        world.practice.faults().api(asked, ApiFault::Fail(status));
        // A commit that is not known here has the pull asked for.
        world.tell(pull, "r+ 0123456789abcdef");
        world.hear(pull, ":scream_cat:").await;
        let tested = pass(&world);
        world.until_merged(pull).await;
        assert_eq!(world.base(), tested);
        assert_eq!(world.count(pull, ":hourglass: Testing"), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_whose_calls_hang_or_fail_does_not_delay_another() {
    for fault in [ApiFault::Hang, ApiFault::Fail(500), ApiFault::Refuse] {
        land_beside(fault).await;
    }
}

async fn land_beside(fault: ApiFault) {
    let other = "
[repo.other]
owner = \"octo\"
name = \"other\"
reviewers = [\"alice\"]
github = { secret = \"s\" }";
    let settings = Settings {
        repo: other.to_owned(),
        ..Settings::default()
    };
    let mut world = World::prepare(settings).await;
    world.tolerates("repo.label=other");
    let files = [("a", "1")];
    world.practice.create_repo("octo/other", files).unwrap();
    let faults = world.practice.faults();
    faults.api(Calls::to("GET", "octo/other"), fault);
    world.start_server();
    let pull = world.open_pull("good", &[("a", "1")]);
    let before = world.base();
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    world.assert_landed_once(pull, before);
    let hung = world.practice.requests();
    let hung = hung
        .iter()
        .filter(|request| request.path.contains("octo/other"));
    assert!(hung.count() > 0, "the other repository was asked for");
}
