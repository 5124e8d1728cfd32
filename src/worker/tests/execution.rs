//! What a suite sees, and what its log looks like.

use super::server::Server;
use super::{Worker, attempt, execute, suite, timeless, variable};
use crate::protocol::{JobOutcome, SecretVariable};
use paprq_core::ids::CommitId;
use paprq_core::suite::{Build, Environment, ExtraRepo, HostSpecs, Suite};

/// The log with its first line, the date, taken off, and no seconds.
fn without_date(log: &str) -> String {
    let (date, rest) = log.split_once('\n').unwrap();
    assert!(
        date.starts_with("### ") && date.contains(" UTC 2"),
        "{date}"
    );
    timeless(rest)
}

#[tokio::test]
async fn a_passing_suite_sees_the_commit_with_its_history() {
    let (log, report) = execute(|order| {
        order.suite = suite(&[
            "cat greeting",
            "git log --format=%s; git symbolic-ref HEAD || echo detached; git status --short",
            "pwd; id -un; touch new; echo \"$HOME\"",
        ]);
    })
    .await;
    assert_eq!(report.outcome, JobOutcome::Passed);
    assert_eq!(report.log_bytes, log.len() as u64);
    insta::assert_snapshot!(without_date(&log), @r#"
    ### http://example.org/pull/7
    ### TESTSUITE unit
    >>> cat greeting
    hello
    ### COMPLETED IN 0s
    >>> git log --format=%s; git symbolic-ref HEAD || echo detached; git status --short
    second
    first
    fatal: ref HEAD is not a symbolic ref
    detached
    ### COMPLETED IN 0s
    >>> pwd; id -un; touch new; echo "$HOME"
    /var/tmp/checkout
    papr
    /home/papr
    ### COMPLETED IN 0s
    "#);
}

#[tokio::test]
async fn a_failing_command_ends_the_suite_with_its_code() {
    let (log, report) = execute(|order| {
        order.suite = suite(&[
            "printf out; printf err >&2; false | true; echo no",
            "echo never",
        ]);
    })
    .await;
    assert_eq!(report.outcome, JobOutcome::Failed { exit_code: 1 });
    insta::assert_snapshot!(without_date(&log), @r#"
    ### http://example.org/pull/7
    ### TESTSUITE unit
    >>> printf out; printf err >&2; false | true; echo no
    outerr
    ### EXITED WITH CODE 1 AFTER 0s
    "#);
}

#[tokio::test]
async fn codes_that_look_like_a_timeout_are_failures() {
    for (command, exit_code) in [
        ("exit 124", 124),
        ("kill -9 $$", 137),
        ("kill -9 $PPID", 137),
    ] {
        let (_log, report) = execute(|order| order.suite = suite(&[command])).await;
        assert_eq!(
            report.outcome,
            JobOutcome::Failed { exit_code },
            "{command}"
        );
    }
}

#[tokio::test]
async fn the_time_is_one_budget_for_all_commands() {
    let (log, report) = execute(|order| {
        order.suite = suite(&["echo first", "echo second; sleep 1000", "echo never"]);
        order.suite.timeout_s = 1;
    })
    .await;
    assert_eq!(report.outcome, JobOutcome::TimedOut);
    // On a machine that stands still the time may be up at any point.
    let last = log.lines().last().unwrap();
    assert!(last.starts_with("### TIMED OUT"), "{log}");
    assert!(!log.contains("never"), "{log}");
}

#[tokio::test]
async fn no_time_at_all_is_a_timeout_before_the_first_command() {
    let (log, report) = execute(|order| order.suite.timeout_s = 0).await;
    assert_eq!(report.outcome, JobOutcome::TimedOut);
    assert!(
        log.ends_with("### TESTSUITE unit\n### TIMED OUT\n"),
        "{log}"
    );
}

#[tokio::test]
async fn a_suite_without_commands_passes() {
    let (log, report) = execute(|order| order.suite = suite(&[])).await;
    assert_eq!(report.outcome, JobOutcome::Passed);
    assert!(log.ends_with("### TESTSUITE unit\n"), "{log}");
}

#[tokio::test]
async fn variables_are_expanded_for_the_suite_and_taken_as_they_are_from_the_server() {
    let (log, report) = execute(|order| {
        order.suite = suite(&[
            "echo \"$GREETING|$LATER|$PAPR_BRANCH|$RHCI_REPO|$KEY\"",
            "env -0 | cut -z -d= -f1 | sort -z | tr '\\0' ' '",
            "echo $NOWHERE",
        ]);
        order.suite.env = vec![
            variable("GREETING", "grüß $(cat greeting) `echo you`"),
            variable("LATER", "<$GREETING>"),
            variable("PAPR_BRANCH", "overridden"),
        ];
        order.secrets = vec![SecretVariable {
            name: "KEY".to_owned(),
            value: "a $b".to_owned(),
        }];
        order.variables = vec![
            variable("RHCI_REPO", "o/r"),
            variable("PAPR_BRANCH", "it's \"$HOME\" `x`\\"),
        ];
    })
    .await;
    assert_eq!(report.outcome, JobOutcome::Failed { exit_code: 1 });
    insta::assert_snapshot!(without_date(&log), @r#"
    ### http://example.org/pull/7
    ### TESTSUITE unit
    >>> echo "$GREETING|$LATER|$PAPR_BRANCH|$RHCI_REPO|$KEY"
    grüß hello you|<grüß hello you>|it's "$HOME" `x`\|o/r|***
    ### COMPLETED IN 0s
    >>> env -0 | cut -z -d= -f1 | sort -z | tr '\0' ' '
    CI GREETING HOME KEY LANG LATER LOGNAME OLDPWD PAPR_BRANCH PATH PWD RHCI_REPO SHELL SHLVL USER _ 
    ### COMPLETED IN 0s
    >>> echo $NOWHERE
    /var/tmp/paprq/2.sh: line 10: NOWHERE: unbound variable
    ### EXITED WITH CODE 1 AFTER 0s
    "#);
}

#[tokio::test]
async fn what_one_command_leaves_is_there_for_the_next() {
    let (log, report) = execute(|order| {
        order.suite = suite(&[
            "echo kept >/tmp/left; echo home >~/left; (sleep 1000 & echo $! >/tmp/pid)",
            "cat /tmp/left ~/left; kill -0 $(cat /tmp/pid)",
        ]);
    })
    .await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
}

#[tokio::test]
async fn output_that_is_no_utf_8_arrives_as_it_was() {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    server
        .execute(1, |order| {
            order.suite = suite(&["printf 'a\\377\\000\\r\\033[1mé\\n'"]);
        })
        .await;
    let log = server.change(|state| state.attempts[&attempt(1)].log.clone());
    let printed = b"a\xff\x00\r\x1b[1m\xc3\xa9\n### COMPLETED IN ";
    let found = log.windows(printed.len()).any(|piece| piece == printed);
    assert!(found, "{}", String::from_utf8_lossy(&log));
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn only_the_very_commit_is_tested() {
    let (log, report) = execute(|order| order.commit = CommitId::from_bytes([7; 20])).await;
    let message = "Could not check out the commit.".to_owned();
    assert_eq!(report.outcome, JobOutcome::Error { message });
    assert!(
        log.contains("unable to read tree") && !log.contains(">>>"),
        "{log}"
    );
    assert!(!log.contains("git-token"), "{log}");
}

#[tokio::test]
async fn a_log_is_cut_and_still_says_how_the_suite_ended() {
    let (log, report) = execute(|order| {
        order.suite = suite(&["seq 100000; exit 3"]);
        order.log_bytes_max = 10_000;
    })
    .await;
    assert_eq!(report.outcome, JobOutcome::Failed { exit_code: 3 });
    assert!(log.len() <= 10_000, "{}", log.len());
    let end = "\n\n### FILE TRUNCATED AFTER 9488 BYTES\n### EXITED WITH CODE 3 AFTER 0s\n";
    assert!(timeless(&log).ends_with(end), "{log}");
    assert_eq!(log.find("\n\n### FILE"), Some(9488));
}

/// What a build needs, made up: each says what it is given.
const TOOLS: [(&str, &str); 2] = [
    (
        "autogen.sh",
        "#!/bin/sh
        echo \"autogen $NOCONFIGURE\"
        printf '#!/bin/sh\\necho configure \"$@\"\\n' >configure
        chmod +x configure",
    ),
    (
        "bin/make",
        "#!/bin/sh
        echo make \"$@\"
        test ! -e \"$1-breaks\"",
    ),
];

/// Executes a suite with a build on a fresh worker.
async fn build(change: impl FnOnce(&mut Suite)) -> (String, JobOutcome) {
    let mut server = Server::start();
    server.commit_scripts(&TOOLS);
    let worker = Worker::start(&server).await;
    let (log, report) = server
        .execute(1, |order| {
            order.suite = suite(&["echo tested"]);
            order.suite.env = vec![
                variable("PATH", "/var/tmp/checkout/bin:$PATH"),
                variable("PREFIX", "/usr"),
            ];
            order.suite.build = Some(Build {
                config_opts: "--prefix=$PREFIX\n".to_owned(),
                install_opts: "DESTDIR='a b'".to_owned(),
                ..Build::default()
            });
            change(&mut order.suite);
        })
        .await;
    worker.stop().await.unwrap();
    (log, report.outcome)
}

#[tokio::test]
async fn a_build_comes_before_the_tests_each_step_by_itself() {
    let (log, outcome) = build(|_suite| {}).await;
    assert_eq!(outcome, JobOutcome::Passed);
    let processors = std::thread::available_parallelism().unwrap();
    let log = log.replace(&format!("--jobs {processors}"), "--jobs N");
    insta::assert_snapshot!(without_date(&log), @r"
    ### http://example.org/pull/7
    ### TESTSUITE unit
    >>> NOCONFIGURE=1 ./autogen.sh
    autogen 1
    ### COMPLETED IN 0s
    >>> ./configure --prefix=$PREFIX
    configure --prefix=/usr
    ### COMPLETED IN 0s
    >>> make all --jobs $(nproc)
    make all --jobs N
    ### COMPLETED IN 0s
    >>> make install DESTDIR='a b'
    make install DESTDIR=a b
    ### COMPLETED IN 0s
    >>> echo tested
    tested
    ### COMPLETED IN 0s
    ");
}

#[tokio::test]
async fn a_build_that_fails_leaves_the_tests_out() {
    let breaks = "touch all-breaks";
    let (log, outcome) = build(|suite| {
        suite.env.push(variable("BREAK", &format!("$({breaks})")));
    })
    .await;
    assert_eq!(outcome, JobOutcome::Failed { exit_code: 1 });
    assert!(!log.contains("install") && !log.contains("tested"), "{log}");
}

#[tokio::test]
async fn build_and_tests_share_their_time() {
    let (log, outcome) = build(|suite| {
        suite.env.push(variable("WAIT", "$(sleep 1000)"));
        suite.timeout_s = 1;
    })
    .await;
    assert_eq!(outcome, JobOutcome::TimedOut);
    assert!(!log.contains("tested"), "{log}");
}

#[tokio::test]
async fn packages_cannot_be_installed_in_a_sandbox() {
    let (log, report) = execute(|order| order.suite.packages = vec!["make".to_owned()]).await;
    let message = "Could not install packages.".to_owned();
    assert_eq!(report.outcome, JobOutcome::Error { message });
    assert!(!log.contains(">>>"), "{log}");
    let (_log, report) = execute(|order| {
        order.suite.packages = vec!["make".to_owned()];
        order.suite.extra_repos = vec![ExtraRepo {
            name: "more".to_owned(),
            settings: Vec::new(),
        }];
    })
    .await;
    let message = "Could not makecache.".to_owned();
    assert_eq!(report.outcome, JobOutcome::Error { message });
}

#[tokio::test]
async fn an_environment_that_is_not_offered_is_an_error() {
    let (log, report) = execute(|order| {
        order.suite.environment = Environment::Host {
            distro: "fedora/28/atomic".to_owned(),
            ostree: None,
            specs: HostSpecs::default(),
        };
    })
    .await;
    let message = "This worker offers no `host` environments.".to_owned();
    assert_eq!(report.outcome, JobOutcome::Error { message });
    assert!(!log.contains(">>>"), "{log}");
}
