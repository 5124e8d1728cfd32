//! Makes text that others chose safe to show: it cannot call anybody, command a bot, or break out
//! of the place where it stands.

/// Stands between two characters that together would mean something. It has no width.
const BREAK: char = '\u{200b}';

/// The longest address that is linked, in bytes.
const URL_BYTES_MAX: usize = 400;

/// One line of plain text of at most `chars_max` characters, the last of them `…` where it was cut.
///
/// White space is one blank; control characters and those that only steer direction or width go.
pub fn plain(text: &str, chars_max: usize) -> String {
    let visible: String = text
        .chars()
        .filter(|letter| letter.is_whitespace() || !is_unseen(*letter))
        .collect();
    let line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, chars_max)
}

/// Cuts a text to `chars_max` characters, the last of them `…` where something is missing.
pub(super) fn cut(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// [`plain`] text without mentions and references, for commit statuses, which know no Markdown.
pub(super) fn quiet(text: &str, chars_max: usize) -> String {
    cut(&broken(&plain(text, chars_max)), chars_max)
}

/// [`plain`] text that Markdown shows as it is written: no mention, no reference, no link, no HTML.
pub(super) fn prose(text: &str, chars_max: usize) -> String {
    let text = broken(&plain(text, chars_max));
    let mut safe = String::with_capacity(text.len());
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '\\' | '`' | '*' | '[' | ']' | '~' => {
                safe.push('\\');
                safe.push(letter);
            }
            // Within a word an underscore means nothing.
            '_' if !(before.is_alphanumeric()
                && letters.peek().is_some_and(|next| next.is_alphanumeric())) =>
            {
                safe.push_str("\\_");
            }
            _ => safe.push(letter),
        }
        before = letter;
    }
    safe
}

/// The first lines of a text, each as [`prose`] that begins no heading, quotation or list but that
/// of `-`.
pub(super) fn prose_lines(text: &str, lines_max: usize, chars_max: usize) -> String {
    let lines: Vec<_> = text
        .lines()
        .take(lines_max)
        .map(|line| match line.trim_start().strip_prefix("- ") {
            Some(item) => format!(" - {}", line_start(&prose(item, chars_max))),
            None => line_start(&prose(line, chars_max)),
        })
        .collect();
    lines.join("\n")
}

/// Prose at the beginning of a line: no heading, quotation, list or rule, and no pin of ours.
pub(super) fn line_start(line: &str) -> String {
    if line.starts_with(['#', '>', '=', '-', '+', '|', ':']) {
        format!("\\{line}")
    } else {
        line.to_owned()
    }
}

/// [`plain`] text as inline code. Backticks become apostrophes.
pub(super) fn code(text: &str, chars_max: usize) -> String {
    let text = plain(text, chars_max).replace('`', "'");
    match text.as_str() {
        "" => "``".to_owned(),
        _ => format!("`{}`", broken(&text)),
    }
}

/// A GitHub login, or several joined by commas: only what can stand in one, as one word.
pub(super) fn login(text: &str) -> String {
    let kept: String = text
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || "-_.,[]/+".contains(*letter))
        .take(100)
        .collect();
    if kept.is_empty() {
        "unknown".to_owned()
    } else {
        kept
    }
}

/// The address as it may stand in a link; `None` for what is no web address, or a very long one.
pub fn url(text: &str) -> Option<String> {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    let safe: String = text.bytes().map(url_byte).collect();
    (is_web && safe.len() <= URL_BYTES_MAX).then_some(safe)
}

fn url_byte(byte: u8) -> String {
    let letter = char::from(byte);
    if letter.is_ascii_alphanumeric() || "-._~:/?#&=%+,;$".contains(letter) {
        letter.to_string()
    } else {
        format!("%{byte:02X}")
    }
}

/// A name for a shell command that people copy; `instead` where it would mean something to a shell.
pub(super) fn shell_word<'a>(name: &'a str, instead: &'a str) -> &'a str {
    let is_simple = |letter: char| letter.is_ascii_alphanumeric() || "._/-".contains(letter);
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if starts_well && name.chars().all(is_simple) && name.len() <= 200 {
        name
    } else {
        instead
    }
}

/// Takes the meaning from `@name`, `#1`, `://`, `<!--` and `-->`, and from nothing else.
fn broken(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        safe.push(letter);
        let next = letters.peek().copied().unwrap_or(' ');
        let means_something = match letter {
            '@' => !next.is_whitespace(),
            '#' => next.is_ascii_digit(),
            ':' => next == '/',
            '<' => next == '!',
            '-' => next == '>',
            _ => false,
        };
        if means_something {
            safe.push(BREAK);
        }
    }
    safe
}

/// Control characters, and those that change direction or have no width.
pub fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "status-ci",
            "fedora/25/atomic | origin/latest",
            "FAH28 - Containerized (Podman in Podman)",
            "failed to parse 1st testsuite: Key 'x_y' was not defined. Path: '/p'",
            "größer",
        ] {
            assert_eq!(prose(text, 100), text);
            assert_eq!(quiet(text, 100), text);
            assert_eq!(code(text, 100), format!("`{text}`"));
        }
    }

    #[test]
    fn prose_has_no_mention_reference_link_or_markup() {
        assert_eq!(
            prose(
                "a @b\n#1 https://x <!-- `c` [d](e) *f* _g_ ~h~ \\ &lt;",
                100
            ),
            "a @\u{200b}b #\u{200b}1 https:\u{200b}//x &lt;\u{200b}!-- \\`c\\` \\[d\\](e) \\*f\\* \
             \\_g\\_ \\~h\\~ \\\\ &amp;lt;"
        );
    }

    #[test]
    fn code_cannot_be_left() {
        assert_eq!(code("a`b\r\n```c", 100), "`a'b '''c`");
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(plain("äöüß", 4), "äöüß");
        assert_eq!(plain("äöüßx", 4), "äöü…");
        assert_eq!(quiet(&"@a".repeat(100), 140).chars().count(), 140);
    }

    #[test]
    fn lines_begin_nothing_but_a_list() {
        assert_eq!(
            prose_lines("# a\r\n - b\n - > c\n:pushpin: d\n---\n    e\nf", 6, 100),
            "\\# a\n - b\n - \\> c\n\\:pushpin: d\n\\---\ne"
        );
    }

    #[test]
    fn unseen_characters_go() {
        assert_eq!(
            plain("a\u{202e}b\u{0}c\u{200b}@\u{feff}d\u{2028}e", 100),
            "abc@d e"
        );
    }

    #[test]
    fn only_web_addresses_are_linked_and_only_whole() {
        assert_eq!(
            url("https://x/a?b=c#d").as_deref(),
            Some("https://x/a?b=c#d")
        );
        assert_eq!(
            url("https://x/) @b <!-- `é").as_deref(),
            Some("https://x/%29%20%40b%20%3C%21--%20%60%C3%A9")
        );
        assert_eq!(url("javascript:alert(1)"), None);
        assert_eq!(url(&format!("https://{}", "x".repeat(400))), None);
    }

    #[test]
    fn a_login_is_one_word() {
        assert_eq!(login("dependabot[bot]"), "dependabot[bot]");
        assert_eq!(login("@a b-->`c"), "ab--c");
        assert_eq!(login("@"), "unknown");
    }

    #[test]
    fn what_a_shell_would_read_is_left_out() {
        assert_eq!(shell_word("main", "BASE"), "main");
        for bad in ["-x", "$(a)", "a;b", "a b", ""] {
            assert_eq!(shell_word(bad, "BASE"), "BASE");
        }
    }
}
