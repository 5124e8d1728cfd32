//! What is well-formed and means nothing is not passed in silence.

use super::*;

fn warnings(text: &str) -> String {
    let config = toml(&format!("{text}\n{LEAST}")).unwrap();
    let warnings = config.warnings.iter().map(ToString::to_string);
    let warnings = warnings.filter(|warning| !warning.contains("nobody may approve"));
    warnings.collect::<Vec<_>>().join("\n")
}

#[test]
fn placeholders_are_no_names() {
    for name in ["OWNER", "NAME", "LOGIN", "<owner>"] {
        let errors = errors(&format!(
            "[repo.y]\nowner = \"{name}\"\nname = \"y\"\ngithub = {{ secret = \"s\" }}"
        ));
        let told = "cfg.toml:2: [repo.y] \"owner\" is still";
        assert!(errors.starts_with(told), "{errors}");
        for key in ["reviewers", "try_users", "suites.trusted"] {
            let errors = repo_errors(&format!("{key} = [\"alice\", \"{name}\"]"));
            assert!(errors.contains("is still"), "{key} {errors}");
        }
    }
    assert_eq!(repo_errors("reviewers = [\"owner\", \"name\"]"), "none");
}

#[test]
fn two_checks_are_not_one() {
    insta::assert_snapshot!(
        repo_errors("status.a = { context = \"ci/Test\" }\nstatus.b = { context = \"CI/test\" }"),
        @r#"cfg.toml:10: [repo.x.status] "b" has the context of "a", "CI/test": write another context, or remove one of the two"#
    );
    insta::assert_snapshot!(
        repo_errors("checks.a = { name = \"build\" }\nchecks.b = { name = \"build\" }"),
        @r#"cfg.toml:10: [repo.x.checks] "b" has the name of "a", "build": write another name, or remove one of the two"#
    );
    let apart = "status.a = { context = \"x\" }\nchecks.a = { name = \"x\" }";
    assert_eq!(repo_errors(apart), "none");
}

