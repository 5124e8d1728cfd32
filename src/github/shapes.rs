//! GitHub's objects as far as we read them, and what they are in the queue's words.
//!
//! Webhooks and REST answers share them. Everything that can be done without may be missing or
//! null; unknown fields are skipped without being kept.

use serde::{Deserialize, Deserializer};

use super::writes::StatusState;
use crate::clock;
use paprq_core::ids::{BranchName, CommitId, Login, PullNumber, Timestamp, is_same_name};
use paprq_core::queue::event::{
    Comment, CommentKey, CommentSort, Event, HeadRepo, PullFacts, PullState, Verdict,
};
use paprq_core::queue::reports::{Attempt, CheckRunSeen, CheckRunVerdict, StatusOrder};

/// How GitHub's pages call accounts that were deleted.
const DELETED_ACCOUNT: &str = "ghost";

/// What GitHub itself calls a status that was set without a context.
const NO_CONTEXT: &str = "default";

/// An account.
#[derive(Clone, Deserialize)]
pub(super) struct User {
    login: Option<String>,
}

impl User {
    pub(super) fn into_login(self) -> Option<Login> {
        self.login.map(Login::new)
    }
}

fn login(user: Option<User>) -> Login {
    user.and_then(User::into_login)
        .unwrap_or_else(|| Login::new(DELETED_ACCOUNT))
}

/// A pull request, whole or as a list shows it.
#[derive(Deserialize)]
pub(super) struct Pull {
    number: u64,
    title: Option<String>,
    body: Option<String>,
    user: Option<User>,
    state: Option<String>,
    merged: Option<bool>,
    #[serde(default, deserialize_with = "moment")]
    merged_at: Option<Timestamp>,
    draft: Option<bool>,
    head: Head,
    base: Base,
    mergeable: Option<bool>,
    labels: Option<Vec<Label>>,
    #[serde(default, deserialize_with = "moment")]
    updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Label {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default, deserialize_with = "commit")]
    sha: Option<CommitId>,
    #[serde(rename = "ref")]
    branch: Option<String>,
    label: Option<String>,
    user: Option<User>,
    repo: Option<Repo>,
}

#[derive(Clone, Deserialize)]
struct Repo {
    id: Option<u64>,
    owner: Option<User>,
    #[serde(default, deserialize_with = "moment_or_number")]
    pushed_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Base {
    #[serde(rename = "ref")]
    branch: String,
    user: Option<User>,
    repo: Option<Repo>,
}

impl Pull {
    /// How it stands. Where the server does not say since when, it is taken to be since now.
    pub(super) fn facts(self) -> PullFacts {
        let author = login(self.user);
        let merged = self.merged.unwrap_or(false) || self.merged_at.is_some();
        let state = match self.state.as_deref() {
            _ if merged => PullState::Merged,
            Some("closed") => PullState::Closed,
            _ => PullState::Open,
        };
        PullFacts {
            number: PullNumber(self.number),
            title: cut(self.title, TITLE_BYTES_MAX),
            body: cut(self.body, TEXT_BYTES_MAX),
            state,
            draft: self.draft.unwrap_or(false),
            head: self.head.sha.unwrap_or(CommitId::ZERO),
            head_repo: self.head.repo(&self.base),
            pushed_at: self.head.repo.as_ref().and_then(|repo| repo.pushed_at),
            head_label: self.head.label(&author),
            author,
            base: BranchName::new(self.base.branch),
            mergeable: self.mergeable,
            labels: self
                .labels
                .unwrap_or_default()
                .into_iter()
                .filter_map(|label| label.name)
                .collect(),
            updated_at: self
                .updated_at
                .unwrap_or_else(|| whole_seconds(clock::now())),
        }
    }
}

impl Head {
    /// Whose repository it is in. Repositories are told apart by their ids; where one is gone or
    /// not told, by their owners.
    fn repo(&self, base: &Base) -> HeadRepo {
        let owner_of = |repo: &Option<Repo>, user: &Option<User>| {
            let owner = repo.as_ref().and_then(|repo| repo.owner.clone());
            owner.or_else(|| user.clone()).and_then(User::into_login)
        };
        let id_of = |repo: &Option<Repo>| repo.as_ref().and_then(|repo| repo.id);
        let (owner, base_owner) = (
            owner_of(&self.repo, &self.user),
            owner_of(&base.repo, &base.user),
        );
        let is_base = match (id_of(&self.repo), id_of(&base.repo)) {
            (Some(id), Some(base_id)) => id == base_id,
            (None, _) | (_, None) => owner.is_some() && owner == base_owner,
        };
        match owner {
            _ if is_base => HeadRepo::Base,
            Some(owner) => HeadRepo::Of(owner),
            None => HeadRepo::Unsaid,
        }
    }

