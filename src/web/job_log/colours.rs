//! From a log's bytes to HTML. The library reads the colours and escapes the text; nothing of a
//! log reaches a page in another way.

use std::sync::LazyLock;

use ansi_to_html::{Converter, Esc};

use paprq_core::notes::is_unseen;

/// Above so many escapes and parameters in one line it is shown without colours: converting takes
/// time and space that grow with the square.
const CODES_MAX: usize = 512;

/// How much longer than its text a line's HTML may be before it is shown without colours.
const GROWTH_MAX: usize = 32;

/// How much of what earlier lines switched on is carried on, in bytes.
const CARRIED_BYTES_MAX: usize = 128;

static CONVERTER: LazyLock<Converter> = LazyLock::new(Converter::new);

/// Paints line after line; what one line switches on stays on in the next, as in a terminal.
#[derive(Clone, Debug, Default)]
pub(super) struct Painter {
    carried: String,
}

impl Painter {
    /// The lines as HTML. Bytes that are no UTF-8 are shown as `�`.
    pub(super) fn paint(&mut self, lines: &[u8]) -> String {
        let text = String::from_utf8_lossy(lines);
        let mut html = String::with_capacity(text.len() + text.len() / 4);
        for line in text.split_inclusive('\n') {
            let (line, end) = match line.strip_suffix('\n') {
                Some(line) => (line, "\n"),
                None => (line, ""),
            };
            html.push_str(&self.paint_line(line));
            html.push_str(end);
        }
        html
    }

    /// Learns what lines that are not shown have switched on.
    pub(super) fn pass_over(&mut self, lines: &[u8]) {
        self.carry(&String::from_utf8_lossy(lines));
    }

    fn paint_line(&mut self, line: &str) -> String {
        let line = line.trim_end_matches('\r');
        // A bare return goes back to the beginning: a terminal shows what was written last.
        let shown = line.rsplit('\r').next().unwrap_or(line);
        let html = self
            .convert(shown)
            .unwrap_or_else(|| Esc(shown).to_string());
        self.carry(line);
        html.chars()
            .filter(|letter| *letter == '\t' || !is_unseen(*letter))
            .collect()
    }

    fn convert(&self, line: &str) -> Option<String> {
        if self.carried.is_empty() && !line.contains('\u{1b}') {
            return None;
        }
        let is_code = |byte: &u8| matches!(byte, b'\x1b' | b';');
        if line.bytes().filter(|byte| is_code(byte)).count() > CODES_MAX {
            return None;
        }
        let html = CONVERTER.convert(&format!("{}{line}", self.carried)).ok()?;
        let html_bytes_max = (line.len() + CARRIED_BYTES_MAX) * GROWTH_MAX;
        (html.len() <= html_bytes_max).then(|| with_classes(&html))
    }

    /// Collects what is switched on: the sequences since the last one that switches all off.
    fn carry(&mut self, line: &str) {
        for rest in line.split("\u{1b}[").skip(1) {
            let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != ';');
            let Some((codes, true)) = end
                .and_then(|end| rest.split_at_checked(end))
                .map(|(codes, rest)| (codes, rest.starts_with('m')))
            else {
                continue;
            };
            let resets = codes.is_empty() || codes == "0" || codes.starts_with("0;");
            if resets || self.carried.len() + codes.len() > CARRIED_BYTES_MAX {
                self.carried.clear();
            }
            let sequence = format!("\u{1b}[{codes}m");
            let says_something = !codes.trim_matches(['0', ';']).is_empty();
            if says_something
                && sequence.len() <= CARRIED_BYTES_MAX
                && CONVERTER.convert(&sequence).is_ok()
            {
                self.carried.push_str(&sequence);
            }
        }
    }
}

/// Puts classes in the place of the library's inline styles, which our pages forbid.
///
/// In text the library writes no `'`, so that what is found here is a style.
fn with_classes(html: &str) -> String {
    let mut classed = String::with_capacity(html.len());
    let mut pieces = html.split(" style='");
    classed.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let Some((style, rest)) = piece.split_once('\'') else {
            continue;
        };
        let classes: Vec<_> = style.split(';').filter_map(class).collect();
        classed.push_str(" class=\"");
        classed.push_str(&classes.join(" "));
        classed.push('"');
        classed.push_str(rest);
    }
    classed
}

