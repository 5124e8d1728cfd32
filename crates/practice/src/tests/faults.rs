//! What goes wrong as it was ordered: lost, doubled and late webhooks, calls that fail or hang.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_lost_doubled_and_overtaken_as_ordered() {
    let site = site().await;
    let number = site.pull("topic");
    let receiver = Receiver::default();
    receiver.listen(&site);
    let faults = site.practice.faults();
    let comments = || Deliveries::of("issue_comment");
    faults.webhooks(comments().nth(1), HookFault::Drop);
    faults.webhooks(comments().nth(2), HookFault::Duplicate);
    faults.webhooks(comments().nth(3), HookFault::Reorder);
    faults.webhooks(
        comments().nth(5),
        HookFault::Delay(Duration::from_millis(50)),
    );
    for body in ["1", "2", "3", "4", "5", "6"] {
        site.practice.comment(REPO, number, "guest", body).unwrap();
    }
    delivered(&site).await;
    let arrived = receiver.all();
    let bodies: Vec<String> = arrived
        .iter()
        .map(|arrived| {
            arrived.payload()["comment"]["body"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(bodies, ["2", "2", "4", "3", "6", "5"]);
    assert_eq!(arrived[0].guid, arrived[1].guid);
    assert_ne!(arrived[1].guid, arrived[2].guid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_delivery_is_listed_and_made_again_under_its_guid() {
    let site = site().await;
    let number = site.pull("topic");
    let receiver = Receiver::default();
    receiver.listen(&site);
    let all = Deliveries::any().times(1);
    site.practice.faults().webhooks(all, HookFault::Drop);
    site.practice.comment(REPO, number, "guest", "Hi").unwrap();
    delivered(&site).await;
    assert_eq!(receiver.names(), Vec::<String>::new());
    site.practice
        .add_collaborator(REPO, "bot", Permission::Admin)
        .unwrap();
    let hooks = format!("/repos/{REPO}/hooks");
    let (_, hooks) = site.call("GET", &hooks, Value::Null).await;
    let hook = hooks[0]["id"].clone();
    let path = format!("/repos/{REPO}/hooks/{hook}/deliveries");
    let (_, list) = site.call("GET", &path, Value::Null).await;
    let path = format!("{path}/{}/attempts", list[0]["id"]);
    assert_eq!(site.call("POST", &path, Value::Null).await.0, 202);
    delivered(&site).await;
    assert_eq!(receiver.names(), ["issue_comment created"]);
    assert_eq!(receiver.all()[0].guid, list[0]["guid"].as_str().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_fail_break_and_hang_as_ordered_and_apply_only_where_it_says_so() {
    let site = site().await;
    let number = site.pull("topic");
    let path = format!("/repos/{REPO}/issues/{number}/comments");
    let comment = async || {
        let request = site.request("POST", &path, "bot-token");
        let request = request.timeout(Duration::from_millis(500));
        request.json(&json!({"body": "Hi"})).send().await
    };
    let comments = || site.practice.comments(REPO, number).len();
    let posts = || Calls::to("POST", "/comments").nth(1);
    let faults = site.practice.faults();

    faults.api(posts(), ApiFault::Fail(502));
    assert_eq!(comment().await.unwrap().status(), 502);
    faults.clear();
    faults.api(posts(), ApiFault::RetryAfter(7));
    assert_eq!(comment().await.unwrap().headers()["retry-after"], "7");
    faults.clear();
    faults.api(posts(), ApiFault::Refuse);
    assert!(!comment().await.unwrap_err().is_timeout());
    faults.clear();
    faults.api(posts(), ApiFault::Hang);
    assert!(comment().await.unwrap_err().is_timeout());
    assert_eq!(comments(), 0);
    faults.clear();
    faults.api(posts(), ApiFault::ApplyThenBreak);
    assert!(!comment().await.unwrap_err().is_timeout());
    assert_eq!(comments(), 1);
    faults.clear();
    assert_eq!(comment().await.unwrap().status(), 201);
    assert_eq!(comments(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_see_a_write_before_and_after_it_is_applied() {
    let site = site().await;
    let number = site.pull("topic");
    let seen = Arc::new(Mutex::new(Vec::new()));
    for when in ["before", "after"] {
        let (seen, practice) = (Arc::clone(&seen), site.practice.core.clone());
        let watch = move |arrival: &Arrival| {
            let comments = practice.pull(REPO, number).unwrap().comments.len();
            seen.lock()
                .unwrap()
                .push((when, arrival.method.clone(), comments));
        };
        let faults = site.practice.faults();
        match when {
            "before" => faults.before(Calls::writes().nth(1), watch),
            _ => faults.after(Calls::writes().nth(1), watch),
        }
    }
    let path = format!("/repos/{REPO}/issues/{number}/comments");
    for body in [Value::Null, json!({"body": "a"}), json!({"body": "b"})] {
        let method = if body.is_null() { "GET" } else { "POST" };
        site.call(method, &path, body).await;
    }
    let expected = [
        ("before", "POST".to_owned(), 0),
        ("after", "POST".to_owned(), 1),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}