    /// `OWNER:BRANCH`, also where the fork or its owner is gone.
    fn label(self, author: &Login) -> String {
        if let Some(label) = self.label {
            return label;
        }
        let owner = self
            .repo
            .and_then(|repo| repo.owner)
            .or(self.user)
            .and_then(User::into_login);
        format!(
            "{}:{}",
            owner.as_ref().unwrap_or(author),
            self.branch.unwrap_or_default()
        )
    }
}

/// The most that GitHub takes as a text, 65,536 characters, in bytes.
const TEXT_BYTES_MAX: usize = 65_536 * 4;

/// The most that GitHub takes as a title, 256 characters, in bytes.
const TITLE_BYTES_MAX: usize = 256 * 4;

/// A text without what GitHub would not have taken: a signed body may still hold more, and what it
/// says is kept for long.
fn cut(text: Option<String>, bytes_max: usize) -> String {
    let mut text = text.unwrap_or_default();
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max));
        text.shrink_to_fit();
    }
    text
}

/// A comment of any of GitHub's three sorts.
#[derive(Deserialize)]
pub(super) struct Remark {
    id: u64,
    user: Option<User>,
    body: Option<String>,
    state: Option<String>,
    #[serde(default, deserialize_with = "commit")]
    commit_id: Option<CommitId>,
    #[serde(default, deserialize_with = "moment")]
    created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    submitted_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    updated_at: Option<Timestamp>,
    html_url: Option<String>,
    issue_url: Option<String>,
    pull_request_url: Option<String>,
}

impl Remark {
    /// The pull that it is on, where that can be told from its addresses.
    pub(super) fn pull(&self) -> Option<PullNumber> {
        let on_issue = self
            .html_url
            .as_ref()
            .is_some_and(|url| url.contains("/issues/"));
        let url = self.pull_request_url.as_ref().or(self.issue_url.as_ref())?;
        let number = url.rsplit('/').next()?.parse().ok()?;
        (!on_issue).then_some(PullNumber(number))
    }

    /// Whether nobody but its author sees it yet.
    pub(super) fn is_pending(&self) -> bool {
        self.state
            .as_ref()
            .is_some_and(|state| state.eq_ignore_ascii_case("pending"))
    }

    /// Whether its text may be another than when it was made: then it gives no commands, as
    /// nobody can tell which it gave. Only of the conversation can that be known: what is said on
    /// a line is dated when it was begun, and reviews do not say when they were changed.
    pub(super) fn is_edited(&self, sort: CommentSort) -> bool {
        sort == CommentSort::Issue && self.updated_at > self.created_at
    }

    /// The same in the queue's words.
    pub(super) fn comment(self, sort: CommentSort) -> Comment {
        Comment {
            key: CommentKey {
                at: self.submitted_at.or(self.created_at).unwrap_or_default(),
                id: self.id,
                sort,
            },
            author: login(self.user),
            standing: None,
            body: cut(self.body, TEXT_BYTES_MAX),
            commit: self.commit_id,
            url: self.html_url.unwrap_or_default(),
        }
    }
}

/// A commit status.
#[derive(Deserialize)]
pub(super) struct Status {
    context: Option<String>,
    state: String,
    target_url: Option<String>,
    id: Option<u64>,
    #[serde(default, deserialize_with = "moment")]
    updated_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    created_at: Option<Timestamp>,
}

impl Status {
    /// Whether it is about this.
    pub(super) fn is_of(&self, context: &str) -> bool {
        is_same_name(self.context.as_deref().unwrap_or(NO_CONTEXT), context)
    }

    /// What it says, in GitHub's own four words.
    pub(super) fn state(&self) -> Option<StatusState> {
        match self.state.as_str() {
            "pending" => Some(StatusState::Pending),
            "success" => Some(StatusState::Success),
            "failure" => Some(StatusState::Failure),
            "error" => Some(StatusState::Error),
            _ => None,
        }
    }

    /// The same in the queue's words.
    pub(super) fn reported(self, commit: CommitId) -> Event {
        let order = self.order();
        Event::StatusReported {
            commit,
            order,
            context: self.context.unwrap_or_else(|| NO_CONTEXT.to_owned()),
            verdict: match self.state.as_str() {
                "success" => Verdict::Passed,
                "pending" => Verdict::Pending,
                _ => Verdict::Failed,
            },
            url: self.target_url.filter(|url| !url.is_empty()),
        }
    }

    fn order(&self) -> Option<StatusOrder> {
        let at = self.updated_at.or(self.created_at);
        (at.is_some() || self.id.is_some()).then(|| StatusOrder {
            at: at.unwrap_or_default(),
            id: self.id.unwrap_or_default(),
        })
    }
}

