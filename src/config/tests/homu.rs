//! What was written for Homu, where it is not what one would write for us.

use super::*;

#[test]
fn travis_is_a_commit_status() {
    let repo = repo("travis = { token = '' }");
    assert_eq!(repo.statuses.len(), 1);
    assert_eq!(
        repo.statuses[0].context,
        "continuous-integration/travis-ci/push"
    );
}

#[test]
fn travis_is_waited_for_once() {
    let status = "status.t = { context = 'continuous-integration/travis-ci/push', try = false }";
    let repo = repo(&format!("travis = {{}}\n{status}"));
    assert_eq!(repo.statuses.len(), 1);
    assert_eq!(repo.statuses[0].label, "t");
}

#[test]
fn a_status_may_stand_without_a_name_and_beside_named_ones() {
    let status = |label: &str, context: &str, in_tries, pr_context: &str| StatusCheck {
        label: label.to_owned(),
        context: context.to_owned(),
        in_tries,
        pr_context: pr_context.to_owned(),
    };
    let old = "status = { context = 'ci', try = false, pr_context = 'pr' }";
    assert_eq!(repo(old).statuses, [status("status", "ci", false, "pr")]);
    let both = "status = { context = 'ci', a.context = 'a' }";
    let expected = [
        status("status", "ci", true, "ci"),
        status("a", "a", true, "a"),
    ];
    assert_eq!(repo(both).statuses, expected);
    let named = repo("status.try.context = 'named'").statuses;
    assert_eq!(named, [status("try", "named", true, "named")]);
    insta::assert_snapshot!(repo_errors("status = { try = false, contxt = 'x' }"), @r#"
    cfg.toml:9: [repo.x.status] missing key "context": write the status's context
    cfg.toml:9: [repo.x.status] unknown key "contxt": did you mean "context"?
    "#);
}

#[test]
fn what_homu_takes_for_absent_is_absent() {
    let web = "[web]\nhost = ''\nbase_url = ''\ncanonical_url = ''\nsecret = ''";
    let web = toml(&format!("{web}\n{LEAST}")).unwrap().web;
    assert_eq!(web.host, "0.0.0.0");
    assert_eq!((web.base_url, web.canonical_url), (None, None));
    assert!(web.secret.is_none());
}

#[test]
fn the_committers_name_goes_before_homus_other_word_for_it() {
    let name = |git: &str| toml(&format!("[git]\n{git}\n{LEAST}")).unwrap().git.name;
    assert_eq!(name("user = 'b'").as_deref(), Some("b"));
    assert_eq!(name("user = 'b'\nname = 'a'").as_deref(), Some("a"));
}

#[test]
fn a_hook_posts_its_answer_only_when_called_at_once() {
    let hook = |lines: &str| {
        let text = format!("[hooks.h]\nendpoint = 'http://h'\n{lines}\n{LEAST}");
        toml(&text).unwrap().hooks["h"].has_response
    };
    assert!(hook("has_response = true\nrealtime = true"));
    assert!(!hook("has_response = true"));
}

#[test]
fn choosers_are_a_list_or_a_table() {
    let list = repo("try_choosers = ['linux', 'mac']").try_choosers;
    assert_eq!(list.keys().collect::<Vec<_>>(), ["linux", "mac"]);
    let table = repo("try_choosers = { linux = ['l1', 'l2'] }").try_choosers;
    assert_eq!(table["linux"], ["l1", "l2"]);
}

#[test]
fn the_retry_log_expires_after_an_interval() {
    for (written, seconds) in [
        ("'-42 days'", 42 * 86_400),
        ("'1 hour'", 3600),
        ("'2 MONTHS'", 60 * 86_400),
        ("90", 90),
    ] {
        let config = toml(&format!("retry_log_expire = {written}\n{LEAST}")).unwrap();
        assert_eq!(config.retry_log_expire_s, seconds, "{written}");
    }
    for written in [
        "'days'",
        "'4'",
        "'4 fortnights'",
        "-3",
        "true",
        "'99999999999999999999 days'",
    ] {
        let errors = errors(&format!("retry_log_expire = {written}"));
        assert!(errors.contains("is no interval"), "{written}: {errors}");
    }
}

#[test]
fn a_key_is_used_only_for_an_address_of_ssh() {
    let warned = |lines: &str| {
        let config = toml(&format!("{LEAST}\nreviewers = ['a']\n{lines}")).unwrap();
        let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
        warnings.join("\n")
    };
    insta::assert_snapshot!(warned("[git]\nssh_key = 'k'"), @r#"
    cfg.toml:11: [git] "ssh_key" is not used: git goes by http with the token, unless github.git_url begins with ssh://, as in "ssh://git@github.com"
    "#);
    assert_eq!(warned("[git]\nssh_key = ''"), "");
    let by_ssh = LEAST.replace("token-1\"", "token-1\"\ngit_url = 'ssh://git@github.com'");
    let config = toml(&format!(
        "{by_ssh}\nreviewers = ['a']\n[git]\nssh_key = 'k'"
    ));
    assert_eq!(config.unwrap().warnings, []);
}
