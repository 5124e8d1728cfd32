//! What people wrote, as HTML: Markdown as GitHub shows it, and never markup of theirs.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};

/// Renders Markdown. HTML comments are hidden, other HTML is shown as it was typed.
pub(super) fn render(text: &str) -> String {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut inside = Html::Outside;
    let mut code = false;
    let events = Parser::new_ext(text, options).filter_map(|event| {
        if matches!(event, Event::Start(Tag::CodeBlock(_))) {
            code = true;
        } else if matches!(event, Event::End(TagEnd::CodeBlock)) {
            code = false;
        }
        harmless(event, &mut inside, code)
    });
    let mut html = String::with_capacity(text.len() * 2);
    pulldown_cmark::html::push_html(&mut html, events);
    html
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Html {
    Outside,
    InComment,
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all else that the parser knows is harmless"
)]
fn harmless<'a>(event: Event<'a>, inside: &mut Html, code: bool) -> Option<Event<'a>> {
    match event {
        Event::Html(html) | Event::InlineHtml(html) => {
            let shown = without_comments(&html, inside);
            (!shown.trim().is_empty()).then(|| Event::Text(shown.into()))
        }
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => {
            *inside = Html::Outside;
            Some(Event::End(TagEnd::Paragraph))
        }
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        })
        | Event::Start(Tag::Image {
            link_type,
            dest_url,
            title,
            id,
        }) => Some(Event::Start(Tag::Link {
            link_type,
            dest_url: safe_address(dest_url),
            title,
            id,
        })),
        Event::End(TagEnd::Image) => Some(Event::End(TagEnd::Link)),
        Event::SoftBreak => Some(Event::HardBreak),
        Event::Text(text) if !code => Some(Event::Text(with_emoji(text))),
        other => Some(other),
    }
}

fn without_comments(html: &str, inside: &mut Html) -> String {
    let mut shown = String::new();
    let mut rest = html;
    loop {
        match *inside {
            Html::Outside => match rest.split_once("<!--") {
                Some((before, after)) => {
                    shown.push_str(before);
                    rest = after;
                    *inside = Html::InComment;
                }
                None => {
                    shown.push_str(rest);
                    return shown;
                }
            },
            Html::InComment => match rest.split_once("-->") {
                Some((_, after)) => {
                    rest = after;
                    *inside = Html::Outside;
                }
                None => return shown,
            },
        }
    }
}

/// Addresses lead to the web, to somebody's mail or within the site; others lead nowhere.
fn safe_address(address: CowStr<'_>) -> CowStr<'_> {
    let before = address.split(['/', '?', '#']).next().unwrap_or_default();
    match before.split_once(':') {
        None => address,
        Some((scheme, _)) => {
            let known = ["http", "https", "mailto"];
            if known.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
                address
            } else {
                "#".into()
            }
        }
    }
}

/// `:pushpin:` becomes the picture of one.
fn with_emoji(text: CowStr<'_>) -> CowStr<'_> {
    if !text.contains(':') {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest: &str = &text;
    while let Some((before, after)) = rest.split_once(':') {
        shown.push_str(before);
        let code = after.split_once(':');
        let found = code.and_then(|(code, end)| Some((emojis::get_by_shortcode(code)?, end)));
        match found {
            Some((emoji, end)) => {
                shown.push_str(emoji.as_str());
                rest = end;
            }
            None => {
                shown.push(':');
                rest = after;
            }
        }
    }
    shown.push_str(rest);
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_shown_as_typed_and_comments_are_hidden() {
        let html = render(
            "a <b onclick=x>b</b> <!-- secret --> c\n\n<script>x</script>\n\n<!-- two\nlines -->\n",
        );
        assert!(html.contains("&lt;b onclick=x&gt;b&lt;/b&gt;"), "{html}");
        assert!(html.contains("&lt;script&gt;x&lt;/script&gt;"), "{html}");
        assert!(
            !html.contains("secret") && !html.contains("lines"),
            "{html}"
        );
        assert!(!html.contains("<script") && !html.contains("<b"), "{html}");
    }

    #[test]
    fn links_lead_to_the_web_or_nowhere() {
        let html =
            render("[a](https://example.org/x) [b](javascript:alert(1)) [c](/o/r) ![d](data:x)");
        assert!(html.contains("href=\"https://example.org/x\""), "{html}");
        assert!(html.contains("href=\"/o/r\""), "{html}");
        assert!(
            !html.contains("javascript") && !html.contains("<img"),
            "{html}"
        );
        assert!(!html.contains("data:"), "{html}");
    }

    #[test]
    fn codes_of_emoji_are_pictures_except_in_code() {
        let html = render(":pushpin: 12:30:45 `:pushpin:`");
        assert_eq!(html, "<p>\u{1f4cc} 12:30:45 <code>:pushpin:</code></p>\n");
    }
}
