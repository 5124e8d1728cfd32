//! Comments made by chance of parts whose meaning is known, and of anything at all.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::*;

/// A few lines of a comment and what they mean.
#[derive(Clone, Debug)]
struct Part {
    lines: String,
    commands: Vec<Command>,
    end: End,
}

/// Whether the reading goes on after a part.
#[derive(Clone, Debug)]
enum End {
    GoesOn,
    Stops {
        not_understood: Option<&'static str>,
    },
}

impl Part {
    fn without_commands(lines: String) -> Self {
        Self {
            lines,
            commands: Vec::new(),
            end: End::GoesOn,
        }
    }
}

/// A stretch of a line and the commands in it.
type Phrase = (String, Vec<Command>);

fn address() -> impl Strategy<Value = String> {
    let before = vec![
        "",
        "",
        "hey ",
        "(",
        "    ",
        "\t",
        "- ",
        "1. ",
        "# ",
        "<b>x</b> ",
        "«",
        "cc @alice: ",
        "`x` ",
        "@botty ",
        "é → ",
    ];
    let name = vec!["@bot", "@bot", "@BOT", "@bot:", "@Bot:"];
    (select(before), select(name)).prop_map(|(before, name)| format!("{before}{name}"))
}

fn space() -> impl Strategy<Value = &'static str> {
    select(&[" ", " ", "  ", "\t", "\u{a0}", "\u{3000} "])
}

fn fixed_phrase() -> impl Strategy<Value = Phrase> {
    let jack = || Login::new("jack");
    select(vec![
        ("r-", vec![Command::Unapprove]),
        (
            "r+",
            vec![Command::Approve {
                approver: jack(),
                commit: None,
            }],
        ),
        ("r=me", vec![]),
        ("@bot", vec![]),
        ("@BOT:", vec![]),
        ("delegate+", vec![Command::DelegateAuthor]),
        ("delegate-", vec![Command::Undelegate]),
        ("try", vec![Command::Try { chooser: None }]),
        ("try-", vec![Command::Untry]),
        ("rollup", vec![Command::Rollup { value: 1 }]),
        ("rollup=always", vec![Command::Rollup { value: 1 }]),
        ("rollup=maybe", vec![Command::Rollup { value: 0 }]),
        ("rollup-", vec![Command::Rollup { value: 0 }]),
        ("rollup=iffy", vec![Command::Rollup { value: -1 }]),
        ("rollup=never", vec![Command::Rollup { value: -2 }]),
        ("squash", vec![Command::Squash]),
        ("squash-", vec![Command::Unsquash]),
        ("force", vec![Command::Force]),
        ("clean", vec![Command::Clean]),
        ("ping", vec![Command::Ping]),
        ("hello?", vec![Command::Ping]),
        ("treeclosed-", vec![Command::TreeOpen]),
    ])
    .prop_map(|(text, commands)| (text.to_owned(), commands))
}

fn valued_phrase() -> impl Strategy<Value = Phrase> {
    let commit = prop_oneof![Just(None), "[0-9a-fA-F]{4,40}".prop_map(Some)];
    prop_oneof![
        any::<i64>().prop_map(|value| (format!("p={value}"), vec![Command::Priority { value }])),
        any::<i64>().prop_map(|value| (
            format!("treeclosed={value}"),
            vec![Command::TreeClosed { value }]
        )),
        ("@?", "[A-Za-z0-9-]{3,20}").prop_map(|(at, name)| {
            (
                format!("delegate={at}{name}"),
                vec![Command::Delegate {
                    to: Login::new(name),
                }],
            )
        }),
        "[a-z0-9_/-]{1,9}".prop_map(|name| {
            (
                format!("try={name}"),
                vec![Command::Try {
                    chooser: Some(name),
                }],
            )
        }),
        ("@?", "[A-Za-z0-9-]{3,20}(,[a-z]{1,9}){0,2}", commit).prop_map(|(at, names, commit)| {
            let text = format!("r={at}{names} {}", commit.clone().unwrap_or_default());
            let commit = commit.map(|digits| CommitPrefix::try_from(digits).unwrap());
            (
                text,
                vec![Command::Approve {
                    approver: Login::new(names),
                    commit,
                }],
            )
        }),
        "[!-~&&[^`]]{0,9}".prop_map(|data| {
            let name = "deploy".to_owned();
            (
                format!("deploy={data}"),
                vec![Command::Hook {
                    name,
                    data: Some(data),
                }],
            )
        }),
    ]
}

