//! Orders carried out against the practice GitHub and other real servers on loopback.

mod hooks;
mod labels;
mod server;
mod stage;
