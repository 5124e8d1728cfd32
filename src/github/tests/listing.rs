//! The list of open pulls: all pages, and only what changed.

use crate::github::scripted::{Scripted, meanwhile};
use crate::github::{ApiError, Listing, Repo};

const FIRST: &str = "GET /repos/octo/hello/pulls?per_page=100";

fn pull(number: u64, title: &str) -> String {
    format!(
        r#"{{"number": {number}, "title": "{title}", "head": {{}}, "base": {{"ref": "main"}},
            "updated_at": "2024-01-02T03:04:05Z"}}"#
    )
}

fn page(pulls: impl IntoIterator<Item = u64>) -> String {
    let pulls: Vec<String> = pulls.into_iter().map(|number| pull(number, "T")).collect();
    format!("[{}]", pulls.join(","))
}

/// One answer of the server: its ETag, whether a page 2 follows, and the body; none is a 304.
type Reply<'a> = (&'a str, &'a str, Option<String>);

/// Reads the list while the server answers so, and returns it with the ETags that were sent.
async fn list(
    server: &mut Scripted,
    repo: &Repo,
    replies: Vec<(&str, Reply<'_>)>,
) -> (Listing, Vec<String>) {
    let repo = repo.clone();
    let read = meanwhile(async move { repo.open_pulls().await });
    let mut etags = Vec::new();
    for (line, (etag, link, body)) in replies {
        let asked = server.expect(line).await;
        etags.push(asked.header("if-none-match").unwrap_or("-").to_owned());
        let headers = [("etag", etag), ("link", link)];
        match body {
            Some(body) => asked.answer_with(200, &headers, &body),
            None => asked.answer_with(304, &headers, ""),
        }
    }
    (read.await.unwrap().unwrap(), etags)
}

fn numbers(listing: &Listing) -> Vec<u64> {
    listing.pulls.iter().map(|pull| pull.number.0).collect()
}

const SECOND: &str = "GET /repositories/1/pulls?page=2";
const NEXT: &str = r#"</repositories/1/pulls?page=2>; rel="next""#;

#[tokio::test]
async fn all_pages_are_asked_for_by_their_own_etags_and_nothing_is_transferred_again() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let replies = vec![
        (FIRST, ("\"a\"", NEXT, Some(page([3, 2])))),
        (SECOND, ("\"b\"", "", Some(page([1])))),
    ];
    let (listing, etags) = list(&mut server, &repo, replies).await;
    assert_eq!(
        (numbers(&listing), listing.unchanged),
        (vec![3, 2, 1], false)
    );
    assert_eq!(etags, ["-", "-"]);
    // A 304 need not repeat the link to the next page.
    let replies = vec![(FIRST, ("\"a\"", "", None)), (SECOND, ("\"b\"", "", None))];
    let (listing, etags) = list(&mut server, &repo, replies).await;
    assert_eq!(
        (numbers(&listing), listing.unchanged),
        (vec![3, 2, 1], true)
    );
    assert_eq!(etags, ["\"a\"", "\"b\""]);
}

#[tokio::test]
async fn a_change_on_a_later_page_is_seen_though_the_first_is_unchanged() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let first = vec![
        (FIRST, ("\"a\"", NEXT, Some(page([3, 2])))),
        (SECOND, ("\"b\"", "", Some(page([1])))),
    ];
    list(&mut server, &repo, first).await;
    let changed = format!("[{}]", pull(1, "new title"));
    let replies = vec![
        (FIRST, ("\"a\"", "", None)),
        (SECOND, ("\"c\"", "", Some(changed))),
    ];
    let (listing, _) = list(&mut server, &repo, replies).await;
    assert!(!listing.unchanged);
    assert_eq!(listing.pulls[2].title, "new title");
}

#[tokio::test]
async fn a_page_that_appears_behind_a_full_unchanged_one_is_found() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let full = vec![(FIRST, ("\"a\"", "", Some(page(1..=100))))];
    list(&mut server, &repo, full).await;
    let behind = "GET /repos/octo/hello/pulls?per_page=100&page=2";
    let replies = vec![
        (FIRST, ("\"a\"", "", None)),
        (behind, ("\"b\"", "", Some(page([101])))),
    ];
    let (listing, _) = list(&mut server, &repo, replies).await;
    assert_eq!((listing.pulls.len(), listing.unchanged), (101, false));
    let replies = vec![(FIRST, ("\"a\"", "", None)), (behind, ("\"b\"", "", None))];
    let (listing, etags) = list(&mut server, &repo, replies).await;
    assert_eq!((listing.pulls.len(), listing.unchanged), (101, true));
    assert_eq!(etags, ["\"a\"", "\"b\""]);
}

#[tokio::test]
async fn a_server_without_etags_is_compared_by_what_it_says() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    for (pulls, unchanged) in [
        (vec![], false),
        (vec![], true),
        (vec![1], false),
        (vec![1], true),
        (vec![], false),
        (vec![], true),
    ] {
        let replies = vec![(FIRST, ("", "", Some(page(pulls))))];
        let (listing, _) = list(&mut server, &repo, replies).await;
        assert_eq!(listing.unchanged, unchanged);
    }
}

#[tokio::test]
async fn a_failure_on_the_way_does_not_make_the_next_list_look_unchanged() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    list(
        &mut server,
        &repo,
        vec![(FIRST, ("\"a\"", "", Some(page([1]))))],
    )
    .await;
    let broken = meanwhile({
        let repo = repo.clone();
        async move { repo.open_pulls().await }
    });
    let asked = server.expect(FIRST).await;
    asked.answer_with(200, &[("etag", "\"b\""), ("link", NEXT)], &page([2]));
    server.expect(SECOND).await.answer(502, "");
    assert!(matches!(
        broken.await.unwrap(),
        Err(ApiError::Transient { .. })
    ));
    let replies = vec![
        (FIRST, ("\"b\"", NEXT, Some(page([2])))),
        (SECOND, ("\"c\"", "", Some(page([1])))),
    ];
    let (listing, etags) = list(&mut server, &repo, replies).await;
    assert_eq!(etags, ["\"a\"", "-"]);
    assert!(!listing.unchanged);
}
