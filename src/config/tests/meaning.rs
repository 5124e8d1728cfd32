//! What the keys mean, and their defaults.

use super::*;
use paprq_core::ids::Login;

#[test]
#[expect(clippy::too_many_lines, reason = "the configuration is long")]
fn every_key_has_the_default_that_the_documentation_names() {
    insta::assert_debug_snapshot!(toml(LEAST).unwrap(), @r#"
    Config {
        max_priority: 9001,
        retry_log_expire_s: 3628800,
        github: GitHub {
            access_token: ***,
            api_url: "https://api.github.com",
            web_url: "https://github.com",
            git_url: "https://github.com",
            reconcile_s: 600,
            poll_pending_s: 120,
            limits: GitHubLimits {
                points_per_min: 900,
                comments_per_min: 80,
                comments_per_h: 500,
            },
            app: None,
            app_client_id: None,
            app_client_secret: None,
        },
        git: Git {
            local_git: true,
            ssh_key: None,
            cache_dir: "cache",
            name: None,
            email: None,
            strangers: StrangerBounds {
                head_mib: 16,
                heads_mib: 1024,
                free_mib: 1024,
            },
        },
        web: Web {
            host: "0.0.0.0",
            port: 54856,
            secret: None,
            sync_on_start: false,
            base_url: None,
            canonical_url: None,
            remove_path_prefixes: [],
            announcement: None,
            capacity: Capacity {
                bodies_bytes_max: 134217728,
                connections_max: 2048,
                connections_per_address_max: None,
                streams_max: 512,
                streams_per_address_max: None,
            },
        },
        db: Sqlite(
            "paprq.db",
        ),
        storage: Storage {
            url: "file:storage",
            artifacts: ArtifactBounds {
                files_max: 1000,
                file_bytes_max: 67108864,
                bytes_max: 268435456,
            },
            repo_mib: 51200,
        },
        worker: Workers {
            local: 2,
            executors: None,
            engine: None,
            allow_private_addresses: false,
            tokens: {},
        },
        repos: {
            RepoLabel(
                "x",
            ): Repo {
                label: RepoLabel(
                    "x",
                ),
                owner: "octo",
                name: "x",
                reviewers: [],
                try_users: [],
                auth_collaborators: false,
                rust_team: false,
                rust_team_url: "https://team-api.infra.rust-lang.org/v1",
                linear: false,
                autosquash: false,
                escape_mentions: false,
                status_based_exemption: false,
                timeout_s: 36000,
                try_choosers: {},
                branches: Branches {
                    auto: BranchName(
                        "auto",
                    ),
                    try_: BranchName(
                        "try",
                    ),
                    rollup: BranchName(
                        "rollup",
                    ),
                },
                secret: ***,
                statuses: [],
                checks: [],
                buildbot: None,
                test_on_fork: None,
                labels: {},
                suites: Some(
                    Suites {
                        file: ".papr.yml",
                        pulls: Trusted,
                        on_merge: Named,
                        trusted: [],
                        reuse_s: Some(
                            86400,
                        ),
                        jobs_max: 0,
                        limits: [],
                    },
                ),
                batch: 1,
                window: 1,
                merges: On,
                report: true,
                forward: None,
                require_green_pull: false,
                secrets: {},
            },
        },
        hooks: {},
        aliases: Aliases(
            {},
        ),
        schedule: Schedule {
            rules: [],
            max_wait_s: 3600,
            no_worker_s: 86400,
            silent_s: 1800,
            setup_s: 1800,
        },
        warnings: [
            Warning {
                place: Location {
                    file: "cfg.toml",
                    position: Some(
                        Position {
                            line: 4,
                            column: 11,
                        },
                    ),
                    table: "repo.x",
                },
                message: "nobody may approve",
                reason: "add reviewers = [\"LOGIN\"]",
            },
        ],
        places: Places {
            aliases: {},
            hooks: {},
        },
    }
    "#);
}

#[test]
fn json_has_the_same_keys_as_toml() {
    let toml = r#"
        max_priority = 5
        [github]
        access_token = "${TOKEN}"
        [worker]
        tokens = { a = "\u00e9", b = "2" }
        [[schedule.rules]]
        rank = -3
        preempt = true
        [repo.x]
        owner = "octo"
        name = "x"
        github = { secret = "s" }
        reviewers = ["alice", "bob"]
        checks.build = { name = "b" }
    "#;
    let json = r#"{
        "max_priority": 5,
        "github": {"access_token": "${TOKEN}"},
        "worker": {"tokens": {"a": "\u00e9", "b": "2"}},
        "schedule": {"rules": [{"rank": -3, "preempt": true}]},
        "repo": {"x": {
            "owner": "octo", "name": "x", "github": {"secret": "s"},
            "reviewers": ["alice", "bob"], "checks": {"build": {"name": "b"}}
        }}
    }"#;
    let mut from_toml = Config::from_toml("f", toml, &any_variable).unwrap();
    let mut from_json = Config::from_json("f", json, &any_variable).unwrap();
    assert_eq!(from_toml.github.access_token.expose(), "value-of-TOKEN");
    assert_eq!(from_json.github.access_token.expose(), "value-of-TOKEN");
    let token = |config: &Config| config.worker.tokens["a"].expose().to_owned();
    assert_eq!([token(&from_toml), token(&from_json)], ["é", "é"]);
    from_toml.warnings.clear();
    from_json.warnings.clear();
    assert_eq!(format!("{from_toml:?}"), format!("{from_json:?}"));
}

