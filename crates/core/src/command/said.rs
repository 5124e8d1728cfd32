//! What people see of a text on GitHub's page, as far as that is a matter of HTML and links.
//!
//! Quotes by `>`, fences and inline code are not looked at here: `lines` and `code` know them.
//! What is found there goes by lines, as Homu has it; what is found here goes by the page.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::lines;

/// The longest text that is looked at, in bytes: GitHub takes 65,536 characters.
const BYTES_MAX: usize = 65_536 * 4;

/// How many quotes and lists a line may begin in one another. GitHub stops at about as many.
const NESTED_MAX: usize = 100;

/// Who looks at a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Look {
    /// People: they see no HTML comments, and take no order from quotes and code.
    Others,
    /// People who unfold nothing.
    Unfolding,
    /// The bot, which wrote it: it reads its own HTML comments.
    Own,
}

/// Which parts of a text are seen as said.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// In order, and apart from each other.
    visible: Vec<Range<usize>>,
    /// In order: what of raw HTML is in a comment, or in an element that hides it.
    buried: Vec<Range<usize>>,
    /// In order: what the page has in fences.
    fenced: Vec<Range<usize>>,
}

impl Said {
    /// Looks at a text. Linear, and total for any nesting.
    pub(super) fn of(text: &str, look: Look) -> Self {
        let text = with_line_feeds(bounded(text));
        let mut page = Page::new(look);
        for (event, range) in Parser::new_ext(&text, Options::empty()).into_offset_iter() {
            page.see(&event, range, &text);
        }
        page.said
    }

    /// Whether what stands at this position is seen.
    pub(super) fn shows(&self, position: usize) -> bool {
        holds(&self.visible, position)
    }

    /// Whether the page has some of a line in a fence.
    pub(super) fn fences(&self, line: Range<usize>) -> bool {
        let next = self.fenced.partition_point(|range| range.end <= line.start);
        let next = self.fenced.get(next);
        next.is_some_and(|range| range.start < line.end)
    }

    /// Whether a line begins inside raw HTML and shows nothing: it opens and closes no fence.
    pub(super) fn buries(&self, line: Range<usize>) -> bool {
        let next = self
            .visible
            .partition_point(|range| range.end <= line.start);
        let next = self.visible.get(next);
        holds(&self.buried, line.start) && next.is_none_or(|range| range.start >= line.end)
    }
}

fn holds(ranges: &[Range<usize>], position: usize) -> bool {
    let next = ranges.partition_point(|range| range.end <= position);
    let range = ranges.get(next);
    range.is_some_and(|range| range.contains(&position))
}

/// The text up to where it is longer or deeper than any that people read.
fn bounded(text: &str) -> &str {
    let longest = text.floor_char_boundary(BYTES_MAX);
    let text = text.get(..longest).unwrap_or_default();
    let mut end = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        if is_too_deep(line) {
            break;
        }
        end += line.len();
    }
    text.get(..end).unwrap_or_default()
}

/// The text with line feeds where carriage returns stand alone, which the parser takes for letters.
/// Every position stays what it is.
fn with_line_feeds(text: &str) -> Cow<'_, str> {
    if !text.contains('\r') {
        return Cow::Borrowed(text);
    }
    let mut letters = text.chars().peekable();
    let mut copy = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        let is_alone = letter == '\r' && letters.peek() != Some(&'\n');
        copy.push(if is_alone { '\n' } else { letter });
    }
    Cow::Owned(copy)
}

fn is_too_deep(line: &str) -> bool {
    let mut rest = line.trim_start();
    let mut depth = 0;
    while depth <= NESTED_MAX {
        let quoted = rest.strip_prefix('>');
        let Some(inside) = quoted.or_else(|| lines::after_list_marker(rest)) else {
            return false;
        };
        rest = inside.trim_start();
        depth += 1;
    }
    !is_rule(line)
}

/// Whether a line is drawn across the page, which nests nothing.
fn is_rule(line: &str) -> bool {
    let mut letters = line.chars().filter(|letter| !letter.is_whitespace());
    let first = letters.next().filter(|first| "-*".contains(*first));
    first.is_some() && letters.all(|letter| Some(letter) == first)
}

/// Elements whose content people do not take for said, and what is folded away.
const HIDING: [&str; 3] = ["pre", "code", "blockquote"];
const FOLD: &str = "details";

/// How many of each of these elements are open.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Open {
    hiding: [u32; HIDING.len()],
    folds: u32,
}

impl Open {
    fn count(&mut self, name: &str) -> Option<&mut u32> {
        if name.eq_ignore_ascii_case(FOLD) {
            return Some(&mut self.folds);
        }
        let mut names = HIDING.iter().zip(&mut self.hiding);
        let found = names.find(|(hiding, _)| name.eq_ignore_ascii_case(hiding));
        found.map(|(_, count)| count)
    }
}

/// Whether the reading is in a fence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fence {
    Open,
    Closed,
}

/// Where in raw HTML the reading is. A comment goes on over all that follows, a tag does not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Inside {
    Text,
    Comment,
    Tag { quote: Option<char> },
}

/// A page as it is read from its beginning to its end.
struct Page {
    look: Look,
    open: Open,
    /// What was open where the quotes and list items began that are open now: their end closes
    /// what was opened in them.
    scopes: Vec<Open>,
    inside: Inside,
    fence: Fence,
    /// How many images are open: what is in them is shown only where they are missing.
    images: u32,
    said: Said,
}

