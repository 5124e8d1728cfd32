//! Commit messages as git's sequencer reads, joins and cleans them.

/// How a commit is melted into the one before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Melting {
    /// `fixup!`: its message is forgotten.
    Fixup,
    /// `squash!`: its message is added.
    Squash,
    /// `amend!`: its message replaces the other.
    Amend,
}

/// What is left of the messages of commits that become one.
#[derive(Clone, Debug)]
pub(super) struct Melted {
    parts: Vec<Vec<u8>>,
    squashed: bool,
}

impl Melted {
    /// Begins with the message of the commit that the others are melted into.
    pub(super) fn new(message: &[u8]) -> Self {
        Self {
            parts: vec![body(message).to_vec()],
            squashed: false,
        }
    }

    /// Melts one more in (git: `sequencer.c update_squash_messages`).
    pub(super) fn add(&mut self, how: Melting, message: &[u8]) {
        let body = body(message);
        match how {
            Melting::Fixup => {}
            Melting::Squash => {
                self.squashed = true;
                self.parts.push(without_marker(body).to_vec());
            }
            // After a squash the editor would come up anyway, with all of the messages in it.
            Melting::Amend if self.squashed => self.parts.push(without_marker(body).to_vec()),
            Melting::Amend => self.parts = vec![skip_blank(without_marker(body)).to_vec()],
        }
    }

    /// Whether the message passes an editor, and so is cleaned.
    pub(super) fn is_edited(&self) -> bool {
        self.squashed
    }

    /// The message; `None` where git refuses it because nothing is in it.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        if !self.squashed {
            return Some(self.parts.concat());
        }
        let message = stripped(&self.parts.join(&b"\n\n"[..]), Comments::Removed);
        let says_something =
            lines(&message).any(|line| !is_blank(line) && !line.starts_with(b"Signed-off-by: "));
        says_something.then_some(message)
    }
}

/// What to do with lines that begin with `#`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Comments {
    Kept,
    Removed,
}

/// Without blanks at the ends of lines and superfluous blank lines (git: `strbuf_stripspace`).
pub(super) fn stripped(message: &[u8], comments: Comments) -> Vec<u8> {
    let mut clean = Vec::with_capacity(message.len());
    let mut blank_lines = false;
    for line in lines(message) {
        if comments == Comments::Removed && line.starts_with(b"#") {
            continue;
        }
        let line = trimmed(line);
        if line.is_empty() {
            blank_lines = true;
            continue;
        }
        if blank_lines && !clean.is_empty() {
            clean.push(b'\n');
        }
        blank_lines = false;
        clean.extend_from_slice(line);
        clean.push(b'\n');
    }
    clean
}

/// The message without the blank lines before it.
pub(super) fn body(message: &[u8]) -> &[u8] {
    skip_blank(message)
}

/// The first paragraph as one line: what other commits call this one.
pub(super) fn subject(message: &[u8]) -> Vec<u8> {
    let paragraph = lines(body(message)).take_while(|line| !is_blank(line));
    paragraph.map(trimmed).collect::<Vec<_>>().join(&b' ')
}

/// git's idea of a blank, which is not Rust's.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Cuts a first paragraph off that only says into what the commit is to be melted.
fn without_marker(body: &[u8]) -> &[u8] {
    let markers: [&[u8]; 3] = [b"fixup!", b"squash!", b"amend!"];
    if !markers.iter().any(|marker| body.starts_with(marker)) {
        return body;
    }
    let paragraph = lines(body).take_while(|line| !is_blank(line));
    let length = paragraph.map(<[u8]>::len).sum();
    body.get(length..).unwrap_or_default()
}

fn skip_blank(message: &[u8]) -> &[u8] {
    let blank = lines(message).take_while(|line| is_blank(line));
    let length = blank.map(<[u8]>::len).sum();
    message.get(length..).unwrap_or_default()
}

fn lines(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    message.split_inclusive(|byte| *byte == b'\n')
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| is_space(*byte))
}

fn trimmed(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !is_space(*byte));
    line.get(..end.map_or(0, |end| end + 1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn melted(target: &str, others: &[(Melting, &str)]) -> Option<String> {
        let mut melted = Melted::new(target.as_bytes());
        for (how, message) in others {
            melted.add(*how, message.as_bytes());
        }
        let message = melted.finish()?;
        Some(String::from_utf8(message).unwrap())
    }

    #[test]
    fn a_fixup_leaves_the_message_as_it_is_and_an_amend_replaces_it() {
        let odd = "t \n# no comment\n\n\n\nend";
        let fixup = (Melting::Fixup, "fixup! t");
        let amend = (Melting::Amend, "amend! t\n\n\nnew \n\n\n# kept");
        assert_eq!(melted(odd, &[fixup, fixup]).unwrap(), odd);
        assert_eq!(melted(odd, &[fixup, amend]).unwrap(), "new \n\n\n# kept");
        assert_eq!(melted(odd, &[(Melting::Amend, "amend! t")]).unwrap(), "");
    }

    #[test]
    fn squashed_messages_are_joined_and_cleaned() {
        let squash = (Melting::Squash, "squash! t\n\nmore \n# gone\n\n\nend");
        assert_eq!(melted("t", &[squash]).unwrap(), "t\n\nmore\n\nend\n");
        let amend = (Melting::Amend, "amend! t\n\nnew");
        assert_eq!(
            melted("t", &[amend, squash]).unwrap(),
            "new\n\nmore\n\nend\n"
        );
        assert_eq!(
            melted("t", &[squash, amend]).unwrap(),
            "t\n\nmore\n\nend\n\nnew\n"
        );
        assert_eq!(melted("#t", &[(Melting::Squash, "squash! #t")]), None);
        let signed = (Melting::Squash, "squash! #t\n\nSigned-off-by: x");
        assert_eq!(melted("#t", &[signed]), None);
    }
}
