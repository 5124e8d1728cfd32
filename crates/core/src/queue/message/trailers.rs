//! Trailers: the lines at the end of a message that programs read, such as `Signed-off-by: …`.
//!
//! What counts as one is for git to say (`trailer.c`): those lines of the last paragraph, if it has
//! no others or if git itself wrote one of them. Here they are found, and lines are added so that
//! git goes on finding them.

/// How the lines begin that git writes itself. One of them makes a paragraph one of trailers,
/// whatever else is in it.
const GENERATED: [&str; 2] = ["Signed-off-by: ", "(cherry picked from commit "];

/// Everything from this line on is no part of a message.
const SCISSORS: &str = "# ------------------------ >8 ------------------------";

/// One trailer, as it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Trailer {
    /// What comes before the colon, in lower case.
    pub(super) token: String,
    /// What comes after it, on one line.
    pub(super) value: String,
    raw: String,
}

impl Trailer {
    /// A trailer that we write.
    pub(super) fn new(token: &str, value: &str) -> Self {
        Self {
            token: token.to_lowercase(),
            value: value.to_owned(),
            raw: format!("{token}: {value}\n"),
        }
    }

    fn read(raw: String) -> Option<Self> {
        let colon = separator(&raw).filter(|at| *at > 0)?;
        let (token, value) = raw.split_at_checked(colon)?;
        let value = value.get(1..)?.split_whitespace();
        Some(Self {
            token: token.trim().to_lowercase(),
            value: value.collect::<Vec<_>>().join(" "),
            raw,
        })
    }

    fn says_the_same(&self, other: &Self) -> bool {
        self.token == other.token && self.value == other.value
    }
}

/// The trailers of a message, each once: those that git finds in it, and those that it finds where
/// it takes `---` for the end, as it does with a patch.
pub(super) fn of(message: &str) -> Vec<Trailer> {
    let mut found = in_block(&Layout::of(message));
    let is_end = |line: &&str| is_divider(line) || line.starts_with(SCISSORS);
    let lines = message.split_inclusive('\n');
    let before: String = lines.take_while(|line| !is_end(line)).collect();
    found.extend(in_block(&Layout::of(&before)));
    let mut distinct: Vec<Trailer> = Vec::new();
    for trailer in found {
        add_new(&mut distinct, trailer);
    }
    distinct
}

/// Adds a trailer to others, unless one of them says the same.
pub(super) fn add_new(trailers: &mut Vec<Trailer>, trailer: Trailer) {
    if !trailers.iter().any(|other| other.says_the_same(&trailer)) {
        trailers.push(trailer);
    }
}

/// The message with all of its trailers, those that are wanted and then these lines in its last
/// paragraph.
pub(super) fn appended(message: &str, wanted: &[Trailer], lines: &[String]) -> String {
    if wanted.is_empty() && lines.is_empty() {
        return message.to_owned();
    }
    let known = of(message);
    let mut text = undivided(message);
    text.truncate(text.trim_end_matches(is_space).len());
    let layout = Layout::of(&text);
    let has_block = layout.block_is_last();
    let there = if has_block {
        in_block(&layout)
    } else {
        Vec::new()
    };
    let mut new = there.clone();
    for trailer in known.iter().chain(wanted) {
        add_new(&mut new, trailer.clone());
    }
    let added = new.iter().skip(there.len()).map(|trailer| &trailer.raw);
    let added: Vec<&String> = added.chain(lines).collect();
    if added.is_empty() {
        return message.to_owned();
    }
    if !text.is_empty() {
        text.push_str(if has_block { "\n" } else { "\n\n" });
    }
    for line in added {
        text.push_str(line.trim_end_matches('\n'));
        text.push('\n');
    }
    text
}

/// The message without lines that git would take for its end. A blank before one of them takes that
/// meaning from it, and leaves it a rule in Markdown.
pub(super) fn undivided(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    for line in message.split_inclusive('\n') {
        if is_divider(line) || line.starts_with(SCISSORS) {
            text.push(' ');
        }
        text.push_str(line);
    }
    text
}

/// git: `trailer.c find_end_of_log_message`. At the very end of a text it becomes one as soon as
/// something is added.
fn is_divider(line: &str) -> bool {
    let rest = line.strip_prefix("---");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(is_space))
}

