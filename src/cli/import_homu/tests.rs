//! Both lines of Homu, through the whole import.

use std::path::PathBuf;

use diesel::connection::{Connection as _, SimpleConnection as _};
use diesel::sqlite::SqliteConnection;
use tempfile::TempDir;

use super::*;
use crate::clock;
use paprq_core::ids::{Login, PullNumber, RepoLabel, Timestamp};
use paprq_core::queue::Tree;
use paprq_core::queue::pull::{Pull, Squash, Stage};
use paprq_core::queue::run::{CheckState, Ending, Purpose, Run, Scope};

const SERVO: &str = include_str!("../../../tests/homu/servo.sql");
const RUST_LANG: &str = include_str!("../../../tests/homu/rust-lang.sql");

/// Pull 3 is approved and waits; 5 failed; 6 is being tested; 8 waits for a try, 9 had one.
const PULLS: &str = "
insert into pull (repo, num, status, merge_sha, title, body, head_sha, head_ref, base_ref,
                  approved_by, priority, try_, rollup, delegate) values
  ('one', 3, '', '', 'Three', null, '3333333333333333333333333333333333333333', 'bob:three',
   'main', 'alice,@carol', 4, 0, -1, 'dora'),
  ('one', 5, 'failure', '5e55555555555555555555555555555555555555', 'Five', 'Why',
   '5555555555555555555555555555555555555555', '', 'main', 'alice', 0, 0, 1, ''),
  ('one', 6, 'pending', '6e66666666666666666666666666666666666666', 'Six', '',
   '6666666666666666666666666666666666666666', 'bob:six', 'main', 'alice', 0, 0, 0, null),
  ('one', 8, 'pending', '8e88888888888888888888888888888888888888', 'Eight', '',
   '8888888888888888888888888888888888888888', 'bob:eight', 'main', '', 0, 1, 0, ''),
  ('one', 9, 'success', '9e99999999999999999999999999999999999999', 'Nine', '',
   '9999999999999999999999999999999999999999', 'bob:nine', 'main', null, 0, 1, 0, '');
