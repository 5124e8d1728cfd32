//! Which of many heads can be merged into a base, without making the merges.

use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::timeout;

use super::mirror::commit_bytes;
use super::program::Output;
use super::repair::LEFTOVER;
use super::{GitError, Mirror};
use paprq_core::ids::CommitId;

/// Whether a head can be merged into a base.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mergeability {
    /// It merges, or is in the base already.
    Clean,
    /// The two contradict each other, or have no history in common.
    Conflict,
    /// The mirror lacks the head, or the time or the memory was over before git had an answer.
    Unknown,
}

/// What is known of one head.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Survey {
    /// The head that was asked for.
    pub head: CommitId,
    /// Whether it merges.
    pub mergeability: Mergeability,
}

/// Answers so far, and the heads that have none yet.
struct Asked {
    known: HashMap<CommitId, Mergeability>,
    waiting: Vec<CommitId>,
}

impl Mirror {
    /// Tries the merge of each head into `base`: one answer for each, in the order of `heads`.
    ///
    /// All in one process of git's, about 2 ms a head; after a head that takes longer than
    /// [`super::Limits::merge_s`], or that has no history in common with the base, another process goes
    /// on. Nothing of it stays in the mirror. After [`super::Limits::survey_s`] the rest is unknown.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the mirror lacks the base; [`GitError::Program`] if git fails.
    pub async fn conflicts(
        &self,
        base: CommitId,
        heads: &[CommitId],
    ) -> Result<Vec<Survey>, GitError> {
        let mut waiting = heads.to_vec();
        waiting.sort_unstable();
        waiting.dedup();
        let prepare = move |mirror: &Self| {
            let repository = mirror.repository_alone()?;
            commit_bytes(&repository, base)?;
            waiting
                .retain(|head| commit_bytes(&repository, *head).is_ok() || mirror.is_beside(*head));
            let scratch = scratch(mirror).map_err(GitError::io("make room for merges"))?;
            Ok((waiting, scratch))
        };
        let (waiting, scratch) = self.blocking(prepare).await?;
        let mut asked = Asked {
            known: HashMap::new(),
            waiting,
        };
        let limit = Duration::from_secs(self.limits().survey_s);
        let done = timeout(limit, self.ask_all(base, &mut asked, scratch.path())).await;
        let clear = move |_: &Self| scratch.close().map_err(GitError::io("clear merges away"));
        self.blocking(clear).await?;
        match done {
            Ok(done) => done?,
            Err(_elapsed) => {}
        }
        let answer = |&head| Survey {
            head,
            mergeability: asked
                .known
                .get(&head)
                .copied()
                .unwrap_or(Mergeability::Unknown),
        };
        Ok(heads.iter().map(answer).collect())
    }

    async fn ask_all(
        &self,
        base: CommitId,
        asked: &mut Asked,
        scratch: &Path,
    ) -> Result<(), GitError> {
        while !asked.waiting.is_empty() {
            let output = self.ask(base, &asked.waiting, scratch).await?;
            asked.take(&output)?;
        }
        Ok(())
    }

    /// Lets one process try as many of the heads as it can.
    async fn ask(
        &self,
        base: CommitId,
        heads: &[CommitId],
        scratch: &Path,
    ) -> Result<Output, GitError> {
        const ARGS: [&str; 6] = [
            "merge-tree",
            "--write-tree",
            "--stdin",
            "--name-only",
            "--no-messages",
            "-z",
        ];
        let lines = heads.iter().map(|head| format!("{base} {head}\n"));
        let run = self
            .git(ARGS)
            .env("GIT_ATTR_SOURCE", base.to_string())
            .env("GIT_OBJECT_DIRECTORY", scratch)
            // Too many for a variable: `scratch` names them in a file.
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", "");
        run.fed(lines.collect::<String>().into_bytes())
            .finish(self.limits().merge_s)
            .await
    }
}

/// A place for the trees of merges that nobody will ask for. Upkeep would else have to carry them
/// away: thousands whenever a base moves.
fn scratch(mirror: &Mirror) -> Result<TempDir, std::io::Error> {
    let objects = mirror.dir().join("objects");
    let scratch = tempfile::Builder::new()
        .prefix(LEFTOVER)
        .tempdir_in(&objects)?;
    fs::create_dir(scratch.path().join("info"))?;
    let seen = std::iter::once(&objects).chain(mirror.dirs_beside());
    let lines = seen.map(|dir| [dir.as_os_str().as_bytes(), b"\n"].concat());
    let lines = lines.collect::<Vec<_>>().concat();
    fs::write(scratch.path().join("info/alternates"), lines)?;
    Ok(scratch)
}

