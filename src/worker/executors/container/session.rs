//! One container and the driver shell in it: made, fed with scripts, watched, removed.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use bollard::query_parameters::{
    CreateContainerOptions, InspectContainerOptions, KillContainerOptions, RemoveContainerOptions,
    StartContainerOptions, UploadToContainerOptions,
};
use bollard::{Docker, body_try_stream};
use futures_util::{Stream, StreamExt as _};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio_util::task::AbortOnDropHandle;

use super::answers::Answers;
use super::creation::{self, Marks, Share};
use super::engine::ContainerEngine;
use super::image::of_its_disk;
use super::written::{Unknown, Written};
use super::{CHECKOUT, CONTROL, archive, image, keeping, metadata};
use crate::protocol::ArtifactBounds;
use crate::worker::executors::watchdog::{self, Excess};
use crate::worker::executors::{Bounds, Ended, NoPlace, Site};
use crate::worker::script::CONTAINER_DRIVER;
use crate::worker::settings::Limits;
use crate::worker::spool::Spool;
use paprq_core::suite::ContainerSpecs;

/// The driver's file among the scripts.
const DRIVER_NAME: &str = "driver.sh";
/// How long the driver may take to answer that it is there.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a shell calls the end by SIGKILL.
const KILLED: i32 = 128 + 9;
/// How often a removal is tried, and the pause between.
const REMOVALS_MAX: u32 = 20;
const BETWEEN_REMOVALS: Duration = Duration::from_millis(250);
/// How long all of them may take: an engine that takes calls and never answers must not keep a
/// slot for hours. What is left is removed when the worker starts again.
const REMOVING: Duration = Duration::from_secs(600);
/// How much longer than its suite a container lives if nobody ends it, in seconds.
const LIFE_BEYOND_S: u64 = 3 * 3600;

/// What a suite asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContainerRequest<'a> {
    pub(crate) image: &'a str,
    pub(crate) kvm: bool,
    pub(crate) specs: ContainerSpecs,
}

/// A running container with a driver.
pub(crate) struct ContainerSession {
    engine: ContainerEngine,
    name: String,
    exec: String,
    orders: Pin<Box<dyn AsyncWrite + Send>>,
    stream: Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>,
    answers: Answers,
    watchdog: AbortOnDropHandle<Excess>,
    /// The container's first process, where the engine is on this machine.
    process: Option<i64>,
}

impl std::fmt::Debug for ContainerSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ContainerSession").field(&self.name).finish()
    }
}

impl ContainerSession {
    /// Makes the container with the room's working copy and scripts in it, and waits until its
    /// driver is ready.
    ///
    /// # Errors
    /// If there is none; nothing is left of it then.
    pub(crate) async fn start(
        engine: &ContainerEngine,
        wanted: ContainerRequest<'_>,
        site: Site<'_>,
        log: &mut Spool,
    ) -> Result<Self, NoPlace> {
        let crate::protocol::Attempt { job, number } = site.attempt;
        let name = format!("paprq-{}-{job}-{number}", site.owner);
        let started = try_start(engine, wanted, site, &name, log).await;
        if started.is_err() {
            remove_or_remember(engine, &name).await;
        }
        started
    }