/// A check run.
#[derive(Deserialize)]
pub(super) struct CheckRun {
    id: Option<u64>,
    name: String,
    status: Option<String>,
    conclusion: Option<String>,
    details_url: Option<String>,
    html_url: Option<String>,
    app: Option<Numbered>,
    check_suite: Option<Numbered>,
    #[serde(default, deserialize_with = "moment")]
    started_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    completed_at: Option<Timestamp>,
}

/// Something of which only the number matters.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Numbered {
    id: u64,
}

impl CheckRun {
    /// The same in the queue's words.
    pub(super) fn reported(self, commit: CommitId) -> Event {
        let (verdict, attempt) = (self.verdict(), self.attempt());
        Event::CheckRunReported {
            commit,
            verdict,
            attempt,
            url: self.url(),
            name: self.name,
        }
    }

    /// The same as part of a list, in which each has its number.
    pub(super) fn seen(self) -> Option<CheckRunSeen> {
        let (verdict, attempt) = (self.verdict(), self.attempt()?);
        Some(CheckRunSeen {
            verdict,
            attempt,
            url: self.url(),
            name: self.name,
        })
    }

    /// `status` and `conclusion` as GitHub has them for required checks.
    fn verdict(&self) -> CheckRunVerdict {
        if self.status.as_deref().unwrap_or("completed") != "completed" {
            return CheckRunVerdict::Pending;
        }
        match self.conclusion.as_deref() {
            None => CheckRunVerdict::Pending,
            Some("success") => CheckRunVerdict::Passed,
            Some("neutral") => CheckRunVerdict::Neutral,
            Some("skipped") => CheckRunVerdict::Skipped,
            Some(_) => CheckRunVerdict::Failed,
        }
    }

    fn attempt(&self) -> Option<Attempt> {
        let number = |of: Option<Numbered>| of.map_or(0, |of| of.id);
        Some(Attempt {
            app: number(self.app),
            suite: number(self.check_suite),
            id: self.id?,
            started_at: self.started_at,
            completed_at: self.completed_at,
        })
    }

    fn url(&self) -> Option<String> {
        let url = self.details_url.as_ref().or(self.html_url.as_ref());
        url.filter(|url| !url.is_empty()).cloned()
    }
}

/// A check suite.
#[derive(Deserialize)]
pub(super) struct CheckSuite {
    pub(super) id: u64,
    status: Option<String>,
}

impl CheckSuite {
    /// Whether every check run of it is completed.
    pub(super) fn is_completed(&self) -> bool {
        self.status.as_deref() == Some("completed")
    }
}

/// What a ref points at.
#[derive(Deserialize)]
pub(super) struct Ref {
    /// The object.
    pub(super) object: RefObject,
}

/// An object that a ref points at.
#[derive(Deserialize)]
pub(super) struct RefObject {
    /// Its id.
    pub(super) sha: CommitId,
}

/// Reads a commit id; null and empty are none.
pub(super) fn commit<'de, D: Deserializer<'de>>(input: D) -> Result<Option<CommitId>, D::Error> {
    let text = Option::<String>::deserialize(input)?.filter(|text| !text.is_empty());
    text.map(|text| text.parse().map_err(serde::de::Error::custom))
        .transpose()
}

fn moment<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Timestamp>, D::Error> {
    let moment = Option::<jiff::Timestamp>::deserialize(input)?;
    Ok(moment.map(|moment| whole_seconds(Timestamp(moment.as_millisecond()))))
}

/// Of repositories, webhooks of pushes give this moment as a number of seconds.
fn moment_or_number<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Timestamp>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Moment {
        Seconds(i64),
        Date(jiff::Timestamp),
    }
    let moment = Option::<Moment>::deserialize(input)?;
    Ok(moment.map(|moment| match moment {
        Moment::Seconds(seconds) => Timestamp(seconds.saturating_mul(1000)),
        Moment::Date(date) => whole_seconds(Timestamp(date.as_millisecond())),
    }))
}