/// The class, in `log.css`, of one declaration of the library.
fn class(declaration: &str) -> Option<String> {
    let (property, value) = declaration.split_once(':')?;
    let side = match property {
        "color" => "fg",
        "background" => "bg",
        "opacity" => return Some("faint".to_owned()),
        "text-decoration" => return Some("over".to_owned()),
        "text-decoration-style" => return Some("double".to_owned()),
        _ => return None,
    };
    if let Some(named) = value.strip_prefix("var(--") {
        let (name, _) = named.split_once(',')?;
        return Some(format!("{side}-{name}"));
    }
    let [_, red, green, blue] = u32::from_str_radix(value.strip_prefix('#')?, 16)
        .ok()?
        .to_be_bytes();
    let [red, green, blue] = [red, green, blue].map(level);
    Some(format!("{side}-{red}{green}{blue}"))
}

/// The nearest of the six levels that terminals with 256 colours have for red, green and blue.
fn level(of_255: u8) -> usize {
    const BETWEEN: [u8; 5] = [47, 115, 155, 195, 235];
    BETWEEN.iter().filter(|bound| of_255 > **bound).count()
}

#[cfg(test)]
mod tests {
    use proptest::strategy::Strategy as _;

    use super::*;

    fn paint(log: &str) -> String {
        Painter::default().paint(log.as_bytes())
    }

    #[test]
    fn colours_become_classes_and_go_on_in_the_next_line() {
        assert_eq!(
            paint("a \u{1b}[31mred\nstill\u{1b}[0m plain\nplain\n"),
            "a <span class=\"fg-red\">red</span>\n<span class=\"fg-red\">still</span> plain\nplain\n"
        );
        assert_eq!(
            paint("\u{1b}[1;38;5;211mx\u{1b}[m\u{1b}[48;2;255;0;10my"),
            "<b><span class=\"fg-523\">x</span></b><span class=\"bg-500\">y</span>"
        );
    }

    proptest::proptest! {
        /// L8: of what a log prints, only the library's own tags become HTML.
        #[test]
        fn no_bytes_become_markup(
            pieces in proptest::collection::vec(
                proptest::prop_oneof![
                    proptest::sample::select(vec![
                        "<script>", "</pre>", "'", "\"", "&", " style='", ";", "\u{1b}[31m",
                        "\u{1b}[1;4m", "\u{1b}]8;;x\u{7}", "\u{1b}[0m", "\r", "\n",
                    ]).prop_map(|text: &str| text.as_bytes().to_vec()),
                    proptest::collection::vec(proptest::prelude::any::<u8>(), 0..8),
                ],
                0..40,
            ),
        ) {
            let painted = Painter::default().paint(&pieces.concat());
            for tag in painted.split('<').skip(1) {
                let (tag, _) = tag.split_once('>').unwrap();
                let class = tag.strip_prefix("span class=\"").and_then(|c| c.strip_suffix('"'));
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ' ');
                let known = matches!(
                    tag.trim_start_matches('/'),
                    "b" | "i" | "u" | "s" | "span"
                );
                assert!(known || class.is_some_and(|class| class.chars().all(plain)), "{painted}");
            }
        }
    }

    #[test]
    fn a_log_cannot_leave_its_place() {
        assert_eq!(
            paint("</pre><script>alert(1)</script>\n\u{1b}[1m<b style='x'>&\"\n"),
            "&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;\n\
             <b>&lt;b style=&#39;x&#39;&gt;&amp;&quot;</b>\n"
        );
    }

    #[test]
    fn hostile_bytes_are_shown_or_dropped() {
        let painted = Painter::default()
            .paint(b"a\x00b\xff\xfe\x07\x1b]0;t\x07c\x1b[999md\x1b\xe2\x80\xaee\n");
        assert!(
            !painted.contains(['\0', '\u{7}', '\u{1b}', '\u{202e}']),
            "{painted:?}"
        );
        assert!(painted.contains("b\u{fffd}\u{fffd}"), "{painted:?}");
    }

    #[test]
    fn a_progress_display_shows_its_last_state() {
        assert_eq!(paint("10%\r50%\r100%\r\nnext\r\n"), "100%\nnext\n");
    }

    #[test]
    fn a_line_full_of_codes_stays_small() {
        let line: String = (0..20_000)
            .map(|n| format!("\u{1b}[{}m", 30 + n % 8))
            .collect();
        let painted = paint(&format!("{line}x\n"));
        assert!(painted.len() <= line.len(), "{}", painted.len());
        let nested: String = (0..250).map(|_| "\u{1b}[31;1m\u{1b}[22m").collect();
        let painted = paint(&nested);
        assert!(painted.len() <= (nested.len() + CARRIED_BYTES_MAX) * GROWTH_MAX);
    }
}
