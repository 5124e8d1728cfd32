//! The queue under test: scripts of events against snapshots, and laws over random histories.

mod approvals;
mod asked;
mod branches;
mod compat;
mod doubts;
mod homu;
mod imported;
mod laws;
mod merges;
mod order;
mod order_of_news;
mod pull_test_laws;
mod pull_tests;
mod repeats;
mod reports;
mod resumed;
mod runs;
mod scripts;
mod stored;
mod story;
mod superseding;
mod trust;
mod vouching;
mod world;
