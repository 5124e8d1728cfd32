//! `kill -9` of the server at any point: before and after each effect that shows outside.

use paprq::practice::Calls;

use crate::world::{REPO, Settings, World};

/// Which calls of a landing are walked through: all that change something at GitHub.
const EFFECTS: u64 = 8;

#[derive(Clone, Copy, Debug)]
enum Moment {
    Before,
    After,
}

/// Plays a landing whose n-th write kills the server, right before or right after it is applied.
async fn land_with_a_kill(nth: u64, moment: Moment) {
    let mut world = World::start_with(Settings::default()).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    let before = world.base();
    let program = world.program();
    let (killed, kill) = tokio::sync::oneshot::channel();
    let killed = std::sync::Mutex::new(Some(killed));
    let act = move |_: &paprq::practice::Arrival| {
        program.kill();
        if let Some(killed) = killed.lock().unwrap().take() {
            killed.send(()).unwrap();
        }
    };
    let write = Calls::writes().nth(nth);
    match moment {
        Moment::Before => world.practice.faults().before(write, act),
        Moment::After => world.practice.faults().after(write, act),
    }
    world.tell(pull, "r+");
    let killed = tokio::time::timeout(crate::world::LIMIT, kill).await;
    world
        .expect(killed, &format!("write {nth} of a landing"))
        .unwrap();
    world.practice.faults().clear();
    world.start_server();
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    let head = world.head(pull);
    world
        .until_status(head, "homu", paprq::practice::StatusState::Success)
        .await;
    world.assert_landed_once(pull, before);
    let tested = world.practice.branch(REPO, "auto").unwrap();
    assert_eq!(tested, Some(world.base()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_any_effect_loses_and_doubles_nothing() {
    for nth in 1..=EFFECTS {
        land_with_a_kill(nth, Moment::Before).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_any_effect_loses_and_doubles_nothing() {
    for nth in 1..=EFFECTS {
        land_with_a_kill(nth, Moment::After).await;
    }
}
