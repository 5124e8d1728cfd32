//! paprq is a merge queue that runs the tests itself.
//!
//! *The core decides, the shell does, the store remembers, and nobody else does any of the three.*
//!
//! This page is the map. A module uses only those above it in the list; `tests/architecture.rs`
//! holds that. PURE modules do no I/O, read no clock and know no framework.
//!
//! | module | what lives there |
//! |---|---|
//! | [`ids`] | names of things: repos, pulls, runs, jobs, commits, moments |
//! | [`command`] | PURE: comment text to commands, and who may give them |
//! | [`suite`] | PURE: `.papr.yml` to suites, and which of them a run needs |
//! | [`queue`] | PURE: the state machine of one repo: pulls, runs, checks, order, landing |
//! | [`jobs`] | PURE: the scheduler: matching jobs to workers, leases, attempts |
//! | [`notes`] | PURE: every word that is posted to GitHub |
//! | [`clock`] | the only reader of the time |
//! | [`tls`] | which cryptography TLS uses |
//! | [`config`] | cfg.toml, checked and typed |
//! | [`protocol`] | what server and worker say to each other |
//! | [`store`] | the database: rows, inbox, outbox, event log; the logs of jobs; Homu's database |
//! | [`github`] | webhook payload to event; effect to REST call; the rate budget |
//! | [`git`] | the mirror: fetch, merge, rebase, push; serving commits to workers |
//! | [`engine`] | the shell: one loop per repo, outbox runner, timers, reconciler |
//! | [`web`] | webhooks, pages, log-ins, live events, the workers' API |
//! | [`worker`] | the agent: ask, check out, execute, stream, report |
//! | [`practice`] | the practice GitHub, for the demo and the tests |
//! | [`cli`] | one file per subcommand |
//!
//! A newcomer reads this page, then [`queue::event`], then [`queue::effect`], and knows the program.

pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod engine;
pub mod git;
pub mod github;
pub mod ids;
pub mod jobs;
pub mod notes;
pub mod practice;
pub mod protocol;
pub mod queue;
pub mod store;
pub mod suite;
pub mod tls;
pub mod web;
pub mod worker;
