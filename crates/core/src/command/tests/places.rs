//! Where a command may stand: after the bot's whole name, outside quotes and code.

use super::*;

#[test]
fn the_whole_login_is_the_bot_in_any_case() {
    pings(&[
        "@bot ping",
        "@BOT ping",
        "@Bot: ping",
        "hey @bot ping",
        "(@bot ping",
        "\"@bot ping",
        "*@bot ping",
        "done.@bot ping",
        "ж.@bot ping",
        "[@bot ping",
        "\u{200b}@bot ping",
        "\u{feff}@bot ping",
        "@bot hello?",
        "🎉@bot ping",
    ]);
}

#[test]
fn look_alikes_are_not_the_bot() {
    for other in [
        "@botty ping",
        "@bot-two ping",
        "@bot- ping",
        "@bot_x ping",
        "@bot2 ping",
        "x@bot ping",
        "é@bot ping",
        "9@bot ping",
        "_@bot ping",
        "@bot/team ping",
        "@bot.org ping",
        "@bot@host ping",
        "@bot[bot] ping",
        "@@bot ping",
        "https://example.org/@bot ping",
        "@bо\u{74} ping",
        "@\u{200b}bot ping",
        "@bo\u{200b}t ping",
        "@boté ping",
        "@ bot ping",
        "bot ping",
        "＠bot ping",
        "@robot ping",
        "@bo\u{0442} ping",
    ] {
        silent(&[other]);
        // If it were the bot, this word would end the reading.
        pings(&[&format!("{other} stop\n@bot ping").replace(" ping stop", " stop")]);
    }
    let kelvin = Grammar {
        bot: Login::new("kbot"),
        hooks: Vec::new(),
        aliases: Vec::new(),
    };
    assert_eq!(
        kelvin.read("@\u{212a}bot ping", &Login::new("jack")),
        Reading::default()
    );
}

#[test]
fn a_login_that_other_logins_continue_is_found_in_them_no_more_than_alone() {
    check(&[
        ("@botty p=1 @bot p=2", "[priority,value:2]"),
        ("x@bot @bot p=2", "[priority,value:2]"),
    ]);
    let app = Grammar {
        bot: Login::new("bot[bot]"),
        hooks: Vec::new(),
        aliases: Vec::new(),
    };
    let author = Login::new("jack");
    assert_eq!(
        app.read("@bot[bot] ping", &author).commands,
        [Command::Ping]
    );
    assert_eq!(app.read("@bot ping", &author).commands, []);
}

#[test]
fn a_bot_without_a_name_hears_nothing() {
    let nameless = Grammar {
        bot: Login::new(""),
        hooks: Vec::new(),
        aliases: Vec::new(),
    };
    assert!(!nameless.mentions_bot("@ ping"));
    assert_eq!(
        nameless.read("@ ping", &Login::new("jack")),
        Reading::default()
    );
}

#[test]
fn what_is_before_the_mention_is_dropped_and_later_mentions_are_skipped() {
    check(&[
        ("p=1 @bot p=2", "[priority,value:2]"),
        (
            "@bot p=1 @bot p=2 @BOT: p=3",
            "[priority,value:1,priority,value:2,priority,value:3]",
        ),
        (
            "p=1\n@bot p=2\np=3\n@bot p=4",
            "[priority,value:2,priority,value:4]",
        ),
        ("thanks @bot, you rock\n@bot p=1", "[]"),
    ]);
}

#[test]
fn reading_of_the_whole_comment_stops_at_the_first_word_that_is_no_command() {
    check(&[
        ("@bot p=1 please p=2\n@bot p=3", "[priority,value:1]"),
        ("@bot please\n@bot p=3", "[]"),
        ("@bot r+, p=3", "[]"),
        ("@bot p=1\n@bot", "[priority,value:1]"),
        ("@bot\n@bot p=1", "[priority,value:1]"),
        ("@bot, p=1", "[]"),
    ]);
}