/// `retry` with suites and a remark; nothing can follow it on its line.
fn retry_phrase() -> impl Strategy<Value = Phrase> {
    let suite = prop_oneof![
        "[a-z0-9_][a-z0-9_/.]{0,9}".prop_map(|name| (name.clone(), name)),
        "[a-z][a-z |/()-]{0,9}[a-z)]".prop_map(|name| (format!("\"{name}\""), name)),
        "[a-z][a-z |/()'-]{0,9}[a-z)]".prop_map(|name| (format!("“{name}”,"), name)),
    ];
    let remark = select(&["", "-- spurious r+", "(p=1)", "- @bot r+", "#12", "— ping"]);
    (proptest::collection::vec(suite, 0..4), remark).prop_map(|(suites, remark)| {
        let (texts, suites): (Vec<_>, Vec<_>) = suites.into_iter().unzip();
        (
            format!("retry {} {remark}", texts.join(" ")),
            vec![Command::Retry { suites }],
        )
    })
}

fn line_of_commands() -> impl Strategy<Value = Part> {
    let phrase = prop_oneof![3 => fixed_phrase(), 2 => valued_phrase()];
    let phrases = proptest::collection::vec((space(), phrase), 0..5);
    let last = prop_oneof![2 => Just(None), 1 => retry_phrase().prop_map(Some)];
    (address(), phrases, last).prop_map(|(mut lines, phrases, last)| {
        let phrases = phrases.into_iter().chain(last.map(|phrase| (" ", phrase)));
        let mut commands = Vec::new();
        for (space, (text, meant)) in phrases {
            lines.extend([space, &text]);
            commands.extend(meant);
        }
        Part {
            lines,
            commands,
            end: End::GoesOn,
        }
    })
}

/// Words that end the reading, and whether they are answered.
fn line_that_stops() -> impl Strategy<Value = Part> {
    let stop = select(vec![
        ("please r+", None),
        ("is great", None),
        ("-->", None),
        ("`r+`", None),
        ("@botty ping", None),
        ("@alice r+", None),
        ("пинг", None),
        ("rty ping", Some("rty")),
        ("r + p=1", Some("r +")),
        ("r+, p=1", Some("r+,")),
        ("treeclose=5", Some("treeclose=5")),
        ("ключ=значение", Some("ключ=значение")),
    ]);
    (address(), stop).prop_map(|(address, (text, not_understood))| Part {
        lines: format!("{address} ping {text}"),
        commands: vec![Command::Ping],
        end: End::Stops { not_understood },
    })
}

fn noise() -> impl Strategy<Value = Part> {
    let line = select(&[
        "",
        "r+",
        "p=1 ping",
        "> @bot ping",
        "  >> @bot rty",
        "@botty ping",
        "@bot-two r+",
        "x@bot r+",
        "@bоt r+",
        "@bot/team ping",
        "see `@bot ping`",
        "`` ` @bot rty``",
        "Prose, with é, 🎉 and \u{200b}.",
        "@\u{200b}bot r+",
        "https://example.org/@bot r+",
        "a@bot.org",
        "| a | b |",
        "<b>x</b>",
        "- [ ] item",
        "\\` escaped",
    ]);
    let fence = (
        select(&["", "  ", "- ", "1. "]),
        select(&["```", "~~~", "`````"]),
        select(&["", "rust", " a b"]),
    );
    let code = select(&[
        "@bot ping",
        "",
        "> @bot r+",
        "``",
        "~~",
        "@bot rty",
        "``` x",
    ]);
    let html = select(&[
        "<!-- @bot ping -->",
        "x <!-- @bot rty --> y",
        "<pre>@bot ping</pre>",
        "x <code>@bot rty</code> y",
        "<blockquote>@bot r+</blockquote>",
        "<b title='@bot ping'>x</b>",
    ]);
    prop_oneof![
        8 => line.prop_map(|line| Part::without_commands(line.to_owned())),
        2 => html.prop_map(|html| Part::without_commands(html.to_owned())),
        2 => Just(Part::without_commands("\na stray ` here\n".to_owned())),
        2 => (fence, proptest::collection::vec(code, 0..4)).prop_map(|((indent, mark, info), code)| {
            let code = code.join("\n");
            Part::without_commands(format!("{indent}{mark}{info}\n{code}\n{mark}"))
        }),
    ]
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![4 => line_of_commands(), 6 => noise(), 1 => line_that_stops()]
}

/// A comment, and what a reader of the grammar would expect.
fn comment() -> impl Strategy<Value = (String, Reading)> {
    let unclosed = select(&["", "", "```\n@bot ping", "~~~~ x\n~~~\n@bot rty"]);
    let line_end = select(&["\n", "\r\n", "\r"]);
    (proptest::collection::vec(part(), 0..8), unclosed, line_end).prop_map(
        |(parts, unclosed, line_end)| {
            let mut lines: Vec<&str> = parts.iter().map(|part| part.lines.as_str()).collect();
            lines.push(unclosed);
            let comment = lines.join("\n").replace('\n', line_end);
            (comment, expected(parts))
        },
    )
}