#[test]
fn a_rule_is_about_a_repository_that_is_there() {
    let rule = |repo: &str| format!("[[schedule.rules]]\nrank = 1\nrepo = \"{repo}\"");
    insta::assert_snapshot!(errors(&rule("xx")), @r#"cfg.toml:3: [schedule.rules] "repo" is "xx", but there is no [repo.xx]: did you mean "x"?"#);
    insta::assert_snapshot!(errors(&rule("servo")), @r#"cfg.toml:3: [schedule.rules] "repo" is "servo", but there is no [repo.servo]: write the label of a repository: x"#);
    insta::assert_snapshot!(warnings(&rule("servo-*")), @r#"cfg.toml:3: [schedule.rules] "repo" fits no repository: "servo-*": the rule fits no job until there is one"#);
    assert_eq!(warnings(&rule("x*")), "");
    assert_eq!(errors(&rule("x")), "none");
}

#[test]
fn a_rule_that_is_never_come_to_is_warned_of() {
    let after = "[[schedule.rules]]\nrank = 1\nrun = \"try\"\n[[schedule.rules]]\nrank = 2\n";
    insta::assert_snapshot!(
        warnings(&format!("{after}run = \"try\"\nsuite = \"x\"")),
        @"cfg.toml:4: [schedule.rules] this rule is never used: an earlier rule fits the same jobs, and the first that fits counts"
    );
    assert_eq!(warnings(after), "");
    assert_eq!(warnings(&format!("{after}run = \"auto\"")), "");
    let least = |priority: &str| {
        warnings(&format!(
            "max_priority = 10\n[[schedule.rules]]\nrank = 1\npriority = \"{priority}\""
        ))
    };
    for never in [">=11", "=11", ">10"] {
        assert!(least(never).contains("fits no pull request"), "{never}");
    }
    for now_and_then in [">=10", "=10", ">9", "<=11", "<11"] {
        assert_eq!(least(now_and_then), "", "{now_and_then}");
    }
}

#[test]
fn a_chooser_of_checks_that_are_not_there_is_warned_of() {
    let config = toml(&format!(
        "{LEAST}\ntry_choosers = {{ quick = [\"checks-bild\", \"checks-build\"] }}
         checks.build = {{ name = \"build\" }}"
    ));
    let warnings = config.unwrap().warnings;
    let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    let told = warnings.iter().filter(|told| told.contains("try=quick"));
    assert_eq!(told.count(), 1, "{warnings:?}");
}

#[test]
fn an_empty_text_says_what_to_write() {
    let empty = LEAST.replace("token-1", "");
    insta::assert_snapshot!(toml(&empty).unwrap_err(), @r#"cfg.toml:3: [github] "access_token" is empty: write the bot's token: access_token = "${GITHUB_TOKEN}""#);
    let unset = LEAST.replace("token-1", "${TOKEN}");
    let config = Config::from_toml("cfg.toml", &unset, &|_| Some(String::new()));
    insta::assert_snapshot!(config.unwrap_err(), @r#"cfg.toml:3: [github] "access_token" is empty, because ${TOKEN} is: write the bot's token: access_token = "${GITHUB_TOKEN}""#);
    let empty = LEAST.replace("hook-1", "");
    insta::assert_snapshot!(toml(&empty).unwrap_err(), @r#"cfg.toml:7: [repo.x.github] "secret" is empty: write what the repository's webhook is signed with"#);
    let empty = LEAST.replace("\"octo\"", "\"\"");
    insta::assert_snapshot!(toml(&empty).unwrap_err(), @r#"cfg.toml:5: [repo.x] "owner" is empty: write the account or organisation of the repository"#);
}

#[test]
fn a_list_that_is_not_closed_is_one_error_at_its_line() {
    let text =
        "[repo.x]\nreviewers = [\"alice\",\n  \"bob\"\ntry_users = [\"carol\"]\nname = \"x\"\n";
    insta::assert_snapshot!(toml(text).unwrap_err(), @r#"cfg.toml:2: the list that begins here is not closed: write "]" after its last value"#);
    let text = "[a]\nb = 1\nlist = [\"x\"\n\n[repo.x]\nname = \"x\"\n[[c.d]]\n";
    insta::assert_snapshot!(toml(text).unwrap_err(), @r#"cfg.toml:3: the list that begins here is not closed: write "]" after its last value"#);
    let text = "status = { a = 1\nb = 2\nc = 3\n";
    insta::assert_snapshot!(toml(text).unwrap_err(), @r#"cfg.toml:1: the table that begins here is not closed: write "}" after its last value"#);
    let json = "{\n\"web\": {\n\"x\": [1,\n2,\n\"y\": 3\n}}";
    let error = Config::from_json("cfg.json", json, &|_| None).unwrap_err();
    insta::assert_snapshot!(error, @r#"cfg.json:3: the list that begins here is not closed: write "]" after its last value"#);
}

#[test]
fn a_key_that_is_there_twice_is_named() {
    let text = "[web]\nport = 1\nhost = \"h\"\nport = 2\n";
    insta::assert_snapshot!(toml(text).unwrap_err(), @"cfg.toml:4: the key port is there twice: keep one of the two and remove the other");
    let text = "[repo.x]\nname = \"x\"\n[repo.x]\nowner = \"y\"\n";
    let errors = toml(text).unwrap_err().to_string();
    assert!(
        errors.starts_with("cfg.toml:3: the key x is there twice"),
        "{errors}"
    );
}

/// Lists and inline tables over several lines, with what looks like brackets and is none.
const BRACKETS: &str = r##"top = "a ] b" # ] [
[repo.x]
a = [
  "one", # a ] comment
  'two ]',
]
b = [[1, 2], ["x = ["]]
c = { d = [true], e = { f = "}" } }
g = """
[ not = a list
"""
h = ['''
]''', "\\\"]"]
i = 1
"##;

/// Whichever closing bracket is missing: one error, at the line of one that is open there.
#[test]
fn any_closing_bracket_that_is_missing_is_one_error() {
    assert!(Table::from_toml(BRACKETS).is_ok());
    let closing = [
        ("]\nb = ", 3),
        ("], [", 7),
        ("]]\nc", 7),
        ("]\nc", 7),
        ("], e", 8),
        (" } }\n", 8),
        ("}\ng", 8),
        ("]\ni", 12),
    ];
    for (place, line) in closing {
        let skipped = place.len() - place.trim_start().len();
        let place = BRACKETS.find(place).unwrap() + skipped;
        let broken = [&BRACKETS[..place], &BRACKETS[place + 1..]].concat();
        let faults = Table::from_toml(&broken).unwrap_err();
        assert_eq!(faults.len(), 1, "{broken} {faults:?}");
        assert_eq!(faults[0].at.unwrap().line, line, "{broken} {faults:?}");
        let message = &faults[0].message;
        assert!(message.contains("is not closed"), "{broken} {message}");
    }
}
