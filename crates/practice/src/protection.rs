//! Protected branches: which moves of a ref GitHub refuses, and in which words.
//!
//! People who move branches by [`Practice::commit`] and [`Practice::set_branch`] are not held up:
//! they stand for administrators, whom GitHub lets through.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use paprq_core::ids::{CommitId, is_same_name};

use super::core::Core;
use super::world::{Repo, StatusState};
use super::{Practice, PracticeError};

/// What git's hook is told: lines of a ref's name and why it may not move.
pub(super) const REFUSED_REFS: &str = "PRACTICE_REFUSED_REFS";

const HOOK: &str = "\
#!/bin/sh
# Refuses the refs that the practice GitHub names: lines of a name and why.
while read -r name why; do
    if [ \"$name\" = \"$1\" ]; then
        echo \"error: GH006: Protected branch update failed for $1.\" >&2
        echo \"error: $why\" >&2
        exit 1
    fi
done <<END
$PRACTICE_REFUSED_REFS
END
";

impl Practice {
    /// Protects a branch: pushes and the REST API move it only to commits that have a `success`
    /// status of this context, and do not delete it.
    ///
    /// # Errors
    /// If there is no such repository, or its directory is not written.
    pub fn protect_branch(
        &self,
        repo: &str,
        branch: &str,
        context: &str,
    ) -> Result<(), PracticeError> {
        install_hook(&self.repo_dir(repo)?).map_err(PracticeError::Disk)?;
        self.core().change_repo(repo, |repo| {
            let (branch, context) = (branch.to_owned(), context.to_owned());
            repo.protected.insert(branch, context);
        })
    }

    /// Takes the protection of a branch away.
    ///
    /// # Errors
    /// If there is no such repository.
    pub fn unprotect_branch(&self, repo: &str, branch: &str) -> Result<(), PracticeError> {
        self.core().change_repo(repo, |repo| {
            repo.protected.remove(branch);
        })
    }
}

fn install_hook(repo: &Path) -> std::io::Result<()> {
    let hooks = repo.join("hooks");
    std::fs::create_dir_all(&hooks)?;
    let hook = hooks.join("update");
    std::fs::write(&hook, HOOK)?;
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755))
}

impl Core {
    /// Fails with GitHub's words if a ref (by its full name) may not move there; `None` deletes it.
    pub(super) fn allow_move(
        &self,
        repo: &str,
        name: &str,
        to: Option<CommitId>,
    ) -> Result<(), PracticeError> {
        match self.read_repo(repo, |repo| refusal(repo, name, to))? {
            Some(why) => Err(PracticeError::Refused(why)),
            None => Ok(()),
        }
    }

    /// Those of the moves that a push asks for that are refused, as the hook reads them.
    pub(super) fn refused_moves(&self, repo: &str, moves: &[(String, CommitId)]) -> String {
        let mut lines = String::new();
        for (name, to) in moves {
            let to = Some(*to).filter(|to| *to != CommitId::ZERO);
            if let Ok(Some(why)) = self.read_repo(repo, |repo| refusal(repo, name, to)) {
                lines.push_str(&format!("{name} {why}\n"));
            }
        }
        lines
    }
}

fn refusal(repo: &Repo, name: &str, to: Option<CommitId>) -> Option<String> {
    let context = repo.protected.get(name.strip_prefix("refs/heads/")?)?;
    let Some(to) = to else {
        return Some("Cannot delete this branch".to_owned());
    };
    let statuses = repo.latest_statuses(to);
    let state = statuses
        .iter()
        .find(|status| is_same_name(&status.context, context));
    let how = match state.map(|status| status.state) {
        Some(StatusState::Success) => return None,
        Some(StatusState::Failure | StatusState::Error) => "failing",
        Some(StatusState::Pending) => "pending",
        None => "expected",
    };
    Some(format!("Required status check \"{context}\" is {how}."))
}
