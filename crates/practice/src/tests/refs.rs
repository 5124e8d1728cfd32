//! Moving branches: merges, objects, protection, and messages that close pulls.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn merging_says_whether_there_was_something_to_merge() {
    let site = site().await;
    let head = site.change("topic", "topic.txt");
    let before = site.master();
    let path = format!("/repos/{REPO}/merges");
    let body = json!({"base": "master", "head": head.to_string(), "commit_message": "M"});
    let (status, answer) = site.call("POST", &path, body.clone()).await;
    assert_eq!((status, &answer["commit"]["message"]), (201, &json!("M")));
    let parents = site.practice.parents(REPO, site.master()).unwrap();
    assert_eq!(parents, [before, head]);
    assert_eq!(site.call("POST", &path, body).await.0, 204);
    site.practice
        .commit(REPO, "rival", [("topic.txt", "other\n")], "R", "octo")
        .unwrap();
    site.practice
        .set_branch(REPO, "old", before, "octo")
        .unwrap();
    let other = [("topic.txt", "third\n")];
    site.practice
        .commit(REPO, "old", other, "O", "octo")
        .unwrap();
    let body = json!({"base": "master", "head": "old"});
    assert_eq!(site.call("POST", &path, body).await.0, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_made_of_a_tree_and_becomes_a_branch() {
    let site = site().await;
    let master = site.master().to_string();
    let commits = format!("/repos/{REPO}/git/commits");
    let (status, read) = site
        .call("GET", &format!("{commits}/{master}"), Value::Null)
        .await;
    assert_eq!((status, &read["message"]), (200, &json!("Initial commit")));
    let body = json!({
        "message": "Squashed",
        "tree": read["tree"]["sha"],
        "parents": [master],
        "author": {"name": "A", "email": "a@example.org", "date": "2020-01-02T03:04:05Z"},
    });
    let (status, made) = site.call("POST", &commits, body).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["author"]["date"], "2020-01-02T03:04:05Z");
    assert_eq!(made["committer"]["name"], "A");
    assert_eq!(made["parents"][0]["sha"], master);
    let refs = format!("/repos/{REPO}/git/refs");
    let body = json!({"ref": "refs/heads/made", "sha": made["sha"]});
    assert_eq!(site.call("POST", &refs, body).await.0, 201);
    let tip = site.practice.branch(REPO, "made").unwrap().unwrap();
    assert_eq!(site.practice.message(REPO, tip).unwrap(), "Squashed");
    let body = json!({"message": "M", "tree": master, "parents": []});
    assert_eq!(site.call("POST", &commits, body).await.0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_branch_moves_by_rest_only_to_what_has_its_status() {
    let site = site().await;
    let head = site.change("topic", "topic.txt");
    site.practice
        .protect_branch(REPO, "master", "homu")
        .unwrap();
    let path = format!("/repos/{REPO}/git/refs/heads/master");
    let body = json!({"sha": head.to_string()});
    for (state, how) in [
        (None, "expected"),
        (Some(StatusState::Pending), "pending"),
        (Some(StatusState::Failure), "failing"),
    ] {
        if let Some(state) = state {
            site.practice.set_status(REPO, head, "homu", state).unwrap();
        }
        let (status, answer) = site.call("PATCH", &path, body.clone()).await;
        let message = format!("Required status check \"homu\" is {how}.");
        assert_eq!((status, &answer["message"]), (422, &json!(message)));
    }
    assert_eq!(site.call("DELETE", &path, Value::Null).await.0, 422);
    let merge = json!({"base": "master", "head": "topic"});
    let merges = format!("/repos/{REPO}/merges");
    site.change("other", "other.txt");
    let other = json!({"base": "other", "head": "topic"});
    assert_eq!(site.call("POST", &merges, other).await.0, 201);
    assert_eq!(site.call("POST", &merges, merge).await.0, 422);
    site.practice
        .set_status(REPO, head, "homu", StatusState::Success)
        .unwrap();
    assert_eq!(site.call("PATCH", &path, body).await.0, 200);
    assert_eq!(site.master(), head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_to_a_protected_branch_is_refused_in_githubs_words() {
    let site = site().await;
    let url = site.git_url("bot-token");
    site.git("copy", &["clone", "-q", &url, "."]).await.unwrap();
    let commit = ["commit", "-q", "--allow-empty", "-m", "More"];
    site.git("copy", &commit).await.unwrap();
    site.practice
        .protect_branch(REPO, "master", "homu")
        .unwrap();
    let push = ["push", "-q", "origin", "HEAD:master"];
    let refused = site.git("copy", &push).await.unwrap_err();
    for words in [
        "GH006: Protected branch update failed for refs/heads/master.",
        "Required status check \"homu\" is expected.",
        "[remote rejected]",
    ] {
        assert!(refused.contains(words), "{refused}");
    }
    let before = site.master();
    let tmp = ["push", "-q", "origin", "HEAD:homu-tmp"];
    site.git("copy", &tmp).await.unwrap();
    let head = site.practice.branch(REPO, "homu-tmp").unwrap().unwrap();
    assert_ne!(head, before);
    site.practice
        .set_status(REPO, head, "homu", StatusState::Success)
        .unwrap();
    site.git("copy", &push).await.unwrap();
    assert_eq!(site.master(), head);
    site.practice.unprotect_branch(REPO, "master").unwrap();
    site.git("copy", &commit).await.unwrap();
    site.git("copy", &push).await.unwrap();
    assert_ne!(site.master(), head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_on_the_default_branch_closes_the_pulls_that_its_message_names() {
    let site = site().await;
    let (named, merged) = (site.pull("named"), site.pull("merged"));
    let message = format!("Rebased\n\nCloses: #{named}\nApproved by: octo\n");
    let change = [("a.txt", "a\n")];
    let aside = site.practice.commit(REPO, "aside", change, &message, "bot");
    aside.unwrap();
    assert_eq!(site.state(named), PullState::Open);
    let receiver = Receiver::default();
    receiver.listen(&site);
    let body = json!({"base": "master", "head": "aside", "commit_message": "M"});
    let path = format!("/repos/{REPO}/merges");
    assert_eq!(site.call("POST", &path, body).await.0, 201);
    delivered(&site).await;
    assert_eq!(site.state(named), PullState::Closed);
    assert_eq!(site.state(merged), PullState::Open);
    assert_eq!(receiver.names(), ["push", "pull_request closed"]);
    // A pull whose own head arrives is merged, whatever the message says.
    let message = format!("Merge\n\nFixes #{merged}");
    let body = json!({"base": "master", "head": "merged", "commit_message": message});
    assert_eq!(site.call("POST", &path, body).await.0, 201);
    assert_eq!(site.state(merged), PullState::Merged);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_was_just_pushed_is_shown_to_all_who_ask_at_once() {
    let site = site().await;
    let pull = site.pull("topic");
    let path = format!("/repos/{REPO}/pulls/{pull}");
    for round in 0..20 {
        site.change("topic", &format!("{round}.txt"));
        let ask = || site.request("GET", &path, "bot-token").send();
        let asked: Vec<_> = (0..8).map(|_| tokio::spawn(ask())).collect();
        for answer in asked {
            assert_eq!(answer.await.unwrap().unwrap().status(), 200);
        }
    }
}