impl Page {
    fn new(look: Look) -> Self {
        Self {
            look,
            open: Open::default(),
            scopes: Vec::new(),
            inside: Inside::Text,
            fence: Fence::Closed,
            images: 0,
            said: Said::default(),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all else that the parser knows shows nothing by itself"
    )]
    fn see(&mut self, event: &Event<'_>, range: Range<usize>, text: &str) {
        if self.fence == Fence::Open && matches!(event, Event::Text(_)) {
            self.said.fenced.push(range.clone());
        }
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => self.fence = Fence::Open,
            Event::End(TagEnd::CodeBlock) => self.fence = Fence::Closed,
            Event::Text(_) | Event::Code(_) if self.shows() => self.said.visible.push(range),
            Event::Html(_) | Event::InlineHtml(_) => {
                let html = text.get(range.clone()).unwrap_or_default();
                self.read_html(html, range.start);
            }
            Event::Start(Tag::Item | Tag::BlockQuote(_)) => self.scopes.push(self.open),
            Event::End(TagEnd::Item | TagEnd::BlockQuote(_)) => {
                self.open = self.scopes.pop().unwrap_or_default();
            }
            Event::Start(Tag::Image { .. }) => self.images += 1,
            Event::End(TagEnd::Image) => self.images = self.images.saturating_sub(1),
            Event::End(TagEnd::HtmlBlock) if self.inside != Inside::Comment => {
                self.inside = Inside::Text;
            }
            _ => {}
        }
    }

    fn shows(&self) -> bool {
        let is_folded = self.look == Look::Unfolding && self.open.folds > 0;
        let is_hidden = self.open.hiding.iter().any(|count| *count > 0);
        self.inside != Inside::Comment && self.images == 0 && !is_hidden && !is_folded
    }

    /// Goes through a piece of raw HTML that begins at this position.
    fn read_html(&mut self, html: &str, position: usize) {
        let mut read = 0;
        while let Some(rest) = html.get(read..).filter(|rest| !rest.is_empty()) {
            let at = position + read;
            read += match self.inside {
                Inside::Text => self.read_text(rest, at),
                Inside::Comment => self.read_comment(rest, at),
                Inside::Tag { quote } => self.read_tag(rest, quote),
            };
        }
    }

    /// Text up to the next tag, and how the tag begins. Says how much was read.
    fn read_text(&mut self, html: &str, at: usize) -> usize {
        let length = html.find('<').unwrap_or(html.len());
        self.put(at..at + length);
        let rest = html.get(length..).unwrap_or_default();
        if rest.is_empty() {
            return length;
        }
        if let Some(comment) = rest.strip_prefix("<!--") {
            // `<!-->` and `<!--->` are whole comments.
            if !comment.starts_with('>') && !comment.starts_with("->") {
                self.inside = Inside::Comment;
            }
            return length + "<!--".len();
        }
        let name = rest.strip_prefix("</").or(rest.strip_prefix('<'));
        let is_tag =
            name.is_some_and(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()));
        if is_tag || rest.starts_with("<!") || rest.starts_with("<?") {
            self.open_or_close(rest);
            self.inside = Inside::Tag { quote: None };
        } else {
            self.put(at + length..at + length + 1);
        }
        length + 1
    }

    fn open_or_close(&mut self, tag: &str) {
        let tag = tag.strip_prefix('<').unwrap_or(tag);
        let (name, closes) = match tag.strip_prefix('/') {
            Some(name) => (name, Closes::Yes),
            None => (tag, Closes::No),
        };
        let length = name.find(|letter| !is_letter(letter) && letter != '-');
        let name = name.get(..length.unwrap_or(name.len())).unwrap_or(name);
        if let Some(count) = self.open.count(name) {
            *count = match closes {
                Closes::Yes => count.saturating_sub(1),
                Closes::No => count.saturating_add(1),
            };
        }
    }

    fn read_comment(&mut self, html: &str, at: usize) -> usize {
        let end = html.find("-->");
        let length = end.unwrap_or(html.len());
        let range = at..at + length;
        if self.look == Look::Own {
            self.said.visible.push(range);
        } else {
            self.said.buried.push(range);
        }
        if end.is_some() {
            self.inside = Inside::Text;
            length + "-->".len()
        } else {
            length
        }
    }

    /// A tag goes on to its `>`, but for those in its quoted values.
    fn read_tag(&mut self, html: &str, quote: Option<char>) -> usize {
        let length = html.find(|letter| match quote {
            Some(quote) => letter == quote,
            None => "\"'>".contains(letter),
        });
        let Some(length) = length else {
            return html.len();
        };
        let letter = html.get(length..).and_then(|rest| rest.chars().next());
        self.inside = match (quote, letter) {
            (None, Some('>')) => Inside::Text,
            (None, mark) => Inside::Tag { quote: mark },
            (Some(_), _) => Inside::Tag { quote: None },
        };
        length + 1
    }

    fn put(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        if self.shows() {
            self.said.visible.push(range);
        } else {
            self.said.buried.push(range);
        }
    }
}

/// Whether a tag ends an element.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Closes {
    No,
    Yes,
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
}
