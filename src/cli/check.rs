//! `paprq check`: what the bot will do, in plain words, or everything that is wrong with its
//! configuration. `paprq serve` loads the configuration by the same [`load`].

mod page;
mod repo;
mod server;
mod suites;
mod unseen;
mod words;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::config::{Config, ConfigErrors};
use page::Page;

/// Arguments of `paprq check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The configuration; without it, cfg.toml in the working directory, else cfg.json.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the subcommand: exit status 2 if the configuration cannot be used.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = match load(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(errors) => {
            writeln!(io::stderr(), "{errors}")?;
            return Ok(ExitCode::from(2));
        }
    };
    let text = description(&config) + &unseen(&config);
    io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// What to beware of that only GitHub knows, behind all the rest.
fn unseen(config: &Config) -> String {
    let warnings = unseen::warnings(config);
    let mut page = Page::default();
    for warning in &warnings {
        page.paragraph(warning);
    }
    let has_heading = warnings.is_empty() || !config.warnings.is_empty();
    let heading = if has_heading { "" } else { "\nBeware\n" };
    format!("{heading}{}", page.into_text())
}

/// Loads the named configuration, else that of the working directory, with the variables of
/// this process.
///
/// # Errors
/// All faults of the file, to be shown as they are; the exit status is then 2.
pub(crate) fn load(file: Option<&Path>) -> Result<Config, ConfigErrors> {
    understood(Config::load(&self::file(file), &|name| {
        std::env::var(name).ok()
    })?)
}

/// Lets a configuration through whose every word means something.
fn understood(config: Config) -> Result<Config, ConfigErrors> {
    let faults = words::faults(&config);
    if faults.is_empty() {
        Ok(config)
    } else {
        Err(ConfigErrors(faults))
    }
}

/// The file that is read: the named one, else cfg.toml in the working directory, else cfg.json.
pub(crate) fn file(named: Option<&Path>) -> PathBuf {
    let default = || Config::default_file(Path::new(""));
    named.map_or_else(default, Path::to_path_buf)
}

/// What a server without an address for its pages lacks.
pub(super) const NO_BASE_URL: &str = "[web] \"base_url\" is not set, so comments and statuses do not \
     link to the pages: set it to the address at which people reach them";