impl Asked {
    /// Takes the answers in that a process gave before it ended, for whatever reason.
    fn take(&mut self, output: &Output) -> Result<(), GitError> {
        let answers = answers(&output.stdout);
        let answered = self.waiting.len().min(answers.len());
        let rest = self.waiting.split_off(answered);
        self.known.extend(self.waiting.drain(..).zip(answers));
        self.waiting = rest;
        if self.waiting.is_empty() {
            return Ok(());
        }
        match output.code {
            _ if output.stderr.contains("unrelated histories") => {
                self.settle_first(Mergeability::Conflict);
            }
            // Too much was written, or there were too many; it goes on where the answers end.
            Some(0) | None if answered > 0 => {}
            Some(0) | None => self.settle_first(Mergeability::Unknown),
            Some(_) => {
                let failure = output.local_failure();
                if !matches!(failure, GitError::TooLarge(_)) {
                    return Err(failure);
                }
                // The others are looked at without the head that was too much.
                self.settle_first(Mergeability::Unknown);
            }
        }
        Ok(())
    }

    fn settle_first(&mut self, mergeability: Mergeability) {
        self.known.insert(self.waiting.remove(0), mergeability);
    }
}

/// Reads records of `STATUS TREE [PATH…]` and an empty field, each field ended by a NUL. The last
/// one may lack its end: its status counts.
fn answers(stdout: &[u8]) -> Vec<Mergeability> {
    let fields = stdout.split_inclusive(|byte| *byte == 0);
    let mut begins = true;
    let mut answers = Vec::new();
    for field in fields {
        match field {
            b"0\0" if begins => answers.push(Mergeability::Conflict),
            b"1\0" if begins => answers.push(Mergeability::Clean),
            _ => {}
        }
        begins = field == b"\0";
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_far_as_they_go() {
        use Mergeability::{Clean, Conflict};
        for (text, expected) in [
            (&b""[..], vec![]),
            (
                b"1\0t\0\x000\0t\0a\0b\0\x001\0t\0\0",
                vec![Clean, Conflict, Clean],
            ),
            (b"1\0t\0\x000\0t", vec![Clean, Conflict]),
            (b"1\0t\0\x000", vec![Clean]),
        ] {
            assert_eq!(answers(text), expected, "{text:?}");
        }
    }

    fn asked(heads: u8) -> Asked {
        Asked {
            known: HashMap::new(),
            waiting: (0..heads).map(|n| CommitId::from_bytes([n; 20])).collect(),
        }
    }

    fn output(code: Option<i32>, stdout: &[u8], stderr: &str) -> Output {
        Output {
            code,
            stdout: stdout.to_vec(),
            stderr: stderr.to_owned(),
        }
    }

    /// What is known of each of the heads, after these outputs.
    fn known(heads: u8, outputs: &[Output]) -> Vec<Option<Mergeability>> {
        let mut asked = asked(heads);
        let all = asked.waiting.clone();
        for output in outputs {
            asked.take(output).unwrap();
        }
        let known = |head| asked.known.get(head).copied();
        all.iter().map(known).collect()
    }

    #[test]
    fn a_head_that_takes_too_long_is_unknown_when_it_had_a_process_of_its_own() {
        use Mergeability::{Clean, Unknown};
        let late = || output(None, b"", "no answer");
        let one = || output(None, b"1\0t\0\0", "no answer");
        assert_eq!(known(2, &[one()]), [Some(Clean), None]);
        assert_eq!(known(2, &[one(), late()]), [Some(Clean), Some(Unknown)]);
        assert_eq!(known(2, &[late(), one()]), [Some(Unknown), Some(Clean)]);
    }

    #[test]
    fn a_head_of_another_history_is_in_conflict_and_other_failures_are_ours() {
        use Mergeability::{Clean, Conflict};
        let alone = output(Some(128), b"1\0t\0\0", "fatal: unrelated histories");
        assert_eq!(known(3, &[alone]), [Some(Clean), Some(Conflict), None]);
        let broken = asked(1).take(&output(Some(128), b"", "fatal: bad object"));
        assert!(matches!(broken, Err(GitError::Program(_))), "{broken:?}");
    }

    #[test]
    fn what_was_cut_off_is_asked_again() {
        use Mergeability::Conflict;
        let cut = || output(Some(0), b"0\0t\0a", "");
        assert_eq!(known(2, &[cut()]), [Some(Conflict), None]);
        assert_eq!(known(2, &[cut(), cut()]), [Some(Conflict); 2]);
    }
}
