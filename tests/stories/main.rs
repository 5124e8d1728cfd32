//! Stories: the real program, a real database, real workers, the practice GitHub over HTTP with real git.
//!
//! Each test is a promise of the README. `world` is the stage: it starts the practice GitHub and
//! the program, and has the things that a person would do.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a story that cannot go on has failed"
)]

mod admin;
mod artifacts;
mod branch_tests;
mod buildbot;
mod busy_day;
mod configuration;
mod connecting;
mod containers;
mod crowds;
mod demo;
mod external_checks;
mod faults;
mod first_start;
mod forwarding;
mod full_disk;
mod importing;
mod kills;
mod log;
mod main_job;
mod merges;
mod neighbours;
mod oracle;
mod pages;
#[path = "../podman/mod.rs"]
mod podman;
mod private;
mod pull_tests;
mod renaming;
mod restarts;
mod reuse;
mod secrets;
mod sick_workers;
mod strangers;
mod submodules;
mod suite_commands;
mod suite_order;
mod suite_pages;
mod trust;
mod unexpected;
mod webhooks;
mod workers;
mod world;
