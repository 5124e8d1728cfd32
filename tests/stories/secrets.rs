//! A secret reaches whom it is for, and nobody else: no fork, no log, no disk, no page.

use std::path::{Path, PathBuf};

use paprq_practice::StatusState;

use crate::world::{LIMIT, Settings, World};

const VALUE: &str = "the-value/of the+secret";

/// Passes where the secret is what it must be, and prints it in several ways.
const SUITES: &str = "\
context: unit
sandbox: true
branches: [auto]
secrets: [TOKEN]
tests:
  - test \"$(printf %s \"$TOKEN\" | sha256sum)\" = \"SUM  -\"
  - echo \"<$TOKEN>\"; printf %s \"$TOKEN\" | base64; echo \"$TOKEN\" >left
  - sh fine.sh
artifacts: [left]
---
context: prints
sandbox: true
branches: []
secrets: [TOKEN]
tests: ['echo \"has: ${TOKEN-none}\"']
";

fn settings() -> Settings {
    use sha2::Digest as _;
    let sum = hex::encode(sha2::Sha256::digest(VALUE));
    let suites = SUITES.replace("SUM", &sum);
    Settings {
        repo: format!("suites = {{ pulls = \"all\" }}\nsecrets = {{ TOKEN = \"{VALUE}\" }}"),
        files: vec![(".papr.yml".to_owned(), suites)],
        ..Settings::default()
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let nested = entries.map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            return files_below(&path);
        }
        vec![path]
    });
    nested.flatten().collect()
}

async fn log_of(world: &World, job: u64) -> String {
    paprq::tls::install();
    let http = reqwest::Client::builder()
        .no_proxy()
        .timeout(LIMIT)
        .build()
        .unwrap();
    let address = format!("http://{}/job/{job}/log", world.address());
    http.get(address)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_reaches_a_merge_and_no_pull_no_log_and_no_file() {
    let world = World::start_with(settings()).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    world
        .until_status(world.head(pull), "prints", StatusState::Success)
        .await;
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    let mut logs = String::new();
    for job in 1..=3 {
        logs += &log_of(&world, job).await;
    }
    assert!(logs.contains("has: none\n"), "{logs}");
    assert!(logs.contains("\n<***>\n***\n"), "{logs}");
    let encoded = "dGhlLXZhbHVl";
    let mut stored = 0;
    for file in files_below(&world.path("")) {
        if file.ends_with("cfg.toml") {
            continue;
        }
        // Files of jobs that end meanwhile are deleted.
        let Ok(bytes) = std::fs::read(&file) else {
            continue;
        };
        stored += usize::from(bytes.ends_with(b"***\n"));
        for hidden in [VALUE, encoded] {
            let found = bytes
                .windows(hidden.len())
                .any(|piece| piece == hidden.as_bytes());
            assert!(!found, "{}", file.display());
        }
    }
    assert!(stored > 0, "the file that was left");
    assert!(!world.log().contains(VALUE));
}
