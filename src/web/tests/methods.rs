//! Which methods each address takes, over the table of all addresses that the router itself makes.

use std::collections::BTreeSet;

use actix_web::App;
use reqwest::{Method, Response, StatusCode};

use super::House;
use crate::web::routes;
use crate::web::routes::Address;

const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "BREW",
];

fn table() -> Vec<Address> {
    let mut table = Vec::new();
    drop(App::new().configure(|config| table = routes(config)));
    table
}

/// An address of this pattern; what is there is that of the sample.
fn address(pattern: &str) -> String {
    let path = pattern
        .replace("{label}", "demo")
        .replace("{labels}", "all")
        .replace("{name}", "none")
        .replace("{path:.*}", "a/b");
    let path = ["{job}", "{number}", "{run}"]
        .iter()
        .fold(path, |path, name| path.replace(name, "1"));
    match pattern {
        "/events" => format!("{path}?queue=all"),
        _ => path,
    }
}

impl House {
    async fn ask(&self, method: &str, pattern: &str) -> Response {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let address = format!("{}{}", self.base, address(pattern));
        self.http.request(method, address).send().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_says_which_methods_it_takes() {
    let house = House::start().await;
    let table = table();
    assert!(table.len() > 25);
    for Address { pattern, allow } in table {
        let taken: BTreeSet<&str> = allow.split(", ").collect();
        assert_eq!(taken.contains("GET"), taken.contains("HEAD"), "{pattern}");
        for method in METHODS {
            let answer = house.ask(method, pattern).await;
            let is_refused = answer.status() == StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(is_refused, !taken.contains(method), "{method} {pattern}");
            if is_refused {
                assert_eq!(answer.headers()["allow"], allow, "{method} {pattern}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_alone_are_those_of_the_whole_answer() {
    let house = House::start().await;
    house.order(house.sample.good).await;
    let names = |answer: &Response| {
        let headers = answer.headers().iter();
        // How long a page is may change with what it says of times.
        let said = headers.filter(|(name, _)| *name != "date" && *name != "content-length");
        let said = said.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let has_length = answer.headers().contains_key("content-length");
        (answer.status(), has_length, said.collect::<BTreeSet<_>>())
    };
    let mut there = 0;
    for Address { pattern, allow } in table() {
        if allow != "GET, HEAD" {
            continue;
        }
        let whole = house.ask("GET", pattern).await;
        let head = house.ask("HEAD", pattern).await;
        assert_eq!(names(&head), names(&whole), "{pattern}");
        there += usize::from(head.status() == StatusCode::OK);
        assert_eq!(head.bytes().await.unwrap().len(), 0, "{pattern}");
    }
    assert!(there > 10, "{there}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_there_by_any_method() {
    let house = House::start().await;
    for method in METHODS {
        assert_eq!(
            house.ask(method, "/nowhere").await.status(),
            StatusCode::NOT_FOUND,
            "{method}"
        );
    }
}