#[test]
fn quoted_lines_do_not_count() {
    silent(&[
        "> @bot ping",
        ">@bot ping",
        "  > @bot ping",
        "\t>> @bot ping",
        "- > @bot ping",
        "a\n> @bot ping\nb",
    ]);
    pings(&[
        "> x\n@bot ping",
        "a > @bot ping",
        "> @bot p=1\r\n@bot ping",
        "> ```\n@bot ping",
        "> `\n@bot ping `",
    ]);
}

#[test]
fn fenced_code_does_not_count() {
    silent(&[
        "```\n@bot ping\n```",
        "~~~\n@bot ping\n~~~",
        "`````\n```\n@bot ping\n`````",
        "```\n@bot ping",
        "```rust ignore\n@bot ping\n```",
        "~~~ a`b\n@bot ping\n~~~",
        "```\n~~~\n@bot ping\n```",
        "```\n``` x\n@bot ping\n```",
        "- ```\n  @bot ping\n  ```",
        "1. - * ```sh\n@bot ping\n      ```",
        "    ```\n    @bot ping\n    ```",
        "\t~~~\n@bot ping\n~~~",
        "```\r\n@bot ping\r\n```",
        "```\r@bot ping\r```",
        "> x\n```\n> y\n@bot ping\n```",
        "``` @bot ping",
    ]);
    pings(&[
        "```\ncode\n```\n@bot ping",
        "~~~\n@bot p=1\n~~~~~\n@bot ping",
        "```\n@bot p=1\n  ```  \n@bot ping",
        "``\n@bot ping",
        "``` a ``` b\n@bot ping",
        "```\r\n@bot p=1\r\n```\r\n@bot ping",
        "- ```\n  x\n  ```\n- @bot ping",
        "~~ x\n@bot ping",
        "x ```\n@bot ping",
        "-```\n@bot ping",
        "1.```\n@bot ping",
    ]);
}

#[test]
fn inline_code_does_not_count() {
    silent(&[
        "`@bot ping`",
        "say `@bot ping` to it",
        "``@bot ping``",
        "`` ` @bot ping ` ``",
        "`@bot` ping",
        "a `b\n@bot ping\nc` d",
        "a `b\r\n@bot ping\r\nc` d",
        "\\\\`@bot ping`",
        "`x\\` `@bot ping`",
        "``x`` `@bot ping`",
        "- `@bot ping`",
        "\\``@bot ping`",
    ]);
    pings(&[
        "`x` @bot ping",
        "` @bot ping",
        "`` ` @bot ping",
        "\\`@bot ping \\`",
        "`@bot p=1` @bot ping",
        "a ` b\n\n@bot ping\n\nc ` d",
        "- a ` b\n- @bot ping\n- c ` d",
        "a ` b\n> ` c\n@bot ping",
        "# a ` b\n@bot ping\n# `",
        "`a\\` @bot ping",
    ]);
}

#[test]
fn indented_lines_count() {
    pings(&[
        "    @bot ping",
        "\t@bot ping",
        "x\n\n        @bot ping",
        "- @bot ping",
        "* [ ] @bot ping",
        "# @bot ping",
    ]);
}

