//! What can be asked about one repository.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::Deserialize;
use url::Url;

use super::answer::Answer;
use super::call::{GitHub, Question};
use super::error::ApiError;
use super::identity::Identity;
use super::ledger::Value;
use super::listing::Page;
use super::pages::{link, paged};
use super::shapes::{CheckRun, CheckSuite, Pull, Ref, Remark, Status};
use super::slug::Slug;
use super::writes::StatusState;
use paprq_core::ids::{BranchName, CommitId, Login, PullNumber, Timestamp};
use paprq_core::queue::event::{Comment, CommentSort, Event, PullFacts};
use paprq_core::queue::reports::CheckRunSeen;

/// A repository on GitHub. Clones share what they remember of lists that were read before.
#[derive(Clone)]
pub struct Repo {
    pub(super) github: GitHub,
    /// Its name now; the same for all clones.
    name: Arc<RwLock<Slug>>,
    pub(super) value: Value,
    /// What the list of open pulls was when it was last read.
    pub(super) listed: Arc<Mutex<Vec<Page>>>,
}

/// Which of GitHub's three sorts of comments are asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sorts {
    /// Only those in the conversation: one call per hundred.
    Conversation,
    /// Reviews and comments on lines as well: three calls or more.
    All,
}

/// A comment and where it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PullComment {
    /// On which pull.
    pub pull: PullNumber,
    /// The comment.
    pub comment: Comment,
}

impl Repo {
    pub(super) fn new(github: GitHub, slug: Slug) -> Self {
        Self {
            github,
            name: Arc::new(RwLock::new(slug)),
            value: Value::Visible,
            listed: Arc::default(),
        }
    }

    /// The same repository for calls of another value.
    #[must_use]
    pub fn at(&self, value: Value) -> Self {
        Self {
            value,
            ..self.clone()
        }
    }

    /// Its name.
    pub fn slug(&self) -> Slug {
        let name = self.name.read();
        name.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on it is called so.
    pub fn rename(&self, slug: Slug) {
        *self.name.write().unwrap_or_else(PoisonError::into_inner) = slug;
    }

    /// Something else than GitHub's answers says that it was renamed.
    pub fn doubt_name(&self) {
        self.github.doubt();
    }

    /// Waits until GitHub sends a call on to another address, or the name is in doubt.
    pub async fn moved(&self) {
        self.github.moved().await;
    }

    /// By which number GitHub knows the repository, and how it is called now.
    ///
    /// # Errors
    ///
    /// [`ApiError::Gone`] where there is none of this name.
    pub async fn identity(&self) -> Result<Identity, ApiError> {
        self.github.get(self.url(&[]), self.value).await
    }

    /// How a pull stands now.
    ///
    /// # Errors
    ///
    /// [`ApiError::Gone`] where there is none of this number.
    pub async fn pull(&self, number: PullNumber) -> Result<PullFacts, ApiError> {
        let url = self.url(&["pulls", &number.to_string()]);
        let pull: Pull = self.github.get(url, self.value).await?;
        Ok(pull.facts())
    }

    /// The comments of a pull, oldest first; only those made at or after `since`, by GitHub's
    /// clock, where that is given. (Reviews cannot be asked for by time: all of them are given.)
    /// Those of the conversation that were edited are left out.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn comments(
        &self,
        number: PullNumber,
        sorts: Sorts,
        since: Option<Timestamp>,
    ) -> Result<Vec<Comment>, ApiError> {
        let number = number.to_string();
        let conversation = ["issues", &number, "comments"];
        let mut comments = self
            .remarks(&conversation, since, CommentSort::Issue)
            .await?;
        if sorts == Sorts::All {
            let reviews = ["pulls", &number, "reviews"];
            comments.extend(self.remarks(&reviews, None, CommentSort::Review).await?);
            let lines = ["pulls", &number, "comments"];
            let lines = self.remarks(&lines, since, CommentSort::ReviewComment);
            comments.extend(lines.await?);
        }
        comments.sort_by_key(|comment| comment.key);
        Ok(comments)
    }

