//! What was written for Homu: the configurations of both its lines are good as they are.

use std::collections::BTreeSet;

use super::{err, out, paprq, status};

/// Every key that Homu reads, in either line, with `*` for names that people choose.
const KEYS: &str = include_str!("../homu/keys.txt");

const SAMPLES: [(&str, &str); 2] = [
    ("cfg.servo.toml", include_str!("../homu/cfg.servo.toml")),
    ("cfg.rust.toml", include_str!("../homu/cfg.rust.toml")),
];

/// The environment variables that the samples name.
const VARIABLES: [&str; 14] = [
    "GITHUB_TOKEN",
    "OAUTH_ID",
    "OAUTH_SECRET",
    "SSH_KEY",
    "ADMIN_SECRET",
    "BROWSER_SECRET",
    "BUILDBOT_SECRET",
    "BUILDBOT_PASSWORD",
    "PARSER_SECRET",
    "TRAVIS_TOKEN",
    "DOCS_SECRET",
    "HOOK_PATH",
    "COMPILER_SECRET",
    "LIBRARY_SECRET",
];

/// `paprq check` with these words, where the samples are and with their variables but one.
fn check(words: &[&str], unset: &str) -> std::process::Output {
    let set = VARIABLES.iter().filter(|name| **name != unset);
    paprq(&[&["check"], words].concat())
        .envs(set.map(|name| (*name, format!("value-of-{name}"))))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/homu"))
        .output()
        .unwrap()
}

/// What is said of the repositories and the server, without what to beware of.
fn description(text: &str) -> &str {
    text.split("\nBeware").next().unwrap()
}

#[test]
fn check_finds_the_configurations_of_both_lines_of_homu_good() {
    for (file, text) in SAMPLES {
        let output = check(&["-c", file], "");
        assert_eq!((status(&output), err(&output)), (0, ""), "{file}");
        let labels = text.lines().filter_map(|line| line.strip_prefix("[repo."));
        for label in labels.filter(|line| !line.contains('.')) {
            assert!(out(&output).contains(&format!("[repo.{label}")), "{label}");
        }
        assert!(!out(&output).contains("value-of"), "{}", out(&output));
        for line in out(&output).lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "what is said is long")]
