//! `paprq validate`: says whether a file of suites is valid, and what it means.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use rustix::fs::FileType;

use super::explaining::{complain, explain};
use paprq_core::suite::{self, Document, FILE_BYTES_MAX, FILE_NAMES, Suite};

/// Arguments of `paprq validate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print one JSON object: {"error": null | "message", "suites": [...]}.
    #[arg(long)]
    json: bool,
    /// The file; `-` is standard input. Without it what is piped in; where nothing is, the first
    /// of .papr-ex.yaml, .papr.yml, .papr.yaml and .redhat-ci.yml in the current directory
    file: Option<PathBuf>,
}

/// What is to be validated.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// Runs the subcommand: 0 for a valid file, 1 for an invalid one.
///
/// # Errors
///
/// There is no such file, or it or the output cannot be used.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Source { name, bytes } = arguments.source()?;
    let read = suite::read_documents(&name, &bytes);
    let mut out = io::stdout().lock();
    match (&read, arguments.json) {
        (read, true) => {
            let read = read.as_ref().map(Vec::as_slice);
            writeln!(out, "{:#}", suite::as_json(read))?;
        }
        (Ok(documents), false) => explain(&mut out, &name, &suites(documents))?,
        (Err(error), false) => complain(&mut out, error, &bytes)?,
    }
    Ok(ExitCode::from(u8::from(read.is_err())))
}

fn suites(documents: &[Document]) -> Vec<Suite> {
    let suites = documents.iter().flat_map(|document| &document.suites);
    suites.cloned().collect()
}

impl Arguments {
    fn source(&self) -> anyhow::Result<Source> {
        match &self.file {
            Some(file) if file.as_os_str() == "-" => Source::input(),
            Some(file) => Source::file(file),
            None if is_piped(&io::stdin()) => {
                let input = Source::input()?;
                match find(Path::new(".")) {
                    Some(file) if input.bytes.is_empty() => Source::file(&file),
                    Some(_) | None => Ok(input),
                }
            }
            None => match find(Path::new(".")) {
                Some(file) => Source::file(&file),
                None => bail!(
                    "there is no file of suites here; looked for {}",
                    FILE_NAMES.join(", ")
                ),
            },
        }
    }
}

impl Source {
    fn input() -> anyhow::Result<Self> {
        let name = "standard input".to_owned();
        let bytes = read_bounded(io::stdin().lock()).context("cannot read standard input")?;
        Ok(Self { name, bytes })
    }

    pub(super) fn file(file: &Path) -> anyhow::Result<Self> {
        let name = file.display().to_string();
        let bytes = std::fs::File::open(file)
            .and_then(read_bounded)
            .with_context(|| format!("cannot read {name}"))?;
        Ok(Self { name, bytes })
    }
}

/// Whether somebody has something to say there: not a terminal, not `/dev/null`.
fn is_piped(input: &io::Stdin) -> bool {
    rustix::fs::fstat(input).is_ok_and(|status| {
        matches!(
            FileType::from_raw_mode(status.st_mode),
            FileType::Fifo | FileType::RegularFile | FileType::Socket
        )
    })
}

/// The first file of suites in a directory.
pub(super) fn find(directory: &Path) -> Option<PathBuf> {
    FILE_NAMES
        .iter()
        .map(|name| directory.join(name))
        .find(|file| file.is_file())
        .map(|file| file.strip_prefix(".").unwrap_or(&file).to_owned())
}

/// Reads all of it, but not more than shows that it is too long.
fn read_bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let limit = u64::try_from(FILE_BYTES_MAX)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut bytes = Vec::new();
    from.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
