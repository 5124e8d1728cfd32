//! `paprq serve`: the server.

use std::io::{self, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::import_homu::come_from_homu;
use super::server::{Ended, Patience, Plan, Server, absolute, log};
use super::umask::Umask;
use super::workshop::{Workshop, executors};
use super::{check, descriptors};
use crate::config::{Amended, Config, Db};
use crate::engine::{self, PagesAt};

/// Arguments of `paprq serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The configuration; without it, cfg.toml in the working directory, else cfg.json.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Log more.
    #[arg(short, long)]
    verbose: bool,
}

/// Runs the subcommand: exit status 2 if the configuration cannot be used.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = match check::load(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(errors) => {
            writeln!(io::stderr(), "{errors}")?;
            return Ok(ExitCode::from(2));
        }
    };
    log(if arguments.verbose {
        "info,paprq=debug"
    } else {
        "info"
    });
    descriptors::raise();
    let umask = Umask::close();
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let config = come_from_homu(config)?;
    let amended = Amended::new(&check::file(arguments.config.as_deref()));
    tokio::runtime::Runtime::new()?.block_on(serve(config, amended, umask))?;
    Ok(ExitCode::SUCCESS)
}

/// Serves until it is told to stop; with another configuration after each change of that.
async fn serve(mut config: Config, mut amended: Amended, umask: Umask) -> anyhow::Result<()> {
    let web = &config.web;
    let listener = TcpListener::bind((web.host.as_str(), web.port))
        .with_context(|| format!("cannot listen on {}:{}", web.host, web.port))?;
    let address = listener.local_addr()?;
    let workshop = Workshop::open(umask, executors(config.worker.clone()))?;
    let workshop = Arc::new(workshop);
    let mut is_told = false;
    loop {
        absolute(&mut config.git.cache_dir)?;
        let plan = Plan {
            workshop: Arc::clone(&workshop),
            listener: listener.try_clone()?,
            pages: pages_at(config.web.base_url.clone(), address.port()),
            config: config.clone(),
            patience: Patience::None,
        };
        let server = Server::start(plan).await?;
        if !is_told {
            tracing::info!(%address, "serving");
        }
        match server.until_ended(Some(&mut amended)).await? {
            Ended::Told => return Ok(()),
            Ended::Amended(next) => {
                config = tokio::task::spawn_blocking(|| come_from_homu(*next)).await??;
                is_told = false;
            }
            Ended::Connected => is_told = true,
        }
        until_released(&config).await;
    }
}

/// Where the pages are reached; without `base_url` nobody knows but whoever sits at this machine.
fn pages_at(base_url: Option<String>, port: u16) -> PagesAt {
    if let Some(base_url) = base_url {
        return PagesAt::Public(base_url);
    }
    tracing::warn!("{}", check::NO_BASE_URL);
    PagesAt::Local(format!("http://localhost:{port}"))
}

/// Waits until the engine that was shut down has let go of the database: what it was still writing
/// down may take a moment. Who holds it after that is said at the start.
async fn until_released(config: &Config) {
    const LOOKS: u32 = 200;
    const BETWEEN: Duration = Duration::from_millis(50);
    let Db::Sqlite(file) = &config.db else {
        return;
    };
    for _ in 0..LOOKS {
        if engine::take_database(file).is_ok() {
            return;
        }
        tokio::time::sleep(BETWEEN).await;
    }
}
