//! The one thread that starts child processes.
//!
//! Linux ties "die with your parent" to the parent *thread*. Threads of an async runtime come and
//! go, this one lives as long as its [`Spawner`]: when the worker is killed, or the spawner is
//! dropped, all that it started dies.

use std::io;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Starts processes that die with it. Cheap to clone; the last clone ends the thread.
#[derive(Clone, Debug)]
pub(super) struct Spawner {
    requests: mpsc::Sender<Request>,
}

#[derive(Debug)]
struct Request {
    command: Command,
    reply: oneshot::Sender<io::Result<Child>>,
}

impl Spawner {
    /// Starts the thread; must be called inside the runtime that will wait for the children.
    pub(super) fn start() -> io::Result<Self> {
        let (requests, inbox) = mpsc::channel::<Request>();
        let runtime = Handle::current();
        std::thread::Builder::new()
            .name("spawner".to_owned())
            .spawn(move || {
                let _entered = runtime.enter();
                for mut request in inbox {
                    // A child whose requester is gone is killed by being dropped.
                    let _unwanted = request.reply.send(request.command.spawn());
                }
            })?;
        Ok(Self { requests })
    }

    /// Starts a process from this thread. It is killed when the [`Child`] is dropped.
    pub(super) async fn spawn(&self, mut command: Command) -> io::Result<Child> {
        command.kill_on_drop(true);
        let (reply, child) = oneshot::channel();
        let gone = || io::Error::other("the spawner has ended");
        self.requests
            .send(Request { command, reply })
            .map_err(|_unsent| gone())?;
        child.await.map_err(|_dropped| gone())?
    }
}
