//! The messages of the commits that are made (homu: main.py create_merge).

use super::pull::Pull;
use crate::ids::PullNumber;

const IGNORE_START: &str = "<!-- homu-ignore:start -->";
const IGNORE_END: &str = "<!-- homu-ignore:end -->";

/// The message of the merge of a pull on behalf of somebody; `<try>` for tries.
pub(super) fn merge_message(pull: &Pull, approver: &str) -> String {
    message("Auto merge", pull, approver)
}

/// The message of the merge of a pull into a rollup.
pub fn rollup_message(pull: &Pull, approver: &str) -> String {
    message("Rollup merge", pull, approver)
}

fn message(what: &str, pull: &Pull, approver: &str) -> String {
    let facts = &pull.facts;
    let text = title_and_body(pull);
    format!(
        "{what} of #{} - {}, r={approver}\n\n{text}\n",
        facts.number, facts.head_label,
    )
}

/// The message of the one commit that a pull becomes.
pub(super) fn squash_message(pull: &Pull) -> String {
    format!("{}\n", title_and_body(pull))
}

/// What is added to the message of each commit in a linear history.
pub(super) fn trailer(pull: PullNumber, approver: &str) -> String {
    format!("\nCloses: #{pull}\nApproved by: {approver}")
}

fn title_and_body(pull: &Pull) -> String {
    let title = defuse_mentions(&pull.facts.title);
    let body = cut_ignored(&pull.facts.body.replace("\r\n", "\n"));
    let text = format!("{}\n\n{}", title.trim(), defuse_mentions(&body).trim());
    text.trim_end().to_owned()
}

/// Puts `@name` into backticks where `@` begins a word, so that a merge commit calls nobody.
fn defuse_mentions(text: &str) -> String {
    let mut defused = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(at) = rest.find('@') {
        let (head, tail) = rest.split_at(at);
        defused.push_str(head);
        before = head.chars().next_back().unwrap_or(before);
        let name_len = mention_len(tail);
        let (name, after) = tail.split_at(name_len);
        if name_len > 1 && !is_word(before) && before != '`' {
            defused.push('`');
            defused.push_str(name);
            defused.push('`');
        } else {
            defused.push_str(name);
        }
        before = name.chars().next_back().unwrap_or(before);
        rest = after;
    }
    defused.push_str(rest);
    defused
}

/// How many bytes of a text that begins with `@` make up the mention: at least the `@`.
fn mention_len(text: &str) -> usize {
    text.char_indices()
        .skip(1)
        .find(|(_, letter)| !(is_word(*letter) || matches!(letter, '-' | '/')))
        .map_or(text.len(), |(at, _)| at)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Cuts what stands between the two ignore marks; an open block goes to the end.
fn cut_ignored(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, block)) = rest.split_once(IGNORE_START) {
        kept.push_str(before);
        rest = block.split_once(IGNORE_END).map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_at_the_start_of_a_word_are_put_into_backticks() {
        for (given, expected) in [
            ("thanks @alice!", "thanks `@alice`!"),
            ("@a-b/c, (@d)", "`@a-b/c`, (`@d`)"),
            ("mail me@example.org", "mail me@example.org"),
            ("`@quoted` stays", "`@quoted` stays"),
            ("a @ b @", "a @ b @"),
            ("@@x", "@`@x`"),
        ] {
            assert_eq!(defuse_mentions(given), expected, "{given}");
        }
    }

    #[test]
    fn ignored_blocks_are_cut() {
        let text = format!("a{IGNORE_START}b{IGNORE_END}c{IGNORE_START}d");
        assert_eq!(cut_ignored(&text), "ac");
    }
}
