//! The engine against the practice GitHub and other real servers on loopback.

mod buildbot;
mod hooks;
mod labels;
mod mergeability;
mod refusals;
mod restoring;
mod rights;
mod secrets;
mod server;
mod stage;
