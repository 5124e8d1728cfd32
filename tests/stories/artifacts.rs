//! What a suite leaves is there for everybody, also after a restart of the server.

use crate::world::{Settings, World};

const SUITES: &str = "\
context: unit
sandbox: true
branches: [auto, try]
tests:
  - mkdir -p out && echo '<script>alert(1)</script>' >out/report.html && ln -s /etc/passwd out/link
  - sh fine.sh
artifacts: [out, ../../control, missing]
";

fn settings() -> Settings {
    Settings {
        files: vec![(".papr.yml".to_owned(), SUITES.to_owned())],
        ..Settings::default()
    }
}

async fn get(world: &World, path: &str) -> reqwest::Response {
    paprq::tls::install();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = format!("http://{}{path}", world.address());
    http.get(address).send().await.unwrap()
}

/// The address of the job's page that a comment of the bot links to.
fn job_page(comment: &str) -> String {
    let from = comment.find("/job/").expect("a link to a job");
    let link = comment.split_at(from).1;
    link.split(')').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_suite_leaves_is_there_after_a_restart_and_cannot_act() {
    let mut world = World::start_with(settings()).await;
    let pull = world.open_pull("bad", &[("fine.sh", "exit 3\n")]);
    world.tell(pull, "r+");
    let job = job_page(&world.hear(pull, ":broken_heart: Test failed").await);
    assert!(world.stop_server().success());
    world.start_server();
    let listed = get(
        &world,
        &format!("/api/v1{}/artifacts", job.replace("/job/", "/jobs/")),
    )
    .await;
    let listed: serde_json::Value = listed.json().await.unwrap();
    let files = listed["artifacts"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{listed}");
    assert_eq!(files[0]["path"], "out/report.html");
    let page = get(&world, &job).await.text().await.unwrap();
    assert!(page.contains(">out/report.html</a>"), "{page}");
    let file = get(&world, &format!("{job}/artifacts/out/report.html")).await;
    assert_eq!(file.headers()["content-type"], "text/plain; charset=utf-8");
    assert!(
        file.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("sandbox")
    );
    assert_eq!(file.text().await.unwrap(), "<script>alert(1)</script>\n");
    let log = get(&world, &format!("{job}/log"))
        .await
        .text()
        .await
        .unwrap();
    for line in [
        "### ARTIFACT LEFT OUT: out/link: it is neither a file nor a directory\n",
        "### ARTIFACT LEFT OUT: ../../control: it leads out of the working copy\n",
    ] {
        assert!(log.contains(line), "{log}");
    }
    assert!(!log.contains("missing"), "{log}");
}
