//! `paprq serve`: the server.

use std::io::{self, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::check;
use super::import_homu::come_from_homu;
use super::server::{Plan, Server, absolute, isolation, log};
use crate::config::Config;

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
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let config = come_from_homu(config)?;
    tokio::runtime::Runtime::new()?.block_on(serve(config))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(mut config: Config) -> anyhow::Result<()> {
    absolute(&mut config.git.cache_dir)?;
    let web = &config.web;
    let listener = TcpListener::bind((web.host.as_str(), web.port))
        .with_context(|| format!("cannot listen on {}:{}", web.host, web.port))?;
    let address = listener.local_addr()?;
    let base_url = web
        .base_url
        .clone()
        .unwrap_or_else(|| format!("http://localhost:{}", address.port()));
    let plan = Plan {
        isolation: isolation(config.worker.local).await,
        config,
        listener,
        base_url,
    };
    let server = Server::start(plan).await?;
    tracing::info!(%address, "serving");
    server.until_told().await
}
