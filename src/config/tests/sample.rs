//! cfg.sample.toml and docs/configuration.md keep up with the code.

use std::collections::BTreeSet;

use super::*;
use crate::config::survey::survey;
use paprq_core::queue::labels::LabelEvent;

const SAMPLE: &str = include_str!("../../../cfg.sample.toml");
const DOCS: &str = include_str!("../../../docs/configuration.md");

/// Every key that Homu reads, in either of its lines.
const HOMUS_KEYS: &str = include_str!("../../../tests/homu/keys.txt");

/// The sample with the values that everybody must fill in.
fn filled_in() -> String {
    let values = [
        ("\"OWNER\"", "\"octo\""),
        ("\"NAME\"", "\"project\""),
        ("\"LOGIN\"", "\"alice\""),
    ];
    values
        .iter()
        .fold(SAMPLE.to_owned(), |sample, (left, filled)| {
            assert!(sample.contains(left), "{left}");
            sample.replace(left, filled)
        })
}

#[test]
fn the_sample_is_refused_until_it_is_filled_in() {
    let config = Config::from_toml("cfg.sample.toml", SAMPLE, &any_variable);
    let errors = config.unwrap_err();
    let left = [
        "\"owner\" is still",
        "\"name\" is still",
        "\"reviewers\" is still",
    ];
    for (error, left) in errors.0.iter().zip(left) {
        assert!(error.message.contains(left), "{error}");
        assert!(error.place.position.is_some(), "{error}");
    }
    assert_eq!(errors.0.len(), left.len(), "{errors}");
}

#[test]
fn the_sample_is_a_start() {
    let variables = |name: &str| {
        ["GITHUB_TOKEN", "WEBHOOK_SECRET"]
            .contains(&name)
            .then(|| name.to_lowercase())
    };
    let config = Config::from_toml("cfg.sample.toml", &filled_in(), &variables).unwrap();
    assert_eq!(config.warnings, []);
    assert_eq!(config.repos.len(), 1);
    assert_eq!(SAMPLE.matches("FILL IN (").count(), 5);
}

