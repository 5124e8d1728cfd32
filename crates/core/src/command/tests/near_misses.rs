//! The line between a slip, which gets an answer, and prose, which gets none.

use super::*;

/// Each is what follows `@bot `; what is answered is its first word.
const SLIPS: [&str; 59] = [
    "rty",
    "tyr",
    "Try",
    "TRY",
    "try,",
    "try+",
    "try=",
    "rety",
    "retyr",
    "retr",
    "rretry",
    "Retry",
    "retry.",
    "retry!",
    "/retry",
    "re-try",
    "R+",
    "r+,",
    "r+1",
    "r+alice",
    "**r+**",
    "/r+",
    "r＋",
    "r–",
    "r−",
    "r_",
    "r*",
    "R-",
    "r-,",
    "r=",
    "r=alice,",
    "r:alice",
    "R=alice",
    "r+\u{200b}",
    "r\u{200b}+",
    "\u{200b}r+",
    "p=abc",
    "p=",
    "p=1.5",
    "P=5",
    "p5",
    "p:5",
    "treeclose=5",
    "treeclosed",
    "treclosed-",
    "treclosd",
    "treeclosed=no",
    "rollup=sometimes",
    "rolup",
    "Rollup",
    "roll-up",
    "delegate",
    "delgate+",
    "delegate=",
    "priority=5",
    "foo=bar",
    "sqush",
    "frce",
    "deplyo",
];

/// Each is a whole comment.
const PROSE: [&str; 66] = [
    "@bot",
    "@bot:",
    "thanks @bot!",
    "Thank you, @bot.",
    "@bot is great",
    "@bot can you help",
    "@bot can you retry?",
    "@bot please retry",
    "@bot thanks",
    "@bot ty",
    "@bot why did this fail?",
    "@bot what is going on here",
    "@bot hello",
    "@bot hello there",
    "Hello @bot",
    "@bot hi",
    "I think @bot is slow today",
    "@bot r u there",
    "@bot really?",
    "@bot R.E.M. is a band",
    "@bot r's are hard",
    "@bot r…",
    "@bot approved this already",
    "@bot merge this",
    "@bot the tests are red",
    "@bot they tried",
    "@bot tries again",
    "@bot dry run first",
    "@bot my tests fail",
    "@bot forces me to rebase",
    "@bot forced a rebuild",
    "@bot cleans up branches",
    "@bot clear the queue",
    "@bot cleaned the queue",
    "@bot lean back",
    "@bot retries too often",
    "@bot retrying will not help",
    "@bot retro on Friday",
    "@bot delegates to alice",
    "@bot delegated this",
    "@bot delegation is off",
    "@bot squashed my commits",
    "@bot rollups are nice",
    "@bot pinged me",
    "@bot pings me at night",
    "@bot king of bots",
    "@bot pong",
    "@bot's r+ was quick",
    "@bot, are you there?",
    "@bot! wonderful",
    "@bot => me",
    "@bot a == b",
    "@bot -- what?",
    "@bot `r+`",
    "@bot `p=x` is wrong",
    "ask @bot `retry`",
    "@bot https://example.org/?a=b",
    "@bot (see #12)",
    "@bot +1",
    "@bot 👍",
    "@bot LGTM",
    "@bot tests pass for me",
    "@bot p. 5 of the paper",
    "@bot r-squared is low",
    "@bot 5 of 6 passed",
    "cc @alice @bot @carol",
];

#[test]
fn slips_get_an_answer_that_names_them() {
    for slip in SLIPS {
        let reading = read(&format!("@bot ping {slip} and then\n@bot ping"));
        assert_eq!(reading.commands, [Command::Ping], "{slip}");
        assert_eq!(reading.not_understood.as_deref(), Some(slip));
    }
}

#[test]
fn slips_over_two_words_are_answered_with_both() {
    for slip in [
        "r +",
        "r -",
        "R +",
        "r =alice",
        "r ＋",
        "p 5",
        "p =",
        "p =5",
        "P -5",
        "p :5",
        "@bot, r+",
        "@bot. retry",
        "@bot; p=5",
        "@BOT! try",
        "@bot\u{200b} ping",
    ] {
        // A hook of this name would take the word.
        let grammar = Grammar {
            bot: Login::new("bot"),
            hooks: Vec::new(),
            aliases: Vec::new(),
        };
        let reading = grammar.read(&format!("@bot {slip} now"), &Login::new("jack"));
        assert_eq!(reading.commands, [], "{slip}");
        assert_eq!(reading.not_understood.as_deref(), Some(slip));
    }
    for slip in ["@bot:r+", "@bot,retry", "@bot:p=5"] {
        assert_eq!(
            read(&format!("{slip} now")).not_understood.as_deref(),
            Some(slip)
        );
    }
    let value = read("@bot rollup = never");
    assert_eq!(value.not_understood.as_deref(), Some("="));
}

#[test]
fn prose_gets_no_answer() {
    for comment in PROSE {
        assert_eq!(read(comment), Reading::default(), "{comment}");
    }
}

#[test]
fn what_was_understood_gets_no_answer() {
    for comment in [
        "@bot r+ thanks!",
        "@bot retry -- rty",
        "@bot retry foo=bar",
        "@bot try harder",
        "@bot r=me with nits",
    ] {
        assert_eq!(read(comment).not_understood, None, "{comment}");
    }
}

#[test]
fn only_what_ends_the_reading_is_answered() {
    assert_eq!(read("@bot please rty\n@bot foo=bar").not_understood, None);
    assert_eq!(
        read("> @bot rty\n`@bot rty`\n```\n@bot rty").not_understood,
        None
    );
    assert_eq!(
        read("@bot rty\n@bot foo=bar").not_understood.as_deref(),
        Some("rty")
    );
}

#[test]
fn an_answer_is_short() {
    let text = read(&format!("@bot x={}", "é".repeat(30_000)))
        .not_understood
        .unwrap();
    assert_eq!(text.chars().count(), NOT_UNDERSTOOD_CHARS_MAX);
    assert!(text.ends_with('…'));
    let exact = format!("x={}", "é".repeat(NOT_UNDERSTOOD_CHARS_MAX - 2));
    assert_eq!(read(&format!("@bot {exact}")).not_understood, Some(exact));
}
