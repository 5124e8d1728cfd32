//! What is asked, and how answers are read.

use crate::github::scripted::{Scripted, TOKEN, meanwhile};
use crate::github::{ApiError, Sorts};
use paprq_core::ids::{BranchName, CommitId, Login, PullNumber, Timestamp};
use paprq_core::queue::event::{CommentSort, Event, PullState, Verdict};
use paprq_core::queue::reports::{Attempt, CheckRunSeen, CheckRunVerdict};

const SHA: &str = "1234567890123456789012345678901234567890";

fn commit() -> CommitId {
    SHA.parse().unwrap()
}

#[tokio::test]
async fn the_bots_name_is_asked_for_with_the_token() {
    let mut server = Scripted::start().await;
    let github = server.client(Default::default(), std::time::Duration::from_secs(9));
    let login = meanwhile(async move { github.login().await });
    let asked = server.expect("GET /user").await;
    assert_eq!(
        asked.header("authorization"),
        Some(format!("Bearer {TOKEN}").as_str())
    );
    assert_eq!(asked.header("accept"), Some("application/vnd.github+json"));
    assert!(asked.header("user-agent").is_some());
    asked.answer(200, r#"{"login": "bot", "id": 1}"#);
    assert_eq!(login.await.unwrap().unwrap(), Login::new("bot"));
}

#[tokio::test]
async fn an_api_below_a_path_is_asked_there() {
    let mut server = Scripted::start().await;
    for path in ["/api/v3", "/api/v3/"] {
        let url = format!("{}{path}", server.url);
        let github = crate::github::GitHub::new(&url, TOKEN, Default::default()).unwrap();
        let login = meanwhile(async move { github.login().await });
        let asked = server.expect("GET /api/v3/user").await;
        asked.answer(200, r#"{"login": "bot"}"#);
        assert!(login.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_pull_is_read_with_what_little_a_server_may_say() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let pull = meanwhile(async move { repo.pull(PullNumber(7)).await });
    let asked = server.expect("GET /repos/octo/hello/pulls/7").await;
    let head = format!(r#"{{"sha": "{SHA}", "ref": "fix"}}"#);
    let body =
        format!(r#"{{"number": 7, "state": "open", "head": {head}, "base": {{"ref": "main"}}}}"#);
    asked.answer(200, &body);
    let facts = pull.await.unwrap().unwrap();
    assert_eq!(facts.head, commit());
    assert_eq!(facts.state, PullState::Open);
    assert_eq!(facts.base, BranchName::new("main"));
}

#[tokio::test]
async fn a_pull_that_is_not_there_is_gone() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let pull = meanwhile(async move { repo.pull(PullNumber(7)).await });
    server
        .next()
        .await
        .answer(404, r#"{"message": "Not Found"}"#);
    assert!(matches!(pull.await.unwrap(), Err(ApiError::Gone)));
}

fn remark(id: u64, second: u32, more: &str) -> String {
    format!(
        r#"{{"id": {id}, "user": {{"login": "ann"}}, "body": "c{id}", "commit_id": "{SHA}",
            "created_at": "2024-01-02T03:04:{second:02}Z"{more}}}"#
    )
}

#[tokio::test]
async fn comments_of_all_sorts_come_oldest_first_without_empty_and_pending_reviews() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let since = Some(Timestamp(1_704_164_645_999));
    let read = meanwhile(async move { repo.comments(PullNumber(7), Sorts::All, since).await });
    let since = "since=2024-01-02T03%3A04%3A05Z";
    let conversation = server.next().await;
    assert_eq!(
        conversation.line,
        format!("GET /repos/octo/hello/issues/7/comments?per_page=100&{since}")
    );
    let link = format!(
        "<{}/repositories/1/issues/7/comments?page=2>; rel=\"next\"",
        server.url
    );
    conversation.answer_with(200, &[("link", &link)], &format!("[{}]", remark(1, 1, "")));
    let second = server
        .expect("GET /repositories/1/issues/7/comments?page=2")
        .await;
    second.answer(200, &format!("[{}]", remark(2, 9, "")));
    let reviews = server
        .expect("GET /repos/octo/hello/pulls/7/reviews?per_page=100")
        .await;
    reviews.answer(
        200,
        &format!(
            "[{}, {}, {}]",
            remark(3, 4, ""),
            remark(4, 4, r#", "state": "PENDING""#),
            remark(5, 4, "").replace("\"c5\"", "null"),
        ),
    );
    let lines = server.next().await;
    assert_eq!(
        lines.line,
        format!("GET /repos/octo/hello/pulls/7/comments?per_page=100&{since}")
    );
    lines.answer(200, &format!("[{}]", remark(6, 6, "")));
    let comments = read.await.unwrap().unwrap();
    let ids: Vec<u64> = comments.iter().map(|comment| comment.key.id).collect();
    assert_eq!(ids, [1, 3, 6, 2]);
    let sorts: Vec<CommentSort> = comments.iter().map(|comment| comment.key.sort).collect();
    use CommentSort::{Issue, Review, ReviewComment};
    assert_eq!(sorts, [Issue, Review, ReviewComment, Issue]);
    assert_eq!(comments[0].author, Login::new("ann"));
}

#[tokio::test]
async fn all_recent_comments_are_found_at_once_but_none_on_issues() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let read = meanwhile(async move { repo.comments_since(Timestamp(0)).await });
    let on = |id, sort: &str, number| {
        let html = format!(r#", "html_url": "https://h/octo/hello/{sort}/{number}#c""#);
        let api = format!(r#", "issue_url": "https://h/repos/octo/hello/issues/{number}""#);
        remark(id, 9, &format!("{html}{api}"))
    };
    let since = "per_page=100&since=1970-01-01T00%3A00%3A00Z";
    let conversation = server.next().await;
    assert_eq!(
        conversation.line,
        format!("GET /repos/octo/hello/issues/comments?{since}")
    );
    conversation.answer(
        200,
        &format!("[{}, {}]", on(1, "pull", 5), on(2, "issues", 6)),
    );
    let lines = server.next().await;
    assert_eq!(
        lines.line,
        format!("GET /repos/octo/hello/pulls/comments?{since}")
    );
    let more = r#", "pull_request_url": "https://h/repos/octo/hello/pulls/8""#;
    lines.answer(200, &format!("[{}]", remark(3, 1, more)));
    let found = read.await.unwrap().unwrap();
    let places: Vec<_> = found
        .iter()
        .map(|on| (on.pull.0, on.comment.key.id))
        .collect();
    assert_eq!(places, [(8, 3), (5, 1)]);
}

#[tokio::test]
async fn an_edited_comment_is_left_out_and_a_line_that_was_begun_before_its_review_is_not() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let read = meanwhile(async move {
        let one = repo.comments(PullNumber(8), Sorts::All, None).await;
        (
            one.unwrap(),
            repo.comments_since(Timestamp(0)).await.unwrap(),
        )
    });
    let place = r#", "pull_request_url": "https://h/repos/octo/hello/pulls/8""#;
    let at = |id, second| {
        let updated = format!(r#"{place}, "updated_at": "2024-01-02T03:04:{second:02}Z""#);
        remark(id, 5, &updated)
    };
    let conversation = format!("[{}, {}]", at(1, 5), at(2, 6));
    server.next().await.answer(200, &conversation);
    server.next().await.answer(200, "[]");
    server.next().await.answer(200, &format!("[{}]", at(3, 9)));
    server.next().await.answer(200, &conversation);
    server.next().await.answer(200, &format!("[{}]", at(3, 9)));
    let (one, all) = read.await.unwrap();
    let of_one: Vec<_> = one.iter().map(|comment| comment.key.id).collect();
    let of_all: Vec<_> = all.iter().map(|found| found.comment.key.id).collect();
    assert_eq!((of_one, of_all), (vec![1, 3], vec![1, 3]));
}

/// Looks for the marker `c9` in three pages and returns what was asked for, and the verdict.
async fn look_for_marker(pages: [String; 3]) -> (Vec<String>, bool) {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let mut look = meanwhile(async move {
        let bot = Login::new("ANN");
        repo.has_comment_with(PullNumber(7), &bot, "c9", Timestamp(0))
            .await
    });
    let mut asked = Vec::new();
    let verdict = loop {
        tokio::select! {
            verdict = &mut look => break verdict.unwrap().unwrap(),
            seen = server.next() => {
                let page = seen.line.rsplit_once("&page=").map_or(1, |(_, page)| page.parse().unwrap());
                let to = |rel: &str, page: usize| format!("</x?a&page={page}>; rel=\"{rel}\", ");
                let mut links = String::new();
                if page > 1 {
                    links += &(to("first", 1) + &to("prev", page - 1));
                }
                if page < 3 {
                    links += &(to("next", page + 1) + &to("last", 3));
                }
                asked.push(page.to_string());
                seen.answer_with(200, &[("link", &links)], &format!("[{}]", pages[page - 1]));
            }
        }
    };
    (asked, verdict)
}

#[tokio::test]
async fn a_marker_is_looked_for_in_the_newest_comments_first_and_in_each_once() {
    let page = |id| remark(id, 1, "");
    let (asked, found) = look_for_marker([page(1), page(2), page(9)]).await;
    assert_eq!((asked.join(" ").as_str(), found), ("1 3", true));
    let (asked, found) = look_for_marker([page(1), page(9), page(3)]).await;
    assert_eq!((asked.join(" ").as_str(), found), ("1 3 2", true));
    let (asked, found) = look_for_marker([page(1), page(2), page(3)]).await;
    assert_eq!((asked.join(" ").as_str(), found), ("1 3 2", false));
}

#[tokio::test]
async fn a_marker_in_somebody_elses_comment_does_not_count() {
    let other = remark(9, 1, "").replace("ann", "eve");
    let (_, found) = look_for_marker([other.clone(), other.clone(), other]).await;
    assert!(!found);
}

#[tokio::test]
async fn statuses_and_check_runs_come_as_the_facts_that_webhooks_tell() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let read = meanwhile(async move {
        let statuses = repo.statuses(commit()).await.unwrap();
        (statuses, repo.check_runs(commit()).await.unwrap())
    });
    let asked = server.next().await;
    assert_eq!(
        asked.line,
        format!("GET /repos/octo/hello/commits/{SHA}/status?per_page=100")
    );
    asked.answer(
        200,
        r#"{"state": "success", "statuses": [{"context": "a", "state": "success"}]}"#,
    );
    let asked = server.next().await;
    let line = format!("GET /repos/octo/hello/commits/{SHA}/check-runs?per_page=100");
    assert_eq!(asked.line, line);
    asked.answer(
        200,
        r#"{"check_runs": [{"id": 7, "name": "b", "status": "completed", "conclusion": "failure",
                            "app": {"id": 3}, "check_suite": {"id": 5},
                            "started_at": "1970-01-01T00:00:01Z",
                            "completed_at": "1970-01-01T00:00:02Z"}]}"#,
    );
    let (statuses, runs) = read.await.unwrap();
    let status = Event::StatusReported {
        commit: commit(),
        context: "a".to_owned(),
        verdict: Verdict::Passed,
        url: None,
        order: None,
    };
    assert_eq!(statuses, [status]);
    let run = CheckRunSeen {
        name: "b".to_owned(),
        verdict: CheckRunVerdict::Failed,
        url: None,
        attempt: Attempt {
            app: 3,
            suite: 5,
            id: 7,
            started_at: Some(Timestamp(1000)),
            completed_at: Some(Timestamp(2000)),
        },
    };
    assert_eq!(runs, [run]);
}

#[tokio::test]
async fn a_branchs_name_is_encoded_but_its_slashes_are_kept() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let branch = BranchName::new("release/ü#1?%2F");
    let read = meanwhile(async move { repo.branch_tip(&branch).await });
    let line = "GET /repos/octo/hello/git/ref/heads/release/%C3%BC%231%3F%252F";
    let body = format!(r#"{{"ref": "…", "object": {{"sha": "{SHA}"}}}}"#);
    server.expect(line).await.answer(200, &body);
    assert_eq!(read.await.unwrap().unwrap(), Some(commit()));
}

#[tokio::test]
async fn only_a_404_means_that_there_is_no_such_branch() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    for (status, is_none) in [(404, true), (500, false), (403, false)] {
        let repo = repo.clone();
        let read = meanwhile(async move { repo.branch_tip(&BranchName::new("main")).await });
        server.next().await.answer(status, "{}");
        assert_eq!(matches!(read.await.unwrap(), Ok(None)), is_none, "{status}");
    }
}

#[tokio::test]
async fn only_who_may_write_may_write() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    for (permission, may) in [
        ("admin", true),
        ("write", true),
        ("read", false),
        ("none", false),
    ] {
        let repo = repo.clone();
        let read = meanwhile(async move { repo.may_write(&Login::new("ann")).await });
        let asked = server
            .expect("GET /repos/octo/hello/collaborators/ann/permission")
            .await;
        asked.answer(200, &format!(r#"{{"permission": "{permission}"}}"#));
        assert_eq!(read.await.unwrap().unwrap(), may, "{permission}");
    }
}

#[tokio::test]
async fn where_permissions_are_not_told_a_collaborator_may_write() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    for (status, may) in [(204, true), (404, false)] {
        let repo = repo.clone();
        let read = meanwhile(async move { repo.may_write(&Login::new("ann")).await });
        server.next().await.answer(404, "");
        let asked = server
            .expect("GET /repos/octo/hello/collaborators/ann")
            .await;
        asked.answer(status, "");
        assert_eq!(read.await.unwrap().unwrap(), may);
    }
    for nobody in ["", ".", ".."] {
        assert!(!repo.may_write(&Login::new(nobody)).await.unwrap());
    }
    assert!(server.is_quiet());
}
