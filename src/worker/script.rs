//! From a suite's commands to the shell scripts that run them. Pure.

use std::fmt::Write as _;

use crate::protocol::Order;

/// Reads names of scripts, runs each, answers with its exit code.
///
/// It lives as long as the suite, so that what one command leaves in the background, in /tmp or
/// in the home directory is there for the next. Standard output is its line to the worker; the
/// commands write to its standard error.
pub(super) const DRIVER: &str = "\
echo 1000 2>/dev/null >/proc/self/oom_score_adj
echo ready
while read -r script; do
    bash \"$1/$script\" </dev/null 1>&2
    echo \"$?\"
done
";

/// The same inside a container, with whatever shell the image has: the strictest of `sh` and
/// `bash`. It takes the mark of its answers and the scripts' directory; everything goes to one
/// stream, see `executors/container/answers.rs`.
pub(super) const CONTAINER_DRIVER: &str = "\
mark=$1 scripts=$2 shell=sh
if ! (set -o pipefail) 2>/dev/null && command -v bash >/dev/null; then shell=bash; fi
exec 2>&1
printf '\\001%s 0\\n' \"$mark\"
while read -r script; do
    $shell \"$scripts/$script\" </dev/null
    printf '\\001%s %d\\n' \"$mark\" \"$?\"
done
";

/// How a script begins where the shell is ours.
pub(super) const STRICT: &str = "set -euo pipefail";
/// How it begins in an image whose shell may be one that knows no `pipefail`, such as dash.
pub(super) const STRICT_AS_POSSIBLE: &str =
    "set -eu; if (set -o pipefail) 2>/dev/null; then set -o pipefail; fi";

/// Fetches `$PAPRQ_REF` from `$PAPRQ_REMOTE` and checks out `$PAPRQ_COMMIT`; ends with 0 only if
/// that is now `HEAD`, and with [`FETCH_FAILED`] if it may be different next time.
pub(super) const CHECKOUT: &str = "\
set -euo pipefail
exec 2>&1
cd \"$PAPRQ_CHECKOUT\"
git init --quiet --template=
git fetch --quiet --update-head-ok \"$PAPRQ_REMOTE\" \"$PAPRQ_REF\" || exit 75
git checkout --quiet --force --detach \"$PAPRQ_COMMIT\"
test \"$(git rev-parse HEAD)\" = \"$PAPRQ_COMMIT\"
";

/// How [`CHECKOUT`] ends if the server did not give the commit (`EX_TEMPFAIL` of sysexits.h).
pub(super) const FETCH_FAILED: i32 = 75;

/// The script of one of the order's commands, as PAPR made it: strict shell, the suite's variables
/// (expanded by the shell, later ones may use earlier ones), then the secrets and the server's
/// variables (taken as they are), the working copy, the command.
pub(super) fn of_command(strict: &str, order: &Order, directory: &str, command: &str) -> String {
    let mut script = format!("{strict}\n");
    for variable in &order.suite.env {
        let _ = writeln!(script, "export {}=\"{}\"", variable.name, variable.value);
    }
    for variable in order.exports() {
        let _ = writeln!(
            script,
            "export {}={}",
            variable.name,
            quoted(&variable.value)
        );
    }
    let _ = writeln!(script, "exec 2>&1\ncd {}\n{command}", quoted(directory));
    script
}

/// The text as one word of the shell, in single quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_is_one_word_for_the_shell() {
        for text in ["", "a b", "'", "\"$(id)\"`id`\\", "é\n*"] {
            let echoed = std::process::Command::new("bash")
                .args(["-c", &format!("printf %s {}", quoted(text))])
                .output()
                .expect("bash runs (package bash)");
            assert_eq!(String::from_utf8_lossy(&echoed.stdout), text);
        }
    }
}
