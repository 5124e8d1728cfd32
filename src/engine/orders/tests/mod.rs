//! Orders carried out against the practice GitHub and other real servers on loopback.

mod labels;
mod stage;