/// The sample with all its settings on.
fn uncommented_sample() -> String {
    let sample = filled_in();
    let lines = sample.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting,
        Some(_) | None => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The same without the keys that exclude others.
pub(super) fn usable_sample() -> String {
    let text = uncommented_sample();
    let excluded = ["user = ", "private_key_file = ", "url = \"postgres:"];
    let lines = text
        .lines()
        .filter(|line| !excluded.iter().any(|key| line.starts_with(key)));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn secrets_are_in_no_debug_output_and_in_no_error() {
    let config = Config::from_toml("cfg.toml", &uncommented_sample(), &any_variable);
    assert!(!format!("{config:?}").contains("value-of"), "{config:?}");
    let config = Config::from_toml("cfg.toml", &usable_sample(), &any_variable).unwrap();
    assert!(config.github.app.is_some());
    assert!(config.repos.values().all(|repo| repo.buildbot.is_some()));
    assert!(!format!("{config:?}").contains("value-of"), "{config:?}");
}

#[test]
fn every_known_key_is_in_the_sample() {
    let (known, present) = keys_of_the_sample();
    let missing: Vec<_> = known.difference(&present).collect();
    assert!(missing.is_empty(), "cfg.sample.toml lacks {missing:?}");
    assert!(known.len() > 90, "{}", known.len());
}

/// A row of the documentation.
struct Row {
    /// The key with its table, with `*` for names that people choose.
    pattern: String,
    kind: &'static str,
    default: &'static str,
    whose: &'static str,
    meaning: &'static str,
}

fn documented() -> Vec<Row> {
    let mut table = "";
    let rows = DOCS.lines().filter_map(|line| {
        if let Some(heading) = line.strip_prefix("## ") {
            table = heading.trim_matches(|c| "`[]".contains(c));
        }
        row(table, line)
    });
    rows.collect()
}

fn row(table: &str, line: &'static str) -> Option<Row> {
    let cells = line.strip_prefix("| `")?.strip_suffix('|')?;
    let cells: Vec<&str> = cells.split('|').map(str::trim).collect();
    let [key, kind, default, whose, meaning] = cells[..] else {
        panic!("not five cells: {line}");
    };
    let key = key.trim_matches('`');
    let path = if table == "Top" {
        key.to_owned()
    } else {
        format!("{table}.{key}")
    };
    let is_name = |part: &str| ["LABEL", "NAME", "EVENT", "PHRASE"].contains(&part);
    let parts = path.split('.');
    let parts: Vec<&str> = parts
        .map(|part| if is_name(part) { "*" } else { part })
        .collect();
    Some(Row {
        pattern: parts.join("."),
        kind,
        default,
        whose,
        meaning,
    })
}

#[test]
fn the_documentation_has_every_known_key_and_no_other() {
    let rows = documented();
    let documented: BTreeSet<String> = rows.iter().map(|row| row.pattern.clone()).collect();
    assert_eq!(rows.len(), documented.len(), "a key has two rows");
    let known = known_keys();
    let missing: Vec<_> = known.difference(&documented).collect();
    let invented: Vec<_> = documented.difference(&known).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "missing {missing:?}, invented {invented:?}"
    );
}

#[test]
fn the_documentation_names_each_keys_type_default_and_meaning() {
    let kinds = kinds_in_the_sample();
    for row in documented() {
        let kind = kinds[&row.pattern].trim_start_matches("a ");
        assert!(row.kind.contains(kind), "{} is {kind}", row.pattern);
        assert!(!row.meaning.is_empty(), "{} means nothing", row.pattern);
        let has_default = kind == "table" || row.pattern.ends_with('*') || !row.default.is_empty();
        assert!(has_default, "{} lacks its default", row.pattern);
    }
}

#[test]
fn the_documentation_says_which_keys_are_homus() {
    let homus: BTreeSet<&str> = HOMUS_KEYS.lines().collect();
    for row in documented() {
        let whose = if homus.contains(row.pattern.as_str()) {
            "Homu"
        } else {
            "ours"
        };
        assert_eq!(row.whose, whose, "{}", row.pattern);
    }
    let known = known_keys();
    let unknown: Vec<_> = homus.iter().filter(|key| !known.contains(**key)).collect();
    assert!(unknown.is_empty(), "nobody reads {unknown:?}");
}

#[test]
fn what_is_not_built_is_warned_of_and_only_of_known_keys() {
    let known = known_keys();
    for pattern in unbuilt::tests::patterns() {
        assert!(known.contains(pattern), "{pattern}");
    }
    let config = Config::from_toml("cfg.toml", &usable_sample(), &any_variable).unwrap();
    let mut warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    warnings.retain(|told| told.contains(" acted on "));
    insta::assert_snapshot!(warnings.join("\n"), @r#"
    cfg.toml:34: [github] "app" is not acted on yet: the bot uses the access token; only webhook_secret is used
    "#);
    let off = "linear = false\nrust_team = false\ntry_choosers = []\nbatch = 1";
    let config = toml(&format!("{LEAST}\nreviewers = ['a']\n{off}")).unwrap();
    assert_eq!(config.warnings, []);
    let asked = toml(&format!("{LEAST}\nreviewers = ['a']\nbatch = 2")).unwrap();
    assert_eq!(asked.warnings.len(), 1);
}

#[test]
fn the_documentation_marks_what_is_not_built_and_nothing_else() {
    const MARK: &str = "*not acted on yet*";
    let marked = documented().into_iter();
    let marked = marked.filter(|row| row.meaning.contains(MARK));
    let marked: BTreeSet<String> = marked.map(|row| row.pattern).collect();
    let unbuilt: BTreeSet<String> = unbuilt::tests::not_yet().map(str::to_owned).collect();
    assert_eq!(marked, unbuilt);
    let marks = DOCS
        .to_lowercase()
        .matches(MARK.trim_end_matches('*'))
        .count();
    assert_eq!(marks, unbuilt.len(), "a mark is in no row");
}

/// Every key that some `read` function asks for, where all tables are there. Label events, which
/// are alike, count as names.
fn known_keys() -> BTreeSet<String> {
    let (known, _) = keys_of_the_sample();
    known
}

/// The known keys, and those of them that stand in the sample.
fn keys_of_the_sample() -> (BTreeSet<String>, BTreeSet<String>) {
    let (known, kinds) = keys_and_kinds();
    (known, kinds.into_keys().collect())
}

/// What the values in the sample are, by key.
fn kinds_in_the_sample() -> BTreeMap<String, &'static str> {
    keys_and_kinds().1
}

fn keys_and_kinds() -> (BTreeSet<String>, BTreeMap<String, &'static str>) {
    let table = Table::from_toml(&uncommented_sample()).unwrap();
    let reading = Reading::new("cfg.sample.toml", &any_variable);
    let errors = read(&table, &reading).unwrap_err();
    assert_eq!(errors.0.len(), 2, "only what excludes each other: {errors}");
    let known = reading.known.borrow();
    let found = survey(&table, &known).into_iter();
    let kinds = found.filter_map(|found| Some((found.pattern?, found.entry.node.value.kind())));
    let kinds = kinds.map(|(pattern, kind)| (without_event(&pattern), kind));
    let known = known.iter().map(|pattern| without_event(pattern));
    (known.collect(), kinds.collect())
}

/// The keys of label events are alike.
fn without_event(pattern: &str) -> String {
    let mut parts: Vec<&str> = pattern.split('.').collect();
    if parts.len() == 5 && event_names().contains(parts[3]) {
        parts[3] = "*";
    }
    parts.join(".")
}

fn event_names() -> BTreeSet<&'static str> {
    use crate::config::section::Word as _;
    LabelEvent::ALL.iter().map(|event| event.word()).collect()
}

#[test]
fn a_file_that_was_cut_off_or_lost_a_line_is_read_without_a_panic() {
    let text = uncommented_sample();
    let lines: Vec<&str> = text.lines().collect();
    for number in 0..lines.len() {
        let rest = [&lines[..number], &lines[number + 1..]].concat().join("\n");
        for text in [lines[..number].join("\n"), rest] {
            let errors = Config::from_toml("cfg.toml", &text, &any_variable).err();
            for error in errors.map(|errors| errors.0).unwrap_or_default() {
                assert_eq!(error.to_string().lines().count(), 1, "{error:?}");
                assert!(!error.remedy.is_empty());
            }
        }
    }
}
