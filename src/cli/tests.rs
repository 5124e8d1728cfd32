//! What messages advise is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use super::CommandLine;

/// The long flags of each subcommand.
fn flags() -> BTreeMap<String, BTreeSet<String>> {
    let mut line = CommandLine::command();
    line.build();
    let commands = line.get_subcommands().map(|command| {
        let longs = command
            .get_arguments()
            .filter_map(|argument| argument.get_long());
        (
            command.get_name().to_owned(),
            longs.map(str::to_owned).collect(),
        )
    });
    commands.collect()
}

/// Other programs whose flags are no advice.
const TOOLS: [&str; 6] = ["bwrap", "git", "make", "mount", "podman", "zypper"];

/// Flags that a text names to a person, each with the subcommand that it names before it, if any.
fn advised(text: &str) -> Vec<(Option<String>, String)> {
    let words: Vec<&str> = text
        .split([' ', '`', ',', ':', ';', '(', ')', '.'])
        .collect();
    let is_word =
        |word: &&&str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_prose = words.iter().filter(is_word).count() > 1;
    let is_others = words.iter().any(|word| TOOLS.contains(word));
    if !is_prose && !text.contains("give --") || is_others {
        return Vec::new();
    }
    let mut command = None;
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if *word == "paprq" {
            command = words.get(at + 1).map(|name| (*name).to_owned());
        }
        let flag = word.strip_prefix("--").unwrap_or_default();
        let is_flag = flag.starts_with(|first: char| first.is_ascii_lowercase())
            && flag
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if is_flag {
            found.push((command.clone(), flag.to_owned()));
        }
    }
    found
}

/// The texts in quotes of a source, without those of its tests.
fn texts(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut texts = Vec::new();
    let mut open: Option<String> = None;
    for line in source.lines() {
        let line = line.trim();
        if open.is_none() && line.starts_with("//") {
            continue;
        }
        for (at, part) in line.replace("\\\"", "'").split('"').enumerate() {
            let is_inside = (at % 2 == 1) != open.is_some();
            match (&mut open, is_inside) {
                (Some(text), _) if at == 0 => text.push_str(part),
                (Some(_), _) => {
                    texts.extend(open.take());
                }
                (None, true) => texts.push(part.to_owned()),
                (None, false) => {}
            }
        }
        let goes_on = line.ends_with('\\');
        match &mut open {
            Some(text) if goes_on => *text = text.trim_end_matches('\\').to_owned(),
            Some(_) => texts.extend(open.take()),
            None if goes_on => {
                open = texts
                    .pop()
                    .map(|text| text.trim_end_matches('\\').to_owned());
            }
            None => {}
        }
    }
    texts
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// The subcommand that a source belongs to.
fn command_of(path: &Path, known: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let mut parts = path.iter().map(|part| part.to_string_lossy());
    parts.find(|part| *part == "cli")?;
    let name = parts.next()?.trim_end_matches(".rs").replace('_', "-");
    known.contains_key(&name).then_some(name)
}

#[test]
fn every_flag_that_a_message_advises_is_one_of_its_command() {
    let (known, mut files) = (flags(), Vec::new());
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    assert!(files.len() > 100, "{}", files.len());
    let mut count = 0;
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        for text in texts(&source) {
            for (named, flag) in advised(&text) {
                let command = named.or_else(|| command_of(&file, &known));
                let command = command.unwrap_or_default();
                let has = known
                    .get(&command)
                    .is_some_and(|flags| flags.contains(&flag));
                assert!(
                    has,
                    "`{command}` has no --{flag}: {} says {text:?}",
                    file.display()
                );
                count += 1;
            }
        }
    }
    assert!(count >= 3, "only {count} flags were found");
}

#[test]
fn flags_are_found_in_what_people_read() {
    let found = |text: &str| -> Vec<String> {
        let found = advised(text).into_iter();
        found
            .map(|(command, flag)| format!("{} {flag}", command.unwrap_or_default()))
            .collect()
    };
    assert_eq!(found("or name another one with --engine"), [" engine"]);
    assert_eq!(found("run `paprq run --list` first"), ["run list"]);
    assert_eq!(found("--executor does not name it"), [" executor"]);
    assert_eq!(found("git merge --no-ff is what it does"), [""; 0]);
    assert_eq!(found("--die-with-parent"), [""; 0]);
    let source =
        "let x = \"one \\\n     with --two\";\n// \"--three is a comment\"\nlet y = \"z\";";
    assert_eq!(texts(source), ["one with --two", "z"]);
}
