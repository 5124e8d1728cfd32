//! Who logs in, what they get, and who gets nothing.

mod browser;
mod forge;

use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use url::Url;

use self::forge::Forge;
use super::{House, LIMIT};
use paprq_core::ids::{Login, PullNumber, RepoLabel};
use paprq_practice::Edit;

/// A house whose GitHub lets people log in.
struct Town {
    house: House,
    forge: Forge,
}

/// A browser that follows nowhere and keeps its one cookie.
struct Browser {
    http: Client,
    cookie: Option<String>,
}

/// A log-in that has been sent to GitHub.
struct Sent {
    address: Url,
}

impl Sent {
    fn query(&self, name: &str) -> String {
        let mut pairs = self.address.query_pairs();
        let pair = pairs.find(|(key, _)| key == name);
        pair.map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    }

    fn state(&self) -> String {
        self.query("state")
    }
}

impl Town {
    async fn start() -> Self {
        let mut forge = None;
        let house = House::start_with(|config, practice| {
            let made = Forge::start(practice.clone());
            config["github"]["web_url"] = made.url.clone().into();
            config["github"]["api_url"] = format!("{}/api/v3", made.url).into();
            config["github"]["app_client_id"] = forge::CLIENT_ID.into();
            config["github"]["app_client_secret"] = forge::CLIENT_SECRET.into();
            forge = Some(made);
        })
        .await;
        let forge = forge.unwrap();
        Self { house, forge }
    }

    /// Approves a pull; it stays approved, for nobody executes its jobs.
    async fn approve(&self, delivery: &str, pull: PullNumber) {
        let text = format!("@{} r+", self.house.sample.bot);
        let sent = self.house.comment(delivery, pull, &text).send().await;
        assert_eq!(sent.unwrap().status(), 202);
        self.house
            .until(async |house| (house.pull(pull).await["approved_by"] == "alice").then_some(()))
            .await;
    }

    fn browser(&self) -> Browser {
        let http = Client::builder().no_proxy().timeout(LIMIT);
        Browser {
            http: http.redirect(Policy::none()).build().unwrap(),
            cookie: None,
        }
    }

    async fn begin(&self, browser: &mut Browser, form: &str) -> Sent {
        let answer = self
            .post(browser, form, ("Sec-Fetch-Site", "same-origin"))
            .await;
        assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
        assert!(
            cookie.contains("; HttpOnly; SameSite=Lax; Path=/; Max-Age=600"),
            "{cookie}"
        );
        browser.cookie = cookie.split(';').next().map(str::to_owned);
        let address = answer.headers()[LOCATION].to_str().unwrap();
        Sent {
            address: address.parse().unwrap(),
        }
    }

    async fn post(&self, browser: &Browser, form: &str, header: (&str, &str)) -> Response {
        let call = browser.http.post(format!("{}/login", self.house.base));
        let call = call
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header(header.0, header.1);
        call.body(form.to_owned()).send().await.unwrap()
    }

    /// Comes back from GitHub.
    async fn back(&self, browser: &Browser, pairs: &[(&str, &str)]) -> Response {
        let mut address: Url = format!("{}/callback", self.house.base).parse().unwrap();
        address.query_pairs_mut().extend_pairs(pairs);
        let mut call = browser.http.get(address);
        if let Some(cookie) = &browser.cookie {
            call = call.header("Cookie", cookie);
        }
        call.send().await.unwrap()
    }

    /// Logs somebody in for what a form wants.
    async fn log_in(&self, login: &str, form: &str) -> Response {
        let mut browser = self.browser();
        let sent = self.begin(&mut browser, form).await;
        let code = self.forge.code(login, &sent.query("code_challenge"));
        self.back(&browser, &[("code", &code), ("state", &sent.state())])
            .await
    }

