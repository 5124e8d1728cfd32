//! Marks by which a commit's message tells a CI not to test it, such as `[skip ci]`.
//!
//! Whoever writes one in a pull means the pull. In the message of a merge that the queue is about
//! to test, it would keep the CI from ever answering.

/// What a bracket can say `no` to, or `skip` in one word with.
const TESTS: [&str; 14] = [
    "ci",
    "cd",
    "actions",
    "action",
    "build",
    "builds",
    "checks",
    "check",
    "test",
    "tests",
    "travis",
    "pipeline",
    "pipelines",
    "workflows",
];

/// The most words in brackets that can be a mark.
const WORDS_MAX: usize = 6;

/// The most characters in brackets that can be a mark.
const CHARS_MAX: usize = 80;

/// The trailer that GitHub and Azure obey.
const CHECKS: &str = "skip-checks";

/// The text without what a CI obeys: `[skip ci]` becomes `(skip ci)`, `***NO_CI***` becomes
/// `(NO_CI)`, a line `skip-checks: true` goes.
pub fn without_skip_marks(text: &str) -> String {
    let text = without_brackets(text);
    let text = without_stars(&text);
    let text = without_options(&text);
    without_checks(&text)
}

fn without_brackets(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        kept.push_str(before);
        match bracketed(after).filter(|inside| is_mark(inside)) {
            Some(inside) => {
                kept.push('(');
                kept.push_str(inside);
                kept.push(')');
                rest = after.get(inside.len() + 1..).unwrap_or_default();
            }
            None => {
                kept.push('[');
                rest = after;
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// What stands before the closing bracket, if no other is opened before.
fn bracketed(after: &str) -> Option<&str> {
    let end = after
        .char_indices()
        .take(CHARS_MAX)
        .find(|(_, letter)| matches!(letter, '[' | ']'));
    let inside = after.get(..end?.0)?;
    after
        .get(inside.len()..)?
        .starts_with(']')
        .then_some(inside)
}

fn is_mark(inside: &str) -> bool {
    let words: Vec<String> = words(inside).collect();
    if words.len() > WORDS_MAX {
        return false;
    }
    let says_no = |pair: &[String]| matches!(pair, [no, what] if no == "no" && names_tests(what));
    match words.as_slice() {
        [word] => in_one_word(word),
        words => words.iter().any(|word| word == "skip") || words.windows(2).any(says_no),
    }
}

/// `[skipci]`, `[ciskip]`, `[noci]`.
fn in_one_word(word: &str) -> bool {
    let what = ["skip", "no"]
        .iter()
        .find_map(|not| word.strip_prefix(not))
        .or_else(|| word.strip_suffix("skip"));
    what.is_some_and(names_tests)
}

fn names_tests(word: &str) -> bool {
    TESTS.contains(&word)
}

/// The words in lower case; letters that only differ by case for some are the same for all.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.to_uppercase().to_lowercase())
}

/// `***NO_CI***` (Azure, Drone).
fn without_stars(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("***") {
        kept.push_str(before);
        let inside = after.split_once("***").map(|(inside, _)| inside);
        let mark = inside.filter(|inside| inside.len() <= CHARS_MAX && says_no_ci(inside));
        match mark {
            Some(inside) => {
                kept.push('(');
                kept.push_str(inside);
                kept.push(')');
                rest = after.get(inside.len() + 3..).unwrap_or_default();
            }
            None => {
                kept.push_str("***");
                rest = after;
            }
        }
    }
    kept.push_str(rest);
    kept
}

fn says_no_ci(inside: &str) -> bool {
    let words: Vec<String> = words(inside).collect();
    matches!(
        words.join(" ").as_str(),
        "no ci" | "noci" | "skip ci" | "ci skip"
    )
}

/// `--skip-ci` and `--ci-skip` (Codeship) lose a dash.
fn without_options(text: &str) -> String {
    const OPTIONS: [&str; 2] = ["skip-ci", "ci-skip"];
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("--") {
        kept.push_str(before);
        let is_option = OPTIONS.iter().any(|option| begins_with(after, option));
        kept.push_str(if is_option { "-" } else { "--" });
        rest = after;
    }
    kept.push_str(rest);
    kept
}

fn begins_with(text: &str, word: &str) -> bool {
    let start = text.get(..word.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Leaves out lines `skip-checks: true`; within a line, the value goes into brackets.
fn without_checks(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = checks_mark(rest) {
        let (before, after) = (
            rest.get(..found.start).unwrap_or_default(),
            rest.get(found.end..).unwrap_or_default(),
        );
        let ends_line = after.is_empty()
            || after
                .trim_start_matches([' ', '\t', '\r'])
                .starts_with('\n');
        let starts_line = before.is_empty() && kept.is_empty() || before.ends_with('\n');
        kept.push_str(before);
        if starts_line && ends_line {
            rest = after.split_once('\n').map_or("", |(_, after)| after);
        } else {
            kept.push_str(CHECKS);
            kept.push_str(" (true)");
            rest = after;
        }
    }
    kept.push_str(rest);
    kept
}

/// Where `skip-checks: true` stands, however it is spaced.
fn checks_mark(text: &str) -> Option<std::ops::Range<usize>> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find(['s', 'S']) {
        let start = from + at;
        if let Some(len) = text.get(start..).and_then(checks_len) {
            return Some(start..start + len);
        }
        from = start + 1;
    }
    None
}

/// How long the mark is with which the text begins.
fn checks_len(text: &str) -> Option<usize> {
    if !begins_with(text, CHECKS) {
        return None;
    }
    let rest = text.get(CHECKS.len()..)?.trim_start();
    let value = rest.strip_prefix(':')?.trim_start();
    let is_true = begins_with(value, "true");
    is_true.then_some(text.len() - value.len() + "true".len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    #[test]
    fn marks_of_every_ci_are_broken_wherever_they_stand() {
        for (given, expected) in [
            ("Fix [skip ci]", "Fix (skip ci)"),
            ("[CI SKIP] a", "(CI SKIP) a"),
            ("[no ci]", "(no ci)"),
            (
                "[skip actions][actions skip]",
                "(skip actions)(actions skip)",
            ),
            ("[skip - ci] [ skip\nci ]", "(skip - ci) ( skip\nci )"),
            (
                "[skip travis] [travis-ci skip]",
                "(skip travis) (travis-ci skip)",
            ),
            (
                "[azp skip] [skip azurepipelines]",
                "(azp skip) (skip azurepipelines)",
            ),
            (
                "[skip pre-commit.ci] [CF-Pages-Skip]",
                "(skip pre-commit.ci) (CF-Pages-Skip)",
            ),
            ("[skip appveyor] [skip-ci]", "(skip appveyor) (skip-ci)"),
            ("[[skip ci]]", "[(skip ci)]"),
            ("[skipci] [\u{17f}kip ci]", "(skipci) (\u{17f}kip ci)"),
            ("a ***NO_CI*** b", "a (NO_CI) b"),
            ("*****no_ci****", "(**no_ci)*"),
            ("-- --skip-ci", "-- -skip-ci"),
            ("a\nskip-checks: true\nb", "a\nb"),
            ("Skip-Checks:true", ""),
            ("skip-checks:\n  TRUE \nb", "b"),
            ("say skip-checks: true", "say skip-checks (true)"),
        ] {
            assert_eq!(without_skip_marks(given), expected, "{given}");
        }
    }

    #[test]
    fn what_no_ci_obeys_stays() {
        for text in [
            "skip ci",
            "[ci]",
            "[ ] skip this",
            "[no issue]",
            "[a](b) [skipper]",
            "***bold*** and ***",
            "skip-checks: false",
            "--skip-cache",
            "ſ [größe] ﬁ",
        ] {
            assert_eq!(without_skip_marks(text), text);
        }
    }

    proptest! {
        /// What is broken does not become a mark by being broken.
        #[test]
        fn nothing_is_left_to_obey(parts in prop::collection::vec(select(vec![
            "[", "]", "skip", "ci", "no", " ", "-", "***", "NO_CI", "\n", "skip-checks", ":", "true",
            "--", "ſkip", "(", ")", "x", "*",
        ]), 0..14)) {
            let text = parts.concat();
            let clean = without_skip_marks(&text);
            prop_assert_eq!(without_skip_marks(&clean), clean.clone());
            let low = clean.to_lowercase();
            for mark in ["[skip ci]", "[ci skip]", "[no ci]", "***no_ci***", "skip-checks: true", "skip-checks:true"] {
                prop_assert!(!low.contains(mark), "{:?} in {:?}", mark, clean);
            }
        }
    }
}
