//! From a suite's commands to the shell scripts that run them. Pure.

use std::fmt::Write as _;

use paprq_core::suite::Submodule;

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

/// Fetches `$PAPRQ_REF` from `$PAPRQ_REMOTE`, with `$PAPRQ_DEPTH` commits of history or all of it, and checks out `$PAPRQ_COMMIT`; ends with 0 only if
/// that is now `HEAD`, and with [`FETCH_FAILED`] if it may be different next time.
pub(super) const CHECKOUT: &str = "\
set -euo pipefail
exec 2>&1
cd \"$PAPRQ_CHECKOUT\"
git init --quiet --template=
git fetch --quiet --update-head-ok ${PAPRQ_DEPTH:+\"--depth=$PAPRQ_DEPTH\"} \"$PAPRQ_REMOTE\" \"$PAPRQ_REF\" || exit 75
git checkout --quiet --force --detach \"$PAPRQ_COMMIT\"
test \"$(git rev-parse HEAD)\" = \"$PAPRQ_COMMIT\"
";

/// How [`CHECKOUT`] ends if the server did not give the commit (`EX_TEMPFAIL` of sysexits.h).
pub(super) const FETCH_FAILED: i32 = 75;

/// Prints what the working copy lacks without the key `checkout`: a line `submodules`, a line `lfs`.
/// A pointer to a file of Git LFS is a small file that begins with the address of its own form.
pub(super) const LOOK: &str = "\
exec 2>/dev/null
cd \"$PAPRQ_CHECKOUT\" || exit
if [ -e .gitmodules ] && git ls-files --stage | grep -q '^160000 '; then echo submodules; fi
is_pointer='version https://git-lfs.github.com/spec/v1'
if git grep --quiet --fixed-strings -e 'filter=lfs' HEAD -- ':(glob)**/.gitattributes' \\
    || [ -n \"$(find . -path ./.git -prune -o -type f -size -3 -exec grep -lsxF \"$is_pointer\" {} + | head -n 1)\" ]
then echo lfs; fi
exit 0
";

/// How [`list_lfs`] ends where there is no git-lfs (`EX_UNAVAILABLE` of sysexits.h).
pub(super) const NO_LFS: i32 = 69;

/// What [`list_lfs`] begins with where there are files of Git LFS.
pub(super) const HAS_LFS: &str = "lfs\0";

/// Whose commands a filter for files of Git LFS is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FilterFor {
    /// The suite's too: it has the programs that the worker has.
    TheSuite,
    /// Nobody's but those of the checkout.
    TheCheckout,
}

/// The environment of a git that reads no configuration but this, and asks nobody.
pub(super) fn git_environment(configuration: &[(String, String)]) -> Vec<(&'static str, String)> {
    let mut environment = vec![
        ("GIT_TERMINAL_PROMPT", "0".to_owned()),
        ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
        ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned()),
    ];
    let entries = CONFIG_NAMES.into_iter().zip(configuration);
    let mut count: usize = 0;
    for ((key_name, value_name), (key, value)) in entries {
        environment.push((key_name, key.clone()));
        environment.push((value_name, value.clone()));
        count = count.saturating_add(1);
    }
    environment.push(("GIT_CONFIG_COUNT", count.to_string()));
    environment
}

/// By which names git takes entries of its configuration from the environment (git-config(1)).
const CONFIG_NAMES: [(&str, &str); 8] = [
    ("GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"),
    ("GIT_CONFIG_KEY_1", "GIT_CONFIG_VALUE_1"),
    ("GIT_CONFIG_KEY_2", "GIT_CONFIG_VALUE_2"),
    ("GIT_CONFIG_KEY_3", "GIT_CONFIG_VALUE_3"),
    ("GIT_CONFIG_KEY_4", "GIT_CONFIG_VALUE_4"),
    ("GIT_CONFIG_KEY_5", "GIT_CONFIG_VALUE_5"),
    ("GIT_CONFIG_KEY_6", "GIT_CONFIG_VALUE_6"),
    ("GIT_CONFIG_KEY_7", "GIT_CONFIG_VALUE_7"),
];

/// Prints, each with a NUL behind it: the entries of the index that are submodules or .gitmodules,
/// an empty text, and what .gitmodules says.
pub(super) fn list_submodules(directory: &str) -> String {
    format!(
        "exec 2>/dev/null\n{}\n\
         git ls-files --stage -z | grep -z -e '^160000 ' -e $'\\t\\\\.gitmodules$'\n\
         printf '\\0'\n\
         if git cat-file -e HEAD:.gitmodules; then\n\
         git config --null --list --blob HEAD:.gitmodules || exit 65; fi\nexit 0\n",
        enter(directory)
    )
}

/// Checks out a submodule of the repository in this directory. Where its server gives no single
/// commit, its whole history is fetched whatever the depth.
pub(super) fn update_submodule(
    directory: &str,
    submodule: &Submodule,
    depth: Option<u32>,
) -> String {
    let set = |variable: &str, value: &str| {
        let key = quoted(&format!("submodule.{}.{variable}", submodule.name));
        format!("git config {key} {}\n", quoted(value))
    };
    let path = quoted(&submodule.path);
    let with = "git submodule --quiet update --checkout --no-recommend-shallow";
    let all = format!("{with} -- {path}");
    let update = match depth {
        None => all,
        Some(depth) => format!(
            "{with} --depth {depth} -- {path} || {{\n\
             test -e {path}/.git && git -C {path} fetch --quiet --unshallow && {all}; }}"
        ),
    };
    format!(
        "set -euo pipefail\nexec 2>&1\n{}\n{}{}{update}\n",
        enter(directory),
        set("url", submodule.origin.url().as_str()),
        set("active", "true"),
    )
}

/// Prints [`HAS_LFS`] and what .lfsconfig says, where the repository in this directory has files of
/// Git LFS.
pub(super) fn list_lfs(directory: &str) -> String {
    format!(
        "exec 2>/dev/null\ncommand -v git-lfs >/dev/null || exit {NO_LFS}\n{}\n\
         if [ -z \"$(git lfs ls-files --name-only | head -n 1)\" ]; then exit 0; fi\n\
         printf 'lfs\\0'\n\
         if git cat-file -e HEAD:.lfsconfig; then\n\
         git config --null --list --blob HEAD:.lfsconfig || exit 65; fi\nexit 0\n",
        enter(directory)
    )
}

/// Puts the files of Git LFS, which are at this address, in the place of their pointers.
pub(super) fn pull_lfs(directory: &str, address: &str, filter: FilterFor) -> String {
    let install = match filter {
        FilterFor::TheSuite => "git lfs install --local --skip-repo >/dev/null\n",
        FilterFor::TheCheckout => "",
    };
    format!(
        "set -euo pipefail\nexec 2>&1\n{}\n{install}git -c lfs.url={} lfs pull\n",
        enter(directory),
        quoted(address)
    )
}

fn enter(directory: &str) -> String {
    format!("cd \"$PAPRQ_CHECKOUT\"/{} || exit 70", quoted(directory))
}

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
