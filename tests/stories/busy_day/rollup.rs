//! Making a rollup as a person does: from the queue's page, by way of GitHub's log-in.

use std::fmt::Write as _;

use paprq_core::ids::PullNumber;
use paprq_practice::PullState;
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use url::Url;

use crate::world::{LIMIT, REPO, World};

const FORM: &str = "application/x-www-form-urlencoded";

/// Makes a rollup of these pulls in somebody's name; returns its number.
pub(super) async fn make(world: &World, who: &str, pulls: &[PullNumber]) -> PullNumber {
    let http = Client::builder()
        .no_proxy()
        .timeout(LIMIT)
        .redirect(Policy::none())
        .build()
        .unwrap();
    let mut form = "repo_label=widgets&cmd=rollup".to_owned();
    for pull in pulls {
        write!(form, "&num={pull}").unwrap();
    }
    let begun = http
        .post(format!("http://{}/login", world.address()))
        .header(ORIGIN, "https://paprq.example")
        .header("content-type", FORM)
        .body(form)
        .send()
        .await
        .unwrap();
    let cookie = header(&begun, SET_COOKIE.as_str());
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let authorize = Url::parse(&header(&begun, LOCATION.as_str())).unwrap();
    let mut fields: Vec<_> = authorize.query_pairs().into_owned().collect();
    fields.push(("as".to_owned(), who.to_owned()));
    let granted = http
        .post(authorize.as_str().split('?').next().unwrap())
        .header("content-type", FORM)
        .body(encoded(&fields))
        .send()
        .await
        .unwrap();
    let callback = Url::parse(&header(&granted, LOCATION.as_str())).unwrap();
    let ours = format!(
        "http://{}/callback?{}",
        world.address(),
        callback.query().unwrap()
    );
    let made = http.get(ours).header(COOKIE, cookie).send().await.unwrap();
    let status = made.status();
    assert!(
        status.is_redirection() || status == StatusCode::OK,
        "{status}: {}\n{}",
        made.text().await.unwrap(),
        world.log()
    );
    newest(world).await
}

fn encoded(fields: &[(String, String)]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).finish()
}

fn header(response: &Response, name: &str) -> String {
    let value = response.headers().get(name);
    let value = value.unwrap_or_else(|| panic!("no {name} in {response:?}"));
    value.to_str().unwrap().to_owned()
}

async fn newest(world: &World) -> PullNumber {
    let found = world.practice.wait_for(LIMIT, |practice| {
        let pulls = (1..=60).filter_map(|number| practice.pull(REPO, PullNumber(number)));
        let mut rollups = pulls
            .filter(|pull| pull.title.starts_with("Rollup of") && pull.state == PullState::Open);
        rollups.next().map(|pull| pull.number)
    });
    world.expect(found.await, "the rollup")
}
