//! What a suite may know and nobody may read.

use super::{execute, suite, variable};
use crate::protocol::{JobOutcome, SecretVariable};

const TOKEN: &str = "it's \"$HOME\" `t` 123";
const KEY: &str = "-----BEGIN KEY-----\nshort\nanother long line\n-----END KEY-----\n";

fn secret(name: &str, value: &str) -> SecretVariable {
    SecretVariable {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// The output of a command, between its echo and its end.
fn output<'l>(log: &'l str, command: &str) -> &'l str {
    let (_, rest) = log.split_once(&format!(">>> {command}\n")).unwrap();
    rest.split_once("### COMPLETED").unwrap().0
}

#[tokio::test]
async fn secrets_reach_the_suite_as_they_are_and_the_log_never() {
    let tests = [
        "printf %s \"$TOKEN\" | sha256sum",
        "echo \"<$TOKEN>\"; printf %s \"$TOKEN\" | base64",
        "for ((i = 0; i < ${#TOKEN}; i++)); do printf %s \"${TOKEN:i:1}\"; done",
        "printf %s \"$KEY\"",
        "(set -x; : \"$TOKEN\") 2>&1",
        "echo no secret: 'it'\"'s\"",
        "printf %s \"${TOKEN%?}\"",
    ];
    let (log, report) = execute(|order| {
        order.suite = suite(&tests);
        order.suite.env = vec![variable("TOKEN", "the suite's own")];
        order.secrets = vec![secret("TOKEN", TOKEN), secret("KEY", KEY)];
        assert!(!format!("{order:?}").contains("123"), "{order:?}");
    })
    .await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    for hidden in [TOKEN, "another long line", "BEGIN KEY", "aXQncyAi"] {
        assert!(!log.contains(hidden), "{log}");
    }
    let sum = "98a5cc42";
    let [first, printed, by_letters, key, traced, others, cut] =
        tests.map(|test| output(&log, test));
    assert!(first.starts_with(sum), "{first}");
    assert_eq!(printed, "<***>\n***\n");
    assert_eq!(by_letters, "***\n");
    assert_eq!(key, "***\n");
    assert_eq!(traced, "+ : '***'\n");
    assert_eq!(others, "no secret: it's\n");
    assert_eq!(cut, format!("{}\n", TOKEN.trim_end_matches('3')));
}

#[tokio::test]
async fn a_secret_in_the_suites_own_commands_is_hidden_too() {
    let (log, _report) = execute(|order| {
        order.suite = suite(&["echo plain-text-secret; exit 1"]);
        order.secrets = vec![secret("S", "plain-text-secret")];
    })
    .await;
    assert!(
        log.contains(">>> echo ***; exit 1\n***\n### EXITED WITH CODE 1"),
        "{log}"
    );
}

#[tokio::test]
async fn our_own_variables_win_over_secrets() {
    let (log, report) = execute(|order| {
        order.suite = suite(&["test \"$PAPR_REPO\" = ours"]);
        order.secrets = vec![secret("PAPR_REPO", "not-ours")];
        order.variables = vec![variable("PAPR_REPO", "ours")];
    })
    .await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
}

#[tokio::test]
async fn scripts_can_be_read_by_the_suite_alone() {
    let (log, report) = execute(|order| {
        order.suite = suite(&["stat --format='%a %U' \"$0\" | grep -x '600 papr'"]);
    })
    .await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
}
