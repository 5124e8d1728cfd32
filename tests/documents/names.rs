//! Samples of names, texts and numbers. A text or name is no word that a variant or field could be
//! called, so that it is known again wherever it is written.

use paprq_core::ids::{
    AttemptNumber, BranchName, CommitId, JobId, Login, PullNumber, RepoLabel, RunId, Timestamp,
    WorkerId,
};

use crate::every::{Every, every};

/// A whole number that has no exact equal among floating-point numbers.
const LARGE: u32 = 9_007;

every!(values bool { false, true });
every!(values i8 { 1, -2 });
every!(values i32 { 1, -9 });
every!(values i64 { -3, i64::from(LARGE) * 1_000_000_000_001 });
every!(values u32 { 2, LARGE });
every!(values u64 { 3, u64::from(LARGE) * 1_000_000_000_001 });
every!(values usize { 4, 5 });
every!(values String {
    "unit test".to_owned(),
    String::new(),
    "@bot r+ p=9\n\"é\" <b> & \\more".to_owned(),
});
every!(values RepoLabel { RepoLabel::new("demo-1") });
every!(values BranchName { BranchName::new("main-line"), BranchName::new("topic/é") });
every!(values WorkerId { WorkerId::new("worker-1") });
every!(values PullNumber { PullNumber(7), PullNumber(12) });
every!(values RunId { RunId(10_003), RunId(20_003) });
every!(values JobId { JobId(31), JobId(32) });
every!(values AttemptNumber { AttemptNumber(1), AttemptNumber(2) });
every!(values Timestamp { Timestamp(1_700_000_000_000), Timestamp(1_700_000_060_000) });
every!(values CommitId { CommitId::from_bytes([0xab; 20]), CommitId::from_bytes([0x12; 20]) });
every!(values Login { Login::new("octo-cat"), Login::new("Rev-1") });

impl<T: Every, U: Every> Every for (T, U) {
    fn every() -> Vec<Self> {
        crate::every::Picks::all(|picks| (picks.next(), picks.next()))
    }
}

/// Whether a text is a name, a text or an id of the samples, and no word of the program.
pub(crate) fn is_said_by_people(text: &str) -> bool {
    let is_word = text
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let is_id = text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    !text.is_empty() && (!is_word || is_id)
}
