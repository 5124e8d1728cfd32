//! The commands one by one: their forms, their values, and what is no form of them.

use super::*;

#[test]
fn a_commit_after_an_approval_is_hex_of_at_least_four_digits() {
    check(&[
        ("@bot r+ 0123", "[approve,approver:jack,commit:0123]"),
        ("@bot r+ ABCDef", "[approve,approver:jack,commit:ABCDef]"),
        ("@bot r+ 012 p=1", "[approve,approver:jack,commit:null]"),
        ("@bot r+ 0123g", "[approve,approver:jack,commit:null]"),
        (
            "@bot r=bob 01234 p=1",
            "[approve,approver:bob,commit:01234,priority,value:1]",
        ),
        ("@bot p=1 01234 r+", "[priority,value:1]"),
        ("@bot r+ @bot 01234", "[approve,approver:jack,commit:null]"),
        ("@bot r+\n01234", "[approve,approver:jack,commit:null]"),
    ]);
}

#[test]
fn a_prefix_matches_its_commit_alone_and_in_any_case() {
    let commit: CommitId = SHA.parse().unwrap();
    let matches = |text: &str| {
        CommitPrefix::try_from(text.to_owned())
            .unwrap()
            .matches(commit)
    };
    assert!(matches("0123"));
    assert!(matches("0123456789ABCDEF"));
    assert!(matches(SHA));
    assert!(!matches("1234"));
    assert!(!matches(&format!("{SHA}0")));
}

#[test]
fn a_commit_with_a_digit_too_many_is_kept_so_that_it_is_refused() {
    let comment = format!("@bot r+ {SHA}0");
    let [
        Command::Approve {
            commit: Some(prefix),
            ..
        },
    ] = &read(&comment).commands[..]
    else {
        panic!("not one approval");
    };
    assert_eq!(prefix.as_str().len(), 41);
}

#[test]
fn approval_on_behalf_of_others() {
    check(&[
        ("@bot r=alice", "[approve,approver:alice,commit:null]"),
        ("@bot r=@alice", "[approve,approver:alice,commit:null]"),
        (
            "@bot r=alice,@bob-2,c_d",
            "[approve,approver:alice,bob-2,c_d,commit:null]",
        ),
        ("@bot r=app[bot]", "[approve,approver:app[bot],commit:null]"),
        ("@bot r=me p=1", "[priority,value:1]"),
        ("@bot r=me 0123 p=1", "[priority,value:1]"),
        ("@bot r=@me", "[]"),
        ("@bot r=mem", "[approve,approver:mem,commit:null]"),
    ]);
    silent(&[
        "@bot r=",
        "@bot r=@",
        "@bot r=a,,b",
        "@bot r=a,",
        "@bot r=a-->b",
        "@bot r=\u{430}lice",
    ]);
}

#[test]
fn numbers_have_signs_and_never_overflow() {
    check(&[
        ("@bot p=0", "[priority,value:0]"),
        ("@bot p=-12", "[priority,value:-12]"),
        ("@bot p=+12", "[priority,value:12]"),
        (
            "@bot p=99999999999999999999",
            "[priority,value:9223372036854775807]",
        ),
        (
            "@bot p=-99999999999999999999",
            "[priority,value:-9223372036854775808]",
        ),
        ("@bot treeclosed=-1", "[treeclosed,value:-1]"),
        (
            "@bot treeclosed=99999999999999999999",
            "[treeclosed,value:9223372036854775807]",
        ),
    ]);
    silent(&[
        "@bot p=",
        "@bot p=x",
        "@bot p=1.5",
        "@bot p=--1",
        "@bot p=-",
        "@bot p=٣",
        "@bot p=99999999999999999999x",
        "@bot treeclosed=",
        "@bot treeclosed=no",
    ]);
}

#[test]
fn rollup_has_four_values_and_two_short_forms() {
    check(&[
        ("@bot rollup", "[rollup,value:1]"),
        ("@bot rollup=always", "[rollup,value:1]"),
        ("@bot rollup=maybe", "[rollup,value:0]"),
        ("@bot rollup-", "[rollup,value:0]"),
        ("@bot rollup=iffy", "[rollup,value:-1]"),
        ("@bot rollup=never", "[rollup,value:-2]"),
    ]);
    silent(&["@bot rollup=", "@bot rollup=1", "@bot rollup=Always"]);
}

#[test]
fn names_drop_their_at_sign() {
    check(&[
        ("@bot delegate=@alice", "[delegate,to:alice]"),
        (
            "@bot delegate=alice delegate+",
            "[delegate,to:alice,delegate_author]",
        ),
        ("@bot try=linux-x86", "[try,chooser:linux-x86]"),
    ]);
    silent(&[
        "@bot delegate=",
        "@bot delegate=@",
        "@bot delegate=a,b",
        "@bot try=",
    ]);
}

#[test]
fn hooks_take_data_and_never_shadow_a_command() {
    check(&[
        (
            "@bot deploy docs",
            "[hook,name:deploy,data:null,hook,name:docs,data:null]",
        ),
        ("@bot deploy=\"x", "[hook,name:deploy,data:\\x]"),
        ("@bot deploy= ping", "[hook,name:deploy,data:,ping]"),
        ("@bot clean", "[clean]"),
        ("@bot clean=x", "[hook,name:clean,data:x]"),
        ("@bot p", "[hook,name:p,data:null]"),
        ("@bot p=1", "[priority,value:1]"),
    ]);
    silent(&["@bot Deploy", "@bot deploys", "@bot p=x"]);
}

#[test]
fn the_portal_is_the_whole_comment() {
    let portal = vec![Command::Portal];
    check_ping(
        portal,
        &[
            "@bot are you still there?",
            " \r\n@BOT: are  you\tstill there?\n",
            "@bot\nare you still there?",
            "are you still there? @bot",
        ],
    );
    silent(&[
        "@bot are you still there",
        "@bot are you still there? hm",
        "well\n@bot are you still there?",
        "@bot are you still there?\n@bot ping",
        "`@bot` are you still there?",
        "are you still there?",
        "> @bot\nare you still there?",
    ]);
}
