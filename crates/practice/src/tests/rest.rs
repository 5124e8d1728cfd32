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

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_told_by_their_names_and_a_withdrawn_one_is_gone_at_once() {
    let site = site().await;
    for (login, may) in [
        ("ann", Permission::Admin),
        ("wim", Permission::Write),
        ("ron", Permission::Read),
    ] {
        site.practice.add_collaborator(REPO, login, may).unwrap();
    }
    let people = format!("/repos/{REPO}/collaborators");
    for (login, permission, is_one) in [
        ("ann", "admin", 204),
        ("wim", "write", 204),
        ("ron", "read", 204),
        ("guest", "read", 404),
    ] {
        let path = format!("{people}/{login}");
        assert_eq!(site.call("GET", &path, Value::Null).await.0, is_one);
        let path = format!("{path}/permission");
        let (status, answer) = site.call("GET", &path, Value::Null).await;
        assert_eq!((status, &answer["permission"]), (200, &json!(permission)));
    }
    let unknown = format!("{people}/nobody/permission");
    assert_eq!(site.call("GET", &unknown, Value::Null).await.0, 404);
    site.practice.remove_collaborator(REPO, "wim").unwrap();
    let path = format!("{people}/wim");
    assert_eq!(site.call("GET", &path, Value::Null).await.0, 404);
    let (_, answer) = site
        .call("GET", &format!("{path}/permission"), Value::Null)
        .await;
    assert_eq!(answer["permission"], "read");
    site.practice
        .add_collaborator(REPO, "ann", Permission::Read)
        .unwrap();
    let path = format!("{people}/ann/permission");
    let (_, answer) = site.call("GET", &path, Value::Null).await;
    assert_eq!(answer["permission"], "read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_is_changed_over_rest_and_the_webhook_says_what_it_was() {
    let site = site().await;
    let number = site.pull("topic");
    site.practice
        .set_branch(REPO, "next", site.master(), "octo")
        .unwrap();
    let receiver = Receiver::default();
    receiver.listen(&site);
    let path = format!("/repos/{REPO}/pulls/{number}");
    let body = json!({"base": "nowhere"});
    assert_eq!(site.call("PATCH", &path, body).await.0, 422);
    let body = json!({"title": "T", "body": "B", "base": "next"});
    let (status, answer) = site.call("PATCH", &path, body).await;
    assert_eq!((status, &answer["base"]["ref"]), (200, &json!("next")));
    let (_, answer) = site.call("PATCH", &path, json!({"state": "closed"})).await;
    assert_eq!(
        (&answer["state"], &answer["merged"]),
        (&json!("closed"), &json!(false))
    );
    let body = json!({"title": "[merged] T"});
    assert_eq!(site.call("PATCH", &path, body).await.0, 200);
    delivered(&site).await;
    assert_eq!(
        receiver.names(),
        [
            "pull_request edited",
            "pull_request closed",
            "pull_request edited"
        ]
    );
    let changes = &receiver.all()[0].payload()["changes"];
    assert_eq!(changes["title"]["from"], "A change");
    assert_eq!(changes["body"]["from"], "Please.");
    assert_eq!(changes["base"]["ref"]["from"], "master");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_comment_is_told_with_its_old_text_and_any_delivery_once_more() {
    let site = site().await;
    let number = site.pull("topic");
    let receiver = Receiver::default();
    let id = site.practice.comment(REPO, number, "guest", "r+").unwrap();
    receiver.listen(&site);
    site.practice.edit_comment(REPO, id, "octo", "r-").unwrap();
    delivered(&site).await;
    let delivery = site.practice.deliveries()[0].id;
    site.practice.redeliver(delivery).unwrap();
    delivered(&site).await;
    let arrived = receiver.all();
    assert_eq!(receiver.names(), ["issue_comment edited"; 2]);
    assert_eq!(arrived[0].guid, arrived[1].guid);
    assert_eq!(arrived[0].body, arrived[1].body);
    let payload = arrived[0].payload();
    assert_eq!(payload["changes"]["body"]["from"], "r+");
    assert_eq!(payload["comment"]["body"], "r-");
    assert_eq!(payload["comment"]["user"]["login"], "guest");
    assert_eq!(payload["sender"]["login"], "octo");
    assert!(site.practice.redeliver(1).is_err());
}