#[test]
fn the_notation_follows_the_files_name() {
    let directory = tempfile::tempdir().unwrap();
    let [toml, json] = ["cfg.toml", "cfg.json"].map(|name| directory.path().join(name));
    assert_eq!(Config::default_file(directory.path()), toml);
    fs::write(&json, r#"{"github": {"access_token": "of-json"}}"#).unwrap();
    assert_eq!(Config::default_file(directory.path()), json);
    fs::write(&toml, "\u{feff}[github]\r\naccess_token = 'of-toml'\r\n").unwrap();
    assert_eq!(Config::default_file(directory.path()), toml);
    let token = |file| Config::load(file, &|_| None).unwrap().github.access_token;
    assert_eq!(
        [token(&toml), token(&json)].map(|t| t.expose().to_owned()),
        ["of-toml", "of-json"]
    );
}

#[test]
fn suites_are_on_unless_something_else_is_waited_for() {
    assert_eq!(repo("").suites, Some(Suites::default()));
    for else_waited_for in [
        "status.ci = { context = 'ci' }",
        "checks.ci = { name = 'ci' }",
        "travis = {}",
    ] {
        assert_eq!(repo(else_waited_for).suites, None, "{else_waited_for}");
        let both = repo(&format!(
            "{else_waited_for}\nsuites = {{ file = 'ci/suites.yml' }}"
        ));
        assert_eq!(
            both.suites.unwrap().file,
            "ci/suites.yml",
            "{else_waited_for}"
        );
    }
}

#[test]
fn the_apps_secret_serves_repositories_without_their_own() {
    let app = "[github.app]\nid = 7\nprivate_key = 'k'\nwebhook_secret = 'of-app'";
    let repos = "[repo.a]\nowner = 'o'\nname = 'a'\n[repo.b]\nowner = 'o'\nname = 'b'\n\
                 github.secret = 'own'";
    let config = toml(&format!("github.access_token = 't'\n{app}\n{repos}")).unwrap();
    let secrets: Vec<_> = config
        .repos
        .values()
        .map(|repo| repo.secret.expose())
        .collect();
    assert_eq!(secrets, ["of-app", "own"]);
}

#[test]
fn our_branches_cannot_collide() {
    for branches in [
        "{ auto = 'a', try = 'a' }",
        "{ auto = 'a', try = 'a/b' }",
        "{ auto = 'a/b', rollup = 'a' }",
        "{ try = 'rollup' }",
    ] {
        let errors = repo_errors(&format!("branch = {branches}"));
        assert!(
            errors.contains("are in each other's way"),
            "{branches}: {errors}"
        );
    }
    assert_eq!(
        repo_errors("branch = { auto = 'a', try = 'ab', rollup = 'b/a' }"),
        "none"
    );
    for kept in ["main", "master", "homu-tmp"] {
        let errors = repo_errors(&format!("branch.try = '{kept}'"));
        assert!(errors.contains("the bot would overwrite"), "{errors}");
    }
}

#[test]
fn only_labels_that_can_stand_in_an_address_are_taken() {
    for label in ["all", "a+b", "a/b", "a b", ""] {
        let repo = format!("[repo.'{label}']\nowner = 'o'\nname = 'n'\ngithub.secret = 's'");
        let errors = errors(&repo);
        assert!(errors.contains("take another label"), "{label}: {errors}");
    }
}

#[test]
fn addresses_are_whole_and_plain() {
    for (key, address, fits) in [
        ("api_url", "https://ghe.example.com/api/v3/", true),
        ("api_url", "ssh://git@ghe.example.com", false),
        ("api_url", "ftp://ghe.example.com", false),
        ("api_url", "https://", false),
        ("api_url", "https://u:p@ghe.example.com", false),
        ("api_url", "https://u@ghe.example.com", false),
        ("api_url", "https://ghe.example.com?x", false),
        ("api_url", "https://ghe.example.com#x", false),
        ("git_url", "ssh://git@ghe.example.com", true),
        ("git_url", "ssh://git:p@ghe.example.com", false),
        ("git_url", "file:///srv", false),
    ] {
        let text = format!("github.access_token = 't'\ngithub.{key} = '{address}'");
        assert_eq!(toml(&text).is_ok(), fits, "{address}");
    }
    let config = toml("github.access_token = 't'\ngithub.web_url = 'https://ghe.example.com/'");
    assert_eq!(config.unwrap().github.git_url, "https://ghe.example.com");
}

#[test]
fn storage_is_a_directory() {
    for (url, directory) in [
        ("file:storage", "storage"),
        ("file:/srv/logs", "/srv/logs"),
        ("file:///srv/logs", "/srv/logs"),
    ] {
        let config = toml(&format!("storage.url = '{url}'\n{LEAST}")).unwrap();
        assert_eq!(config.storage.directory(), Path::new(directory), "{url}");
    }
    assert!(errors("storage.url = 'file:'").contains("in a directory only"));
}

#[test]
fn what_a_repo_does_beside_others_is_read() {
    let repo = repo(
        "merges = false\nreport = false\nrequire_green_pull = true\n\
         suites = { trusted = ['carol'], reuse = true, reuse_s = 60 }",
    );
    assert_eq!(repo.merges, Merging::Off);
    assert!(!repo.report && repo.require_green_pull);
    let suites = repo.suites.unwrap();
    assert_eq!(suites.trusted, [Login::new("carol")]);
    assert_eq!(suites.reuse_s, Some(60));
    let never = toml(&format!(
        "{LEAST}\nsuites = {{ reuse = false, reuse_s = 60 }}"
    ))
    .unwrap();
    let mut repos = never.repos.into_values();
    let suites = repos.next().and_then(|repo| repo.suites).unwrap();
    assert_eq!(suites.reuse_s, None);
}

#[test]
fn a_line_is_an_alias_in_any_case_with_any_blanks_and_with_a_full_stop() {
    let text = format!("[aliases]\n\"Bot, retest  this please\" = 'retry all'\n{LEAST}");
    let aliases = toml(&text).unwrap().aliases;
    for line in ["bot, retest this please", "  BOT,  Retest\tthis please. "] {
        assert_eq!(aliases.commands(line), Some("retry all"), "{line}");
    }
    for line in [
        "bot, retest this please!",
        "please bot, retest this please",
        "",
    ] {
        assert_eq!(aliases.commands(line), None, "{line}");
    }
}
