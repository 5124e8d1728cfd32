//! Tells a driver's answers from the output of commands: both come in one stream, so that what a
//! command printed is always before the news of its end.
//!
//! An answer is a byte that is seldom printed, the mark, a space, an exit code and a line end. A
//! command that finds out the mark can forge how itself ended, which it could choose anyway.

/// The longest text between the mark and the line end: a space and three digits.
const CODE_BYTES_MAX: usize = 4;

/// What came of some more bytes.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Heard {
    /// What commands have printed.
    pub(super) output: Vec<u8>,
    /// How a command has ended; `Some(None)` if the answer is none that a driver gives.
    pub(super) answer: Option<Option<u8>>,
}

/// What was read and is not yet told apart.
#[derive(Debug)]
pub(super) struct Answers {
    /// The first byte and the mark.
    mark: Vec<u8>,
    held: Vec<u8>,
}

impl Answers {
    pub(super) fn new(mark: &str) -> Self {
        Self {
            mark: format!("\u{1}{mark}").into_bytes(),
            held: Vec::new(),
        }
    }

    /// Takes more of the stream; to be called with nothing more until there is no answer in it.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Heard {
        self.held.extend_from_slice(bytes);
        let Some(begin) = find(&self.held, &self.mark) else {
            let keep = overlap(&self.held, &self.mark);
            let rest = self.held.split_off(self.held.len().saturating_sub(keep));
            return Heard {
                output: std::mem::replace(&mut self.held, rest),
                answer: None,
            };
        };
        let marked = self.held.split_off(begin);
        let output = std::mem::replace(&mut self.held, marked);
        Heard {
            output,
            answer: self.take_answer(),
        }
    }

    /// What is left when nothing more comes.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// The answer whose mark is at the beginning, as soon as all of it is there.
    fn take_answer(&mut self) -> Option<Option<u8>> {
        let after = self.held.get(self.mark.len()..).unwrap_or_default();
        let Some(length) = after.iter().position(|&byte| byte == b'\n') else {
            let endless = after.len() > CODE_BYTES_MAX;
            if endless {
                self.held.drain(..self.mark.len());
            }
            return endless.then_some(None);
        };
        let code = after.get(..length).and_then(|text| {
            let text = std::str::from_utf8(text).ok()?;
            text.strip_prefix(' ')?.parse().ok()
        });
        let used = self.mark.len().saturating_add(length).saturating_add(1);
        self.held.drain(..used.min(self.held.len()));
        Some(code)
    }
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|piece| piece == mark)
}

/// How many of the last bytes may be the beginning of a mark.
fn overlap(bytes: &[u8], mark: &[u8]) -> usize {
    let longest = mark.len().saturating_sub(1).min(bytes.len());
    (1..=longest)
        .rev()
        .find(|&length| {
            let end = bytes.get(bytes.len().saturating_sub(length)..);
            end.is_some_and(|end| mark.starts_with(end))
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hears the text in pieces of this many bytes; the output, and the answers in their order.
    fn hear(text: &str, piece: usize) -> (String, Vec<Option<u8>>) {
        let mut answers = Answers::new("MARK");
        let (mut output, mut codes) = (Vec::new(), Vec::new());
        for bytes in text.as_bytes().chunks(piece) {
            let mut heard = answers.hear(bytes);
            loop {
                output.extend(heard.output);
                let Some(code) = heard.answer else { break };
                codes.push(code);
                heard = answers.hear(&[]);
            }
        }
        output.extend(answers.rest());
        (String::from_utf8(output).unwrap(), codes)
    }

    #[test]
    fn answers_are_told_from_output_however_the_stream_is_cut() {
        let text = "a\u{1}MAR\u{1}\u{1}MARK 0\nb\n\u{1}MARK 137\nleft\u{1}MA";
        for piece in 1..text.len() {
            assert_eq!(
                hear(text, piece),
                (
                    "a\u{1}MAR\u{1}b\nleft\u{1}MA".to_owned(),
                    vec![Some(0), Some(137)]
                ),
                "{piece}"
            );
        }
    }

    #[test]
    fn what_no_driver_says_is_no_exit_code() {
        for forged in [
            "\u{1}MARK 256\n",
            "\u{1}MARK -1\n",
            "\u{1}MARK\n",
            "\u{1}MARKED but",
        ] {
            assert_eq!(
                hear(forged, forged.len()).1.first(),
                Some(&None),
                "{forged}"
            );
        }
    }
}
