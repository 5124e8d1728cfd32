//! What the grammar promises, by example, and in `generated` on comments made by chance.

mod commands;
mod generated;
mod near_misses;
mod places;
mod retry;
mod rights;

use super::*;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

fn grammar() -> Grammar {
    Grammar {
        bot: Login::new("bot"),
        hooks: vec![
            "deploy".to_owned(),
            "docs".to_owned(),
            "clean".to_owned(),
            "p".to_owned(),
        ],
        aliases: Vec::new(),
    }
}

fn read(comment: &str) -> Reading {
    grammar().read(comment, &Login::new("jack"))
}

/// The commands in short: their JSON without quotes and braces.
fn commands(comment: &str) -> String {
    let json = serde_json::to_string(&read(comment).commands).unwrap();
    json.replace("\"command\":", "")
        .replace(['"', '{', '}'], "")
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (comment, expected) in cases {
        assert_eq!(commands(comment), *expected, "{comment:?}");
    }
}

/// Each of these comments holds the command `ping`, or each holds none.
#[track_caller]
fn check_ping(expected: Vec<Command>, comments: &[&str]) {
    for comment in comments {
        assert_eq!(read(comment).commands, expected, "{comment:?}");
    }
}

#[track_caller]
fn pings(comments: &[&str]) {
    check_ping(vec![Command::Ping], comments);
}

#[track_caller]
fn silent(comments: &[&str]) {
    check_ping(Vec::new(), comments);
}

#[test]
fn json_is_that_of_the_interface() {
    let comment = format!(
        "@bot r+ r=alice {SHA} r- p=-3 delegate=bob delegate+ delegate- try try=linux try- rollup \
         rollup- squash squash- force clean ping treeclosed=5 treeclosed- deploy docs=a=b retry x"
    );
    insta::assert_snapshot!(serde_json::to_string(&read(&comment).commands).unwrap().replace("},", "},\n"), @r#"
    [{"command":"approve","approver":"jack","commit":null},
    {"command":"approve","approver":"alice","commit":"0123456789abcdef0123456789abcdef01234567"},
    {"command":"unapprove"},
    {"command":"priority","value":-3},
    {"command":"delegate","to":"bob"},
    {"command":"delegate_author"},
    {"command":"undelegate"},
    {"command":"try","chooser":null},
    {"command":"try","chooser":"linux"},
    {"command":"untry"},
    {"command":"rollup","value":1},
    {"command":"rollup","value":0},
    {"command":"squash"},
    {"command":"unsquash"},
    {"command":"force"},
    {"command":"clean"},
    {"command":"ping"},
    {"command":"treeclosed","value":5},
    {"command":"treeopen"},
    {"command":"hook","name":"deploy","data":null},
    {"command":"hook","name":"docs","data":"a=b"},
    {"command":"retry","suites":["x"]}]
    "#);
    assert_eq!(commands("@bot are you still there?"), "[portal]");
}

#[test]
fn json_reads_back() {
    let commands =
        read("@bot r+ abcd p=1 try squash- treeclosed=5 treeclosed- deploy=x retry a b").commands;
    let json = serde_json::to_string(&commands).unwrap();
    assert_eq!(
        serde_json::from_str::<Vec<Command>>(&json).unwrap(),
        commands
    );
    let bad = r#"{"command":"approve","approver":"a","commit":"abc"}"#;
    assert!(serde_json::from_str::<Command>(bad).is_err());
}