insert into build_res (repo, num, builder, res, url, merge_sha) values
  ('one', 5, 'status-ci', 1, 'https://ci/5', '5e55555555555555555555555555555555555555'),
  ('one', 5, 'checks-lint', 0, 'https://lint/5', '5e55555555555555555555555555555555555555'),
  ('one', 5, 'linux', null, '', '5e55555555555555555555555555555555555555'),
  ('one', 6, 'linux', 1, 'https://linux/6', '6e66666666666666666666666666666666666666'),
  ('one', 9, 'linux', 1, 'https://linux/9', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
insert into mergeable (repo, num, mergeable) values ('one', 3, 1), ('one', 5, 0);
";

struct Installation {
    folder: TempDir,
    config: Config,
}

impl Installation {
    fn new() -> Self {
        let text = r#"
            max_priority = 10
            [github]
            access_token = "t"
            [repo.one]
            owner = "octo"
            name = "one"
            reviewers = ["alice"]
            try_choosers = ["windows"]
            github = { secret = "s" }
            status.ci = { context = "ci/push" }
            checks.lint = { name = "Lint" }
            [repo.two]
            owner = "octo"
            name = "two"
            reviewers = ["alice"]
            github = { secret = "s" }
        "#;
        Self {
            folder: tempfile::tempdir().unwrap(),
            config: Config::from_toml("cfg.toml", text, &|_| None).unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Adds to Homu's file.
    fn homu(&self, sql: &str) {
        let file = self.path("main.db");
        let connection = SqliteConnection::establish(&file.to_string_lossy());
        connection.unwrap().batch_execute(sql).unwrap();
    }

    fn import(&self) -> String {
        let mut file = homu::read(&self.path("main.db")).unwrap();
        file.written_at = Timestamp(1_700_000_000_000);
        let report = import(&self.config, &self.path("paprq.db"), &file);
        report.unwrap().to_string()
    }

    /// Pulls and runs of `[repo.one]`, and its tree.
    fn imported(&self) -> Imported {
        let store = Store::open(&self.path("paprq.db")).unwrap();
        let (label, now) = (RepoLabel::new("one"), clock::now());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let saved = store.load_repo(&label, Timestamp(0), now);
        let saved = runtime.block_on(saved).unwrap();
        let retries = runtime.block_on(store.retry_log(&label, 10)).unwrap();
        Imported {
            tree: saved.row.state.tree.value,
            pulls: saved.pulls,
            runs: saved.runs,
            retries,
        }
    }
}

struct Imported {
    tree: Tree,
    pulls: Vec<Pull>,
    runs: Vec<Run>,
    retries: Vec<Retry>,
}

impl Imported {
    fn pull(&self, number: u64) -> &Pull {
        let number = PullNumber(number);
        let mut pulls = self.pulls.iter();
        pulls.find(|pull| pull.number() == number).unwrap()
    }

    /// What a pull's latest run was for and came to, if that counts.
    fn ended(&self, number: u64) -> Option<(Purpose, Ending)> {
        match self.pull(number).stage {
            Stage::Ended {
                purpose, ending, ..
            } => Some((purpose, ending)),
            Stage::Idle
            | Stage::RetryWanted { .. }
            | Stage::TryWanted { .. }
            | Stage::Running { .. } => None,
        }
    }

    /// What a pull's run in flight is for.
    fn running(&self, number: u64) -> Option<Purpose> {
        match self.pull(number).stage {
            Stage::Running { purpose, .. } => Some(purpose),
            Stage::Idle
            | Stage::RetryWanted { .. }
            | Stage::TryWanted { .. }
            | Stage::Ended { .. } => None,
        }
    }

    /// The checks of a pull's latest run, as words.
    fn checks(&self, number: u64) -> Vec<String> {
        let last = self.pull(number).last_run;
        let run = self.runs.iter().find(|run| Some(run.id) == last).unwrap();
        let checks = run.checks.iter().map(|check| {
            let state = match &check.state {
                CheckState::Passed { url } => format!("passed {url}"),
                CheckState::Failed { url, .. } => format!("failed {url}"),
                CheckState::Cancelled => "stopped".to_owned(),
                CheckState::Waiting | CheckState::Running { .. } => "open".to_owned(),
            };
            format!("{:?} {state}", check.check)
        });
        checks.collect()
    }
}

#[test]
fn both_lines_become_the_same_pulls() {
    for schema in [SERVO, RUST_LANG] {
        let place = Installation::new();
        place.homu(schema);
        place.homu(PULLS);
        place.import();
        let imported = place.imported();
        let three = imported.pull(3);
        let approval = three.standing_approval().unwrap();
        assert_eq!(approval.approver, Login::new("alice,carol"));
        assert_eq!((three.priority.value, three.rollup.value), (4, -1));
        assert_eq!(three.delegate.value, Some(Login::new("dora")));
        assert_eq!(three.facts.author, Login::new("bob"));
        assert_eq!(three.facts.mergeable, Some(true));
        assert_eq!((&three.stage, three.last_run), (&Stage::Idle, None));
        assert_eq!(imported.pull(5).facts.author, Login::new("ghost"));
        assert!(imported.pull(6).standing_approval().is_some());
        assert_eq!(imported.running(6), Some(Purpose::Land));
        assert_eq!(imported.running(8), Some(Purpose::Try));
        assert!(imported.pull(8).standing_approval().is_none());
    }
}

#[test]
fn results_are_those_of_a_run_that_is_over() {
    let place = Installation::new();
    place.homu(&[RUST_LANG, PULLS].concat());
    let report = place.import();
    let imported = place.imported();
    insta::assert_snapshot!(imported.checks(5).join("\n"), @r#"
    Status { label: "ci", context: "ci/push" } passed https://ci/5
    CheckRun { label: "lint", name: "Lint" } failed https://lint/5
    Build("linux") stopped
    "#);
    assert_eq!(imported.ended(5), Some((Purpose::Land, Ending::Failed)));
    assert_eq!(imported.ended(6), None);
    // The result of another merge says nothing of this one.
    assert_eq!(imported.ended(9), Some((Purpose::Try, Ending::Succeeded)));
    assert_eq!(imported.checks(9), [""; 0]);
    assert!(
        report.contains("#9: 1 of its results are of an earlier merge"),
        "{report}"
    );
}

/// The results that are there count, and what the configuration does not know is told of.
#[test]
fn tests_under_way_go_on_with_their_results() {
    let place = Installation::new();
    let result = "insert into build_res (repo, num, builder, res, url, merge_sha) values
        ('one', 6, 'status-ci', 1, 'https://ci/6', '6e66666666666666666666666666666666666666'),
        ('one', 6, 'checks-lint', null, '', '6e66666666666666666666666666666666666666')";
    place.homu(&[SERVO, PULLS, result].concat());
    let report = place.import();
    let imported = place.imported();
    insta::assert_snapshot!(imported.checks(6).join("\n"), @r#"
    Status { label: "ci", context: "ci/push" } passed https://ci/6
    CheckRun { label: "lint", name: "Lint" } open
    "#);
    assert!(
        report.contains("- 2 tests under way, which go on\n"),
        "{report}"
    );
    let unknown = "#6: \"linux\" of the test under way: the configuration does not wait for it";
    assert!(report.contains(unknown), "{report}");
    let last = imported.pull(6).last_run;
    let run = imported.runs.iter().find(|run| Some(run.id) == last);
    let merge = "6e66666666666666666666666666666666666666".parse().unwrap();
    assert_eq!(run.unwrap().merge().unwrap().merge, merge);
}

#[test]
fn of_several_tests_that_are_to_land_the_one_that_was_next_goes_on() {
    for (priority, first) in [(0, 3), (9, 5)] {
        let place = Installation::new();
        let both = format!(
            "update pull set status = 'pending', priority = 0,
               merge_sha = num || 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' where num in (3, 5);
             update pull set status = '' where num in (6, 8);
             update pull set rollup = 0, priority = {priority} where num = 5"
        );
        place.homu(&[SERVO, PULLS, &both].concat());
        let report = place.import();
        let imported = place.imported();
        let other = 8 - first;
        assert_eq!(imported.running(first), Some(Purpose::Land), "{report}");
        assert_eq!(imported.running(other), None);
        let left = format!(
            "#{other}: the test under way, which begins again: another run is to land before it"
        );
        assert!(report.contains(&left), "{report}");
    }
}

#[test]
fn what_cannot_go_on_is_in_the_report() {
    let place = Installation::new();
    let lost = "update pull set merge_sha = '' where num = 6;
        insert into pull (repo, num, status, merge_sha, head_sha, base_ref, approved_by)
            values ('two', 1, 'pending', '1e11111111111111111111111111111111111111',
                    '1111111111111111111111111111111111111111', 'main', 'alice')";
    place.homu(&[SERVO, PULLS, lost].concat());
    let report = place.import();
    for line in [
        "#6: the test under way, which begins again: Homu did not write down which commit it tests",
        "#1: the test under way, which begins again: the configuration has no status, check or \
         builder that it could wait for",
    ] {
        assert!(report.contains(line), "{report}");
    }
    assert_eq!(place.imported().pull(6).stage, Stage::Idle);
}

#[test]
fn an_error_is_a_conflict_where_the_pull_does_not_merge() {
    let place = Installation::new();
    place.homu(&[SERVO, PULLS, "update pull set status = 'error'"].concat());
    place.import();
    let imported = place.imported();
    assert_eq!(imported.ended(3), Some((Purpose::Land, Ending::Broken)));
    assert_eq!(imported.ended(5), Some((Purpose::Land, Ending::Conflicted)));
}

#[test]
fn what_one_line_only_has_is_taken_over() {
    let place = Installation::new();
    place.homu(
        &[
            SERVO,
            PULLS,
            "update pull set try_choose = 'windows', status = '' where num = 8;
        insert into repos (repo, treeclosed) values ('one', -1)",
        ]
        .concat(),
    );
    place.import();
    let chooser = Some("windows".to_owned());
    let imported = place.imported();
    assert_eq!(
        imported.pull(8).stage,
        Stage::TryWanted {
            chooser,
            scope: Scope::Usual
        }
    );
    assert_eq!(imported.tree, Tree::Open);
    let place = Installation::new();
    place.homu(
        &[
            RUST_LANG,
            PULLS,
            "update pull set squash = 1 where num = 3;
        insert into repos (repo, treeclosed, treeclosed_src) values ('one', 6, 'https://why');
        insert into retry_log (repo, num, time, src, msg)
            values ('one', 5, '2023-11-14 22:13:20',
                    'https://github.com/octo/one/pull/5#issuecomment-1', '@homu retry')",
        ]
        .concat(),
    );
    place.import();
    let imported = place.imported();
    assert_eq!(imported.pull(3).squash.value, Squash::Yes);
    assert_eq!(imported.pull(5).squash.value, Squash::No);
    let closed = Tree::Closed {
        below: 6,
        by: None,
        source: "https://why".to_owned(),
    };
    assert_eq!(imported.tree, closed);
    let retry = Retry {
        repo: RepoLabel::new("one"),
        pull: PullNumber(5),
        at: Timestamp(1_700_000_000_000),
        who: None,
        message: "@homu retry".to_owned(),
        source: "https://github.com/octo/one/pull/5#issuecomment-1".to_owned(),
    };
    assert_eq!(imported.retries, [retry]);
}

#[test]
fn the_report_says_what_was_done_and_a_second_import_does_nothing() {
    let place = Installation::new();
    place.homu(
        &[
            RUST_LANG,
            PULLS,
            "
        insert into pull (repo, num, status, head_sha) values ('old', 1, '', 'x');
        insert into repos (repo, treeclosed) values ('one', 6);
        insert into retry_log (repo, num, time, src, msg)
            values ('one', 5, '2023-11-14 22:13:20', 'alice', '@homu retry')",
        ]
        .concat(),
    );
    insta::assert_snapshot!(place.import(), @r#"
    Homu wrote this file last at 2023-11-14 22:13:20 UTC. What was said on GitHub since then is acted on when the server starts.

    [repo.one]
      5 pulls: 5 taken over, 0 known here and completed, 0 already there.
      - 3 approvals
      - 1 priority
      - 2 rollup marks
      - 1 delegation
      - 2 tests under way, which go on
      - 2 test results
      - 2 pulls that are known to merge or not
      - 1 entry of the retry log
      - the tree: closed below priority 6
      Not taken over:
      - #6: "linux" of the test under way: the configuration does not wait for it
      - #9: 1 of its results are of an earlier merge

    Not in this file, and left as they are: [repo.two]

    Left out, because the configuration has no such repository:
      - [repo.old]: 1 pull
    "#);
    let before = place.imported();
    insta::assert_snapshot!(place.import(), @r#"
    Homu wrote this file last at 2023-11-14 22:13:20 UTC. What was said on GitHub since then is acted on when the server starts.

    [repo.one]
      5 pulls: 0 taken over, 0 known here and completed, 5 already there.
      - 1 entry of the retry log
      Not taken over:
      - the tree: somebody closed or opened it here, or it was taken over before
      - #6: "linux" of the test under way: the configuration does not wait for it
      - #9: 1 of its results are of an earlier merge

    Not in this file, and left as they are: [repo.two]

    Left out, because the configuration has no such repository:
      - [repo.old]: 1 pull
    "#);
    let after = place.imported();
    assert_eq!((after.pulls, after.runs), (before.pulls, before.runs));
    assert_eq!((after.tree, after.retries), (before.tree, before.retries));
}

#[test]
fn what_cannot_be_read_is_reported_and_the_rest_taken_over() {
    let place = Installation::new();
    place.homu("
        create table pull (repo, num, status, merge_sha, title, head_sha, head_ref, base_ref,
                           approved_by, priority, try_, try_choose, rollup, squash, delegate);
        create table build_res (repo, num, builder, res, url, merge_sha);
        create table mergeable (repo, num, mergeable);
        create table repos (repo, treeclosed);
        create table retry_log (repo, num, time, src, msg);
        insert into pull (repo, num, status, merge_sha, head_sha, head_ref, base_ref, approved_by,
                          priority, try_, try_choose, rollup, squash, delegate) values
          ('one', 1, 'well', 'm', '1111111111111111111111111111111111111111', null, 'main',
           'al ice', 'high', 7, x'ff', -3, 'yes', '<b>'),
          ('one', 2, 'pending', null, '2222222222222222222222222222222222222222', '', 'main',
           'alice', 11, 1, 'mac', null, null, null),
          ('one', 3, '', '', null, '', 'main', '', 0, 0, '', 0, 0, ''),
          ('one', 4, '', '', '4444444444444444444444444444444444444444', '', null, '', 0, 0, '', 0,
           0, ''),
          ('one', 5, '', '', '0000000000000000000000000000000000000000', '', 'main', '', 0, 0, '',
           0, 0, ''),
          ('one', 'six', '', '', '', '', '', '', 0, 0, '', 0, 0, ''),
          ('one', -7, '', '', '', '', '', '', 0, 0, '', 0, 0, ''),
          (null, null, null, null, null, null, null, null, null, null, null, null, null, null),
          (x'fffe', 1, '', '', '', '', '', '', 0, 0, '', 0, 0, ''),
          (x'1b5b33316d', 1, '', '', '', '', '', '', 0, 0, '', 0, 0, '');
        insert into build_res values ('one', 1, null, 'maybe', null, 'm'), ('one', null, 1, 1, 1, 1);
        insert into mergeable values ('one', 1, 'perhaps');
        insert into repos values ('one', 'ajar');
        insert into retry_log values ('one', 1, 'yesterday', 'a', 'b'), ('one', 1, null, null, null);
    ");
    insta::assert_snapshot!(place.import(), @r#"
    Homu wrote this file last at 2023-11-14 22:13:20 UTC. What was said on GitHub since then is acted on when the server starts.

    [repo.one]
      2 pulls: 2 taken over, 0 known here and completed, 0 already there.
      - 1 approval
      Not taken over:
      - a row whose num is ""
      - a row whose num is "six"
      - a row whose num is "-7"
      - #1: mergeable is "perhaps"
      - #1: try_ is "7"
      - #1: try_choose is "�"
      - #1: status is "well"
      - #1: approved_by is "al ice"
      - #1: delegate is "<b>"
      - #1: priority is "high"
      - #1: rollup is "-3"
      - #1: squash is "yes"
      - #1: res is "maybe"
      - #2: its priority 11 is above max_priority, 10
      - #2: its try is not wanted any more: no try_choosers of the configuration is "mac"
      - #3 as a whole, which the server reads from GitHub instead: head_sha is ""
      - #4 as a whole, which the server reads from GitHub instead: base_ref is ""
      - #5 as a whole, which the server reads from GitHub instead: head_sha is "0000000000000000000000000000000000000000"
      - a retry whose time is "yesterday"
      - a retry whose time is ""
      - whether the tree is closed: treeclosed is "ajar"

    Not in this file, and left as they are: [repo.two]

    Left out, because the configuration has no such repository:
      - [repo.]: 1 pull
      - [repo.\u{1b}[31m]: 1 pull

    Left out, because it cannot be read:
      - a row whose repo is "��"
    "#);
    let imported = place.imported();
    assert_eq!(imported.pulls.len(), 2);
    assert!(imported.pull(1).approval.value.is_none());
    assert!(imported.pull(2).standing_approval().is_some());
}

#[test]
fn a_file_without_configured_repositories_makes_no_database() {
    let place = Installation::new();
    place.homu(
        &[
            SERVO,
            "insert into pull (repo, num, status) values ('old', 1, '')",
        ]
        .concat(),
    );
    insta::assert_snapshot!(place.import(), @r"
    Homu wrote this file last at 2023-11-14 22:13:20 UTC. What was said on GitHub since then is acted on when the server starts.

    Nothing is taken over: none of the configured repositories is in it.

    Left out, because the configuration has no such repository:
      - [repo.old]: 1 pull
    ");
    assert!(!place.path("paprq.db").exists());
}

#[test]
fn what_a_server_uses_is_left_alone() {
    let place = Installation::new();
    place.homu(&[SERVO, PULLS].concat());
    let _server = engine::take_database(&place.path("paprq.db")).unwrap();
    let file = homu::read(&place.path("main.db")).unwrap();
    let error = import(&place.config, &place.path("paprq.db"), &file).unwrap_err();
    assert!(
        format!("{error:#}").contains("another server uses it"),
        "{error:#}"
    );
    assert!(!place.path("paprq.db").exists());
}

#[test]
fn the_server_is_to_read_what_was_said_since_homu_wrote_last() {
    let place = Installation::new();
    place.homu(&[SERVO, PULLS].concat());
    place.import();
    let mark = |place: &Installation| {
        let store = Store::open(&place.path("paprq.db")).unwrap();
        let label = RepoLabel::new("one");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mark = runtime.block_on(store.watermark(&label)).unwrap();
        (mark, runtime, store, label)
    };
    let (first, runtime, store, label) = mark(&place);
    let written_at = Timestamp(1_700_000_000_000);
    assert_eq!(
        (first.known_since, first.synced_at),
        (written_at, Some(written_at))
    );
    // What a server has read by itself stays read.
    let later = Timestamp(1_800_000_000_000);
    runtime
        .block_on(store.set_synced_at(&label, later))
        .unwrap();
    place.import();
    assert_eq!(mark(&place).0.synced_at, Some(later));
}
