//! The floor as a whole, with real repositories and the real `git` at the other end.

mod merging;
mod mirroring;
mod pushing;
mod serving;
