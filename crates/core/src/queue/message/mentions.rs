//! Mentions in the messages of commits. GitHub notifies nobody from those any more, so they are
//! left as they are unless a repository asks for it (`escape_mentions`).

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

/// Puts `@name` into backticks where it would call somebody: where `@` begins a word, but not in an
/// address, a link or code.
pub(super) fn escaped(text: &str) -> String {
    let kept = left_alone(text);
    let mut escaped = String::with_capacity(text.len());
    let mut copied = 0;
    for (at, _) in text.match_indices('@') {
        let is_free = at >= copied && !kept.iter().any(|range| range.contains(&at));
        let (Some(before), Some(after)) = (text.get(..at), text.get(at..)) else {
            continue;
        };
        let len = mention_len(after);
        if !is_free || len < 2 || !may_precede(before) || is_in_address(before, after) {
            continue;
        }
        let name = after.get(..len).unwrap_or_default();
        escaped.push_str(text.get(copied..at).unwrap_or_default());
        escaped.push_str(&format!("`{name}`"));
        copied = at + len;
    }
    escaped.push_str(text.get(copied..).unwrap_or_default());
    escaped
}

/// Code, links and HTML, as Markdown has them.
fn left_alone(text: &str) -> Vec<Range<usize>> {
    let events = Parser::new(text).into_offset_iter();
    let alone = events.filter(|(event, _)| {
        matches!(
            event,
            Event::Code(_)
                | Event::Html(_)
                | Event::InlineHtml(_)
                | Event::Start(Tag::CodeBlock(_) | Tag::Link { .. } | Tag::Image { .. })
        )
    });
    alone.map(|(_, range)| range).collect()
}

/// Whether a word can begin after this: what can end the first part of an address cannot come
/// before a mention.
fn may_precede(before: &str) -> bool {
    let last = before.chars().next_back().unwrap_or(' ');
    !last.is_alphanumeric() && !"_`.+-/]%=&".contains(last)
}

/// Whether the `@` stands in `<…>` or in a word that is a web address.
fn is_in_address(before: &str, after: &str) -> bool {
    let start = before
        .rsplit(char::is_whitespace)
        .next()
        .unwrap_or_default();
    let end = after.split(char::is_whitespace).next().unwrap_or_default();
    let is_web = start.contains("://") || start.starts_with("www.") || start.contains("mailto:");
    let in_angles = start
        .rsplit_once('<')
        .is_some_and(|(_, inside)| !inside.contains('>'));
    is_web || in_angles && end.contains('>')
}

/// How many bytes of a text that begins with `@` make up the mention: at least the `@`.
fn mention_len(text: &str) -> usize {
    text.char_indices()
        .skip(1)
        .find(|(_, letter)| !(letter.is_alphanumeric() || matches!(letter, '_' | '-' | '/')))
        .map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_at_the_start_of_a_word_are_put_into_backticks() {
        for (given, expected) in [
            ("thanks @alice!", "thanks `@alice`!"),
            ("@a-b/c, (@d)", "`@a-b/c`, (`@d`)"),
            ("a @ b @", "a @ b @"),
            ("@@x", "@`@x`"),
            ("_ @x\n\n> @y", "_ `@x`\n\n> `@y`"),
        ] {
            assert_eq!(escaped(given), expected, "{given}");
        }
    }

    #[test]
    fn addresses_links_and_code_stay_what_they_are() {
        for text in [
            "mail me@example.org",
            "Co-authored-by: dependabot[bot] <1+dependabot[bot]@users.noreply.github.com>",
            "Co-authored-by: x <@x>",
            "see https://npm.example/package/@scope/name",
            "see <https://npm.example/@scope> and [@x](https://x/@y)",
            "`@quoted` stays, ``a ` @b`` too",
            "```\n@a\n```\n\n    @b\n",
            "<a title=\"@x\">",
            "first.last+@x",
        ] {
            assert_eq!(escaped(text), text);
        }
    }
}
