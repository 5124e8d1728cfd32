//! The operator's announcement: a line of text, with the links that Homu's may hold.

use super::view::Link;
use paprq_core::notes;

/// How much of it is shown, tags included, in characters.
const CHARS_MAX: usize = 2000;

/// Tags that only shape text. They are left out; what stands between them is shown.
const SHAPES: [&str; 10] = [
    "b", "br", "code", "div", "em", "i", "p", "small", "span", "strong",
];

/// References to characters that HTML cannot do without.
const CHARACTERS: [(&str, &str); 5] = [
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&nbsp;", " "),
    ("&amp;", "&"),
];

/// The announcement in pieces, each text or a link. Of HTML, `<a href="…">` is a link and tags that
/// shape text are left out; whatever else looks like HTML is shown as it is written.
pub(super) fn pieces(announcement: &str) -> Vec<Link> {
    let line = notes::plain(announcement, CHARS_MAX);
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = line.as_str();
    while let Some((before, tag)) = rest.find("<a ").and_then(|at| rest.split_at_checked(at)) {
        text.push_str(before);
        if let Some((link, after)) = anchor(tag) {
            flush(&mut text, &mut pieces);
            pieces.push(link);
            rest = after;
        } else {
            text.push('<');
            rest = tag.strip_prefix('<').unwrap_or_default();
        }
    }
    text.push_str(rest);
    flush(&mut text, &mut pieces);
    pieces
}

fn flush(text: &mut String, pieces: &mut Vec<Link>) {
    if !text.is_empty() {
        pieces.push(Link {
            text: characters(&unshaped(text)),
            url: None,
        });
        text.clear();
    }
}

/// A link at the beginning, and what comes after it. Where it leads nowhere it is text.
fn anchor(html: &str) -> Option<(Link, &str)> {
    let (attributes, inner) = html.strip_prefix("<a ")?.split_once('>')?;
    let (inner, after) = inner.split_once("</a>")?;
    let quoted = attributes.split_once("href=")?.1;
    let quote = quoted
        .chars()
        .next()
        .filter(|quote| "\"'".contains(*quote))?;
    let address = quoted.split(quote).nth(1)?;
    let link = Link {
        text: characters(&unshaped(inner)),
        url: notes::url(&characters(address)),
    };
    Some((link, after))
}

fn unshaped(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.find('<').and_then(|at| rest.split_at_checked(at)) {
        text.push_str(before);
        match shape(tag) {
            Some(after) => rest = after,
            None => {
                text.push('<');
                rest = tag.strip_prefix('<').unwrap_or_default();
            }
        }
    }
    text.push_str(rest);
    text
}

/// What comes after a tag that shapes text.
fn shape(html: &str) -> Option<&str> {
    let (tag, after) = html.strip_prefix('<')?.split_once('>')?;
    let name = tag.trim_matches('/').split(' ').next()?;
    let name = name.trim_end_matches('/').to_ascii_lowercase();
    SHAPES.contains(&name.as_str()).then_some(after)
}

fn characters(text: &str) -> String {
    let decode = |text: String, (reference, letter): &(&str, &str)| text.replace(reference, letter);
    CHARACTERS.iter().fold(text.to_owned(), decode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(announcement: &str) -> String {
        let pieces = pieces(announcement).into_iter();
        let shown = pieces.map(|piece| match piece.url {
            Some(url) => format!("[{}]({url})", piece.text),
            None => piece.text,
        });
        shown.collect()
    }

    #[test]
    fn text_and_links_are_shown_and_nothing_else_means_anything() {
        for (announcement, expected) in [
            ("Closed at noon.", "Closed at noon."),
            ("5 < 6 & 7 > 6", "5 < 6 & 7 > 6"),
            (
                "See <a href=\"https://example.org/?a=1&amp;b=2\">the <b>plan</b></a>, <em>please</em>.<br/>",
                "See [the plan](https://example.org/?a=1&b=2), please.",
            ),
            (
                "<a class='x' href='https://example.org'>x</a>y",
                "[x](https://example.org)y",
            ),
            ("<a href=\"javascript:alert(1)\">x</a>", "x"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
            ("<img src=x onerror=y>", "<img src=x onerror=y>"),
            (
                "<a href=\"https://example.org\">open",
                "<a href=\"https://example.org\">open",
            ),
            ("&amp;lt;", "&lt;"),
            ("two\nlines\u{202e}", "two lines"),
        ] {
            assert_eq!(shown(announcement), expected, "{announcement}");
        }
    }
}