/// GitHub counts in whole seconds; servers that do not are made to.
fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(1000).saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(json: &str) -> PullFacts {
        serde_json::from_str::<Pull>(json).unwrap().facts()
    }

    #[test]
    fn a_pull_of_a_deleted_fork_and_account_is_still_read() {
        let facts = facts(
            r#"{"number": 7, "title": "T", "body": null, "user": null, "state": "open",
                "head": {"sha": "0000000000000000000000000000000000000000", "ref": "fix",
                         "label": null, "user": null, "repo": null},
                "base": {"ref": "main"}, "mergeable": null, "updated_at": "2024-01-02T03:04:05Z"}"#,
        );
        insta::assert_debug_snapshot!(facts, @r#"
        PullFacts {
            number: PullNumber(
                7,
            ),
            title: "T",
            body: "",
            author: Login(
                "ghost",
            ),
            state: Open,
            draft: false,
            head: 0000000,
            head_label: "ghost:fix",
            head_repo: Unsaid,
            pushed_at: None,
            base: BranchName(
                "main",
            ),
            mergeable: None,
            labels: [],
            updated_at: Timestamp(
                1704164645000,
            ),
        }
        "#);
    }

    #[test]
    fn the_heads_label_is_made_up_from_its_owner_where_it_is_missing() {
        let pull = |head: &str| {
            facts(&format!(
                r#"{{"number": 7, "user": {{"login": "ann"}}, "head": {head}, "base": {{"ref": "main"}}}}"#
            ))
            .head_label
        };
        let by_repo = r#"{"ref": "x", "user": {"login": "a"}, "repo": {"owner": {"login": "b"}}}"#;
        assert_eq!(pull(by_repo), "b:x");
        assert_eq!(pull(r#"{"ref": "x", "user": {"login": "a"}}"#), "a:x");
        assert_eq!(pull(r#"{"ref": "x"}"#), "ann:x");
        assert_eq!(pull(r#"{"ref": "x", "label": "o:y"}"#), "o:y");
    }

    #[test]
    fn the_heads_repository_is_told_from_the_base_by_its_id_or_else_by_its_owner() {
        let told = |head: &str, base: &str| {
            facts(&format!(
                r#"{{"number": 7, "head": {{"ref": "x", {head}}}, "base": {{"ref": "main", {base}}}}}"#
            ))
            .head_repo
        };
        let repo = |id: &str, owner: &str| {
            format!(r#""repo": {{"id": {id}, "owner": {{"login": "{owner}"}}}}"#)
        };
        assert_eq!(told(&repo("1", "o"), &repo("1", "o")), HeadRepo::Base);
        let fork = HeadRepo::Of(Login::new("o"));
        assert_eq!(told(&repo("2", "o"), &repo("1", "o")), fork);
        let gone = r#""repo": null, "user": {"login": "o"}"#;
        assert_eq!(told(gone, &repo("1", "p")), fork);
        assert_eq!(told(gone, &repo("1", "o")), HeadRepo::Base);
        let nobody = r#""repo": null, "user": null"#;
        assert_eq!(told(nobody, &repo("1", "o")), HeadRepo::Unsaid);
    }

    #[test]
    fn a_pull_is_merged_by_either_sign_and_closed_only_without() {
        let state = |fields: &str| {
            facts(&format!(
                r#"{{"number": 7, "head": {{}}, "base": {{"ref": "main"}}, {fields}}}"#
            ))
            .state
        };
        assert_eq!(state(r#""state": "open""#), PullState::Open);
        assert_eq!(state(r#""state": "closed""#), PullState::Closed);
        let flag = r#""state": "closed", "merged": true"#;
        assert_eq!(state(flag), PullState::Merged);
        let date = r#""state": "closed", "merged_at": "2024-01-02T03:04:05Z""#;
        assert_eq!(state(date), PullState::Merged);
    }

    #[test]
    fn a_pull_without_a_date_is_as_of_now() {
        let before = whole_seconds(clock::now());
        let facts = facts(r#"{"number": 7, "head": {}, "base": {"ref": "main"}}"#);
        assert!(facts.updated_at >= before && facts.updated_at <= clock::now());
    }

    #[test]
    fn dates_are_cut_to_whole_seconds_also_before_the_epoch() {
        assert_eq!(whole_seconds(Timestamp(1999)), Timestamp(1000));
        assert_eq!(whole_seconds(Timestamp(-1)), Timestamp(-1000));
    }

    #[test]
    fn a_check_run_says_what_github_says_and_only_success_is_passed() {
        let verdict = |status: &str, conclusion: &str| {
            let json =
                format!(r#"{{"name": "ci", "status": "{status}", "conclusion": {conclusion}}}"#);
            let run: CheckRun = serde_json::from_str(&json).unwrap();
            run.verdict()
        };
        let pending = CheckRunVerdict::Pending;
        assert_eq!(verdict("queued", "null"), pending);
        assert_eq!(verdict("in_progress", "\"success\""), pending);
        assert_eq!(verdict("completed", "null"), pending);
        for (conclusion, said) in [
            ("success", CheckRunVerdict::Passed),
            ("neutral", CheckRunVerdict::Neutral),
            ("skipped", CheckRunVerdict::Skipped),
            ("failure", CheckRunVerdict::Failed),
            ("cancelled", CheckRunVerdict::Failed),
            ("timed_out", CheckRunVerdict::Failed),
            ("action_required", CheckRunVerdict::Failed),
            ("stale", CheckRunVerdict::Failed),
        ] {
            assert_eq!(verdict("completed", &format!("\"{conclusion}\"")), said);
        }
    }
}
