//! One driver shell and what it runs: started, fed with scripts, watched, killed as a whole.
//!
//! The driver reads names of scripts from its standard input, answers with exit codes on its
//! standard output, and everything else comes from its standard error. Whatever happens inside
//! can only change what this attempt itself reports.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::bubblewrap::Filter;
use super::cgroup::{self, Group};
use super::watchdog::{self, Excess, Watched};
use super::{Isolation, base_environment, processes};
use crate::worker::room::Room;
use crate::worker::script::DRIVER;
use crate::worker::settings::Limits;
use crate::worker::spawner::Spawner;
use crate::worker::spool::Spool;
use paprq_core::suite::Network;

/// The driver's file among the scripts.
const DRIVER_NAME: &str = "driver.sh";
/// How long a sandbox may take to start and, once killed, to be gone.
const PATIENCE: Duration = Duration::from_secs(20);
/// Without a sandbox: runs the driver and, when the worker dies, kills the process group.
const GUARD: &str = "trap 'kill -KILL 0' TERM; \"$@\" <&0 & wait $!";
/// The longest answer that the driver gives.
const ANSWER_BYTES_MAX: usize = 64;
/// What a pipe can hold at most by default (`/proc/sys/fs/pipe-max-size`), in bytes.
const PIPE_BYTES_MAX: usize = 1024 * 1024;
/// How much output is read at a time.
const READ_BYTES: usize = 64 * 1024;
/// What a shell calls the end by SIGKILL.
const KILLED: i32 = 128 + 9;

/// What to start a session with.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    pub(crate) isolation: &'a Isolation,
    pub(crate) room: &'a Room,
    pub(crate) network: Network,
    pub(crate) limits: &'a Limits,
    /// Ends the start.
    pub(crate) stop: &'a CancellationToken,
    /// Added to the environment; it is not to be seen by a suite's commands if it holds secrets.
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// What ends a command from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds<'a> {
    pub(crate) time: Duration,
    pub(crate) stop: &'a CancellationToken,
}

/// How a command ended. After anything but `Code` the session is of no more use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ended {
    /// By itself.
    Code(i32),
    /// Its time was up.
    TimedOut,
    /// It used too much.
    Excess(Excess),
    /// Its result is not wanted any more.
    Stopped,
}

/// A running driver.
#[derive(Debug)]
pub(crate) struct Session {
    child: Child,
    orders: ChildStdin,
    answers: ChildStdout,
    output: ChildStderr,
    /// The first process of the sandbox: with it all others die, and it dies last.
    init: Option<Arc<OwnedFd>>,
    watchdog: AbortOnDropHandle<Excess>,
    answer: Vec<u8>,
    limits: Limits,
    /// Removed with the last that holds it, when everything in it is dead.
    group: Option<Arc<Group>>,
}

