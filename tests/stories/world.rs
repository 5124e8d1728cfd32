//! The stage of a story: a practice GitHub, and the program as a process that can be killed.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use paprq::clock;
use paprq_core::ids::{CommitId, PullNumber};
use paprq_practice::{CommentSeen, Permission, Practice, PullState, StatusState};

use crate::log::Log;

/// The repository of every story.
pub(crate) const REPO: &str = "octo/widgets";
/// Its base branch.
pub(crate) const BASE: &str = "master";
/// The bot's login.
pub(crate) const BOT: &str = "bors";
/// What webhooks are signed with.
pub(crate) const SECRET: &str = "a secret of the story";
/// How long anything may take: a safety net for busy machines, never waited for in full.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

const BOT_TOKEN: &str = "token-of-the-bot";
/// A worker's token in cfg.toml.
pub(crate) const WORKER_TOKEN: &str = "token-of-a-worker";

/// A suite that passes if `fine.sh` of the commit does.
pub(crate) const SUITES: &str = "\
context: unit
sandbox: true
branches: [auto, try]
tests:
  - sh fine.sh
";

/// Everything that a story plays on.
pub(crate) struct World {
    pub(crate) practice: Practice,
    dir: tempfile::TempDir,
    hook: u64,
    program: Arc<Program>,
    /// What is added to cfg.toml's top and to `[repo.widgets]`.
    settings: Settings,
}

/// What a story changes in the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) local_workers: u32,
    pub(crate) reconcile_s: u32,
    pub(crate) poll_pending_s: u32,
    /// Lines of `[repo.widgets]`, and tables after it.
    pub(crate) repo: String,
    /// Lines of `[git]`.
    pub(crate) git: String,
    /// Lines of `[github]`.
    pub(crate) github: String,
    /// Tables.
    pub(crate) tables: String,
    /// Lines of `[web]`.
    pub(crate) web: String,
    /// The line of `[web]` that says where people reach the pages.
    pub(crate) base_url: String,
    /// How many files and connections the program may have open.
    pub(crate) descriptors: Option<u64>,
    /// The repository's name in cfg.toml.
    pub(crate) name: &'static str,
    /// The mount options of a disk of its own for its database, `data`.
    pub(crate) disk: Option<&'static str>,
    /// Which rights it keeps from what it makes.
    pub(crate) umask: Option<u32>,
    /// Files of the base branch beside `fine.sh`.
    pub(crate) files: Vec<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            local_workers: 1,
            reconcile_s: 600,
            poll_pending_s: 120,
            repo: String::new(),
            git: String::new(),
            github: String::new(),
            tables: String::new(),
            web: String::new(),
            base_url: "base_url = \"https://paprq.example\"".to_owned(),
            descriptors: None,
            name: "widgets",
            disk: None,
            umask: None,
            files: vec![(".papr.yml".to_owned(), SUITES.to_owned())],
        }
    }
}

/// The program, while it runs. It can be killed from any thread.
#[derive(Default)]
pub(crate) struct Program {
    process: Mutex<Option<Child>>,
    log: Arc<Log>,
    starts: AtomicU32,
}

