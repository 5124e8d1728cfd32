//! What each suite of a file does, where and when.

use std::io::{self, Write};

use super::harmless;
use super::occasions::Occasions;
use super::warnings::warnings;
use paprq_core::suite::{Environment, Lfs, Network, Submodules, Suite};

/// Says what the suites of a file of this name mean, and what is doubtful about them.
pub(in crate::cli) fn explain(
    out: &mut impl Write,
    name: &str,
    suites: &[Suite],
) -> io::Result<()> {
    let count = match suites.len() {
        1 => "1 suite".to_owned(),
        count => format!("{count} suites"),
    };
    writeln!(out, "{}: valid, {count}", harmless(name))?;
    let occasions = Occasions::of(suites);
    for suite in suites {
        let required = if suite.required { " (required)" } else { "" };
        writeln!(out, "\n{}{required}", harmless(&suite.context))?;
        for (title, text) in rows(suite, &occasions) {
            writeln!(out, "  {title:11}  {}", harmless(&text))?;
        }
    }
    let warnings = warnings(suites, &occasions);
    if !warnings.is_empty() {
        writeln!(out)?;
    }
    for warning in warnings {
        writeln!(out, "warning: {}", harmless(&warning))?;
    }
    Ok(())
}

/// The lines about a suite, each with its title.
fn rows(suite: &Suite, occasions: &Occasions<'_>) -> Vec<(&'static str, String)> {
    let when = match occasions.when(suite).join(", ") {
        never if never.is_empty() => "nothing, unless somebody asks for it".to_owned(),
        when => when,
    };
    let rows = [
        ("name", suite.name.clone()),
        ("environment", Some(environment(&suite.environment))),
        ("checkout", checkout(suite)),
        ("worker", worker(suite)),
        ("runs on", Some(when)),
        ("changes", changes(suite)),
        ("after", list(&suite.needs)),
        ("timeout", Some(duration(suite.timeout_s))),
        ("if it fails", failing(suite)),
        ("secrets", list(&suite.secrets)),
    ];
    rows.into_iter()
        .filter_map(|(title, text)| Some((title, text?)))
        .collect()
}

fn environment(environment: &Environment) -> String {
    match environment {
        Environment::Sandbox {
            network: Network::Off,
        } => "sandbox without network".to_owned(),
        Environment::Sandbox {
            network: Network::On,
        } => "sandbox with network".to_owned(),
        Environment::Container {
            image, kvm: false, ..
        } => format!("container {image}"),
        Environment::Container {
            image, kvm: true, ..
        } => format!("container {image} with /dev/kvm"),
        Environment::Host { distro, .. } => format!("host {distro}"),
        Environment::Cluster { hosts, .. } => {
            let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
            format!("cluster {}", names.join(", "))
        }
    }
}

/// What its working copy has beside the commit's files and whole history.
fn checkout(suite: &Suite) -> Option<String> {
    let submodules = match suite.checkout.submodules {
        Submodules::Unsaid | Submodules::Without => None,
        Submodules::Direct => Some("with submodules".to_owned()),
        Submodules::Recursive => Some("with submodules, and theirs".to_owned()),
    };
    let lfs = match suite.checkout.lfs {
        Lfs::Unsaid | Lfs::Without => None,
        Lfs::Fetched => Some("with files of Git LFS".to_owned()),
    };
    let depth = suite.checkout.depth.map(|depth| match depth {
        1 => "no history".to_owned(),
        depth => format!("{depth} commits of history"),
    });
    let parts: Vec<String> = [submodules, lfs, depth].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// What its worker must have beside an executor for its environment.
fn worker(suite: &Suite) -> Option<String> {
    let labels = list(&suite.labels).map(|labels| format!("with {labels}"));
    let slots = suite.slots.map(|slots| match slots {
        1 => "1 slot".to_owned(),
        slots => format!("{slots} slots"),
    });
    let interruption = suite.preemptible.then(|| "may interrupt it".to_owned());
    let parts: Vec<String> = [labels, slots, interruption]
        .into_iter()
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn changes(suite: &Suite) -> Option<String> {
    let only = list(&suite.paths).map(|paths| format!("only of {paths}"));
    let not = list(&suite.paths_ignore).map(|paths| format!("not of {paths}"));
    let parts: Vec<String> = [only, not].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn failing(suite: &Suite) -> Option<String> {
    let again = match suite.retries {
        0 => None,
        1 => Some("is tried once more".to_owned()),
        times => Some(format!("is tried {times} times more")),
    };
    let allowed = suite
        .allow_failure
        .then(|| "nothing depends on it".to_owned());
    let parts: Vec<String> = [again, allowed].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn list(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn duration(seconds: u64) -> String {
    match seconds {
        0 => "0 s".to_owned(),
        _ if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}