    fn pull_titles(&self) -> Vec<String> {
        let numbers = (1..20).map(PullNumber);
        let pulls =
            numbers.filter_map(|number| self.house.practice.pull(self.house.sample.repo, number));
        pulls.map(|pull| pull.title).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollup_holds_what_merges_and_names_what_does_not() {
    let town = Town::start().await;
    let sample = town.house.sample.clone();
    let chosen = [sample.good, sample.rival, sample.slow];
    for (at, pull) in chosen.iter().enumerate() {
        town.approve(&format!("d{at}"), *pull).await;
    }
    let nums: Vec<_> = chosen
        .iter()
        .rev()
        .map(|pull| format!("num={pull}"))
        .collect();
    let form = format!("cmd=rollup&repo_label=demo&{}", nums.join("&"));
    let answer = town.log_in("bob", &form).await;
    assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
    let address = answer.headers()[LOCATION].to_str().unwrap();
    let number = address.rsplit('/').next().unwrap().parse().unwrap();
    assert_eq!(
        address,
        format!("{}/octo/demo/pull/{number}", town.forge.url)
    );
    let pull = town
        .house
        .practice
        .pull(sample.repo, PullNumber(number))
        .unwrap();
    assert_eq!(pull.title, "Rollup of 2 pull requests");
    assert_eq!(pull.author, Login::new("bob"));
    let facts = town.house.practice.pull(sample.repo, sample.good).unwrap();
    let slow = town.house.practice.pull(sample.repo, sample.slow).unwrap();
    let rival = town.house.practice.pull(sample.repo, sample.rival).unwrap();
    let body = format!(
        "Successful merges:\n\n - #{} ({})\n - #{} ({})\n\nFailed merges:\n\n - #{} ({})\n\n",
        sample.good, facts.title, sample.slow, slow.title, sample.rival, rival.title
    );
    assert!(pull.body.starts_with(&body), "{}", pull.body);
    let again = format!(
        "]({}/queue/demo?prs={},{},{})",
        town.house.base, sample.good, sample.rival, sample.slow
    );
    assert!(pull.body.contains(&again), "{}", pull.body);
    let practice = &town.house.practice;
    let second = practice.parents(sample.repo, pull.head).unwrap();
    let first = practice.parents(sample.repo, second[0]).unwrap();
    assert_eq!(second[1], slow.head);
    let base = practice
        .branch(sample.repo, sample.branch)
        .unwrap()
        .unwrap();
    assert_eq!(first, [base, facts.head]);
    let message = practice.message(sample.repo, second[0]).unwrap();
    let begins = format!("Rollup merge of #{} - ", sample.good);
    assert!(
        message.starts_with(&begins) && message.contains(", r=alice\n\n"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_repository_it_is_makes_rollups_in_it() {
    let town = Town::start().await;
    let sample = town.house.sample.clone();
    town.approve("d", sample.good).await;
    let form = format!("cmd=rollup&repo_label=demo&num={}", sample.good);
    let answer = town.log_in("octo", &form).await;
    assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
    let address = answer.headers()[LOCATION].to_str().unwrap();
    let number = address.rsplit('/').next().unwrap().parse().unwrap();
    // Forking what is one's own would have been an error.
    let pull = town.house.practice.pull(sample.repo, PullNumber(number));
    assert_eq!(pull.unwrap().author, Login::new("octo"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_approved_goes_into_a_rollup() {
    let town = Town::start().await;
    let sample = town.house.sample.clone();
    town.approve("d", sample.good).await;
    let form = format!(
        "cmd=rollup&repo_label=demo&num={}&num={}",
        sample.good, sample.failing
    );
    let before = town.pull_titles();
    let answer = town.log_in("bob", &form).await;
    assert_eq!(answer.status(), 409);
    let page = answer.text().await.unwrap();
    assert!(page.contains(&format!(
        "Not approved as they are now: #{}.",
        sample.failing
    )));
    assert_eq!(town.pull_titles(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_is_finished_once_and_by_the_browser_that_began_it() {
    let town = Town::start().await;
    let form = "cmd=synch&repo_label=demo";
    let (mut mine, mut theirs) = (town.browser(), town.browser());
    let my_sent = town.begin(&mut mine, form).await;
    let their_sent = town.begin(&mut theirs, form).await;
    let code = || town.forge.code("alice", &my_sent.query("code_challenge"));
    let nobody = town.browser();
    let state = my_sent.state();
    for (browser, state) in [
        (&nobody, state.clone()),
        (&theirs, state.clone()),
        (&mine, their_sent.state()),
        (&mine, r#"{"cmd":"synch","repo_label":"demo"}"#.to_owned()),
        (&mine, state.replace("synch", "rollup")),
        (&mine, String::new()),
    ] {
        let answer = town
            .back(browser, &[("code", &code()), ("state", &state)])
            .await;
        assert_eq!(answer.status(), 403, "{state}");
        assert!(
            answer.headers()[SET_COOKIE]
                .to_str()
                .unwrap()
                .contains("Max-Age=0")
        );
        assert!(
            answer
                .text()
                .await
                .unwrap()
                .contains("did not begin this log-in")
        );
    }
    assert_eq!(town.forge.tokens_given(), 0);
    let right = town
        .back(&mine, &[("code", &code()), ("state", &state)])
        .await;
    assert_eq!(right.status(), 303);
    assert_eq!(town.forge.tokens_given(), 1);
    let again = town
        .back(&mine, &[("code", &code()), ("state", &state)])
        .await;
    assert_eq!(again.status(), 403);
    assert!(again.text().await.unwrap().contains("finished before"));
    assert_eq!(town.forge.tokens_given(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_was_meant_for_another_log_in_is_of_no_use() {
    let town = Town::start().await;
    let mut browser = town.browser();
    let sent = town.begin(&mut browser, "cmd=synch&repo_label=demo").await;
    assert_eq!(sent.query("code_challenge_method"), "S256");
    assert_eq!(sent.query("client_id"), forge::CLIENT_ID);
    let redirect = format!("{}/callback", town.house.base);
    assert_eq!(sent.query("redirect_uri"), redirect);
    assert_eq!(sent.query("scope"), "");
    let stolen = town.forge.code("alice", "the challenge of somebody else");
    let answer = town
        .back(&browser, &[("code", &stolen), ("state", &sent.state())])
        .await;
    assert_eq!(answer.status(), 502);
    assert_eq!(town.forge.tokens_given(), 0);
    let mut browser = town.browser();
    let sent = town
        .begin(&mut browser, "cmd=rollup&repo_label=demo&num=1")
        .await;
    assert_eq!(sent.query("scope"), "public_repo");
    let no = [("error", "access_denied"), ("state", &sent.state())];
    let answer = town.back(&browser, &no).await;
    assert_eq!(answer.status(), 403);
    assert!(answer.text().await.unwrap().contains("nothing was done"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_under_another_address_than_ours_says_which_one_to_use() {
    let town = Town::start().await;
    let browser = town.browser();
    let base = &town.house.base;
    let elsewhere = base.replace("127.0.0.1", "localhost");
    for more in [("X-Old-Browser", "yes"), ("Sec-Fetch-Site", "same-origin")] {
        let call = browser.http.post(format!("{elsewhere}/login"));
        let call = call
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Origin", &elsewhere)
            .header(more.0, more.1);
        let answer = call.body("cmd=synch&repo_label=demo").send().await.unwrap();
        assert_eq!(answer.status(), 409, "{more:?}");
        assert!(!answer.headers().contains_key(SET_COOKIE));
        let text = answer.text().await.unwrap();
        let words = format!("at {elsewhere}, but GitHub sends people back to {base}.");
        assert!(text.contains(&words), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_form_begins_nothing() {
    let town = Town::start().await;
    let browser = town.browser();
    let form = "cmd=synch&repo_label=demo";
    for header in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "none"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("X-Nothing", "at all"),
    ] {
        let answer = town.post(&browser, form, header).await;
        assert_eq!(answer.status(), 403, "{header:?}");
        assert!(!answer.headers().contains_key(SET_COOKIE));
    }
    let old = town
        .post(&browser, form, ("Origin", &town.house.base))
        .await;
    assert_eq!(old.status(), 303);
    let ours = ("Sec-Fetch-Site", "same-origin");
    for (form, code) in [
        ("cmd=rollup&repo_label=demo", 400),
        ("cmd=rollup&repo_label=demo&num=x", 400),
        ("cmd=other&repo_label=demo", 400),
        ("repo_label=demo", 400),
        ("cmd=synch&repo_label=unknown", 404),
    ] {
        assert_eq!(
            town.post(&browser, form, ours).await.status(),
            code,
            "{form}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_reviewers_synchronize() {
    let town = Town::start().await;
    let sample = town.house.sample.clone();
    let edit = Edit {
        title: Some("Another title".to_owned()),
        ..Edit::default()
    };
    let practice = &town.house.practice;
    practice
        .edit_pull(sample.repo, sample.good, edit, sample.reviewer)
        .unwrap();
    let refused = town.log_in("bob", "cmd=synch&repo_label=demo").await;
    assert_eq!(refused.status(), 403);
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .contains("@bob is not a reviewer of octo/demo")
    );
    let repo = town.house.engine.repo(&RepoLabel::new("demo")).unwrap();
    let title = || repo.look(|queue| queue.pull(sample.good).unwrap().facts.title.clone());
    assert_ne!(title(), "Another title");
    let done = town.log_in("alice", "cmd=synch&repo_label=demo").await;
    assert_eq!(done.headers()[LOCATION], "/queue/demo");
    town.house
        .until(async |_| (title() == "Another title").then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn approved_pulls_have_boxes_where_people_can_log_in() {
    let town = Town::start().await;
    let sample = town.house.sample.clone();
    town.approve("a", sample.good).await;
    town.approve("b", sample.slow).await;
    let path = format!("/queue/demo?prs={},nonsense,999,", sample.slow);
    let answer = town.house.get(&path).await;
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(
        policy.ends_with(&format!("form-action 'self' {}", town.forge.url)),
        "{policy}"
    );
    assert_eq!(answer.headers()["referrer-policy"], "same-origin");
    let page = answer.text().await.unwrap();
    let boxes = page.split("<input type=\"checkbox\"").skip(1);
    let boxes: Vec<_> = boxes.map(|rest| rest.split('>').next().unwrap()).collect();
    assert_eq!(boxes.len(), 2, "{page}");
    for pick in boxes {
        let is_slow = pick.contains(&format!("value=\"{}\"", sample.slow));
        assert_eq!(pick.contains(" checked"), is_slow, "{pick}");
    }
    assert!(page.contains("Create a rollup</button>"));
    assert!(page.contains("Synchronize</button>"));
    let without = House::start().await;
    let page = without.page("/queue/demo?prs=1").await;
    assert!(!page.contains("<form") && !page.contains("checkbox"));
    assert_eq!(without.get("/callback?code=x&state=y").await.status(), 404);
    let call = without.http.post(format!("{}/login", without.base));
    assert_eq!(call.body("").send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_begin_log_ins_spend_no_calls() {
    let town = Town::start().await;
    for _ in 0..3 {
        let mut browser = town.browser();
        town.begin(&mut browser, "cmd=rollup&repo_label=demo&num=1")
            .await;
    }
    let asked = town.house.practice.requests();
    let about = asked.iter().filter(|call| call.path == "/repos/octo/demo");
    // The sweep asks for its name, and the first log-in whether it is private.
    assert_eq!(about.count(), 2);
}
