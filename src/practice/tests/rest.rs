//! What bots do over REST beside reading: labels, rights, refs, objects.

use super::*;

async fn labels(site: &Site, method: &str, path: &str, body: Value) -> (u16, Vec<String>) {
    let path = format!("/repos/{REPO}/issues/{path}");
    let (status, answer) = site.call(method, &path, body).await;
    let names = answer.as_array().into_iter().flatten();
    let names = names.filter_map(|label| label["name"].as_str());
    (status, names.map(ToOwned::to_owned).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_added_set_and_taken_off_and_each_change_is_told_once() {
    let site = site().await;
    let receiver = Receiver::default();
    let number = site.pull("topic");
    receiver.listen(&site);
    let all = format!("{number}/labels");
    let body = json!({"labels": ["A", "needs review"]});
    let answer = labels(&site, "POST", &all, body).await;
    assert_eq!(answer, (200, vec!["A".into(), "needs review".into()]));
    // A label is the same in any case, and silent if it is there.
    let answer = labels(&site, "POST", &all, json!(["a"])).await;
    assert_eq!(answer, (200, vec!["A".into(), "needs review".into()]));
    let one = format!("{all}/needs%20review");
    let answer = labels(&site, "DELETE", &one, Value::Null).await;
    assert_eq!(answer, (200, vec!["A".into()]));
    assert_eq!(labels(&site, "DELETE", &one, Value::Null).await.0, 404);
    let answer = labels(&site, "PUT", &all, json!({"labels": ["B"]})).await;
    assert_eq!(answer, (200, vec!["B".into()]));
    assert_eq!(labels(&site, "DELETE", &all, Value::Null).await.0, 204);
    let answer = labels(&site, "GET", &all, Value::Null).await;
    assert_eq!(answer, (200, vec![]));
    delivered(&site).await;
    let told: Vec<String> = receiver
        .all()
        .iter()
        .map(|one| {
            let payload = one.payload();
            let label = payload["label"]["name"].as_str().unwrap().to_owned();
            format!("{} {label}", one.name())
        })
        .collect();
    assert_eq!(
        told,
        [
            "pull_request labeled A",
            "pull_request labeled needs review",
            "pull_request unlabeled needs review",
            "pull_request unlabeled A",
            "pull_request labeled B",
            "pull_request unlabeled B",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_and_its_issue_show_the_labels_that_a_person_put_on() {
    let site = site().await;
    let number = site.pull("topic");
    site.practice.add_label(REPO, number, "x", "octo").unwrap();
    for kind in ["pulls", "issues"] {
        let path = format!("/repos/{REPO}/{kind}/{number}");
        let (_, answer) = site.call("GET", &path, Value::Null).await;
        assert_eq!(answer["labels"][0]["name"], "x", "{kind}");
    }
    site.practice
        .remove_label(REPO, number, "X", "octo")
        .unwrap();
    assert!(site.practice.pull(REPO, number).unwrap().labels.is_empty());
    let again = site.practice.remove_label(REPO, number, "x", "octo");
    assert!(matches!(again, Err(PracticeError::Unknown(_))), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_put_on_no_labels() {
    let site = site().await;
    let number = site.pull("topic");
    let path = format!("/repos/{REPO}/issues/{number}/labels");
    for method in ["POST", "PUT", "DELETE"] {
        let request = site.request(method, &path, "guest-token");
        let answer = request.json(&json!(["x"])).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 403, "{method}");
    }
    assert!(site.practice.pull(REPO, number).unwrap().labels.is_empty());
}
