//! `paprq parse`: what the bot would read in a comment, as JSON.

use std::io::{Read as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::builder::NonEmptyStringValueParser;

use paprq_core::command::{Grammar, Reading};
use paprq_core::ids::Login;

/// Arguments of `paprq parse`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The bot's login
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    bot: String,
    /// Who wrote the comment, and so the approver of `r+`
    #[arg(long, value_name = "USER", default_value = "reviewer")]
    user: String,
    /// The trigger of a hook; may be given several times
    #[arg(long = "hook", value_name = "TRIGGER")]
    hooks: Vec<String>,
    /// The comment; `-` or nothing is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Prints the commands as a JSON list. What looks like a command and is none is told on standard
/// error, as the bot would tell it in a comment.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let grammar = Grammar {
        bot: login(&arguments.bot),
        hooks: arguments.hooks.clone(),
        aliases: Vec::new(),
    };
    let reading = grammar.read(&arguments.comment()?, &login(&arguments.user));
    print(&reading, &mut std::io::stdout(), &mut std::io::stderr())
        .context("cannot write the commands")?;
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    fn comment(&self) -> anyhow::Result<String> {
        let file = self.file.as_deref().filter(|file| file.as_os_str() != "-");
        let (name, bytes) = match file {
            Some(file) => (file.display().to_string(), std::fs::read(file)),
            None => {
                let mut bytes = Vec::new();
                let outcome = std::io::stdin().lock().read_to_end(&mut bytes);
                ("standard input".to_owned(), outcome.map(|_| bytes))
            }
        };
        let bytes = bytes.with_context(|| format!("cannot read {name}"))?;
        String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))
    }
}

/// A login as people write it, with `@` or without.
fn login(text: &str) -> Login {
    Login::new(text.strip_prefix('@').unwrap_or(text))
}

fn print(
    reading: &Reading,
    output: &mut impl Write,
    remarks: &mut impl Write,
) -> std::io::Result<()> {
    let commands = serde_json::to_string_pretty(&reading.commands)?;
    writeln!(output, "{commands}")?;
    match &reading.not_understood {
        Some(text) => writeln!(remarks, "paprq: not understood: {text}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::clock::Stopwatch;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn arguments(words: &[&str]) -> Result<Arguments, clap::Error> {
        Line::try_parse_from([&["parse"], words].concat()).map(|line| line.arguments)
    }

    fn reading(comment: &str) -> Reading {
        let grammar = Grammar {
            bot: login("@bot"),
            hooks: vec!["deploy".to_owned()],
            aliases: Vec::new(),
        };
        grammar.read(comment, &login("jack"))
    }

    #[test]
    fn the_list_goes_to_the_output_and_the_slip_beside_it() {
        let (mut output, mut remarks) = (Vec::new(), Vec::new());
        print(&reading("@bot try rty"), &mut output, &mut remarks).unwrap();
        insta::assert_snapshot!(String::from_utf8(output).unwrap(), @r#"
        [
          {
            "command": "try",
            "chooser": null
          }
        ]
        "#);
        let remarks = String::from_utf8(remarks).unwrap();
        assert_eq!(remarks, "paprq: not understood: rty\n");
    }

    #[test]
    fn nothing_read_is_an_empty_list_and_no_remark() {
        let (mut output, mut remarks) = (Vec::new(), Vec::new());
        print(&reading("@bot is great"), &mut output, &mut remarks).unwrap();
        assert_eq!(output, b"[]\n");
        assert_eq!(remarks, b"");
    }

    #[test]
    fn only_the_bot_must_be_named() {
        assert!(arguments(&[]).is_err());
        assert!(arguments(&["--bot", ""]).is_err());
        let few = arguments(&["--bot", "b", "-"]).unwrap();
        assert_eq!((few.user.as_str(), few.hooks.len()), ("reviewer", 0));
        let words = [
            "--bot", "b", "--user", "u", "--hook", "x", "--hook", "y", "f",
        ];
        let all = arguments(&words).unwrap();
        assert_eq!((all.user.as_str(), all.hooks.len()), ("u", 2));
    }

    #[test]
    fn what_is_no_readable_text_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("comment");
        let of = |path: &std::path::Path| arguments(&["--bot", "b", path.to_str().unwrap()]);
        let error = of(&path).unwrap().comment().unwrap_err();
        assert!(error.to_string().starts_with("cannot read /"), "{error}");
        std::fs::write(&path, b"@bot \xff").unwrap();
        let error = of(&path).unwrap().comment().unwrap_err();
        assert!(
            error.to_string().ends_with("comment is not UTF-8"),
            "{error}"
        );
        std::fs::write(&path, "@bot é").unwrap();
        assert_eq!(of(&path).unwrap().comment().unwrap(), "@bot é");
    }

    /// Each pattern fills the longest comment that GitHub takes. One pass over it takes about 20
    /// ms without optimization; one pass for each of its bytes takes a minute.
    #[test]
    fn long_comments_take_linear_time() {
        const LENGTH: usize = 65_536;
        let patterns = [
            "@bot ",
            "@",
            "`",
            "`a",
            "` `` ``` ",
            "\\",
            "\\`",
            "- ",
            "1. ",
            "> ",
            "\n",
            "\r\n@bot",
            "\n@bot ping",
            "`@bot\n",
            "```\n",
            "~~~a\n@bot\n",
            "a",
            "é",
            " ",
            "\u{a0}",
            "@bot ping ",
            "@bot r+ 0123 ",
            "r=a,",
            "@bot retry 'a ",
            "'a",
            "“",
            "a=",
            "=",
            "9",
            "@bot r+\n> ` @bot\n",
            "@bot,",
            "are you still there? ",
        ];
        for pattern in patterns {
            for start in ["@bot ", "@bot retry '"] {
                let comment = start.to_owned() + &pattern.repeat(LENGTH / pattern.len());
                let stopwatch = Stopwatch::start();
                std::hint::black_box(reading(&comment));
                let elapsed = stopwatch.elapsed();
                assert!(elapsed.as_secs() < 5, "{elapsed:?}: {start:?}, {pattern:?}");
            }
        }
    }
}