/// What the bot will do, in plain words, and what to beware of.
fn description(config: &Config) -> String {
    let mut page = Page::default();
    server::describe(&mut page, config);
    for repo in config.repos.values() {
        repo::describe(&mut page, config, repo);
    }
    let mut warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    if config.web.base_url.is_none() {
        warnings.push(NO_BASE_URL.to_owned());
    }
    if !warnings.is_empty() {
        page.heading("Beware");
        for warning in &warnings {
            page.paragraph(warning);
        }
    }
    page.into_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::from_toml("cfg.toml", text, &|_| None).unwrap()
    }

    /// The description, without the warnings of what is not built.
    fn described(text: &str) -> String {
        let mut config = config(text);
        config
            .warnings
            .retain(|warning| !warning.message.contains("not acted on yet"));
        description(&config)
    }

    #[test]
    fn the_server_is_described_in_plain_words() {
        let text = r#"
            max_priority = 10
            github.access_token = "t"
            github.api_url = "https://ghe/api/v3"
            git.local_git = false
            web = { host = "::1", port = 0 }
            worker = { local = 0, tokens = { one = "1", two = "2" } }
            [github.app]
            id = 1
            private_key = "k"
            webhook_secret = "s"
        "#;
        insta::assert_snapshot!(described(text), @r#"
        Server
          listens on   [::1]:0
          pages        base_url is not set: nothing that is posted links to them
          GitHub       https://ghe/api/v3, as the account of the access token
          merges       made by GitHub's merge API
          committer    the bot's account, with the e-mail address of the bot's account
          state        paprq.db
          logs         storage
          workers      none in the server, remote ones with the tokens of one and two
          priorities   p= gives at most 10; treeclosed=N holds back what is below N
          retries      remembered for 42 d
          at a start   what is known stays; only what was missed is read from GitHub

        Webhooks, to be set up on GitHub
          payload URL  http://ADDRESS-OF-THIS-SERVER/github
          content type application/json
          secret       the one of [repo.LABEL.github], else that of [github.app]
          events       these, or all:
                       - Issue comments (issue_comment)
                       - Pull requests (pull_request)
                       - Pull request reviews (pull_request_review)
                       - Pull request review comments (pull_request_review_comment)
                       - Pushes (push)
                       - Statuses (status)
                       - Check runs (check_run)

        Beware
        cfg.toml: no repository is there to serve: add [repo.LABEL]
        [web] "base_url" is not set, so comments and statuses do not link to the pages:
            set it to the address at which people reach them
        "#);
    }

    #[test]
    fn every_repo_is_described_in_plain_words() {
        let text = r#"
            github.access_token = "t"
            web.base_url = "https://bot.example.org"
            [repo.one]
            owner = "octo"
            name = "one"
            reviewers = ["alice", "bob"]
            try_users = ["carol"]
            try_choosers = { quick = ["checks-build"] }
            timeout = 5430
            linear = true
            status_based_exemption = true
            batch = 4
            window = 2
            github = { secret = "s" }
            status.ci = { context = "ci/push", try = false }
            status.late = { context = "late", try = false }
            checks.build = { name = "build", try_name = "try-build" }
            labels.pushed = { unless = ["a", "b"] }
            [repo.two]
            owner = "octo"
            name = "two"
            autosquash = true
            github = { secret = "s" }
            branch = { auto = "staging" }
            suites = { on_merge = "all", pulls = "none" }
        "#;
        let description = described(text);
        let server = description.find("\n[repo.").unwrap();
        insta::assert_snapshot!(&description[server + 1..], @r#"
        [repo.one] octo/one
          may approve  alice and bob; for one pull, whoever they delegate it to
          may try      carol; whoever may approve
          merges       no merge commit: the pull's commits are rebased onto the base;
                       each message gets "Closes: #NUMBER" and "Approved by: APPROVER";
                       the pull's title then begins with "[merged]"
          branches     auto for approved merges, try for tries (try-CHOOSER for
                       try=CHOOSER); rollup for rollups, in the fork of whoever makes
                       one
          lands when   all of these passed on the very commit that lands:
                       - the commit status "ci/push"
                       - the commit status "late"
                       - the check run "build"
          tries        wait for:
                       - the check run "try-build"
          try=quick    waits for checks-build alone
          exempt       nothing is, because not only commit statuses are waited for
          time-out     a run that has not ended after 1 h 30 min 30 s has failed
          at a time    up to 4 pulls a run, up to 2 runs, each on top of the one before
          labels       are moved when a pull
                       - got new commits: nothing

        [repo.two] octo/two
          may approve  nobody
          may try      whoever may approve
          merges       a merge commit, "Auto merge of #NUMBER - OWNER:BRANCH,
                       r=APPROVER" with the pull's title and body, after the pull's
                       fixup!, squash! and amend! commits were put where they belong
          branches     staging for approved merges, try for tries; rollup for rollups,
                       in the fork of whoever makes one
          lands when   all of these passed on the very commit that lands:
                       - every suite of .papr.yml, on our workers
          tries        wait for the same
          pulls        are tested when they are approved or tried, not before
          again        a suite that passed is not run again on the same content for 1 d
          time-out     a run that has not ended after 10 h has failed

        Beware
        cfg.toml:20: [repo.two] nobody may approve: add reviewers = ["LOGIN"]
        "#);
    }

    #[test]
    fn tries_may_have_nothing_to_wait_for() {
        let text = r#"
            github.access_token = "t"
            [repo.one]
            owner = "octo"
            name = "one"
            github = { secret = "s" }
            status.ci = { context = "ci/push", try = false }
        "#;
        assert!(described(text).contains("tries        have nothing to wait for"));
    }

    #[test]
    fn a_repo_beside_another_service_is_described_in_plain_words() {
        let text = r#"
            github.access_token = "t"
            web.base_url = "https://bot.example.org"
            aliases = { "Bot, retest  this please." = "retry all" }
            [repo.one]
            owner = "octo"
            name = "one"
            merges = false
            report = false
            forward_to = "https://homu.example.org/hidden-path/"
            forward_secret = "homu-secret"
            require_green_pull = true
            github = { secret = "s" }
            suites = { pulls = "all", trusted = ["carol"], reuse = false }
            secrets = { TOKEN = "1234567890", KEY = "0987654321" }
        "#;
        let description = described(text);
        for hidden in ["1234567890", "0987654321", "homu-secret", "hidden-path"] {
            assert!(!description.contains(hidden), "{hidden}");
        }
        let merging = described(&text.replace("merges = false", ""));
        assert!(
            merging.contains("first        an approved pull's pull request test must have passed")
        );
        let server = description.find("\nLines of").unwrap();
        insta::assert_snapshot!(&description[server + 1..], @r#"
        Lines of comments that are commands
        "bot, retest this please": retry all

        [repo.one] octo/one
          may approve  nobody
          may try      whoever may approve
          merges       none: only pulls and branches are tested here, and somebody else
                       merges
          branches     auto for approved merges, try for tries; rollup for rollups, in
                       the fork of whoever makes one
          tries        wait for:
                       - the suites of .papr.yml that name the branch (all, if none
                         does), on our workers
          pulls        are tested before approval, too, whoever made them
          again        every suite is run each time
          secrets      KEY and TOKEN, for suites that name them, in merges, tries and
                       pushed branches only
          time-out     a run that has not ended after 10 h has failed
          reports      none: no status, comment or label is posted
          forwards     every webhook is passed on to https://homu.example.org, signed
                       for it
        "#);
    }

    #[test]
    fn rules_are_shown_in_their_order() {
        let text = r#"
            github.access_token = "t"
            [[schedule.rules]]
            run = "auto"
            repo = "one"
            label = "urgent"
            priority = ">=5"
            rank = 100
            preempt = true
            [[schedule.rules]]
            suite = "f*"
            branch = "release/*"
            rank = -3
            [[schedule.rules]]
            rank = 7
            [repo.one]
            owner = "octo"
            name = "one"
            github = { secret = "s" }
        "#;
        let page = described(text);
        let (_, rules) = page.split_once("Which jobs").unwrap();
        let (rules, _) = rules.split_once("\n\n").unwrap();
        insta::assert_snapshot!(rules, @r"
         go first: the first rule that fits counts
          rank 100     jobs of approved merges, of repository one, with label urgent,
                       with priority >= 5; interrupts jobs of lower rank that allow it
          rank -3      jobs into branch release/*, of suite f*
          rank 7       all jobs
          else         auto 100, try 80, branch 40, pull 20
        ");
    }

    /// What the command line says of a configuration with these lines.
    fn refused(lines: &str) -> String {
        let config = config(&format!("github.access_token = \"t\"\n{lines}"));
        understood(config).map_or_else(|errors| errors.to_string(), |_| "nothing".to_owned())
    }

    #[test]
    fn an_alias_stands_for_commands_that_there_are() {
        insta::assert_snapshot!(refused("[aliases]\n\"ship it\" = \"r+ quickly\""), @r#"cfg.toml:3: [aliases] "ship it" stands for "quickly", which is not a command: write commands as after the bot's name, such as "retry all" or "r+""#);
        for wrong in ["retrry", "@bot r+", "p=high", "deploy", "tests"] {
            let said = refused(&format!("aliases.\"Do  it.\" = \"{wrong}\""));
            let told = "cfg.toml:2: [aliases] \"do it\" stands for";
            assert!(said.starts_with(told), "{said}");
        }
        let hook = "hooks.deploy.endpoint = \"https://d.example.org\"";
        for right in [
            "retry all",
            "r+ rollup",
            "p=5",
            "deploy=now",
            "test unit",
            "ok+",
        ] {
            let said = refused(&format!("{hook}\naliases.\"do it\" = \"{right}\""));
            assert_eq!(said, "nothing", "{right}");
        }
    }

    #[test]
    fn a_hook_is_called_by_a_word_of_its_own() {
        let endpoint = "endpoint = \"https://h.example.org\"";
        for taken in [
            "retry", "try", "p", "r", "r+", "ping", "ok", "rollup", "delegate", "hold",
        ] {
            let said = refused(&format!("[hooks.\"{taken}\"]\n{endpoint}"));
            let told = format!("cfg.toml:2: [hooks.{taken}] \"{taken}\" is a command");
            assert!(said.starts_with(&told), "{said}");
            let said = refused(&format!("[hooks.x]\n{endpoint}\ntrigger = \"{taken}\""));
            assert!(said.starts_with("cfg.toml:4: [hooks.x]"), "{said}");
        }
        let twice = format!("[hooks.a]\n{endpoint}\n[hooks.b]\ntrigger = \"a\"\n{endpoint}");
        let said = refused(&twice);
        let told = "cfg.toml:5: [hooks.b] \"a\" calls [hooks.a] already";
        assert!(said.contains(told), "{said}");
        assert_eq!(refused(&format!("[hooks.deploy]\n{endpoint}")), "nothing");
    }

    fn status_of(file: &Path) -> ExitCode {
        let arguments = Arguments {
            config: Some(file.to_path_buf()),
        };
        run(&arguments).unwrap()
    }

    #[test]
    fn a_configuration_that_cannot_be_used_is_exit_status_2() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("cfg.toml");
        assert_eq!(status_of(&file), ExitCode::from(2));
        std::fs::write(&file, "[github]\naccess_tokn = \"t\"\n").unwrap();
        assert_eq!(status_of(&file), ExitCode::from(2));
        std::fs::write(&file, "[github]\naccess_token = \"t\"\n").unwrap();
        assert_eq!(status_of(&file), ExitCode::SUCCESS);
    }
}
