//! The floor as a whole, with real repositories and the real `git` at the other end.

mod bombs;
mod differing;
mod edits;
mod merging;
mod mirroring;
mod oracle;
mod pushing;
mod quarantining;
mod reading;
mod rebasing;
mod replaying;
mod serving;
mod surveying;
mod trailers;