impl Session {
    /// Starts a driver and waits until it is ready.
    ///
    /// # Errors
    /// If it does not start; what it printed is in the log then.
    pub(crate) async fn start(
        launch: &Launch<'_>,
        spawner: &Spawner,
        log: &mut Spool,
    ) -> io::Result<Self> {
        std::fs::write(launch.room.control().join(DRIVER_NAME), DRIVER)?;
        let group = cgroup::group(launch.limits)?;
        let mut child = spawner.spawn(command(launch, group.as_deref())?).await?;
        let (Some(orders), Some(answers), Some(output)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("a child without pipes"));
        };
        let number = child
            .id()
            .and_then(|number| i32::try_from(number).ok())
            .ok_or_else(|| io::Error::other("a child without a number"))?;
        let mut session = Self {
            child,
            orders,
            answers,
            output,
            init: None,
            watchdog: watchdog::watch(Watched {
                root: number,
                checkout: launch.room.checkout(),
                limits: *launch.limits,
                group: group.clone(),
            }),
            answer: Vec::new(),
            limits: *launch.limits,
            group,
        };
        let ready = launch.stop.run_until_cancelled(session.next_answer());
        let ready = tokio::time::timeout(PATIENCE, ready).await;
        if !matches!(&ready, Ok(Some(Ok(Some(line)))) if line == "ready") {
            session.drain(log).await?;
            session.end().await;
            return Err(io::Error::other("the sandbox did not start"));
        }
        match launch.isolation {
            Isolation::None => {}
            Isolation::Bubblewrap(_) => session.init = Some(hold_init(number)?),
        }
        Ok(session)
    }

    /// Runs one of the scripts in the room; what it prints goes to the log.
    ///
    /// # Errors
    /// If the worker's own files or pipes fail.
    pub(crate) async fn run(
        &mut self,
        script: &str,
        bounds: Bounds<'_>,
        log: &mut Spool,
    ) -> io::Result<Ended> {
        match (self.follow(script, bounds, log).await?, &self.group) {
            // A command whose process the kernel has killed for memory says something else.
            (Ended::Code(code), Some(group)) => {
                let excess = watchdog::killed(group, &self.limits)?;
                Ok(excess.map_or(Ended::Code(code), Ended::Excess))
            }
            (ended, _) => Ok(ended),
        }
    }

    async fn follow(
        &mut self,
        script: &str,
        bounds: Bounds<'_>,
        log: &mut Spool,
    ) -> io::Result<Ended> {
        let order = format!("{script}\n");
        if self.orders.write_all(order.as_bytes()).await.is_err() {
            return self.code_of_driver().await;
        }
        let time_is_up = tokio::time::sleep(bounds.time);
        tokio::pin!(time_is_up);
        let mut buffer = vec![0; READ_BYTES];
        let ended = loop {
            tokio::select! {
                biased;
                () = bounds.stop.cancelled() => break Ended::Stopped,
                () = &mut time_is_up => break Ended::TimedOut,
                excess = &mut self.watchdog => {
                    break Ended::Excess(excess.map_err(io::Error::other)?);
                }
                answer = read_answer(&mut self.answers, &mut self.answer) => {
                    match answer?.and_then(|line| line.parse::<u8>().ok()) {
                        Some(code) => break Ended::Code(i32::from(code)),
                        None => {
                            self.drain(log).await?;
                            return self.code_of_driver().await;
                        }
                    }
                }
                read = self.output.read(&mut buffer) => match read? {
                    0 => return self.code_of_driver().await,
                    read => {
                        log.write(buffer.get(..read).unwrap_or_default()).await?;
                        // A flood must not keep timers and other jobs on this thread waiting.
                        tokio::task::yield_now().await;
                    }
                }
            }
        };
        self.drain(log).await?;
        Ok(ended)
    }

    /// Whether the kernel counts for it alone what it uses, and what was killed of it.
    pub(crate) fn has_group(&self) -> bool {
        self.group.is_some()
    }

    /// The process that has all others below it, while it lives.
    pub(crate) fn process(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills everything and returns when nothing of it is alive.
    pub(crate) async fn end(mut self) {
        self.kill();
        if let Some(init) = self.init.take() {
            let _panicked = tokio::task::spawn_blocking(move || wait_for_end(&init)).await;
        }
        if tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .is_err()
        {
            tracing::error!("a killed sandbox does not end");
        }
    }

    /// The driver itself has ended: a command killed it, or it killed itself.
    async fn code_of_driver(&mut self) -> io::Result<Ended> {
        self.kill();
        let status = self.child.wait().await?;
        Ok(Ended::Code(
            status.code().filter(|&code| code != 0).unwrap_or(KILLED),
        ))
    }

    fn kill(&mut self) {
        match &self.init {
            Some(init) => {
                let _already_dead = rustix::process::pidfd_send_signal(init, Signal::KILL);
            }
            None => {
                if let Some(group) = self.child.id().and_then(pid) {
                    let _already_dead = rustix::process::kill_process_group(group, Signal::KILL);
                }
            }
        }
    }

    async fn next_answer(&mut self) -> io::Result<Option<String>> {
        read_answer(&mut self.answers, &mut self.answer).await
    }

    /// Takes what is already in the pipe, and no more than a pipe can hold.
    ///
    /// Reads past tokio, whose knowledge of the pipe may be older than the answer just read.
    async fn drain(&mut self, log: &mut Spool) -> io::Result<()> {
        let mut buffer = vec![0; READ_BYTES];
        let mut drained = 0;
        while drained < PIPE_BYTES_MAX {
            match rustix::io::read(&self.output, &mut buffer) {
                Ok(0) | Err(rustix::io::Errno::AGAIN) => break,
                Ok(read) => {
                    drained += read;
                    log.write(buffer.get(..read).unwrap_or_default()).await?;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The next line of the driver; `None` at its end or if it is no line that a driver writes.
///
/// Safe to cancel: what was read stays in `begun`.
async fn read_answer(answers: &mut ChildStdout, begun: &mut Vec<u8>) -> io::Result<Option<String>> {
    loop {
        if let Some(end) = begun.iter().position(|&byte| byte == b'\n') {
            let rest = begun.split_off(end.saturating_add(1));
            let line = std::mem::replace(begun, rest);
            return Ok(String::from_utf8(line)
                .ok()
                .map(|line| line.trim_end().to_owned()));
        }
        if begun.len() > ANSWER_BYTES_MAX || answers.read_buf(begun).await? == 0 {
            return Ok(None);
        }
    }
}

fn command(launch: &Launch<'_>, group: Option<&Group>) -> io::Result<Command> {
    let Launch {
        isolation,
        room,
        network,
        limits,
        stop: _,
        environment,
    } = launch;
    let line = match isolation {
        Isolation::None => unsandboxed(limits),
        Isolation::Bubblewrap(bubblewrap) => {
            bubblewrap.furnish(room)?;
            let filter = match group {
                Some(_) => Filter::None,
                None => Filter::From(cgroup::FILTER),
            };
            bubblewrap.line(room, *network, limits, filter)
        }
    };
    let mut command = Command::new("bash");
    command
        .args(cgroup::wrapper(group, room)?)
        .args(line)
        .env_clear()
        .current_dir("/");
    let control = isolation.control(room);
    command
        .args(["bash", &format!("{control}/{DRIVER_NAME}"), &control])
        .envs(base_environment())
        .env("HOME", isolation.home(room))
        .envs(environment.iter().map(|(name, value)| (*name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    Ok(command)
}

fn unsandboxed(limits: &Limits) -> Vec<OsString> {
    let fsize = format!("--fsize={}", limits.disk_bytes);
    let line = [
        "setpriv",
        "--pdeathsig",
        "TERM",
        "--",
        "prlimit",
        "--core=0",
        &fsize,
    ];
    let guard = ["--", "bash", "-c", GUARD, "guard"];
    line.into_iter().chain(guard).map(OsString::from).collect()
}

/// Takes hold of the sandbox's first process.
fn hold_init(child: i32) -> io::Result<Arc<OwnedFd>> {
    let init = processes::init_below(child)
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other("a sandbox without a first process"))?;
    let held = rustix::process::pidfd_open(init, PidfdFlags::empty())?;
    Ok(Arc::new(held))
}

/// Blocks until the process is dead: the kernel lets a sandbox's first process go last.
fn wait_for_end(process: &OwnedFd) {
    let mut ends = [PollFd::new(process, PollFlags::IN)];
    let patience = Timespec::try_from(PATIENCE).ok();
    let _interrupted = rustix::io::retry_on_intr(|| poll(&mut ends, patience.as_ref()));
}

fn pid(number: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(number).ok()?)
}
