//! A story fails if the program logs a fault that the story does not expect, and if it expects one
//! that is not logged.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::world::World;

/// What the program says to a webhook of a repository that it does not have.
const FAULT: &str = "a webhook is about a repository that cfg.toml does not have";

/// A world in which somebody sent such a webhook.
async fn with_a_fault() -> World {
    let world = World::start().await;
    let body = r#"{"zen":"Design for failure.","repository":{"id":7,"full_name":"octo/gadgets"}}"#;
    let answer = reqwest::Client::new()
        .post(format!("http://{}/github", world.address()))
        .header("x-github-event", "ping")
        .header("x-github-delivery", "of-another-repository")
        .header("content-type", "application/json")
        .body(body)
        .send();
    assert!(answer.await.unwrap().status().is_client_error());
    world.until_logged(FAULT, 1).await;
    world
}

/// How a story ends that is over now.
fn end(world: World) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| drop(world)))
        .map_err(|panic| panic.downcast_ref::<String>().unwrap().clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_in_the_log_fails_a_story_that_does_not_expect_it() {
    let said = end(with_a_fault().await).unwrap_err();
    assert!(
        said.contains("faults that this story does not expect"),
        "{said}"
    );
    assert!(said.contains(FAULT), "{said}");
    let world = with_a_fault().await;
    world.tolerates("something else");
    assert!(end(world).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expected_fault_fails_no_story_and_must_be_there() {
    for tolerate in [World::expects, World::tolerates] {
        let world = with_a_fault().await;
        tolerate(&world, FAULT);
        assert_eq!(end(world), Ok(()));
    }
    let world = World::start().await;
    world.tolerates(FAULT);
    assert_eq!(end(world), Ok(()));
    let world = World::start().await;
    world.expects(FAULT);
    let said = end(world).unwrap_err();
    assert!(said.contains("no fault"), "{said}");
}
