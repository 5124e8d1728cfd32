//! Answers by mail: where the mail begins that is answered, which GitHub folds away.

use std::ops::Range;

/// How many lines the announcement of a quoted mail may take.
const ANNOUNCEMENT_LINES_MAX: usize = 4;

/// How mail programs announce what they quote: `On DAY, SOMEBODY wrote:`, in the languages of most
/// who use them. The line ends in a colon; what is between stands anywhere after the beginning.
const ANNOUNCEMENTS: [(&str, &str); 9] = [
    ("on ", " wrote"),
    ("am ", " schrieb"),
    ("le ", " a écrit"),
    ("el ", " escribió"),
    ("il ", " ha scritto"),
    ("op ", " schreef"),
    ("em ", " escreveu"),
    ("den ", " skrev"),
    ("dne ", " napsal"),
];

/// Lines between dashes that begin a whole mail.
const RULES: [&str; 6] = [
    "original message",
    "original appointment",
    "forwarded message",
    "reply message",
    "ursprüngliche nachricht",
    "message d'origine",
];

/// Which of these lines of a text, in order and none of them quoted, is the first of a mail that is
/// answered: its announcement may go over several lines that follow each other.
pub(super) fn beginning(text: &str, lines: &[Range<usize>]) -> Option<usize> {
    let mut announced: Option<(usize, usize)> = None;
    let mut last_end = 0;
    for (index, range) in lines.iter().enumerate() {
        let line = text.get(range.clone()).unwrap_or_default().trim();
        if is_rule(line) {
            return Some(range.start);
        }
        let between = text.get(last_end..range.start).unwrap_or_default();
        if !["\n", "\r", "\r\n"].contains(&between) {
            announced = None;
        }
        last_end = range.end;
        if begins(&line.to_lowercase()) {
            announced = Some((index, range.start));
        }
        if let Some((first, start)) = announced
            && index - first < ANNOUNCEMENT_LINES_MAX
            && ends(text, start..range.end)
        {
            return Some(start);
        }
    }
    None
}

fn begins(line: &str) -> bool {
    let mut all = ANNOUNCEMENTS.iter();
    all.any(|(beginning, _)| line.starts_with(beginning))
}

/// Whether lines are a whole announcement.
fn ends(text: &str, lines: Range<usize>) -> bool {
    let lines = text.get(lines).unwrap_or_default();
    let Some(words) = lines.trim_end().strip_suffix(':') else {
        return false;
    };
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = words.to_lowercase();
    let mut all = ANNOUNCEMENTS.iter();
    all.any(|(beginning, verb)| words.starts_with(beginning) && has_word(&words, verb))
}

/// Whether a verb stands in the words as a whole word; German and Dutch have the name after it.
fn has_word(words: &str, verb: &str) -> bool {
    words.match_indices(verb).any(|(at, _)| {
        let after = words.get(at + verb.len()..).unwrap_or_default();
        !after.starts_with(char::is_alphanumeric)
    })
}

/// `-----Original Message-----` and its like.
fn is_rule(line: &str) -> bool {
    let words = line.trim_matches('-');
    let dashes = line.len() - words.len();
    let words = words.trim().to_lowercase().replace('’', "'");
    dashes >= 4 && line.starts_with("--") && RULES.contains(&words.as_str())
}
