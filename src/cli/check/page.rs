//! How `paprq check` sets what it says: headings, and below them rows of a word and a text,
//! within 80 columns.

/// A page for a terminal.
#[derive(Debug, Default)]
pub(super) struct Page(String);

const COLUMNS: usize = 80;

/// Where the text of a row begins.
const TEXT_AT: usize = 15;

/// How far the later lines of a paragraph stand in.
const PARAGRAPH_AT: usize = 4;

impl Page {
    /// Begins a part, after an empty line.
    pub(super) fn heading(&mut self, heading: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.line(heading);
    }

    /// A word, or two, and what is said of it.
    pub(super) fn row(&mut self, word: &str, text: &str) {
        self.wrapped(&format!("  {word:<12} "), text, TEXT_AT);
    }

    /// One more thing that belongs to the row before.
    pub(super) fn item(&mut self, text: &str) {
        let start = format!("{:TEXT_AT$}- ", "");
        self.wrapped(&start, text, TEXT_AT + 2);
    }

    /// A text of its own.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.wrapped("", text, PARAGRAPH_AT);
    }

    /// The whole page.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// A text behind a start, its later lines `at` columns in. A word that fits no line, such as
    /// an address, stays whole.
    fn wrapped(&mut self, start: &str, text: &str, at: usize) {
        let mut line = start.to_owned();
        let mut is_fresh = true;
        for word in text.split_whitespace() {
            if !is_fresh && line.chars().count() + 1 + word.chars().count() > COLUMNS {
                self.line(&line);
                line = " ".repeat(at);
                is_fresh = true;
            }
            if !is_fresh {
                line.push(' ');
            }
            line.push_str(word);
            is_fresh = false;
        }
        self.line(&line);
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }
}

/// Such as `a, b and c`.
pub(super) fn listed<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

/// Such as `1 h 30 min`.
pub(super) fn duration(seconds: u64) -> String {
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if parts.is_empty() {
        return "0 s".to_owned();
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_before_column_81_unless_a_word_is_longer() {
        let mut page = Page::default();
        page.row("word", &"é234 ".repeat(14));
        page.item(&"x".repeat(90));
        let text = page.into_text();
        let lengths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert_eq!(lengths, [15 + 13 * 5 - 1, 15 + 4, 107]);
    }

    #[test]
    fn lists_and_durations_read_as_people_say_them() {
        let names = ["a", "b", "c"];
        let lists = [0, 1, 2, 3].map(|count| listed(&names[..count]));
        assert_eq!(lists, ["", "a", "a and b", "a, b and c"]);
        assert_eq!(duration(0), "0 s");
        assert_eq!(duration(5430), "1 h 30 min 30 s");
        assert_eq!(duration(36_000), "10 h");
        assert_eq!(duration(42 * 86_400 + 3600), "42 d 1 h");
    }
}
