//! What strangers may try to do with the texts that they can choose.

use proptest::prelude::*;

use super::super::*;
use super::samples::*;
use crate::ids::BranchName;
use crate::queue::note::{Note, PIN};

fn attacked(attack: &str) -> Vec<Note> {
    notes(Chosen {
        text: attack,
        url: attack,
    })
}

const ATTACKS: [&str; 9] = [
    "@bors r+",
    "x @bors: r+ p=5",
    "<!-- @bors r=mallory aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa -->",
    "-->\n@bors r+\n<!--",
    "`@bors r+` ``@bors r+`` ```\n@bors r+\n```",
    "](https://x) @bors r+ [a](javascript:alert)",
    ":pushpin: Commit ",
    "\n:pushpin: Commit aaaa\r@bors r+\u{2028}@bors try",
    "https://x/ @bors r+ <!-- paprq:1 -->",
];

fn said(note: &Note) -> String {
    comment(note, PullNumber(7), &links())
}

/// What a bot that reads every line, and knows nothing of code or HTML, takes for a mention.
fn mentions(text: &str) -> usize {
    text.to_lowercase().matches("@bors").count()
}

#[test]
fn no_text_of_others_mentions_the_bot_or_hides_anything() {
    for attack in ATTACKS {
        assert_harmless(attack);
    }
}

proptest! {
    /// L8: whatever a stranger composes of what means something here, on GitHub or to other bots.
    #[test]
    fn no_composed_text_mentions_the_bot_or_hides_anything(
        parts in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(vec![
                    "@bors", "@", "bors", " r+", "<!--", "-->", "--", ">", "<", "!", "`", "```",
                    "\n", "\r", "\u{2028}", "[", "](", ")", "\\", "&lt;", "paprq:", "homu:", " ",
                ]).prop_map(str::to_owned),
                any::<char>().prop_map(String::from),
            ],
            0..24,
        ),
    ) {
        assert_harmless(&parts.concat());
    }
}

fn assert_harmless(attack: &str) {
    for note in attacked(attack) {
        let text = said(&note);
        // These call the author of a comment by name, and here that is the bot's.
        let calls_the_author = matches!(
            note,
            Note::Refused { .. }
                | Note::RightsUnknown { .. }
                | Note::NotUnderstood { .. }
                | Note::ApprovalOutdated { .. }
                | Note::TryOutdated { .. }
        );
        let (own_mentions, own_hidden) = if matches!(note, Note::Approved { .. }) {
            (1, 2)
        } else if matches!(note, Note::Delegated { .. }) {
            (mentions(&text).min(1), 1)
        } else if calls_the_author {
            (mentions(&text).min(1), 0)
        } else {
            (0, text.matches("<!-- homu: {\"type\":").count().min(1))
        };
        assert_eq!(mentions(&text), own_mentions, "{text}");
        assert_eq!(text.matches("<!--").count(), own_hidden, "{text}");
        assert_eq!(text.matches("-->").count(), own_hidden, "{text}");
    }
}

#[test]
fn only_an_approval_pins_and_only_its_own_commit() {
    for attack in ATTACKS {
        for note in attacked(attack) {
            let text = said(&note);
            let pins = text.lines().filter(|line| line.starts_with(PIN)).count();
            if matches!(note, Note::Approved { .. }) {
                assert_eq!(pins, 1);
                let pin = text.lines().find(|line| line.contains("@bors"));
                assert!(
                    pin.is_some_and(|line| line.ends_with(&format!(" {} -->", head()))),
                    "{text}"
                );
            } else {
                assert_eq!(pins, 0, "{text}");
            }
        }
    }
}

#[test]
fn a_comment_that_calls_somebody_gives_no_order() {
    for attack in ATTACKS {
        for note in attacked(attack) {
            if matches!(note, Note::Approved { .. }) {
                continue;
            }
            let text = said(&note).to_lowercase();
            for order in ["@bors r+", "@bors: r+", "@bors r=", "@bors try"] {
                assert!(!text.contains(order), "{text}");
            }
        }
    }
}

#[test]
fn no_status_says_more_than_github_takes_or_mentions_anybody() {
    for attack in ATTACKS {
        for text in [attack.to_owned(), attack.repeat(50)] {
            for note in statuses(Chosen {
                text: &text,
                url: &text,
            }) {
                let status = status(&note, &links());
                let description = &status.description;
                assert!(description.chars().count() <= 140, "{description}");
                assert_eq!(mentions(description), 0, "{description}");
                assert!(!description.contains('\n'), "{description}");
                assert!(status.url.is_empty() || status.url.starts_with("http"));
            }
        }
    }
}

#[test]
fn a_comment_fits_into_github_whatever_it_says() {
    let many: Vec<_> = (0..256)
        .map(|_| check(&"<@`".repeat(90), &format!("https://x/{}", "@".repeat(300))))
        .collect();
    let names: Vec<_> = many.iter().map(|link| link.name.clone()).collect();
    let long = "<@`\n".repeat(20_000);
    let mut all = attacked(&long);
    all.push(Note::Succeeded {
        checks: many.clone(),
        approver: Login::new(&long),
        merge: merge(),
        base: BranchName::new(&long),
    });
    all.push(Note::Rebuilding {
        reused: many,
        again: names.clone(),
    });
    all.push(Note::TimedOut { waiting_for: names });
    for note in all {
        let length = said(&note).chars().count();
        assert!(length < 60_000, "{length}");
    }
}
