//! What is refused, and what is warned of, in which words.

use super::*;

#[test]
#[expect(clippy::too_many_lines, reason = "the file and its errors are long")]
fn all_faults_are_reported_at_once_with_line_and_remedy() {
    let text = r#"
max_priority = "high"
retry_log_expire = "soon"
colour = "red"

[github]
acces_token = "t"
api_url = "api.github.com"
reconcile_s = -5

[web]
port = 70000
host = 0
secret = "${ADMIN_SECRET}"
sync_on_start = "yes"
owner = "octo"

[db]
url = "postgres://u:p@db/x"

[storage]
url = "s3://bucket"

[worker]
executors = ["sandbox", "vm"]
tokens = { one = "same", two = "same" }

[[schedule.rules]]
run = "night"
suite = "a["
priority = "high"

[hooks.h]
access = "everyone"
has_response = true

[repo.all]
name = "octo/x"
reviewers = "alice"
timeout = 0
rollout = 1.5

[repo.all.branch]
auto = "main"
try = "a..b"

[repo.y]
owner = "octo"
name = "y"
reviewers = ["@alice", 3, ""]
suites = { file = "../x", pulls = "some" }
status.ci = {}
checks = 3
github = { secret = "s" }

[repo.z]
owner = "Octo"
name = "Y"
github = {}
"#;
    insta::assert_snapshot!(toml(text).unwrap_err(), @r#"
    cfg.toml:2: "max_priority" is a text: write a whole number, without quotes
    cfg.toml:3: "retry_log_expire" is no interval: write "42 days", or a number of seconds
    cfg.toml:4: unknown key "colour": remove it; known here: aliases, db, git, github, hooks, max_priority, repo, retry_log_expire, schedule, storage, web, worker
    cfg.toml:6: [github] missing key "access_token": write the bot's token: access_token = "${GITHUB_TOKEN}"
    cfg.toml:7: [github] unknown key "acces_token": did you mean "access_token"?
    cfg.toml:8: [github] "api_url" is no address that can be used here: write http:// or https://, a host, and a path if need be, nothing else
    cfg.toml:9: [github] "reconcile_s" is -5: write a number from 1 to 31536000
    cfg.toml:12: [web] "port" is 70000: write a number from 0 to 65535
    cfg.toml:13: [web] "host" is a whole number: write a text in quotes
    cfg.toml:14: [web] "secret" needs the environment variable ADMIN_SECRET, which is not set: set ADMIN_SECRET or write the value here
    cfg.toml:15: [web] "sync_on_start" is a text: write true or false, without quotes
    cfg.toml:16: [web] unknown key "owner": it belongs in [repo.NAME]
    cfg.toml:19: [db] this build stores in SQLite only, not at a "url": remove it and write file = "paprq.db"
    cfg.toml:22: [storage] this build keeps logs in a directory only: write url = "file:storage"
    cfg.toml:25: [worker] "executors" has "vm": write sandbox, container or both
    cfg.toml:26: [worker.tokens] "two" has the token of "one": give each worker a token of its own
    cfg.toml:28: [schedule.rules] missing key "rank": write rank = 100; higher goes first
    cfg.toml:29: [schedule.rules] "run" has none of its possible values: write "auto" or "try" or "pull" or "branch"
    cfg.toml:30: [schedule.rules] "suite" is no pattern: a [ has no ] behind it: write letters, * for any text, ? for any letter
    cfg.toml:31: [schedule.rules] "priority" is no comparison: write priority = ">=5"; also >, <, <=, =
    cfg.toml:33: [hooks.h] missing key "endpoint": write the address that is called
    cfg.toml:34: [hooks.h] "access" has none of its possible values: write "reviewer" or "try"
    cfg.toml:37: [repo.all] the label "all" means every repository in addresses: take another label of letters, digits, - _ .
    cfg.toml:37: [repo.all] missing key "owner": write the account or organisation of the repository
    cfg.toml:37: [repo.all.github] missing key "secret": write what the repository's webhook is signed with
    cfg.toml:38: [repo.all] "name" cannot be a name on GitHub: write it as in the repository's address: owner/name
    cfg.toml:39: [repo.all] "reviewers" is a text: write a list: ["…", "…"]
    cfg.toml:40: [repo.all] "timeout" is 0: write a number from 1 to 31536000
    cfg.toml:41: [repo.all] unknown key "rollout": remove it; known here: auth_collaborators, autosquash, batch, branch, buildbot, checks, escape_mentions, forward_secret, forward_to, github, labels, linear, merges, name, owner, report, require_green_pull, reviewers, rust_team, rust_team_url, secrets, status, status_based_exemption, suites, test-on-fork, timeout, travis, try_choosers, try_users, window
    cfg.toml:44: [repo.all.branch] "auto" is main, which the bot would overwrite: take a branch that nobody else uses
    cfg.toml:45: [repo.all.branch] "try" is no branch name: write a name that git accepts, without refs/heads/
    cfg.toml:50: [repo.y] "reviewers" holds "@alice", which is no login: write logins alone, each in quotes, without @
    cfg.toml:50: [repo.y] "reviewers" holds a whole number: write texts, each in quotes
    cfg.toml:50: [repo.y] "reviewers" holds an empty text: write a value or remove it
    cfg.toml:51: [repo.y.suites] "file" is no path inside the repository: write file = ".papr.yml"
    cfg.toml:51: [repo.y.suites] "pulls" has none of its possible values: write "trusted" or "all" or "none"
    cfg.toml:52: [repo.y.status.ci] missing key "context": write the status's context
    cfg.toml:53: [repo.y] "checks" is a whole number, not a table: write [repo.y.checks] and its keys below
    cfg.toml:58: [repo.z] Octo/Y is already [repo.y]: remove one of the two
    cfg.toml:59: [repo.z.github] missing key "secret": write what the repository's webhook is signed with
    "#);
}

#[test]
fn a_broken_notation_is_reported_with_its_lines() {
    insta::assert_snapshot!(toml("[web\nport = \n[db]\nfile = 'x\n").unwrap_err(), @"
    cfg.toml:1: unclosed table, expected `]`: write it as https://toml.io says
    cfg.toml:4: invalid literal string, expected `'`: write it as https://toml.io says
    ");
    let json = Config::from_json("cfg.json", "{\n  \"web\": {\"port\": }\n}", &|_| None);
    insta::assert_snapshot!(json.unwrap_err(), @"cfg.json:2: expected value: write it as https://json.org says");
    let twice = Config::from_json(
        "cfg.json",
        "{\n\"web\": {\"port\": 1,\n\"port\": 2}}",
        &|_| None,
    );
    insta::assert_snapshot!(twice.unwrap_err(), @r#"cfg.json:2: the key "port" stands twice in the object: keep one of the two and remove the other"#);
    let list = Config::from_json("cfg.json", "[]", &|_| None);
    insta::assert_snapshot!(list.unwrap_err(), @"cfg.json:1: the file is a list, not an object: write it as https://json.org says");
}

#[test]
fn a_file_that_is_not_there_is_an_error_with_a_remedy() {
    let error = Config::load(Path::new("/nowhere/cfg.toml"), &|_| None).unwrap_err();
    insta::assert_snapshot!(error, @"/nowhere/cfg.toml: cannot be read: No such file or directory (os error 2): name another file with -c, or start from cfg.sample.toml");
}

#[test]
fn errors_in_json_have_their_lines() {
    let json = "{\n  \"github\": {\"access_token\": \"t\"},\n  \"web\": {\n    \"prot\": 1\n  }\n}";
    let error = Config::from_json("cfg.json", json, &|_| None).unwrap_err();
    insta::assert_snapshot!(error, @r#"cfg.json:4: [web] unknown key "prot": did you mean "port"?"#);
}

#[test]
fn an_unset_variable_is_an_error_and_a_set_one_its_value() {
    insta::assert_snapshot!(errors("[web]\nannouncement = 'a ${ONE} ${TWO} ${'"), @r#"
    cfg.toml:2: [web] "announcement" needs the environment variable ONE, which is not set: set ONE or write the value here
    cfg.toml:2: [web] "announcement" needs the environment variable TWO, which is not set: set TWO or write the value here
    cfg.toml:2: [web] "announcement" has "${" without a name and "}" after it: write ${NAME}
    "#);
    let text = format!("[web]\nannouncement = 'a ${{ONE}}'\n{LEAST}");
    let config = Config::from_toml("cfg.toml", &text, &any_variable).unwrap();
    assert_eq!(config.web.announcement.as_deref(), Some("a value-of-ONE"));
}

#[test]
fn what_excludes_each_other_is_refused() {
    let keys = "private_key = 'k'\nprivate_key_file = 'f'";
    let both = format!("[github.app]\nid = 7\nwebhook_secret = 's'\n{keys}");
    insta::assert_snapshot!(errors(&both), @r#"cfg.toml:5: [github.app] "private_key" and "private_key_file" are both there: remove one of them"#);
    let app = "[github.app]\nid = 7\nwebhook_secret = 's'";
    insta::assert_snapshot!(errors(app).replace(LEAST, ""), @r#"cfg.toml:1: [github.app] missing key "private_key": write it, or private_key_file = "…""#);
}

#[test]
fn a_start_that_leads_nowhere_is_warned_of() {
    let warnings = |text: &str| {
        let config = toml(text).unwrap();
        config
            .warnings
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let text = format!("[worker]\nlocal = 0\n{LEAST}");
    insta::assert_snapshot!(warnings(&text), @r#"
    cfg.toml:2: [worker] no worker can run the suites: set local above 0, or give remote workers their tokens
    cfg.toml:6: [repo.x] nobody may approve: add reviewers = ["LOGIN"]
    "#);
    let homus = "[git]\nname = 'a'\nuser = 'b'\n[db]\nfile = '/srv/main.db'";
    insta::assert_snapshot!(warnings(&format!("{homus}\n{LEAST}\nreviewers = ['a']")), @r#"
    cfg.toml:3: [git] "user" is not looked at: "name" says who commits merges
    cfg.toml:5: [db] "file" is main.db, as Homu calls its own database: if that is Homu's, ours is beside it, as main.paprq.db
    "#);
    let hook = "[hooks.h]\nendpoint = 'http://h'\nhas_response = true";
    let silent = r#"cfg.toml:3: [hooks.h] "has_response" does nothing without "realtime": "#;
    let hook = warnings(&format!("{hook}\n{LEAST}"));
    assert!(hook.lines().any(|line| line.starts_with(silent)), "{hook}");
    insta::assert_snapshot!(warnings("[github]\naccess_token = 't'"), @"cfg.toml: no repository is there to serve: add [repo.LABEL]");
}

#[test]
fn a_buildbot_without_builders_lets_nothing_land() {
    let buildbot = "buildbot = { url = 'http://b', secret = 's', try_builders = ['t'] }";
    insta::assert_snapshot!(repo_errors(buildbot), @r#"cfg.toml:9: [repo.x] "buildbot", which has no builders, is all there is to wait for: add its builders"#);
    assert_eq!(repo_errors(&format!("{buildbot}\nsuites = {{}}")), "none");
    let buildbot = "buildbot = { url = 'http://b', secret = 's', builders = ['a'] }";
    assert_eq!(repo_errors(buildbot), "none");
    let config = toml(&format!("{LEAST}\n{buildbot}")).unwrap();
    assert!(config.repos.values().all(|repo| repo.suites.is_none()));
}

#[test]
fn what_needs_a_mirror_is_refused_where_there_is_none() {
    let errors = |lines: &str| {
        let text = format!("[git]\nlocal_git = false\n{LEAST}\n{lines}");
        toml(&text).map_or_else(|errors| errors.to_string(), |_| "none".to_owned())
    };
    let lines = "linear = true\nautosquash = true\nsuites = {}\n\
        test-on-fork = { owner = 'o', name = 'n' }";
    insta::assert_snapshot!(errors(lines), @r#"
    cfg.toml:11: [repo.x] "linear" needs local_git: set [git] local_git = true, or remove it
    cfg.toml:12: [repo.x] "autosquash" needs local_git: set [git] local_git = true, or remove it
    cfg.toml:13: [repo.x] "suites" needs local_git: set [git] local_git = true, or remove it
    cfg.toml:14: [repo.x] "test-on-fork" needs local_git: set [git] local_git = true, or remove it
    "#);
    insta::assert_snapshot!(errors(""), @"cfg.toml:6: [repo.x] suites, which need local_git, are all there is to wait for: set [git] local_git = true, or add a status or check to wait for");
    assert_eq!(errors("linear = false\nstatus.ci.context = 'ci'"), "none");
}

#[test]
fn a_secret_in_a_broken_line_is_not_repeated() {
    for line in [
        "access_token = hunter2",
        "access_token = 'hunter2",
        "hunter2",
        "[hunter2",
    ] {
        let errors = toml(&format!("[github]\n{line}\n"))
            .unwrap_err()
            .to_string();
        assert!(!errors.contains("hunter2"), "{errors}");
    }
    let url = "[db]\nurl = 'mysql://u:hunter2@h'\n[github]\nweb_url = 'x:hunter2'\n";
    assert!(!errors(url).contains("hunter2"));
}

#[test]
fn secrets_that_cannot_be_hidden_or_exported_are_refused_and_not_shown() {
    let secrets = "secrets = { 7up = 'hunter2-hunter2', PAPR_X = 'hunter2-hunter2', a-b = 'hunter2-hunter2', \
                   SHORT = 'hunter2', BLANK = ' hunter2 ', NUL = \"hunter2\\u0000hunter2\", EMPTY = '', NUMBER = 12345678 }";
    let errors = repo_errors(secrets);
    assert!(!errors.contains("hunter2"), "{errors}");
    insta::assert_snapshot!(errors, @r#"
    cfg.toml:9: [repo.x.secrets] "7up" cannot be the name of a variable: take letters, digits and _, and begin with no digit
    cfg.toml:9: [repo.x.secrets] "PAPR_X" begins as the variables of the run do: take another name
    cfg.toml:9: [repo.x.secrets] "a-b" cannot be the name of a variable: take letters, digits and _, and begin with no digit
    cfg.toml:9: [repo.x.secrets] "SHORT" is too short to be hidden in logs: take a value of at least 8 characters: hiding fewer would hide much of any log
    cfg.toml:9: [repo.x.secrets] "BLANK" is too short to be hidden in logs: take a value of at least 8 characters: hiding fewer would hide much of any log
    cfg.toml:9: [repo.x.secrets] "NUL" holds a NUL character: take another value: no variable can hold that
    cfg.toml:9: [repo.x.secrets] "EMPTY" holds an empty text: write a value or remove it
    cfg.toml:9: [repo.x.secrets] "NUMBER" holds a whole number: write texts, each in quotes
    "#);
    let good = repo("secrets = { A_1 = '12345678', _b = '''\none\ntwo-two\n''' }");
    let values: Vec<_> = good.secrets.values().map(Secret::expose).collect();
    assert_eq!(values, ["12345678", "one\ntwo-two\n"]);
}

#[test]
fn webhooks_are_passed_on_to_an_address_with_a_secret() {
    insta::assert_snapshot!(repo_errors("forward_to = 'http://homu/github'"), @r#"
    cfg.toml:4: [repo.x] missing key "forward_secret": write what that service checks webhooks with
    "#);
    insta::assert_snapshot!(repo_errors("forward_secret = 's'"), @r#"
    cfg.toml:9: [repo.x] "forward_secret" is of no use without "forward_to": write where to, or remove it
    "#);
    let secret = "forward_secret = 's'";
    insta::assert_snapshot!(repo_errors(&format!("{secret}\nforward_to = 'homu.example.org'")), @r#"
    cfg.toml:10: [repo.x] "forward_to" is no address that can be used here: write http:// or https://, a host, and a path, nothing else
    "#);
    let forward = repo(&format!(
        "{secret}\nforward_to = 'https://jenkins/ghprbhook/'"
    ))
    .forward;
    assert_eq!(forward.unwrap().url, "https://jenkins/ghprbhook/");
}

#[test]
fn a_phrase_is_a_line_and_there_once() {
    let aliases = "[aliases]\n\"Retest.\" = 'retry'\n\" retest\" = 'try'\n\".\" = 'r+'\n\"a\\nb\" = 'r+'\nx = ''";
    insta::assert_snapshot!(errors(aliases).replace(LEAST, ""), @r#"
    cfg.toml:2: [aliases] the phrase "retest" is there twice: remove one of the two
    cfg.toml:4: [aliases] "." is no phrase: write the words of one line
    cfg.toml:5: [aliases] "a\nb" is no phrase: write the words of one line
    cfg.toml:6: [aliases] "x" holds an empty text: write a value or remove it
    "#);
}

#[test]
fn settings_that_undo_each_other_are_warned_of() {
    let warnings = |lines: &str| {
        let config = toml(&format!("{LEAST}\nreviewers = ['a']\n{lines}")).unwrap();
        let mut warnings: Vec<_> = config.warnings.iter().map(ToString::to_string).collect();
        warnings.retain(|warning| !warning.contains("not acted on yet"));
        warnings.join("\n")
    };
    insta::assert_snapshot!(warnings("require_green_pull = true\nsuites.pulls = 'none'"), @r#"
    cfg.toml:10: [repo.x] "require_green_pull" lets nothing be merged: pulls are not tested before they are approved
    "#);
    insta::assert_snapshot!(warnings("secrets.A = '12345678'\nstatus.ci.context = 'ci'"), @r#"
    cfg.toml:10: [repo.x] "secrets" does nothing: no suite is run here: add [repo.LABEL.suites]
    "#);
    assert_eq!(
        warnings("require_green_pull = true\nsecrets.A = '12345678'"),
        ""
    );
}
