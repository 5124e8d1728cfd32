//! GitHub and the network as they are on bad days.

use paprq::practice::{ApiFault, Calls, Chaos, Deliveries, HookFault};

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
    let world = World::start().await;
    let pull = world.open_pull("good", &[("a", "1")]);
    let before = world.base();
    let faults = world.practice.faults();
    faults.webhooks(Deliveries::of("pull_request"), HookFault::Drop);
    faults.webhooks(Deliveries::of("push"), HookFault::Drop);
    let practice = world.practice.clone();
    let asked = Calls::to("GET", &format!("/repos/{REPO}/pulls/{pull}"));
    let pushed = std::sync::atomic::AtomicBool::new(false);
    faults.before(asked, move |_| {
        if !pushed.swap(true, std::sync::atomic::Ordering::SeqCst) {
            practice
                .commit(REPO, "good", [("sneaked", "in")], "Sneak in", "bob")
                .unwrap();
        }
    });
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    let sneaked = world
        .practice
        .wait_for(crate::world::LIMIT, |practice| {
            let pull = practice.pull(REPO, pull)?;
            let file = practice.file(REPO, pull.head, "sneaked").ok()??;
            let status = practice.statuses(REPO, pull.head);
            (file == "in").then_some(status)
        })
        .await;
    world.expect(sneaked, "the push");
    // The next command is answered after the landing was refused.
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    assert_eq!(world.base(), before, "{}", world.log());
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