    /// All comments, on whichever pull, that were made at or after `since`, by GitHub's clock;
    /// oldest first and without those of conversations that were edited. Two calls per hundred, however many pulls there are. Reviews are not among
    /// them: GitHub lists those by pull only.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn comments_since(&self, since: Timestamp) -> Result<Vec<PullComment>, ApiError> {
        let mut comments = Vec::new();
        for (of, sort) in [
            ("issues", CommentSort::Issue),
            ("pulls", CommentSort::ReviewComment),
        ] {
            let url = since_then(paged(self.url(&[of, "comments"])), Some(since));
            let pages: Vec<Vec<Remark>> = self.github.pages(url, self.value).await?;
            let remarks = pages.into_iter().flatten();
            let remarks = remarks.filter(|remark| !remark.is_edited(sort));
            comments.extend(remarks.filter_map(|remark| {
                let pull = remark.pull()?;
                let comment = remark.comment(sort);
                Some(PullComment { pull, comment })
            }));
        }
        comments.sort_by_key(|found| found.comment.key);
        Ok(comments)
    }

    /// Whether `author` wrote a comment that contains `marker` on a pull, at or after `since` by
    /// GitHub's clock. The newest comments are looked at first.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn has_comment_with(
        &self,
        number: PullNumber,
        author: &Login,
        marker: &str,
        since: Timestamp,
    ) -> Result<bool, ApiError> {
        let url = paged(self.url(&["issues", &number.to_string(), "comments"]));
        let first = since_then(url, Some(since));
        let has = |remarks: Vec<Remark>| {
            let mut comments = remarks
                .into_iter()
                .map(|remark| remark.comment(CommentSort::Issue));
            comments.any(|comment| comment.author == *author && comment.body.contains(marker))
        };
        // Only the first page tells where the last one is.
        let answer = self.question(first.clone()).await?;
        if has(answer.parse()?) {
            return Ok(true);
        }
        let mut next = link(&answer.headers, "last", &first);
        while let Some(url) = next {
            let answer = self.question(url.clone()).await?;
            if has(answer.parse()?) {
                return Ok(true);
            }
            let start = link(&answer.headers, "first", &url);
            next = link(&answer.headers, "prev", &url).filter(|page| Some(page) != start.as_ref());
        }
        Ok(false)
    }

    /// The statuses of a commit, the newest of each context, as the facts that webhooks would tell.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn statuses(&self, commit: CommitId) -> Result<Vec<Event>, ApiError> {
        let url = paged(self.url(&["commits", &commit.to_string(), "status"]));
        let pages: Vec<StatusPage> = self.github.pages(url, self.value).await?;
        let statuses = pages.into_iter().flat_map(|page| page.statuses);
        Ok(statuses.map(|status| status.reported(commit)).collect())
    }

    /// What the newest status of a context says of a commit; none where there is none.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn status_of(
        &self,
        commit: CommitId,
        context: &str,
    ) -> Result<Option<StatusState>, ApiError> {
        let url = paged(self.url(&["commits", &commit.to_string(), "status"]));
        let pages: Vec<StatusPage> = self.github.pages(url, self.value).await?;
        let mut statuses = pages.iter().flat_map(|page| &page.statuses);
        let newest = statuses.find(|status| status.is_of(context));
        Ok(newest.and_then(Status::state))
    }

    /// The check runs of a commit, of whatever name: of those that were repeated the latest.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn check_runs(&self, commit: CommitId) -> Result<Vec<CheckRunSeen>, ApiError> {
        let url = paged(self.url(&["commits", &commit.to_string(), "check-runs"]));
        let pages: Vec<CheckRunPage> = self.github.pages(url, self.value).await?;
        let runs = pages.into_iter().flat_map(|page| page.check_runs);
        Ok(runs.filter_map(CheckRun::seen).collect())
    }

    /// The check suites of a commit of which every check run is completed, by their numbers.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn completed_check_suites(&self, commit: CommitId) -> Result<Vec<u64>, ApiError> {
        let url = paged(self.url(&["commits", &commit.to_string(), "check-suites"]));
        let pages: Vec<CheckSuitePage> = self.github.pages(url, self.value).await?;
        let suites = pages.into_iter().flat_map(|page| page.check_suites);
        let completed = suites.filter(CheckSuite::is_completed);
        Ok(completed.map(|suite| suite.id).collect())
    }

    /// Where a branch is; none if it does not exist.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn branch_tip(&self, branch: &BranchName) -> Result<Option<CommitId>, ApiError> {
        let url = self.branch_url("ref", branch);
        match self.github.get::<Ref>(url, self.value).await {
            Ok(reference) => Ok(Some(reference.object.sha)),
            Err(ApiError::Gone) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether somebody may write to the repository.
    ///
    /// Being a collaborator, which is all that Homu asks, is not enough: in an organisation each
    /// member may be one who can only read. It is asked for where a server does not say more.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn may_write(&self, login: &Login) -> Result<bool, ApiError> {
        // As segments of an address these would lead elsewhere; nobody is called so.
        if matches!(login.as_str(), "" | "." | "..") {
            return Ok(false);
        }
        let collaborator = self.url(&["collaborators", login.as_str()]);
        let permission = self.url(&["collaborators", login.as_str(), "permission"]);
        match self.github.get::<Permission>(permission, self.value).await {
            Ok(granted) => return Ok(granted.may_write()),
            Err(ApiError::Gone) => {}
            Err(error) => return Err(error),
        }
        match self.question(collaborator).await {
            Ok(_) => Ok(true),
            Err(ApiError::Gone) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Repo {
    /// The address of something of this repository.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let slug = self.slug();
        let mut all = vec!["repos", slug.owner(), slug.name()];
        all.extend(segments);
        self.github.url(&all)
    }

    /// The address of a branch below `git/ref` (to ask) or `git/refs` (to order).
    pub(super) fn branch_url(&self, below: &str, branch: &BranchName) -> Url {
        let mut segments = vec!["git", below, "heads"];
        segments.extend(branch.as_str().split('/'));
        self.url(&segments)
    }

    async fn question(&self, url: Url) -> Result<Answer, ApiError> {
        self.github.read(&Question::new(url, self.value)).await
    }

    async fn remarks(
        &self,
        segments: &[&str],
        since: Option<Timestamp>,
        sort: CommentSort,
    ) -> Result<Vec<Comment>, ApiError> {
        let url = since_then(paged(self.url(segments)), since);
        let pages: Vec<Vec<Remark>> = self.github.pages(url, self.value).await?;
        let remarks = pages.into_iter().flatten();
        let comments = remarks.filter(|remark| !remark.is_pending() && !remark.is_edited(sort));
        Ok(comments
            .map(|remark| remark.comment(sort))
            .filter(|comment| sort != CommentSort::Review || !comment.body.is_empty())
            .collect())
    }
}

/// Asks only for what changed at or after a moment.
fn since_then(mut url: Url, since: Option<Timestamp>) -> Url {
    let since = since.and_then(|since| jiff::Timestamp::from_millisecond(since.0).ok());
    if let Some(since) = since {
        let text = since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        url.query_pairs_mut().append_pair("since", &text);
    }
    url
}

#[derive(Deserialize)]
struct StatusPage {
    statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct CheckRunPage {
    check_runs: Vec<CheckRun>,
}

#[derive(Deserialize)]
struct CheckSuitePage {
    check_suites: Vec<CheckSuite>,
}

#[derive(Deserialize)]
struct Permission {
    permission: String,
}

impl Permission {
    fn may_write(&self) -> bool {
        matches!(self.permission.as_str(), "admin" | "maintain" | "write")
    }
}