impl Program {
    /// Kills it as nothing else does: SIGKILL, at once.
    pub(crate) fn kill(&self) {
        self.log
            .tolerate("the last process ended while orders were under way");
        if let Some(mut child) = self.process.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl World {
    /// A running server with one repository and no pulls.
    pub(crate) async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    /// The same with other settings.
    pub(crate) async fn start_with(settings: Settings) -> Self {
        let mut world = Self::prepare(settings).await;
        world.start_server();
        world
    }

    /// The stage without the server.
    pub(crate) async fn prepare(settings: Settings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let practice = Practice::start(&dir.path().join("github"), 0, clock::now)
            .await
            .unwrap();
        practice.add_user(BOT, Some(BOT_TOKEN));
        let fine = ("fine.sh".to_owned(), "echo all is fine\n".to_owned());
        let files = settings.files.iter().cloned().chain([fine]);
        practice.create_repo(REPO, files).unwrap();
        practice
            .add_collaborator(REPO, BOT, Permission::Write)
            .unwrap();
        practice
            .add_collaborator(REPO, "alice", Permission::Write)
            .unwrap();
        let hook = practice.add_webhook(REPO, "http://127.0.0.1:9/", SECRET);
        Self {
            hook: hook.unwrap(),
            program: Arc::default(),
            practice,
            dir,
            settings,
        }
    }

    pub(crate) fn program(&self) -> Arc<Program> {
        Arc::clone(&self.program)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn configuration(&self) -> String {
        let Settings {
            local_workers,
            reconcile_s,
            poll_pending_s,
            repo,
            git,
            github,
            tables,
            web: pages,
            base_url,
            name,
            ..
        } = &self.settings;
        let (api, web) = (self.practice.api_url(), self.practice.url());
        format!(
            r#"
[github]
access_token = "{BOT_TOKEN}"
api_url = "{api}"
web_url = "{web}"
reconcile_s = {reconcile_s}
poll_pending_s = {poll_pending_s}
{github}
[git]
cache_dir = "cache"
{git}
{tables}
[web]
host = "127.0.0.1"
port = 0
{base_url}
{pages}
[worker]
local = {local_workers}
executors = ["sandbox"]
tokens = {{ remote = "{WORKER_TOKEN}" }}
[repo.widgets]
owner = "octo"
name = "{name}"
reviewers = ["alice"]
try_users = ["bob"]
github = {{ secret = "{SECRET}" }}
{repo}
"#
        )
    }

    /// From the next start on, cfg.toml names another repository of the same owner.
    pub(crate) fn rename_in_configuration(&mut self, name: &'static str) {
        self.settings.name = name;
    }

    /// Starts the server, and lets GitHub's webhooks find it.
    pub(crate) fn start_server(&mut self) {
        self.start_server_of(REPO);
    }

    /// The same, of a repository that is called so by now.
    pub(crate) fn start_server_of(&mut self, repo: &str) {
        std::fs::write(self.path("cfg.toml"), self.configuration()).unwrap();
        let address = self.spawn();
        let webhook = format!("http://{address}/github");
        self.practice
            .move_webhook(repo, self.hook, &webhook)
            .unwrap();
    }

    /// Starts the program and returns the address on which it serves.
    fn spawn(&self) -> String {
        let Settings {
            descriptors,
            umask,
            disk,
            ..
        } = &self.settings;
        let umask = umask.map(|umask| format!("umask {umask:o} && "));
        let limit = descriptors.map(|most| format!("ulimit -n {most} && "));
        let mount = disk
            .map(|options| format!("mkdir -p data && mount -t tmpfs -o {options} none data && "));
        let before = [umask, limit, mount]
            .map(Option::unwrap_or_default)
            .concat();
        let mut bash = Command::new("bash");
        if disk.is_some() {
            bash = Command::new("unshare");
            if !rustix::process::geteuid().is_root() {
                bash.args(["--map-root-user", "--map-auto"]);
            }
            bash.args(["--mount", "bash"]);
        }
        let (found, address) = std::sync::mpsc::channel();
        // Whoever is told the address may look for it in the log.
        let stderr = self.program.log.stderr(move |line| {
            if let Some((_, address)) = line.split_once("serving address=") {
                let _only_the_first_is_asked_for = found.send(address.trim().to_owned());
            }
        });
        let child = bash
            .arg("-c")
            .arg(format!("{before}exec \"$@\""))
            .args(["bash", env!("CARGO_BIN_EXE_paprq")])
            .args(["serve", "-c", "cfg.toml"])
            .current_dir(self.dir.path())
            .env("RUST_LOG", "info")
            .env("NO_COLOR", "1")
            .stderr(stderr)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        *self.program.process.lock().unwrap() = Some(child);
        self.program.starts.fetch_add(1, Ordering::Relaxed);
        match address.recv_timeout(LIMIT) {
            Ok(address) => address,
            Err(_) => panic!("the server did not start:\n{}", self.program.log.text()),
        }
    }

    /// The standard error of a worker, which is read with the server's.
    pub(crate) fn stderr_of_worker(&self) -> Stdio {
        self.program.log.stderr(|_line| {})
    }

    /// Asks the server to stop, as systemd does, and waits until it has.
    pub(crate) fn stop_server(&self) -> std::process::ExitStatus {
        let mut child = self.program.process.lock().unwrap().take().unwrap();
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        child.wait().unwrap()
    }

    /// The program's process.
    pub(crate) fn process_id(&self) -> u32 {
        self.program.process.lock().unwrap().as_ref().unwrap().id()
    }

    /// Where the server listens now.
    pub(crate) fn address(&self) -> String {
        let log = self.program.log.lines();
        let line = log
            .iter()
            .rev()
            .find(|line| line.contains("serving address="));
        let (_, address) = line.unwrap().split_once("serving address=").unwrap();
        address.trim().to_owned()
    }

    /// What the server answers to somebody who looks at one of its pages.
    pub(crate) async fn page(&self, path: &str) -> String {
        let address = format!("http://{}{path}", self.address());
        let page = reqwest::get(address).await.unwrap();
        let page = page.error_for_status().unwrap();
        page.text().await.unwrap()
    }

    /// What the server wrote on standard error so far.
    pub(crate) fn log(&self) -> String {
        self.program.log.text()
    }

    /// The story brings about faults with this text: they must be in the log.
    pub(crate) fn expects(&self, text: &str) {
        self.program.log.expect(text);
    }

    /// What the story does may lead to faults with this text in the log.
    pub(crate) fn tolerates(&self, text: &str) {
        self.program.log.tolerate(text);
    }

    /// Waits until the server has written this so many times.
    pub(crate) async fn until_logged(&self, text: &str, times: usize) {
        let mut log = self.program.log.subscribe();
        let logged = log.wait_for(|log| {
            let lines = log.iter().filter(|line| line.contains(text));
            lines.count() >= times
        });
        let logged = tokio::time::timeout(LIMIT, logged).await.map(drop);
        self.expect(logged, text);
    }

    /// Bob opens a pull that writes these files.
    pub(crate) fn open_pull(&self, branch: &str, files: &[(&str, &str)]) -> PullNumber {
        self.push(branch, files);
        let title = format!("Change {branch}");
        self.practice
            .open_pull(REPO, branch, BASE, &title, "", "bob")
            .unwrap()
    }

    /// Bob pushes to a branch.
    pub(crate) fn push(&self, branch: &str, files: &[(&str, &str)]) -> CommitId {
        let files = files.iter().copied();
        self.practice
            .commit(REPO, branch, files, "A change", "bob")
            .unwrap()
    }

    /// Alice, who reviews, tells the bot something.
    pub(crate) fn tell(&self, pull: PullNumber, command: &str) {
        self.say("alice", pull, &format!("@{BOT} {command}"));
    }

    pub(crate) fn say(&self, who: &str, pull: PullNumber, text: &str) {
        self.practice.comment(REPO, pull, who, text).unwrap();
    }

    pub(crate) fn base(&self) -> CommitId {
        self.practice.branch(REPO, BASE).unwrap().unwrap()
    }

    pub(crate) fn head(&self, pull: PullNumber) -> CommitId {
        self.practice.pull(REPO, pull).unwrap().head
    }

    /// What the bot has said on a pull so far.
    pub(crate) fn said(&self, pull: PullNumber) -> Vec<String> {
        said(&self.practice, pull)
    }

    /// How many of the bot's comments on a pull begin so.
    pub(crate) fn count(&self, pull: PullNumber, beginning: &str) -> usize {
        let said = self.said(pull);
        said.iter()
            .filter(|body| body.starts_with(beginning))
            .count()
    }

    /// Waits for a comment of the bot that begins so.
    pub(crate) async fn hear(&self, pull: PullNumber, beginning: &str) -> String {
        let heard = self.practice.wait_for(LIMIT, |practice| {
            let mut said = said(practice, pull).into_iter();
            said.find(|body| body.starts_with(beginning))
        });
        self.expect(heard.await, &format!("{beginning} on #{pull}"))
    }

    pub(crate) async fn until(&self, what: &str, holds: impl FnMut(&Practice) -> bool) {
        let held = self.practice.wait_until(LIMIT, holds).await;
        self.expect(held, what);
    }

    pub(crate) async fn until_merged(&self, pull: PullNumber) {
        self.until(&format!("#{pull} is merged"), |practice| {
            practice.pull(REPO, pull).unwrap().state == PullState::Merged
        })
        .await;
    }

    /// Waits until the queue's own status on a commit is this.
    pub(crate) async fn until_status(&self, commit: CommitId, context: &str, wanted: StatusState) {
        self.until(&format!("{context} is {wanted:?}"), |practice| {
            let status = practice.status(REPO, commit, context);
            status.is_some_and(|status| status.state == wanted)
        })
        .await;
    }

    /// Waits until a status says this.
    pub(crate) async fn until_words(&self, commit: CommitId, context: &str, wanted: &str) {
        self.until(&format!("{context} says {wanted:?}"), |practice| {
            let status = practice.status(REPO, commit, context);
            status.is_some_and(|status| status.description.as_deref() == Some(wanted))
        })
        .await;
    }

    pub(crate) fn expect<T>(&self, outcome: Result<T, impl std::fmt::Display>, what: &str) -> T {
        match outcome {
            Ok(value) => value,
            Err(error) => panic!("{what}: {error}\nthe server's log:\n{}", self.log()),
        }
    }

    /// Looks whether the base branch is at a merge of the pull that was tested as it is.
    pub(crate) fn assert_landed_once(&self, pull: PullNumber, before: CommitId) {
        let tip = self.base();
        let parents = self.practice.parents(REPO, tip).unwrap();
        assert_eq!(parents, [before, self.head(pull)], "{}", self.log());
        let said = self.said(pull);
        for beginning in [
            ":pushpin: Commit",
            ":hourglass: Testing",
            ":sunny: Test successful",
        ] {
            assert_eq!(
                self.count(pull, beginning),
                1,
                "{beginning}\n{said:#?}\n{}",
                self.log()
            );
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.program.kill();
        if !std::thread::panicking() {
            self.program.log.judge();
        }
    }
}

fn said(practice: &Practice, pull: PullNumber) -> Vec<String> {
    let comments = practice.comments(REPO, pull).into_iter();
    comments
        .filter(|comment: &CommentSeen| comment.author.as_str() == BOT)
        .map(|comment| comment.body)
        .collect()
}
