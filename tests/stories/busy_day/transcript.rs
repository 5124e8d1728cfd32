//! What a day came to: all that was said, shown and moved, with names instead of commit ids.

use std::collections::HashMap;
use std::fmt::Write as _;

use paprq_core::ids::{CommitId, PullNumber};

use crate::world::{REPO, World};

/// What the turret says by chance.
const TURRET: [&str; 3] = ["Target acquired", "Activated", "There you are"];

/// The whole transcript.
pub(super) fn of(world: &World) -> String {
    let mut names = Names::default();
    let mut text = String::new();
    for number in (1..).map(PullNumber) {
        let Some(pull) = world.practice.pull(REPO, number) else {
            break;
        };
        let label = format!("{} by @{}", pull.title, pull.author);
        writeln!(text, "== #{number} {label}: {:?}", pull.state).unwrap();
        let mut labels = pull.labels.clone();
        labels.sort();
        writeln!(text, "labels: {}", labels.join(", ")).unwrap();
        // What was said before the last may have been left out: nobody would have seen it.
        if let Some(status) = world.practice.status(REPO, pull.head, "homu") {
            let description = status.description.unwrap_or_default();
            writeln!(text, "status: homu {:?} {description}", status.state).unwrap();
        }
        for comment in &pull.comments {
            writeln!(text, "@{}:", comment.author).unwrap();
            for line in comment.body.lines() {
                if !line.starts_with("<!-- paprq:") {
                    writeln!(text, "{}", without_ids(&format!("    {line}")).trim_end()).unwrap();
                }
            }
        }
    }
    writeln!(text, "== master, oldest first").unwrap();
    for line in history(world) {
        writeln!(text, "{line}").unwrap();
    }
    let text = TURRET
        .iter()
        .fold(text, |text, said| text.replace(said, "SOMETHING"));
    names.replace(&text.replace(&world.practice.url(), "GITHUB"))
}

/// GitHub's own numbers for comments are as they come.
fn without_ids(line: &str) -> String {
    match line.split_once("#issuecomment-") {
        Some((before, after)) => {
            let rest = after.trim_start_matches(|letter: char| letter.is_ascii_digit());
            format!("{before}#issuecomment-N{rest}")
        }
        None => line.to_owned(),
    }
}

/// The messages of the base branch, by first parents.
fn history(world: &World) -> Vec<String> {
    let mut messages = Vec::new();
    let mut at = Some(world.base());
    while let Some(commit) = at {
        let message = world.practice.message(REPO, commit).unwrap();
        messages.push(format!("{commit} {}", message.trim().replace('\n', " | ")));
        at = parent(world, commit);
    }
    messages.reverse();
    messages
}

fn parent(world: &World, commit: CommitId) -> Option<CommitId> {
    let parents = world.practice.parents(REPO, commit).unwrap();
    parents.first().copied()
}

/// Names for commits, in the order in which they are met.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    fn replace(&mut self, text: &str) -> String {
        let mut replaced = String::new();
        let mut word = String::new();
        for letter in text.chars().chain([' ']) {
            if letter.is_ascii_hexdigit() && !letter.is_ascii_uppercase() {
                word.push(letter);
                continue;
            }
            replaced.push_str(&self.name(&word));
            word.clear();
            replaced.push(letter);
        }
        replaced.trim_end().to_owned()
    }

    fn name(&mut self, word: &str) -> String {
        if word.len() != 40 {
            return word.to_owned();
        }
        let next = self.0.len() + 1;
        let name = self.0.entry(word.to_owned());
        name.or_insert_with(|| format!("COMMIT-{next}")).clone()
    }
}
