//! The command line: one file per subcommand, each with its arguments and its `run`.

mod check;
mod demo;
mod descriptors;
mod explaining;
mod import_homu;
mod parse;
mod run;
mod serve;
mod server;
#[cfg(test)]
mod tests;
mod umask;
mod validate;
mod worker;
mod workshop;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A merge queue that runs the tests itself.
#[derive(Debug, Parser)]
#[command(name = "paprq", version)]
struct CommandLine {
    #[command(subcommand)]
    subcommand: Sub,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Say what the bot will do, or what is wrong with its configuration.
    Check(check::Arguments),
    /// Try everything on this machine: a practice GitHub, a server, workers.
    Demo(demo::Arguments),
    /// Take over pulls, approvals and results from the database of Homu.
    ImportHomu(import_homu::Arguments),
    /// Print what the bot reads in a comment, as JSON.
    Parse(parse::Arguments),
    /// Execute the suites of the working directory, here and now.
    Run(run::Arguments),
    /// Run the merge queue.
    Serve(serve::Arguments),
    /// Check a `.papr.yml`.
    Validate(validate::Arguments),
    /// Execute jobs for a server.
    Worker(Box<worker::Arguments>),
}

/// Runs the subcommand that the process's arguments name.
///
/// Exit status 0 is good, 1 says that the checked thing is bad, 2 that the call or the
/// configuration is.
pub fn run() -> ExitCode {
    let line = CommandLine::parse_from(understandable(std::env::args_os().collect()));
    let done = match line.subcommand {
        Sub::Check(arguments) => check::run(&arguments),
        Sub::Demo(arguments) => demo::run(&arguments),
        Sub::ImportHomu(arguments) => import_homu::run(&arguments),
        Sub::Parse(arguments) => parse::run(&arguments),
        Sub::Run(arguments) => run::run(&arguments),
        Sub::Serve(arguments) => serve::run(&arguments),
        Sub::Validate(arguments) => validate::run(&arguments),
        Sub::Worker(arguments) => worker::run(&arguments),
    };
    done.unwrap_or_else(|error| {
        complain(&error);
        ExitCode::from(2)
    })
}

/// `help` is a subcommand that takes no flags: `--help` behind it asks for what `help` gives.
fn understandable(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|first| first == "help") {
        arguments.retain(|argument| argument != "--help" && argument != "-h");
    }
    arguments
}

/// Says on standard error why the program ends.
#[expect(
    clippy::print_stderr,
    reason = "the command line speaks on standard error"
)]
fn complain(error: &anyhow::Error) {
    eprintln!("paprq: {error:#}");
}
