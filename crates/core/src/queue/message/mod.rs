//! The messages of the commits that are made (homu: main.py create_merge).

mod credit;
mod mentions;
mod skip_marks;
mod trailers;

pub use self::credit::{Contribution, Kept, credited, landed};
pub use self::skip_marks::without_skip_marks;
use super::Queue;
use super::pull::Pull;
use super::rules::Mentions;
use crate::ids::PullNumber;

const IGNORE_START: &str = "<!-- homu-ignore:start -->";
const IGNORE_END: &str = "<!-- homu-ignore:end -->";

impl Queue {
    /// The message of the merge of a pull on behalf of somebody; `<try>` for tries.
    pub(super) fn merge_message(&self, pull: &Pull, approver: &str) -> String {
        self.message("Auto merge", pull, approver)
    }

    /// The message of the merge of a pull into a rollup.
    pub fn rollup_message(&self, pull: &Pull, approver: &str) -> String {
        self.message("Rollup merge", pull, approver)
    }

    fn message(&self, what: &str, pull: &Pull, approver: &str) -> String {
        let facts = &pull.facts;
        let text = title_and_body(pull, self.rules.mentions);
        let message = format!(
            "{what} of #{} - {}, r={approver}\n\n{text}\n",
            facts.number, facts.head_label,
        );
        finished(&message)
    }

    /// The message of the one commit that a pull becomes.
    pub(super) fn squash_message(&self, pull: &Pull) -> String {
        finished(&format!("{}\n", title_and_body(pull, self.rules.mentions)))
    }
}

/// What is added to the message of each commit in a linear history.
pub(super) fn trailer(pull: PullNumber, approver: &str) -> String {
    format!("\nCloses: #{pull}\nApproved by: {approver}")
}

/// Neither a CI nor git reads anything into it that was not meant.
fn finished(message: &str) -> String {
    trailers::undivided(&without_skip_marks(message))
}

fn title_and_body(pull: &Pull, mentions: Mentions) -> String {
    let written = |text: &str| match mentions {
        Mentions::AsWritten => text.to_owned(),
        Mentions::Escaped => mentions::escaped(text),
    };
    let title = written(&pull.facts.title);
    let body = written(&cut_ignored(&pull.facts.body.replace("\r\n", "\n")));
    let text = format!("{}\n\n{}", title.trim(), body.trim());
    text.trim_end().to_owned()
}

/// Cuts what stands between the two ignore marks; an open block goes to the end.
fn cut_ignored(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, block)) = rest.split_once(IGNORE_START) {
        kept.push_str(before);
        rest = block.split_once(IGNORE_END).map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_blocks_are_cut() {
        let text = format!("a{IGNORE_START}b{IGNORE_END}c{IGNORE_START}d");
        assert_eq!(cut_ignored(&text), "ac");
    }
}