#[test]
fn what_the_page_does_not_show_does_not_count() {
    silent(&[
        "<!-- @bot ping -->",
        "- ```\n\n```\n<!-- @bot ping -->",
        "<!-- @bot ping",
        "<!--\n@bot ping\n-->",
        "<!--\n\n@bot ping\n\n-->",
        "<!--\r\n@bot ping\r\n-->",
        "<div><!--\n\n@bot ping\n\n--></div>",
        "x <!-- y\n@bot ping --> z",
        "- <!-- @bot ping -->",
        "<div title=\"@bot ping\">x</div>",
        "x <b title=\"\n@bot ping\n\">y</b>",
        "<div\ntitle='>\n@bot ping\n'>",
        "[//]: # (@bot ping)",
        "[//]: # (x)\n[//]: # (@bot ping)",
        "[x]: y '\n@bot ping\n'",
        "[x](y \"\n@bot ping\n\")",
        "![\n@bot ping\n](y)",
        "<!DOCTYPE @bot ping >",
    ]);
    pings(&[
        "<!-- ` -->\n@bot ping\n<!-- ` -->",
        "<!--\n```\n-->\n@bot ping",
        "<!--\n@bot rty\n--> @bot ping",
        "x <!-- y --> @bot ping",
        "x <!-- @bot ping",
        "\\<!--\n@bot ping\n-->",
        "`<!--`\n@bot ping\n`-->`",
        "```\n<!--\n```\n@bot ping",
        "<!-->\n@bot ping",
        "&lt;!--\n@bot ping\n--&gt;",
        "<div>\n@bot ping\n</div>",
        "<details><summary>x</summary>\n\n@bot ping\n\n</details>",
        "<b>\n@bot ping\n</b>",
        "3 <4\n@bot ping\n5> 4",
        "[x](y)\n@bot ping",
        "[\n@bot ping\n](y)",
    ]);
}

#[test]
fn elements_of_code_and_of_quotes_do_not_count() {
    silent(&[
        "<pre>@bot ping</pre>",
        "<pre>\n\n@bot ping\n\n</pre>",
        "<PRE class=\"x\">\n@bot ping\n</PRE>",
        "x <code>y\n@bot ping\nz</code>",
        "<blockquote>\n@bot ping\n</blockquote>",
        "<blockquote>\n\n@bot ping\n\n</blockquote>",
        "<blockquote><blockquote>\n\nx\n\n</blockquote>\n\n@bot ping\n\n</blockquote>",
        "<blockquote>\n\n@bot ping",
        "<div><pre>\n@bot ping\n</pre></div>",
        "<pre\nclass='>'>\n@bot ping",
    ]);
    pings(&[
        "<pre>x</pre>\n\n@bot ping",
        "<pre>\n```\n</pre>\n\n@bot ping",
        "x <code>y</code>\n@bot ping",
        "</pre></pre>\n\n@bot ping\n\n<pre>x</pre>",
        "<prefix>\n@bot ping\n</prefix>",
        "<blockquote>x</blockquote>\n\n@bot ping",
        "- <blockquote>\n\n  x\n\ny\n\n@bot ping",
        "\\<pre>\n@bot ping\n\\</pre>",
        "`<pre>`\n@bot ping\n`</pre>`",
    ]);
}

#[test]
fn a_quoted_mail_and_what_follows_it_do_not_count() {
    silent(&[
        "On Mon, 1 Jan 2024, Jane <j@x.org> wrote:\n@bot ping",
        "Thanks\r\n\r\nOn Mon, 1 Jan 2024 at 10:00, Jane\r\n<j@x.org>\r\nwrote:\r\n\r\n@bot ping",
        "On 2024-01-01, @bot wrote:\n\n> x\n\n@bot ping",
        "Am 1. Jan. 2024 um 10:00 schrieb Jane <j@x.org>:\n@bot ping",
        "Le lun. 1 janv. 2024 à 10:00, Jane <j@x.org> a écrit :\n@bot ping",
        "x\n-----Original Message-----\nFrom: Jane\n\n@bot ping",
        "---------- Forwarded message ---------\n@bot ping",
    ]);
    pings(&[
        "@bot ping\n\nOn Mon, 1 Jan 2024, Jane <j@x.org> wrote:\n> @bot rty",
        "@bot ping\n-----Original Message-----\n@bot rty",
        "On Monday\n\nwrote:\n@bot ping",
        "On Monday Jane wrote: yes\n@bot ping",
        "> On Mon, Jane wrote:\n\n@bot ping",
        "```\nOn Mon, Jane wrote:\n```\n@bot ping",
        "One who wrote:\n@bot ping",
        "-----\n@bot ping",
        "Original Message\n@bot ping",
    ]);
}

