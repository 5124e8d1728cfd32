//! `kill -9` of the server at any point: before and after each effect that shows outside.

use paprq_core::ids::{CommitId, PullNumber};
use paprq_practice::{ApiFault, Calls, StatusState};

use crate::world::{REPO, Settings, World};

/// A landing makes at least so many calls that change something at GitHub; statuses that are
/// replaced before they are set are left out.
const EFFECTS_MIN: u64 = 6;

#[derive(Clone, Copy, Debug)]
enum Moment {
    Before,
    After,
}

/// Whether a landing came to the call that was to be its last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reached {
    Yes,
    No,
}

/// Plays a landing whose n-th write kills the server, right before or right after it is applied.
async fn land_with_a_kill(nth: u64, moment: Moment) -> Reached {
    let mut world = World::start_with(Settings::default()).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    let before = world.base();
    let program = world.program();
    let (killed, kill) = tokio::sync::oneshot::channel();
    let killed = std::sync::Mutex::new(Some(killed));
    let act = move |_: &paprq_practice::Arrival| {
        program.kill();
        if let Some(killed) = killed.lock().unwrap().take() {
            // Nobody waits for it where the landing was over already.
            let _over = killed.send(());
        }
    };
    let write = Calls::writes().nth(nth);
    match moment {
        Moment::Before => world.practice.faults().before(write, act),
        Moment::After => world.practice.faults().after(write, act),
    }
    world.tell(pull, "r+");
    let reached = tokio::select! {
        killed = kill => {
            killed.unwrap();
            Reached::Yes
        }
        () = landed(&world, pull, before) => Reached::No,
    };
    world.practice.faults().clear();
    if reached == Reached::Yes {
        world.start_server();
        landed(&world, pull, before).await;
    }
    reached
}

/// Waits until all that a landing shows is there, and there once.
async fn landed(world: &World, pull: PullNumber, before: CommitId) {
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    let (head, tip) = (world.head(pull), world.base());
    world.until_status(head, "homu", StatusState::Success).await;
    world.until_status(tip, "unit", StatusState::Success).await;
    world.assert_landed_once(pull, before);
    let tested = world.practice.branch(REPO, "auto").unwrap();
    assert_eq!(tested, Some(tip));
}

/// Kills at the first write, at the second, and so on until a landing has no more of them.
async fn walk(moment: Moment) {
    let mut nth = 1;
    while land_with_a_kill(nth, moment).await == Reached::Yes {
        nth += 1;
    }
    assert!(nth > EFFECTS_MIN, "only {nth} calls change something");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_any_effect_loses_and_doubles_nothing() {
    walk(Moment::Before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_any_effect_loses_and_doubles_nothing() {
    walk(Moment::After).await;
}

/// Waits until the server has begun so many pushes, none of which GitHub answers.
async fn until_pushed(world: &World, times: usize) {
    let is_push = |request: &paprq_practice::Request| {
        request.method == "POST" && request.path.ends_with("/git-receive-pack")
    };
    let pushed = |practice: &paprq_practice::Practice| {
        let pushes = practice.requests();
        pushes.iter().filter(|request| is_push(request)).count() >= times
    };
    world.until("a push", pushed).await;
}

fn hang_pushes(world: &World) {
    let push = Calls::to("POST", "/git-receive-pack");
    world.practice.faults().api(push, ApiFault::Hang);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_at_which_the_server_ends_three_times_is_given_up() {
    let mut world = World::start_with(Settings::default()).await;
    world.expects("an order is given up: the process ended each time it was under way");
    let pull = world.open_pull("good", &[("a", "1")]);
    let before = world.base();
    hang_pushes(&world);
    world.tell(pull, "r+");
    for times in 1..=3 {
        until_pushed(&world, times).await;
        assert_eq!(world.count(pull, ":boom:"), 0);
        world.program().kill();
        world.start_server();
    }
    let said = world.hear(pull, ":boom: This could not be tested").await;
    assert!(said.contains("ended three times"), "{said}");
    world.until_logged("an order is given up", 1).await;
    world.practice.faults().clear();
    world.tell(pull, "retry");
    world.until_merged(pull).await;
    let parents = world.practice.parents(REPO, world.base()).unwrap();
    assert_eq!(parents.first(), Some(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_to_stop_gives_nothing_up() {
    let mut world = World::start_with(Settings {
        // Their jobs would be lost at each stop.
        local_workers: 0,
        ..Settings::default()
    })
    .await;
    let pull = world.open_pull("good", &[("a", "1")]);
    hang_pushes(&world);
    world.tell(pull, "r+");
    for times in 1..=4 {
        until_pushed(&world, times).await;
        world.stop_server();
        world.start_server();
    }
    until_pushed(&world, 5).await;
    world.stop_server();
    world.practice.faults().clear();
    world.start_server();
    world.hear(pull, ":hourglass: Testing").await;
    assert_eq!(world.count(pull, ":boom:"), 0);
}
