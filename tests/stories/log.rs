//! What the program writes on standard error, and what of it no story may leave unexplained.

use std::io::{BufRead as _, BufReader, PipeReader, PipeWriter, Write as _};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::sync::watch;

/// What stands at the end of a log, behind all that its process wrote.
const END: &str = "--- the end of the log ---";

/// What processes wrote so far, line by line, and which faults a story expects to be among it.
#[derive(Default)]
pub(crate) struct Log {
    lines: watch::Sender<Vec<String>>,
    streams: Mutex<Vec<Stream>>,
    expected: Mutex<Vec<Expected>>,
}

/// What one process writes.
struct Stream {
    /// Another end than that of the process: what the process has started may keep that open.
    end: PipeWriter,
    reader: JoinHandle<()>,
}

/// Faults that a story brings about.
struct Expected {
    /// What their lines hold.
    text: String,
    need: Need,
}

/// Whether a fault must be told of.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Need {
    /// It would be a fault of its own if nothing were told.
    Must,
    /// It depends on what comes first.
    May,
}

impl Log {
    /// The standard error of a process that is to be read; each line is shown when it is in the log.
    pub(crate) fn stderr(self: &Arc<Self>, show: impl FnMut(&str) + Send + 'static) -> Stdio {
        let (ours, theirs) = std::io::pipe().unwrap();
        let stream = Stream {
            end: theirs.try_clone().unwrap(),
            reader: self.read(ours, show),
        };
        self.streams.lock().unwrap().push(stream);
        theirs.into()
    }

    fn read(
        self: &Arc<Self>,
        from: PipeReader,
        mut show: impl FnMut(&str) + Send + 'static,
    ) -> JoinHandle<()> {
        let log = Arc::clone(self);
        std::thread::spawn(move || {
            for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                if line == END {
                    return;
                }
                log.lines.send_modify(|lines| lines.push(line.clone()));
                show(&line);
            }
        })
    }

    /// The faults with this text are brought about by the story: they must be told of.
    pub(crate) fn expect(&self, text: &str) {
        self.add(text, Need::Must);
    }

    /// The faults with this text may come of what the story does.
    pub(crate) fn tolerate(&self, text: &str) {
        self.add(text, Need::May);
    }

    fn add(&self, text: &str, need: Need) {
        let text = text.to_owned();
        self.expected.lock().unwrap().push(Expected { text, need });
    }

    pub(crate) fn lines(&self) -> watch::Ref<'_, Vec<String>> {
        self.lines.borrow()
    }

    pub(crate) fn text(&self) -> String {
        self.lines().join("\n")
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Vec<String>> {
        self.lines.subscribe()
    }

    /// Fails if a fault was told of that nobody expected, or one that was expected was not.
    ///
    /// The processes must have ended.
    pub(crate) fn judge(&self) {
        for Stream { mut end, reader } in self.streams.lock().unwrap().drain(..) {
            // The process may have been killed in the middle of a line.
            write!(end, "\n{END}\n").unwrap();
            reader.join().unwrap();
        }
        let lines = self.lines();
        let expected = self.expected.lock().unwrap();
        let unexpected = unexpected(&lines, &expected);
        assert!(
            unexpected.is_empty(),
            "faults that this story does not expect:\n{}\nthe whole log:\n{}",
            unexpected.join("\n"),
            lines.join("\n")
        );
        for wanted in expected.iter().filter(|wanted| wanted.need == Need::Must) {
            let is_told = lines.iter().any(|line| line.contains(&wanted.text));
            assert!(
                is_told,
                "no fault {:?} in the log:\n{}",
                wanted.text,
                lines.join("\n")
            );
        }
    }
}

fn unexpected<'a>(lines: &'a [String], expected: &[Expected]) -> Vec<&'a str> {
    let is_expected = |line: &str| expected.iter().any(|wanted| line.contains(&wanted.text));
    faults(lines.iter().map(String::as_str))
        .filter(|line| !is_expected(line))
        .collect()
}

/// The lines by which the program says that it could not do something.
pub(crate) fn faults<'a>(lines: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    lines.filter(|line| {
        let mut words = line.split_whitespace().skip(1);
        match words.next() {
            Some("ERROR") => true,
            // There a warning is an order, a handler or a loop that failed.
            Some("WARN") => words.any(|word| word.starts_with("paprq::engine")),
            _ => line.contains(" panicked at "),
        }
    })
}

#[test]
fn faults_are_told_from_what_is_well_and_from_what_others_do_wrong() {
    let log = "\
2026-12-01T01:00:00.1Z  INFO paprq::engine::dispatcher: ERROR in a title repo.label=widgets
2026-12-01T01:00:00.2Z ERROR paprq::web::error: a request could not be answered
2026-12-01T01:00:00.3Z  WARN paprq::web::login: a log-in was refused
2026-12-01T01:00:00.4Z  WARN paprq::engine::outbox: an order is tried again later
thread 'tokio-rt-worker' (7) panicked at src/engine/sync.rs:1:1:
index out of bounds
";
    let told: Vec<&str> = faults(log.lines()).collect();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(told, [lines[1], lines[3], lines[4]]);
}