    /// Runs one of the scripts; what it prints goes to the log.
    ///
    /// # Errors
    /// If the engine or the worker's own files fail.
    pub(crate) async fn run(
        &mut self,
        script: &str,
        bounds: Bounds<'_>,
        log: &mut Spool,
    ) -> io::Result<Ended> {
        if self.order(script).await.is_err() {
            return self.code_of_driver(log).await;
        }
        let time_is_up = tokio::time::sleep(bounds.time);
        tokio::pin!(time_is_up);
        loop {
            tokio::select! {
                biased;
                () = bounds.stop.cancelled() => return Ok(Ended::Stopped),
                () = &mut time_is_up => {
                    log.write(&self.answers.rest()).await?;
                    return Ok(Ended::TimedOut);
                }
                excess = &mut self.watchdog => {
                    return Ok(Ended::Excess(excess.map_err(io::Error::other)?));
                }
                piece = self.stream.next() => {
                    // A stream that breaks is a driver that is gone; the engine knows more.
                    let Some(Ok(piece)) = piece else {
                        return self.code_of_driver(log).await;
                    };
                    if let Some(code) = self.hear(&piece.into_bytes(), log).await? {
                        return Ok(Ended::Code(code.map_or(KILLED, i32::from)));
                    }
                    // A flood must not keep timers and other jobs on this thread waiting.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Copies what is at these paths of the working copy into a directory; see [`keeping::keep`].
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub(crate) async fn keep(
        &mut self,
        paths: &[PathBuf],
        bounds: ArtifactBounds,
        to: &Path,
    ) -> io::Result<Vec<String>> {
        keeping::keep(&self.engine.docker, &self.name, paths, bounds, to).await
    }

    /// The first process of the container, as this machine numbers it; `None` if it cannot be seen.
    pub(crate) fn process(&self) -> Option<i64> {
        self.process
    }

    /// Kills everything and returns when nothing of it is alive.
    pub(crate) async fn end(self) {
        let Self {
            engine,
            name,
            stream,
            orders,
            ..
        } = self;
        // A stream that nobody reads would keep the engine waiting.
        drop((stream, orders));
        remove_or_remember(&engine, &name).await;
    }

    async fn order(&mut self, script: &str) -> io::Result<()> {
        self.orders
            .write_all(format!("{script}\n").as_bytes())
            .await?;
        self.orders.flush().await
    }

    async fn hear(&mut self, bytes: &[u8], log: &mut Spool) -> io::Result<Option<Option<u8>>> {
        let heard = self.answers.hear(bytes);
        log.write(&heard.output).await?;
        Ok(heard.answer)
    }

    /// The driver itself has ended: a command killed it, or the whole container.
    async fn code_of_driver(&mut self, log: &mut Spool) -> io::Result<Ended> {
        log.write(&self.answers.rest()).await?;
        let code = match self.engine.docker.inspect_exec(&self.exec).await {
            Ok(exec) => exec.exit_code.and_then(|code| i32::try_from(code).ok()),
            Err(error) if is_gone(&error) => None,
            Err(error) => return Err(broken(error)),
        };
        Ok(Ended::Code(code.filter(|&code| code > 0).unwrap_or(KILLED)))
    }
}

async fn try_start(
    engine: &ContainerEngine,
    wanted: ContainerRequest<'_>,
    site: Site<'_>,
    name: &str,
    log: &mut Spool,
) -> Result<ContainerSession, NoPlace> {
    std::fs::write(site.room.control().join(DRIVER_NAME), CONTAINER_DRIVER)?;
    let docker = &engine.docker;
    until_stopped(site, image::provide(docker, wanted.image, log)).await?;
    // This is waited for in any case: what is asked of an engine it may do later, too, and nobody
    // would remove the container then.
    if let Err(error) = create(engine, wanted, site, name).await {
        return Err(refused(error, wanted.image, log).await?);
    }
    until_stopped(site, enter(engine, wanted, site, name, log)).await
}

/// What comes of this, unless the worker does not want it any more.
async fn until_stopped<T, E: Into<NoPlace>>(
    site: Site<'_>,
    doing: impl Future<Output = Result<T, E>>,
) -> Result<T, NoPlace> {
    tokio::select! {
        done = doing => done.map_err(Into::into),
        () = site.stop.cancelled() => Err(NoPlace::Broken(io::Error::other("stopped"))),
    }
}

async fn enter(
    engine: &ContainerEngine,
    wanted: ContainerRequest<'_>,
    site: Site<'_>,
    name: &str,
    log: &mut Spool,
) -> Result<ContainerSession, NoPlace> {
    let docker = &engine.docker;
    if let Err(error) = launch(docker, site, name).await {
        return Err(refused(error, wanted.image, log).await?);
    }
    if let Err(open) = metadata::close(docker, name).await {
        tracing::warn!(
            container = name, reason = %open,
            "suites in containers may reach the cloud's metadata address: close it for the bridge by \
             the machine's firewall if it tells credentials"
        );
    }
    let written = match Written::by(docker, name).await {
        Ok(written) => written,
        Err(Unknown::Volume(path)) => {
            let why = Unknown::Volume(path).to_string();
            log.note(&format!("### {why}")).await?;
            return Err(NoPlace::Refused(no_container(wanted.image)));
        }
        Err(Unknown::Engine(error)) => return Err(refused(error, wanted.image, log).await?),
    };
    let mark = format!("{:032x}", rand::random::<u128>());
    let (exec, attached) = match drive(docker, name, &mark).await {
        Ok(driving) => driving,
        Err(error) => return Err(refused(error, wanted.image, log).await?),
    };
    let StartExecResults::Attached { output, input } = attached else {
        return Err(NoPlace::Broken(io::Error::other(
            "no stream of a container",
        )));
    };
    let mut session = ContainerSession {
        engine: engine.clone(),
        name: name.to_owned(),
        exec,
        orders: input,
        stream: output,
        answers: Answers::new(&mark),
        watchdog: watch(engine.storage.clone(), written, site.limits),
        process: metadata::process_of(docker, name).await,
    };
    session.ready(wanted.image, log).await?;
    Ok(session)
}

impl ContainerSession {
    async fn ready(&mut self, image: &str, log: &mut Spool) -> Result<(), NoPlace> {
        let waiting = async {
            while let Some(Ok(piece)) = self.stream.next().await {
                if let Some(code) = self.hear(&piece.into_bytes(), log).await? {
                    return Ok::<_, io::Error>(code == Some(0));
                }
            }
            Ok(false)
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(false)) | Err(_) => {
                log.write(&self.answers.rest()).await?;
                Err(NoPlace::Refused(no_container(image)))
            }
        }
    }
}

async fn create(
    engine: &ContainerEngine,
    wanted: ContainerRequest<'_>,
    site: Site<'_>,
    name: &str,
) -> Result<(), Error> {
    let docker = &engine.docker;
    let share = Share::of(&wanted, site.limits, engine.processors);
    let life_s = site.timeout_s.saturating_add(LIFE_BEYOND_S);
    let marks = Marks {
        owner: site.owner,
        start: engine.start(),
    };
    let body = creation::body(&wanted, share, site.limits, marks, life_s);
    let options = CreateContainerOptions {
        name: Some(name.to_owned()),
        ..CreateContainerOptions::default()
    };
    docker.create_container(Some(options), body).await?;
    Ok(())
}

/// Fills the container and starts it.
async fn launch(docker: &Docker, site: Site<'_>, name: &str) -> Result<(), Error> {
    keep_from_host(docker, name).await?;
    let root = UploadToContainerOptions {
        path: "/".to_owned(),
        ..UploadToContainerOptions::default()
    };
    let copied = body_try_stream(archive::of(site.room));
    docker.upload_to_container(name, Some(root), copied).await?;
    docker
        .start_container(name, None::<StartContainerOptions>)
        .await
}

/// Refuses what the engine's own configuration may add to every container: the host's network.
async fn keep_from_host(docker: &Docker, name: &str) -> Result<(), Error> {
    let made = docker
        .inspect_container(name, None::<InspectContainerOptions>)
        .await?;
    let config = made.host_config.unwrap_or_default();
    let modes = [config.network_mode, config.pid_mode, config.ipc_mode];
    if modes.iter().flatten().any(|mode| mode == "host") {
        return Err(Error::IOError {
            err: io::Error::other("the engine's configuration gives containers the host's own"),
        });
    }
    Ok(())
}

async fn drive(
    docker: &Docker,
    name: &str,
    mark: &str,
) -> Result<(String, StartExecResults), Error> {
    let driver = format!("{CONTROL}/{DRIVER_NAME}");
    let exec = ExecConfig {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        user: Some("0:0".to_owned()),
        working_dir: Some(CHECKOUT.to_owned()),
        cmd: Some(["sh", &driver, mark, CONTROL].map(str::to_owned).to_vec()),
        ..ExecConfig::default()
    };
    let exec = docker.create_exec(name, exec).await?.id;
    let attached = docker.start_exec(&exec, None::<StartExecOptions>).await?;
    Ok((exec, attached))
}

/// What the engine refuses is the image's or the suite's affair and goes to the log; what else
/// fails is the worker's.
async fn refused(error: Error, image: &str, log: &mut Spool) -> io::Result<NoPlace> {
    let Error::DockerResponseServerError { message, .. } = error else {
        return Ok(NoPlace::Broken(broken(error)));
    };
    if let Some(error) = of_its_disk(&message) {
        return Ok(NoPlace::Broken(error));
    }
    let message = message.trim().replace(char::is_control, " ");
    log.note(&format!("### {message}")).await?;
    Ok(NoPlace::Refused(no_container(image)))
}

fn no_container(image: &str) -> String {
    format!("Could not start a container of image '{image}'.")
}

fn broken(error: Error) -> io::Error {
    io::Error::other(error)
}

/// Whether what was asked for is not there any more. Podman may forget a command of a container that
/// has ended while it is asked for it, and calls that a fault of its own (500).
pub(super) fn is_gone(error: &Error) -> bool {
    let Error::DockerResponseServerError {
        status_code,
        message,
    } = error
    else {
        return false;
    };
    let mut forgotten = ["no such exec session", "no such container"].into_iter();
    *status_code == 404 || *status_code == 500 && forgotten.any(|words| message.contains(words))
}

async fn remove_or_remember(engine: &ContainerEngine, name: &str) {
    if !remove(&engine.docker, name).await {
        engine.is_stuck(name);
    }
}

/// Kills a container and everything in it, and removes it with its volumes; whether it is gone.
pub(super) async fn remove(docker: &Docker, name: &str) -> bool {
    let removing = tokio::time::timeout(REMOVING, try_remove(docker, name)).await;
    let gone = removing == Ok(true);
    if !gone {
        tracing::error!(
            container = name,
            "a container cannot be removed; the worker tries again, but look at the engine"
        );
    }
    gone
}

/// Whether it is gone.
async fn try_remove(docker: &Docker, name: &str) -> bool {
    let kill = KillContainerOptions {
        signal: "SIGKILL".to_owned(),
    };
    let options = RemoveContainerOptions {
        force: true,
        v: true,
        ..RemoveContainerOptions::default()
    };
    for _ in 0..REMOVALS_MAX {
        let _already_dead = docker.kill_container(name, Some(kill.clone())).await;
        let _engine_may_be_faster = docker.remove_container(name, Some(options.clone())).await;
        let looked = docker
            .inspect_container(name, None::<InspectContainerOptions>)
            .await;
        if looked.is_err_and(|error| is_gone(&error)) {
            return true;
        }
        tokio::time::sleep(BETWEEN_REMOVALS).await;
    }
    false
}

/// Watches how much the container has written, and the room left on the engine's disk.
fn watch(storage: Option<PathBuf>, written: Written, limits: &Limits) -> AbortOnDropHandle<Excess> {
    let limit = watchdog::room_of(limits);
    AbortOnDropHandle::new(tokio::spawn(async move {
        let measured = move || written.clone().room(limit);
        watchdog::until_too_large(storage.as_deref(), limit, measured).await
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_engine_that_never_answers_does_not_keep_a_slot_for_hours() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("tcp://{}", silent.local_addr().unwrap());
        let version = bollard::API_DEFAULT_VERSION;
        let docker = Docker::connect_with_http(&address, 600, version).unwrap();
        let patience = REMOVING + Duration::from_secs(1);
        let removing = tokio::time::timeout(patience, remove(&docker, "paprq-unit"));
        removing.await.unwrap();
    }
}
