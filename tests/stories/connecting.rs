//! What is heard of a repository that is not there.

use crate::world::{Settings, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_name_is_told_once_with_what_to_do_and_then_ever_less_often() {
    let world = World::start_with(Settings {
        tables: "[repo.gone]\nowner = \"octo\"\nname = \"nowhere\"\nreviewers = [\"alice\"]\n\
                 github = { secret = \"s\" }\n"
            .to_owned(),
        ..Settings::default()
    })
    .await;
    world.until_logged("failures=4", 1).await;
    let log = world.log();
    let told: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("the open pull requests cannot be read"))
        .collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    for word in [
        "octo/nowhere",
        world.practice.api_url().as_str(),
        "owner and name",
    ] {
        assert!(told[0].contains(word), "{word}: {}", told[0]);
    }
}