#[test]
fn the_bots_own_html_comments_count_and_nobody_elses() {
    let posted = format!(
        ":pushpin: Commit {SHA} has been approved by `alice`\n\n<!-- @bot r=alice {SHA} -->"
    );
    let read = |author: &str| grammar().read(&posted, &Login::new(author)).commands;
    assert_eq!(read("jack"), []);
    let [Command::Approve { approver, commit }] = &read("BOT")[..] else {
        panic!("{:?}", read("bot"));
    };
    assert_eq!(approver.as_str(), "alice");
    assert_eq!(commit.as_ref().map(CommitPrefix::as_str), Some(SHA));
    let code = grammar().read("<pre>@bot ping</pre>", &Login::new("bot"));
    assert_eq!(code.commands, []);
}

/// What nests, repeats or never closes, as long as GitHub takes it.
#[test]
fn hostile_comments_are_read_in_time() {
    let mut slow = Vec::new();
    for piece in [
        "<!--",
        "<!-",
        "<",
        "<a",
        "<a b='",
        "<a b=\"<",
        "<?",
        "<![CDATA[",
        "<!A",
        "</",
        "<pre>",
        "<blockquote>\n\n",
        "<details>\n",
        "<code>",
        ">",
        "> ",
        "- ",
        "1. ",
        "-\t",
        "* a\n  ",
        "[",
        "![",
        "](",
        "[a](",
        "[a]: b '",
        "[a]: b\n",
        "`",
        "``` ",
        "`a``",
        "*a_",
        "**a *",
        "_",
        "~~",
        "&",
        "\\",
        "|",
        "a|\n-|\n",
        "\n",
        "\n>",
        "\n- ",
        "On a\n",
        "on a wrote: ",
        "-----",
        "@bot ",
        "<!-- @bot -->",
        "[a][b]",
        "<https://",
        "\r",
    ] {
        let body = piece.repeat(65_536 / piece.len());
        let nested = format!("{}\n{}", "- ".repeat(90), "\n".repeat(30_000));
        for comment in [
            format!("{body}\n\n@bot ping"),
            format!("@bot ping\n{body}"),
            nested,
        ] {
            let watch = crate::stopwatch::Stopwatch::start();
            let _reading = read(&comment);
            let taken_ms = watch.elapsed().as_millis();
            if taken_ms > 5_000 {
                slow.push((piece, taken_ms));
            }
        }
    }
    assert_eq!(slow, []);
}

#[test]
fn nothing_counts_below_lists_and_quotes_in_a_hundred_others() {
    let deep = |depth: usize| format!("{}x\n\n@bot ping", "- ".repeat(depth));
    pings(&[
        &deep(99),
        &format!("{}\n@bot ping", "-".repeat(300)),
        &format!("{}\n@bot ping", "* ".repeat(300)),
    ]);
    silent(&[&deep(101)]);
}

#[test]
fn lines_end_in_lf_crlf_or_cr() {
    check(&[(
        "x\r@bot p=1\r\n@bot p=2\n@bot p=3\r",
        "[priority,value:1,priority,value:2,priority,value:3]",
    )]);
}

#[test]
fn any_white_space_splits_and_invisible_letters_do_not() {
    for space in [
        ' ', '\t', '\u{a0}', '\u{3000}', '\u{2003}', '\u{202f}', '\u{85}', '\u{2028}', '\u{b}',
        '\u{c}',
    ] {
        let comment = format!("@bot{space}ping{space}{space}try{space}");
        assert_eq!(commands(&comment), "[ping,try,chooser:null]", "{space:?}");
    }
    for letter in ['\u{200b}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{ad}'] {
        silent(&[&format!("@bot{letter}ping"), &format!("@bot pi{letter}ng")]);
    }
}