/// Where the trailers are in a message.
struct Layout<'a> {
    lines: Vec<&'a str>,
    /// Which line is the first of the paragraph of trailers, if there is one.
    start: Option<usize>,
    /// How many lines there are without those at the end that git ignores.
    end: usize,
}

impl<'a> Layout<'a> {
    fn of(message: &'a str) -> Self {
        let lines: Vec<&str> = message.split_inclusive('\n').collect();
        let end = text_end(&lines);
        let text = lines.get(..end).unwrap_or_default();
        let start = block_start(text);
        Self { lines, start, end }
    }

    fn block(&self) -> &[&'a str] {
        let start = self.start.unwrap_or(self.end);
        self.lines.get(start..self.end).unwrap_or_default()
    }

    /// Whether what is added at the very end is added to the trailers.
    fn block_is_last(&self) -> bool {
        self.start.is_some() && self.end == self.lines.len()
    }
}

/// git: `trailer.c trailer_info_get`, `parse_trailers`.
fn in_block(layout: &Layout<'_>) -> Vec<Trailer> {
    let mut raw: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in layout.block() {
        if is_open && line.starts_with(is_space) {
            if let Some(last) = raw.last_mut() {
                last.push_str(line);
            }
            continue;
        }
        is_open = separator(line).is_some_and(|at| at > 0);
        raw.push((*line).to_owned());
    }
    raw.into_iter().filter_map(Trailer::read).collect()
}

/// Comments, blank lines and old notes of conflicts at the end do not count (git: `commit.c
/// ignored_log_message_bytes`).
fn text_end(lines: &[&str]) -> usize {
    let mut end = None;
    let mut in_conflicts = false;
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with('#') || *line == "\n" {
            end.get_or_insert(at);
        } else if *line == "Conflicts:\n" {
            in_conflicts = true;
            end.get_or_insert(at);
        } else if !(in_conflicts && line.starts_with('\t')) {
            (end, in_conflicts) = (None, false);
        }
    }
    let end = end.unwrap_or(lines.len());
    let text = lines.get(..end).unwrap_or_default();
    let last = text.iter().rposition(|line| !is_blank(line));
    last.map_or(0, |last| last + 1)
}

/// The first line of the last paragraph, if it is one of trailers (git: `trailer.c
/// find_trailer_block_start`).
fn block_start(lines: &[&str]) -> Option<usize> {
    let title = lines
        .iter()
        .position(|line| !line.starts_with('#') && is_blank(line))?;
    let blank = lines.iter().rposition(|line| is_blank(line))?;
    let mut count = Count::default();
    for line in lines.get(blank + 1..)?.iter().rev() {
        count.add(line);
    }
    (blank >= title && count.is_of_trailers()).then_some(blank + 1)
}

/// What lines a paragraph has, read from its end.
#[derive(Default)]
struct Count {
    trailers: usize,
    others: usize,
    /// Lines that go on with the one before, which is not yet read.
    indented: usize,
    has_generated: bool,
}

impl Count {
    fn add(&mut self, line: &str) {
        if line.starts_with('#') {
            self.others += std::mem::take(&mut self.indented);
        } else if GENERATED.iter().any(|start| line.starts_with(start)) {
            self.has_generated = true;
            self.trailers += 1;
            self.indented = 0;
        } else if line.starts_with(is_space) {
            self.indented += 1;
        } else if separator(line).is_some_and(|at| at > 0) {
            self.trailers += 1;
            self.indented = 0;
        } else {
            self.others += 1 + std::mem::take(&mut self.indented);
        }
    }

    fn is_of_trailers(&self) -> bool {
        let others = self.others + self.indented;
        if self.has_generated {
            self.trailers * 3 >= others
        } else {
            self.trailers > 0 && others == 0
        }
    }
}

/// Where the colon after a token is (git: `trailer.c find_separator`).
fn separator(line: &str) -> Option<usize> {
    let mut in_blanks = false;
    for (at, letter) in line.bytes().enumerate() {
        match letter {
            b':' => return Some(at),
            b' ' | b'\t' if at > 0 => in_blanks = true,
            b'-' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' if !in_blanks => {}
            _ => return None,
        }
    }
    None
}

/// git's idea of a blank.
fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r')
}

fn is_blank(line: &str) -> bool {
    line.chars().all(is_space)
}