fn check_says_what_becomes_of_the_configuration_of_servos_line() {
    insta::assert_snapshot!(description(out(&check(&["-c", "cfg.servo.toml"], ""))), @r#"
    Server
      listens on   0.0.0.0:54856
      pages        https://build.example.org/homu
      GitHub       https://api.github.com, as the account of the access token
      merges       made in mirrors in cache, fetched from and pushed to
                   https://github.com with the token
      committer    Merge Bot <merge-bot@example.org>
      state        /home/homu/main.db
      logs         storage
      workers      2 in the server, no remote ones
      priorities   p= gives at most 9001; treeclosed=N holds back what is below N
      retries      remembered for 42 d
      at a start   every open pull is read anew from GitHub
      POST /admin  takes the commands of whoever brings the secret
      logging in   on the pages, with an account of GitHub's

    Webhooks, to be set up on GitHub
      payload URL  https://build.example.org/homu/github
      content type application/json
      secret       the one of [repo.LABEL.github]
      events       these, or all:
                   - Issue comments (issue_comment)
                   - Pull requests (pull_request)
                   - Pull request reviews (pull_request_review)
                   - Pull request review comments (pull_request_review_comment)
                   - Pushes (push)
                   - Statuses (status)
                   - Check runs (check_run)
      Buildbot     sends its packets to https://build.example.org/homu/buildbot,
                   with the secret of [repo.LABEL.buildbot]

    [repo.browser] example/browser
      may approve  alice and bob; for one pull, whoever they delegate it to
      may try      carol; whoever may approve
      merges       a merge commit, "Auto merge of #NUMBER - OWNER:BRANCH,
                   r=APPROVER" with the pull's title and body
      branches     auto for approved merges, try for tries (try-CHOOSER for
                   try=CHOOSER); rollup for rollups, in the fork of whoever makes
                   one
      lands when   all of these passed on the very commit that lands:
                   - the commit status "continuous-integration/appveyor/branch"
                   - linux-dev, linux-rel and mac-rel of Buildbot at
                     https://buildbot.example.org
      tries        wait for:
                   - linux-rel and mac-rel of Buildbot at
                     https://buildbot.example.org
      try=linux    has linux-rel instead of Buildbot's other builders
      try=mac      has mac-rel and mac-css instead of Buildbot's other builders
      try=windows  waits for the same as try
      time-out     a run that has not ended after 10 h has failed
      labels       are moved when a pull
                   - is approved: gets S-awaiting-merge, loses S-awaiting-review and
                     S-needs-rebase, unless it has S-blocked
                   - is no longer approved: loses S-awaiting-merge
                   - cannot be merged: gets S-needs-rebase
                   - passed: loses S-awaiting-merge and S-tests-failed
                   - failed: gets S-tests-failed
                   - landed without a test: loses S-awaiting-merge
                   - took too long: gets S-tests-failed
                   - was interrupted: gets S-awaiting-merge
                   - got new commits: gets S-awaiting-review, loses S-tests-failed

    [repo.docs] example/docs
      may approve  alice; for one pull, whoever they delegate it to
      may try      whoever may approve
      merges       a merge commit, "Auto merge of #NUMBER - OWNER:BRANCH,
                   r=APPROVER" with the pull's title and body
      branches     homu-auto for approved merges, homu-try for tries; rollup for
                   rollups, in the fork of whoever makes one
      lands when   all of these passed on the very commit that lands:
                   - the commit status "ci/book"
      tries        wait for the same
      exempt       a merge whose content has all statuses already lands without a
                   test: the pull's head, if it is up to date with the base, or
                   GitHub's test merge, if it is equal to ours
      time-out     a run that has not ended after 10 h has failed

    [repo.parser] example/parser
      may approve  the repository's collaborators, which GitHub is asked each time;
                   for one pull, whoever they delegate it to
      may try      whoever may approve
      merges       no merge commit: the pull's commits are rebased onto the base,
                   with fixup!, squash! and amend! commits put where they belong;
                   each message gets "Closes: #NUMBER" and "Approved by: APPROVER"
      branches     auto for approved merges, try for tries; rollup for rollups, in
                   the fork of whoever makes one
      lands when   all of these passed on the very commit that lands:
                   - the commit status "continuous-integration/travis-ci/push"
      tries        wait for the same
      time-out     a run that has not ended after 2 h has failed
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "what is said is long")]
fn check_says_what_becomes_of_the_configuration_of_rusts_line() {
    insta::assert_snapshot!(description(out(&check(&["-c", "cfg.rust.toml"], ""))), @r#"
    Server
      listens on   127.0.0.1:8000
      pages        https://bors.example.org; requests for other hosts are sent to
                   https://bors.example.org; homu is dropped where a path begins
                   with it
      GitHub       https://api.github.com, as the account of the access token
      merges       made in mirrors in cache, fetched from and pushed to
                   https://github.com with the token
      committer    bors <bors@example.org>
      state        homu.db
      logs         storage
      workers      2 in the server, no remote ones
      priorities   p= gives at most 100; treeclosed=N holds back what is below N
      retries      remembered for 42 d
      at a start   every open pull is read anew from GitHub

    Webhooks, to be set up on GitHub
      payload URL  https://bors.example.org/github
      content type application/json
      secret       the one of [repo.LABEL.github]
      events       these, or all:
                   - Issue comments (issue_comment)
                   - Pull requests (pull_request)
                   - Pull request reviews (pull_request_review)
                   - Pull request review comments (pull_request_review_comment)
                   - Pushes (push)
                   - Statuses (status)
                   - Check runs (check_run)

    Commands that call another service
      crater       by those who may try: https://crater.example.org, called once,
                   and its answer is posted as a comment
      deploy       by those who may approve: https://deploy.example.org, called
                   again whenever comments are read anew

    [repo.compiler] example/compiler
      may approve  whom the Rust project's team service lets approve, asked each
                   time; for one pull, whoever they delegate it to
      may try      whom the team service lets try; whoever may approve
      merges       a merge commit, "Auto merge of #NUMBER - OWNER:BRANCH,
                   r=APPROVER" with the pull's title and body
      branches     auto for approved merges, try for tries in example-ci/compiler;
                   rollup for rollups, in the fork of whoever makes one
      lands when   all of these passed on the very commit that lands:
                   - the check run "auto finished"
      tries        wait for:
                   - the check run "try finished"
      time-out     a run that has not ended after 4 h has failed
      labels       are moved when a pull
                   - is approved: gets S-waiting-on-merge, loses S-waiting-on-review
                     and S-waiting-on-author, unless it has S-blocked or
                     S-waiting-on-team
                   - is no longer approved: gets S-waiting-on-author, loses
                     S-waiting-on-merge
                   - cannot be merged: gets S-waiting-on-author, loses
                     S-waiting-on-merge
                   - passed: gets merged-by-bors, loses S-waiting-on-merge
                   - failed: gets S-waiting-on-review, loses S-waiting-on-merge
                   - took too long: gets S-waiting-on-review, loses
                     S-waiting-on-merge
                   - is tried: gets S-waiting-on-author
                   - passed a try: gets S-waiting-on-review
                   - failed a try: gets S-waiting-on-author
                   - got new commits: gets S-waiting-on-review, loses
                     S-waiting-on-merge, unless it has S-blocked
                   - went into a rollup: gets rollup

    [repo.library] example/library
      may approve  dave; the repository's collaborators, which GitHub is asked each
                   time; whom the Rust project's team service lets approve, asked
                   each time; for one pull, whoever they delegate it to
      may try      whom the team service lets try; whoever may approve
      merges       a merge commit, "Auto merge of #NUMBER - OWNER:BRANCH,
                   r=APPROVER" with the pull's title and body
      branches     auto for approved merges, try for tries; rollup for rollups, in
                   the fork of whoever makes one
      lands when   all of these passed on the very commit that lands:
                   - the commit status "ci/linux"
      tries        wait for the same
      exempt       a merge whose content has all statuses already lands without a
                   test: the pull's head, if it is up to date with the base, or
                   GitHub's test merge, if it is equal to ours
      time-out     a run that has not ended after 10 h has failed
    "#);
}

#[test]
fn check_without_a_file_takes_cfg_json_where_there_is_no_cfg_toml() {
    let json = check(&[], "");
    let toml = check(&["-c", "cfg.servo.toml"], "");
    assert_eq!((status(&json), err(&json)), (0, ""));
    assert_eq!(description(out(&json)), description(out(&toml)));
    assert!(out(&json).contains("\ncfg.json:"), "{}", out(&json));
}

#[test]
fn check_names_each_variable_that_is_not_set() {
    let of_samples = SAMPLES.map(|(_, text)| text).concat();
    for name in VARIABLES {
        assert!(of_samples.contains(&format!("${{{name}}}")), "{name}");
        for (file, _) in SAMPLES
            .iter()
            .filter(|(_, text)| text.contains(&format!("${{{name}}}")))
        {
            let output = check(&["-c", file], name);
            assert_eq!((status(&output), out(&output)), (2, ""), "{name}");
            let told = format!("needs the environment variable {name}, which is not set");
            assert_eq!(err(&output).matches(&told).count(), 1, "{}", err(&output));
        }
    }
}

#[test]
fn every_key_of_homu_is_set_in_one_of_the_samples_and_no_other() {
    let set = SAMPLES.iter().flat_map(|(_, text)| keys(text));
    let set: BTreeSet<String> = set.collect();
    let known: BTreeSet<String> = KEYS.lines().map(str::to_owned).collect();
    let forgotten: Vec<_> = known.difference(&set).collect();
    let invented: Vec<_> = set.difference(&known).collect();
    assert!(
        forgotten.is_empty() && invented.is_empty(),
        "forgotten {forgotten:?}, invented {invented:?}"
    );
}

/// The keys that stand in a file, those of tables too.
fn keys(text: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    go_over(&text.parse().unwrap(), &mut Vec::new(), &mut keys);
    keys
}

fn go_over<'t>(table: &'t toml::Table, path: &mut Vec<&'t str>, keys: &mut BTreeSet<String>) {
    for (key, value) in table {
        path.push(key);
        keys.insert(pattern(path, value.is_table()));
        if let Some(inner) = value.as_table() {
            go_over(inner, path, keys);
        }
        path.pop();
    }
}

/// The path with `*` for names that people choose; label events, which are alike, count as names
/// where a key stands below.
fn pattern(path: &[&str], is_table: bool) -> String {
    let is_name = |at: usize| match (path[..at].first().copied(), at) {
        (Some("hooks" | "repo"), 1) => true,
        (_, 3) => match path[2] {
            "status" | "checks" => is_table || path.len() > 4,
            "labels" => path.len() > 4,
            _ => false,
        },
        (_, 4) => path[3] == "try_choosers",
        _ => false,
    };
    let parts = path.iter().enumerate();
    let parts: Vec<&str> = parts
        .map(|(at, part)| if is_name(at) { "*" } else { part })
        .collect();
    parts.join(".")
}
