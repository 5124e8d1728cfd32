//! What the person sees: a live line per suite on a terminal, plain lines elsewhere, a summary.

use std::io::{self, IsTerminal as _, Stdout, Write};
use std::path::PathBuf;
use std::time::Duration;

use super::board::{Asked, Board, Ending, Job, State};
use super::server::RunServer;
use crate::cli::explaining::harmless;
use crate::clock::Stopwatch;
use crate::protocol::JobOutcome;
use paprq_core::suite::Suite;

/// How much of the log of a suite that did not pass is shown, in lines.
const TAIL_LINES: usize = 40;
/// The length of a live line, in characters: one that is broken cannot be overwritten.
const LIVE_CHARS: usize = 78;
/// How often live lines are drawn anew.
const FRAME: Duration = Duration::from_millis(200);

/// Whether a person ended it all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Interruption {
    No,
    Yes,
}

/// How the output of suites is told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Marking {
    /// One suite runs at a time.
    None,
    /// Each line begins with its suite.
    BySuite,
}

/// Standard output, and what is on it.
pub(super) struct Screen {
    out: Stdout,
    /// Whether lines can be overwritten.
    live: bool,
    colours: bool,
    /// How many live lines are on it now.
    drawn: usize,
    /// What was told of each suite.
    told: Vec<Told>,
    marking: Marking,
    logs: Option<PathBuf>,
    clock: Stopwatch,
}

/// What was told of a suite so far.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    step: Phase,
    /// How much of its log, in bytes.
    log_bytes: usize,
}

#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
enum Phase {
    #[default]
    Nothing,
    Begin,
    End,
}

/// A colour, as terminals number them.
#[derive(Clone, Copy, Debug)]
enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

impl Screen {
    pub(super) fn new(logs: Option<PathBuf>, marking: Marking) -> Self {
        let out = io::stdout();
        let live = out.is_terminal();
        Self {
            live,
            colours: live && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()),
            out,
            drawn: 0,
            told: Vec::new(),
            marking,
            logs,
            clock: Stopwatch::start(),
        }
    }

    /// Names the suites, one a line.
    pub(super) fn list(&mut self, suites: &[Suite]) -> io::Result<()> {
        for suite in suites {
            let context = harmless(&suite.context);
            writeln!(self.out, "{context}  ({})", suite.environment.key())?;
        }
        Ok(())
    }

    /// Tells of everything until the board is over.
    pub(super) async fn follow(&mut self, server: &RunServer) -> anyhow::Result<()> {
        let mut changes = server.changes();
        loop {
            changes.mark_unchanged();
            server.look(|board| self.tell(board))?;
            if server.look(Board::is_over) {
                return Ok(());
            }
            // The time on a live line goes on without news; elsewhere there is none to be drawn.
            let pause = if self.live { FRAME } else { Duration::MAX };
            let _news_or_time = tokio::time::timeout(pause, changes.changed()).await;
        }
    }

    fn tell(&mut self, board: &Board) -> anyhow::Result<()> {
        self.wipe()?;
        self.told.resize(board.jobs().len(), Told::default());
        for (number, job) in board.jobs().iter().enumerate() {
            let told = self.told.get(number).copied().unwrap_or_default();
            let step = match job.state {
                State::Waiting => Phase::Nothing,
                State::Running(_) => Phase::Begin,
                State::Ended(..) => Phase::End,
            };
            if step > told.step && matches!(job.state, State::Running(_)) && !self.live {
                writeln!(self.out, "{}: begins", harmless(&job.suite.context))?;
            }
            let log_bytes = self.pass_on(job, told.log_bytes)?;
            if let State::Ended(ending, time) = &job.state
                && step > told.step
            {
                self.tell_end(number, job, ending, *time)?;
            }
            if let Some(told) = self.told.get_mut(number) {
                *told = Told { step, log_bytes };
            }
        }
        if self.live {
            self.draw(board)?;
        }
        Ok(self.out.flush()?)
    }

    /// Shows the whole lines of a log that came since; of a suite that ended, all the rest. Gives
    /// how much of it is shown then.
    fn pass_on(&mut self, job: &Job, shown: usize) -> io::Result<usize> {
        let new = job.log.get(shown..).unwrap_or_default();
        let is_over = matches!(job.state, State::Ended(..));
        let length = match new.iter().rposition(|byte| *byte == b'\n') {
            _ if is_over => new.len(),
            Some(end) => end + 1,
            None => 0,
        };
        let lines = String::from_utf8_lossy(new.get(..length).unwrap_or_default()).into_owned();
        let mark = match self.marking {
            Marking::None => "    ".to_owned(),
            Marking::BySuite => format!("{} | ", harmless(&job.suite.context)),
        };
        for line in lines.lines() {
            self.show_line(&mark, line)?;
        }
        Ok(shown + length)
    }

    /// A line of a log, as it was written; of one that was overwritten, what is left of it.
    fn show_line(&mut self, mark: &str, line: &str) -> io::Result<()> {
        let line = line.trim_end_matches('\r');
        let line = line.rsplit('\r').next().unwrap_or_default();
        let reset = if self.colours { "\u{1b}[0m" } else { "" };
        writeln!(self.out, "{mark}{line}{reset}")
    }

    fn tell_end(
        &mut self,
        number: usize,
        job: &Job,
        ending: &Ending,
        time: Duration,
    ) -> anyhow::Result<()> {
        let (colour, words) = in_words(ending, &job.suite);
        let words = self.painted(colour, &words);
        let context = harmless(&job.suite.context);
        match ending {
            Ending::NotExecuted { why, .. } => {
                writeln!(self.out, "{context}: {words}: {}", harmless(why))?;
            }
            Ending::Executed(_) => {
                writeln!(self.out, "{context}: {words} after {}", seconds(time))?;
                self.keep_log(number, job)?;
            }
        }
        Ok(())
    }

    /// At the end, each suite that did not pass once more, with the end of its log.
    fn recall(&mut self, board: &Board) -> io::Result<()> {
        for job in board.jobs() {
            let State::Ended(ending @ Ending::Executed(outcome), time) = &job.state else {
                continue;
            };
            if *outcome == JobOutcome::Passed {
                continue;
            }
            let (colour, words) = in_words(ending, &job.suite);
            let words = self.painted(colour, &words);
            let context = harmless(&job.suite.context);
            writeln!(self.out, "\n{context}: {words} after {}", seconds(*time))?;
            self.show_tail(&job.log)?;
        }
        Ok(())
    }

    /// The end of a log.
    fn show_tail(&mut self, log: &[u8]) -> io::Result<()> {
        let text = String::from_utf8_lossy(log);
        let lines: Vec<&str> = text.lines().collect();
        let skipped = lines.len().saturating_sub(TAIL_LINES);
        if skipped > 0 {
            writeln!(self.out, "    [{skipped} lines before]")?;
        }
        for line in lines.iter().skip(skipped) {
            self.show_line("    ", line)?;
        }
        Ok(())
    }

    fn keep_log(&self, number: usize, job: &Job) -> io::Result<()> {
        let Some(directory) = &self.logs else {
            return Ok(());
        };
        std::fs::create_dir_all(directory)?;
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        let context = job.suite.context.replace(|letter| !fits(letter), "_");
        let name = format!("{:03}-{context}", number + 1);
        let name: String = name.chars().take(100).collect();
        std::fs::write(directory.join(name + ".log"), &job.log)
    }

    /// Takes the live lines away.
    fn wipe(&mut self) -> io::Result<()> {
        if self.drawn > 0 {
            write!(self.out, "\u{1b}[{}A\u{1b}[J", self.drawn)?;
            self.drawn = 0;
        }
        Ok(())
    }

    fn draw(&mut self, board: &Board) -> io::Result<()> {
        for job in board.jobs() {
            let State::Running(since) = job.state else {
                continue;
            };
            let line = format!(
                "… {}  {}  {}",
                harmless(&job.suite.context),
                seconds(since.elapsed()),
                last_line(&job.log)
            );
            let line: String = line.chars().take(LIVE_CHARS).collect();
            writeln!(self.out, "{line}")?;
            self.drawn += 1;
        }
        Ok(())
    }

    /// Says at the end how it all went.
    pub(super) fn sum_up(
        &mut self,
        board: &Board,
        interruption: Interruption,
    ) -> anyhow::Result<()> {
        self.tell(board)?;
        self.wipe()?;
        if interruption == Interruption::Yes {
            writeln!(self.out, "interrupted")?;
        }
        self.recall(board)?;
        let colour = if board.is_good() {
            Colour::Green
        } else {
            Colour::Red
        };
        let counts = counts(board);
        let counts = self.painted(colour, &counts.join(", "));
        writeln!(self.out, "\n{counts} in {}", seconds(self.clock.elapsed()))?;
        Ok(self.out.flush()?)
    }

    fn painted(&self, colour: Colour, text: &str) -> String {
        if self.colours {
            format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8)
        } else {
            text.to_owned()
        }
    }
}

