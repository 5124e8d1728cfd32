//! Somebody outside whom the tests of a story ask how they come out: so a story decides that, and
//! knows how often each was executed.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use paprq_practice::StatusState;
use tokio::sync::watch;

use crate::world::{LIMIT, Settings, World};

/// What tests ask. All that nothing else was said of pass.
pub(crate) struct Oracle {
    port: u16,
    answers: Arc<Answers>,
    asked: watch::Receiver<Vec<String>>,
}

#[derive(Default)]
struct Answers {
    by_name: Mutex<BTreeMap<String, Answer>>,
    changed: Condvar,
}

/// How a test comes out.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Answer {
    /// Well.
    Pass,
    /// With exit code 1.
    Fail,
    /// Not yet.
    Later,
}

impl Oracle {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked_here, asked) = watch::channel(Vec::new());
        let answers = Arc::<Answers>::default();
        let told = Arc::clone(&answers);
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (answers, asked) = (Arc::clone(&told), asked_here.clone());
                std::thread::spawn(move || answer(&connection, &answers, &asked));
            }
        });
        Self {
            port,
            answers,
            asked,
        }
    }

    /// A suite of pulls and merges whose test asks under its own name; `lines` are more lines of its
    /// document.
    pub(crate) fn suite(&self, name: &str, lines: &str) -> String {
        let branches = if lines.contains("branches:") {
            ""
        } else {
            "branches: [auto]\n"
        };
        let ask = self.ask(&format!("'{name}'"));
        format!(
            "---\ncontext: {name}\nsandbox: {{network: true}}\ntests:\n  - |\n    {ask}\n\
             {branches}{lines}\n"
        )
    }

    /// A line of a test that asks by a name, as the shell has it.
    pub(crate) fn ask(&self, name: &str) -> String {
        let port = self.port;
        format!("exec 3<>/dev/tcp/127.0.0.1/{port}; echo {name} >&3; read -r code <&3; exit $code")
    }

    pub(crate) fn say(&self, name: &str, answer: Answer) {
        let mut by_name = self.answers.by_name.lock().unwrap();
        by_name.insert(name.to_owned(), answer);
        self.answers.changed.notify_all();
    }

    /// How often a test was executed.
    pub(crate) fn times(&self, name: &str) -> usize {
        let asked = self.asked.borrow();
        asked.iter().filter(|asked| *asked == name).count()
    }

    /// All tests that were executed, sorted.
    pub(crate) fn all(&self) -> Vec<String> {
        let mut all = self.in_order();
        all.sort();
        all
    }

    /// All tests that were executed, the first one first.
    pub(crate) fn in_order(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }

    /// Waits until so many tests were executed.
    pub(crate) async fn until_any(&self, world: &World, times: usize) {
        let mut asked = self.asked.clone();
        let asked = asked.wait_for(|asked| asked.len() >= times);
        let asked = tokio::time::timeout(LIMIT, asked).await.map(drop);
        world.expect(asked, &format!("{times} tests are executed"));
    }

    /// Waits until a test was executed so often.
    pub(crate) async fn until_asked(&self, world: &World, name: &str, times: usize) {
        let mut asked = self.asked.clone();
        let asked =
            asked.wait_for(|asked| asked.iter().filter(|asked| *asked == name).count() >= times);
        let asked = tokio::time::timeout(LIMIT, asked).await.map(drop);
        world.expect(asked, &format!("{name} is executed {times} times"));
    }
}

/// One test asks. One that was stopped asks for nothing more.
fn answer(connection: &TcpStream, answers: &Answers, asked: &watch::Sender<Vec<String>>) {
    let mut name = String::new();
    if BufReader::new(connection).read_line(&mut name).is_err() {
        return;
    }
    let name = name.trim();
    asked.send_modify(|asked| asked.push(name.to_owned()));
    let by_name = answers.by_name.lock().unwrap();
    let by_name = answers
        .changed
        .wait_while(by_name, |by_name| by_name.get(name) == Some(&Answer::Later))
        .unwrap();
    let code = match by_name.get(name) {
        Some(Answer::Fail) => "1",
        Some(Answer::Pass | Answer::Later) | None => "0",
    };
    drop(by_name);
    let mut connection = connection;
    let _nobody_listens = writeln!(connection, "{code}");
}

/// A configuration with these suites on the base branch, and these lines in `[repo.widgets]`.
pub(crate) fn with_suites(suites: &[String], repo: &str) -> Settings {
    Settings {
        local_workers: 2,
        repo: repo.to_owned(),
        files: vec![(".papr.yml".to_owned(), suites.concat())],
        ..Settings::default()
    }
}

/// The words of a status, and where it leads.
pub(crate) fn words(
    world: &World,
    commit: paprq_core::ids::CommitId,
    context: &str,
) -> (StatusState, String, String) {
    let status = world.practice.status(crate::world::REPO, commit, context);
    let status = status.unwrap_or_else(|| panic!("no status {context}\n{}", world.log()));
    (
        status.state,
        status.description.unwrap_or_default(),
        status.target_url.unwrap_or_default(),
    )
}
