//! `paprq demo`: everything on this machine, without accounts and without a network.

mod script;

use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use super::descriptors;
use super::server::{Patience, Plan, Server, log};
use super::umask::Umask;
use super::workshop::Workshop;
use crate::clock;
use crate::config::Config;
use crate::engine::PagesAt;
use crate::worker::{self, Executors, Isolation, TemporaryDirectory};
use paprq_practice::{Practice, Sample, SampleRepo};

/// Arguments of `paprq demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The port of our pages; the practice GitHub takes the next one. 0 takes any two.
    #[arg(long, default_value = "8042")]
    port: u16,
    /// Plays the whole story by itself, prints each step, and ends; exit status 1 if anything did
    /// not come out as it must.
    #[arg(long)]
    script: bool,
}

/// The application by which people log in on the pages; both of its ends are in this process, too.
const OAUTH_APP: &str = "demo";
const OAUTH_SECRET: &str = "a secret of the demo";
/// The secret of the demo's webhook: both of its ends are in this process.
const WEBHOOK_SECRET: &str = "practice";

/// Runs the subcommand.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    log("warn");
    descriptors::raise();
    let umask = Umask::close();
    tokio::runtime::Runtime::new()?.block_on(play(arguments, umask))
}

async fn play(arguments: &Arguments, umask: Umask) -> anyhow::Result<ExitCode> {
    let directory = TemporaryDirectory::new("paprq-demo-")?;
    let stage = Stage::build(directory.path(), arguments.port, umask).await?;
    let code = if arguments.script {
        let told = script::play(&stage.practice, &stage.sample).await;
        stage.server.stop().await;
        match told {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                super::complain(&error);
                ExitCode::FAILURE
            }
        }
    } else {
        say(&welcome(&stage.practice, &stage.sample, &stage.base_url));
        stage.server.until_told().await?;
        ExitCode::SUCCESS
    };
    stage.practice.stop();
    Ok(code)
}

/// Everything that the demo consists of.
struct Stage {
    practice: Practice,
    sample: Sample,
    server: Server,
    base_url: String,
}

impl Stage {
    async fn build(directory: &Path, port: u16, umask: Umask) -> anyhow::Result<Self> {
        let practice = start_practice(directory, port).await?;
        let repo = practice.sample_repo();
        let repo = repo.context("cannot make the sample's repository")?;
        let listener = listen(port)?;
        let base_url = format!("http://127.0.0.1:{}", listener.local_addr()?.port());
        practice.set_bot_pages(&base_url);
        let callback = format!("{base_url}/callback");
        practice.add_oauth_app(OAUTH_APP, OAUTH_SECRET, &callback);
        let config = configuration(directory, &practice, &repo)?;
        let find = async { Executors::sandbox(isolation().await) };
        let workshop = Workshop::open(umask, find)?;
        let plan = Plan {
            config,
            listener,
            pages: PagesAt::Public(base_url.clone()),
            workshop: Arc::new(workshop),
            patience: Patience::UntilConnected,
        };
        let server = Server::start(plan).await?;
        let webhook = format!("{base_url}/github");
        practice.add_webhook(repo.repo, &webhook, WEBHOOK_SECRET)?;
        // Pulls that were there before the server would not be tested by themselves.
        let sample = practice.sample_pulls(repo);
        let sample = sample.context("cannot make the sample's pulls")?;
        Ok(Self {
            practice,
            sample,
            server,
            base_url,
        })
    }
}

async fn start_practice(directory: &Path, port: u16) -> anyhow::Result<Practice> {
    let directory = directory.join("github");
    let next = if port == 0 { 0 } else { port.saturating_add(1) };
    match Practice::start(&directory, next, clock::now).await {
        Ok(practice) => Ok(practice),
        Err(_taken) => {
            let practice = Practice::start(&directory, 0, clock::now).await?;
            let instead = practice.url();
            say(&format!(
                "Port {next} is taken: the practice GitHub is at {instead} instead."
            ));
            Ok(practice)
        }
    }
}

/// The wanted port, or any other if somebody has that.
fn listen(port: u16) -> anyhow::Result<TcpListener> {
    if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
        return Ok(listener);
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("cannot listen on any port")?;
    let instead = listener.local_addr()?.port();
    say(&format!(
        "Port {port} is taken: the server is at http://127.0.0.1:{instead} instead. `--port N` \
         chooses another one."
    ));
    Ok(listener)
}

/// Bubblewrap if it is there; without it the demo still runs, because its suites are our own.
async fn isolation() -> Isolation {
    match worker::find_bubblewrap().await {
        Ok(bubblewrap) => Isolation::Bubblewrap(bubblewrap),
        Err(error) => {
            say(&format!(
                "Note: {error}. The demo runs its own sample suites without a sandbox; a real \
                 worker would not."
            ));
            Isolation::None
        }
    }
}

fn configuration(
    directory: &Path,
    practice: &Practice,
    repo: &SampleRepo,
) -> anyhow::Result<Config> {
    let (owner, name) = repo
        .repo
        .split_once('/')
        .context("the sample has no repository")?;
    let text = toml::to_string(&serde_json::json!({
        "github": {
            "access_token": repo.bot_token,
            "api_url": practice.api_url(),
            "web_url": practice.url(),
            "git_url": practice.git_url(),
            "app_client_id": OAUTH_APP,
            "app_client_secret": OAUTH_SECRET,
        },
        "git": { "cache_dir": directory.join("cache") },
        "db": { "file": directory.join("paprq.db") },
        "storage": { "url": format!("file:{}", directory.join("storage").display()) },
        "worker": { "local": 2 },
        "repo": { "demo": {
            "owner": owner,
            "name": name,
            "reviewers": [repo.reviewer],
            "try_users": [repo.author],
            "timeout": 600,
            // What passed on the pulls would let them land before anybody sees a job.
            "suites": { "reuse": false },
            "github": { "secret": WEBHOOK_SECRET },
        } },
    }))?;
    Ok(Config::from_toml("demo", &text, &|_| None)?)
}

fn welcome(practice: &Practice, sample: &Sample, base_url: &str) -> String {
    let Sample {
        repo,
        bot,
        reviewer,
        author,
        good,
        failing,
        newcomer,
        conflicting,
        rival,
        slow,
        unapproved,
        ..
    } = sample;
    let github = practice.url();
    format!(
        "\
The practice GitHub:  {github}/{repo}
The merge queue:      {base_url}/queue/demo

Open both. The pulls of {author} are being tested by themselves. On a pull's page, write a comment as
{reviewer} (a reviewer) and watch the queue:

  #{good}  @{bot} r+      is tested as merged, and lands on exactly the tested commit
  #{slow}  @{bot} r+      takes half a minute: open its job and watch the log grow
  #{failing}  @{bot} r+      fails and says why; push the prepared fix, then approve it again
  #{conflicting}  @{bot} r+      does not merge, and is told to rebase
  #{rival}  @{bot} ok      lets it be tested by itself, for {newcomer} is a stranger here
  #{unapproved}  @{bot} try     ({author} may do that, too) is tested and never lands

Approved pulls can be ticked on the queue's page, and made one by \"Create a rollup\".

Ctrl-C ends everything; nothing is kept."
    )
}

/// Speaks to whoever started the demo.
#[expect(clippy::print_stdout, reason = "the demo speaks on standard output")]
fn say(text: &str) {
    println!("{text}");
}