/// How many suites ended how, with the names of those that did not pass.
fn counts(board: &Board) -> Vec<String> {
    let (mut passed, mut failed, mut left_out) = (0_usize, Vec::new(), Vec::new());
    for job in board.jobs() {
        match &job.state {
            State::Ended(Ending::Executed(JobOutcome::Passed), _) => passed += 1,
            State::Ended(Ending::Executed(_), _) => failed.push(harmless(&job.suite.context)),
            State::Ended(Ending::NotExecuted { .. }, _) => {
                left_out.push(harmless(&job.suite.context));
            }
            State::Waiting | State::Running(_) => {}
        }
    }
    let named = [(failed, "failed"), (left_out, "not executed")];
    let named = named.iter().filter(|(names, _)| !names.is_empty());
    let named = named.map(|(names, what)| format!("{} {what} ({})", names.len(), names.join(", ")));
    std::iter::once(format!("{passed} passed"))
        .chain(named)
        .collect()
}

fn in_words(ending: &Ending, suite: &Suite) -> (Colour, String) {
    let bad = if suite.allow_failure {
        Colour::Yellow
    } else {
        Colour::Red
    };
    match ending {
        Ending::Executed(JobOutcome::Passed) => (Colour::Green, "passed".to_owned()),
        Ending::Executed(JobOutcome::Failed { exit_code }) => {
            (bad, format!("failed with code {exit_code}"))
        }
        Ending::Executed(JobOutcome::TimedOut) => (bad, "timed out".to_owned()),
        Ending::Executed(JobOutcome::Error { message }) => (
            bad,
            format!("could not be executed ({})", harmless(message)),
        ),
        Ending::NotExecuted { wanted, .. } => {
            let colour = match wanted {
                Asked::Yes => Colour::Red,
                Asked::No => Colour::Yellow,
            };
            (colour, "not executed".to_owned())
        }
    }
}

/// The last line of a log that says anything.
fn last_line(log: &[u8]) -> String {
    let begin = log.len().saturating_sub(1000);
    let end = String::from_utf8_lossy(log.get(begin..).unwrap_or_default()).into_owned();
    let line = end.lines().rev().find(|line| !line.trim().is_empty());
    harmless(line.unwrap_or_default())
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs())
}
