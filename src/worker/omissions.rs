//! What a suite's working copy lacks because its file did not ask for it: one line in the log.

use paprq_core::suite::{Checkout, Lfs, Submodules};

use super::checkout::{CHECKOUT, code};
use super::execution::{NoOutcome, Workshop};
use super::executors::{Bounds, Session};
use super::script;
use super::spool::Spool;

/// The longest answer: two lines.
const ANSWER_BYTES_MAX: usize = 4096;

/// Looks at a working copy for what it lacks; gives the line that says so.
///
/// # Errors
/// If the worker's own files or processes fail.
pub(super) async fn find(
    session: &mut Session,
    workshop: &Workshop<'_>,
    wanted: Checkout,
) -> Result<Option<String>, NoOutcome> {
    const NAME: &str = "look.sh";
    if wanted.submodules != Submodules::Unsaid && wanted.lfs != Lfs::Unsaid {
        return Ok(None);
    }
    std::fs::write(workshop.room.control().join(NAME), script::LOOK)?;
    let path = workshop.room.root().join("look.log");
    let limit = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
    let (mut said, reader) = Spool::create(&path, limit).await?;
    let bounds = Bounds {
        time: CHECKOUT,
        stop: &workshop.stop,
    };
    let _code = code(session.run(NAME, bounds, &mut said).await?)?;
    let said = reader.read(0, ANSWER_BYTES_MAX).await?;
    Ok(line(&String::from_utf8_lossy(&said), wanted))
}

/// What is said of a working copy of which [`script::LOOK`] said this.
fn line(said: &str, wanted: Checkout) -> Option<String> {
    let has = |word: &str| said.lines().any(|line| line == word);
    let submodules = has("submodules") && wanted.submodules == Submodules::Unsaid;
    let lfs = has("lfs") && wanted.lfs == Lfs::Unsaid;
    let (what, key) = match (submodules, lfs) {
        (false, false) => return None,
        (true, false) => ("submodules", "submodules: true"),
        (false, true) => ("files of Git LFS", "lfs: true"),
        (true, true) => (
            "submodules and files of Git LFS",
            "submodules: true, lfs: true",
        ),
    };
    Some(format!(
        "### NOT CHECKED OUT: {what}. A suite that needs them says checkout: {{{key}}}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_said_unless_the_file_says_that_it_is_not_wanted() {
        let unsaid = Checkout::default();
        assert_eq!(line("", unsaid), None);
        let lfs = line("lfs\n", unsaid).unwrap();
        assert!(lfs.ends_with("checkout: {lfs: true}"), "{lfs}");
        let both = line("submodules\nlfs\n", unsaid).unwrap();
        assert!(both.ends_with("{submodules: true, lfs: true}"), "{both}");
        let without = Checkout {
            submodules: Submodules::Without,
            ..unsaid
        };
        assert_eq!(line("submodules\nlfs\n", without).unwrap(), lfs);
        assert_eq!(line("submodules\n", without), None);
    }
}
