//! Reads Rust as words, without comments and texts.

/// A name, a number, `::` or one sign.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) line: usize,
    /// The module that it stands in.
    pub(crate) module: Vec<String>,
}

/// Reads a source, without comments, texts, characters and lifetimes.
pub(crate) fn words(source: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest).unwrap_or_else(|| {
            let length = match rest {
                _ if rest.starts_with("::") => 2,
                _ if is_of_name(first) => rest.find(|c| !is_of_name(c)).unwrap_or(rest.len()),
                _ => first.len_utf8(),
            };
            if !first.is_whitespace() {
                words.push(Word {
                    text: rest[..length].to_owned(),
                    line,
                    module: Vec::new(),
                });
            }
            length
        });
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    words
}

fn is_of_name(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric()
}

/// The length of what does not count, if the source goes on with that.
fn skipped(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    let quoted = rest.strip_prefix(['b', 'c']).unwrap_or(rest);
    if let Some(raw) = quoted.strip_prefix('r') {
        let fences = raw.len() - raw.trim_start_matches('#').len();
        if raw[fences..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(fences));
            let body = &raw[fences + 1..];
            let length = body.find(&end).map_or(body.len(), |at| at + end.len());
            return Some(rest.len() - body.len() + length);
        }
    }
    if let Some(body) = quoted.strip_prefix('"') {
        return Some(rest.len() - body.len() + until_quote(body, '"'));
    }
    let body = quoted.strip_prefix('\'')?;
    let mut letters = body.chars();
    let is_character = letters.next() == Some('\\') || letters.next() == Some('\'');
    // Otherwise a lifetime: its name is no word.
    let length = if is_character {
        until_quote(body, '\'')
    } else {
        body.find(|letter| !is_of_name(letter))
            .unwrap_or(body.len())
    };
    Some(rest.len() - body.len() + length)
}

fn until_quote(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, letter) in body.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return index + 1,
            _ => {}
        }
    }
    body.len()
}

/// Says of each word in which module it stands; there may be modules within a file.
pub(crate) fn placed(mut words: Vec<Word>, file: &[String]) -> Vec<Word> {
    let mut module = file.to_vec();
    let mut inner: Vec<usize> = Vec::new();
    let mut depth = 0_usize;
    for index in 0..words.len() {
        words[index].module.clone_from(&module);
        match words[index].text.as_str() {
            "{" => {
                depth += 1;
                if index >= 2 && words[index - 2].text == "mod" {
                    module.push(words[index - 1].text.clone());
                    inner.push(depth);
                }
            }
            "}" => {
                if inner.last() == Some(&depth) {
                    inner.pop();
                    module.pop();
                }
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
    }
    words
}