/// What a comment may be filled up with: a line that must not be heard.
fn filler() -> impl Strategy<Value = &'static str> {
    select(&[
        "> @bot r+",
        "x@bot r+ and @bot-two ping",
        "`@bot ping` is how it goes",
        "Prose, with é, 🎉 and \u{200b}.",
        "| @botty | r+ |",
    ])
}

/// A comment about as long as GitHub takes them, and what a reader of the grammar would expect.
fn long_comment() -> impl Strategy<Value = (String, Reading)> {
    let line_end = select(&["\n", "\r\n"]);
    (
        proptest::collection::vec((part(), filler()), 1..6),
        line_end,
    )
        .prop_map(|(parts, line_end)| {
            let share = LONG_BYTES / parts.len();
            let mut comment = String::new();
            for (part, filler) in &parts {
                let filling = vec![*filler; share / filler.len() + 1].join(line_end);
                let lines = part.lines.replace('\n', line_end);
                comment.extend([&lines, line_end, line_end, &filling, line_end, line_end]);
            }
            let parts = parts.into_iter().map(|(part, _)| part);
            (comment, expected(parts.collect()))
        })
}

const LONG_BYTES: usize = 60_000;

fn expected(parts: Vec<Part>) -> Reading {
    let mut reading = Reading::default();
    for part in parts {
        reading.commands.extend(part.commands);
        if let End::Stops { not_understood } = part.end {
            reading.not_understood = not_understood.map(str::to_owned);
            break;
        }
    }
    reading
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_comment_means_what_its_parts_mean((comment, expected) in comment()) {
        prop_assert_eq!(read(&comment), expected);
    }

    #[test]
    fn quoting_silences_any_comment((comment, _) in comment()) {
        let quoted = comment.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\n> ");
        prop_assert_eq!(read(&format!("> {quoted}")), Reading::default());
    }

    #[test]
    fn a_fence_silences_any_comment((comment, _) in comment()) {
        prop_assert_eq!(read(&format!("``````\n{comment}\n``````")), Reading::default());
    }

    #[test]
    fn a_comment_that_means_something_mentions_the_bot((comment, _) in comment(), text in ".*") {
        for comment in [comment, text] {
            let is_silent = read(&comment) == Reading::default();
            prop_assert!(is_silent || grammar().mentions_bot(&comment));
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in "(?s).*", marks in "(@bot|[ `~>\\\\\r\n\"“'=+.,r-]|\\PC){0,60}") {
        for comment in [format!("@bot {text}"), format!("@bot {marks}"), format!("{text}@bot retry {marks}"), marks] {
            let reading = read(&comment);
            let answer = reading.not_understood.unwrap_or_default();
            prop_assert!(answer.chars().count() <= NOT_UNDERSTOOD_CHARS_MAX);
            prop_assert!(!answer.contains(['\n', '\r']));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_long_comment_means_what_its_parts_mean((comment, expected) in long_comment()) {
        prop_assert!(comment.len() >= LONG_BYTES);
        prop_assert_eq!(read(&comment), expected);
    }
}

/// What makes comments hard to read, and how it is found in one.
type Difficulty = (&'static str, fn(&str) -> bool);

const DIFFICULTIES: [Difficulty; 11] = [
    ("an HTML comment", |text| text.contains("<!-- @bot")),
    ("an element of code or of a quote", |text| {
        text.contains("<pre>@bot") || text.contains("<blockquote>@bot")
    }),
    ("a quote", |text| text.contains("> @bot")),
    ("several mentions", |text| {
        mention::all(text, "bot").nth(2).is_some()
    }),
    ("a mention in inline code", |text| {
        text.contains("`@bot ping`")
    }),
    ("a fence", |text| {
        text.contains("```") || text.contains("~~~")
    }),
    ("CRLF", |text| text.contains("\r\n")),
    ("Unicode", |text| !text.is_ascii()),
    ("a login that begins like the bot's", |text| {
        text.contains("@botty")
    }),
    ("a login that ends like the bot's", |text| {
        text.contains("x@bot")
    }),
    ("a login that looks like the bot's", |text| {
        text.contains("@bоt")
    }),
];

/// The generator would hold its promise with an empty list of parts, too.
#[test]
fn a_thousand_comments_hold_each_difficulty_and_most_of_them_commands() {
    let mut runner = TestRunner::deterministic();
    let comments: Vec<(String, Reading)> = (0..1_000)
        .map(|_| comment().new_tree(&mut runner).unwrap().current())
        .collect();
    for (name, is_in) in DIFFICULTIES {
        let found = comments.iter().filter(|(text, _)| is_in(text)).count();
        assert!(found >= 40, "only {found} comments with {name}");
    }
    let meant = comments
        .iter()
        .filter(|(_, reading)| !reading.commands.is_empty());
    assert!(meant.count() >= 500);
    for (text, expected) in comments {
        assert_eq!(read(&text), expected, "{text:?}");
    }
}
