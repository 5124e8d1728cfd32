//! paprq is a merge queue that runs the tests itself.
//!
//! *The core decides, the shell does, the store remembers, and nobody else does any of the three.*
//!
//! This page is the map of the shell, which does what [`paprq_core`] decides. A module uses only
//! those above it in the list; `tests/architecture.rs` holds that.
//!
//! | module | what lives there |
//! |---|---|
//! | [`clock`] | the only reader of the time |
//! | [`tls`] | which cryptography TLS uses |
//! | [`public_address`] | which addresses are public, and how nobody is led into a private network |
//! | [`config`] | cfg.toml, checked and typed |
//! | [`protocol`] | what server and worker say to each other |
//! | [`store`] | the database: rows, inbox, outbox, event log; the logs of jobs; Homu's database |
//! | [`github`] | webhook payload to event; effect to REST call; the rate budget |
//! | [`git`] | the mirror: fetch, merge, rebase, push; serving commits to workers |
//! | [`engine`] | the shell: one loop per repo, outbox runner, timers, reconciler |
//! | [`web`] | webhooks, pages, log-ins, live events, the workers' API |
//! | [`worker`] | the agent: ask, check out, execute, stream, report |
//! | [`cli`] | one file per subcommand |
//!
//! A newcomer reads the page of [`paprq_core`] first.

pub mod cli;
pub mod clock;
pub mod config;
pub mod engine;
pub mod git;
pub mod github;
pub mod protocol;
pub mod public_address;
pub mod store;
pub mod tls;
pub mod web;
pub mod worker;
