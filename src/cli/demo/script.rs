//! The story that `paprq demo --script` plays. Each step waits until what must come has come.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::say;
use paprq_core::ids::{CommitId, PullNumber};
use paprq_practice::{Practice, PullState, Sample, StatusState};

/// How long a step may take: the slowest suite of the story needs a second.
const STEP: Duration = Duration::from_secs(120);

/// Plays the story; an error says what did not come out as it must.
pub(super) async fn play(practice: &Practice, sample: &Sample) -> anyhow::Result<()> {
    let story = Story { practice, sample };
    story.good_pull_lands().await?;
    story.failing_pull_is_mended().await?;
    story.retry_after_a_push_to_the_base().await?;
    story.conflicting_pull_is_told_to_rebase().await?;
    story.try_never_lands().await?;
    say("\nThe base branch ended where it must.");
    Ok(())
}

struct Story<'a> {
    practice: &'a Practice,
    sample: &'a Sample,
}

impl Story<'_> {
    async fn good_pull_lands(&self) -> anyhow::Result<()> {
        let pull = self.sample.good;
        self.chapter(pull, "is good: approved, tested as merged, landed");
        let before = self.base()?;
        self.comment(pull, "r+")?;
        self.lands(pull, before).await
    }

    async fn failing_pull_is_mended(&self) -> anyhow::Result<()> {
        let pull = self.sample.failing;
        self.chapter(pull, "fails, says why, and lands once it is mended");
        let before = self.base()?;
        self.comment(pull, "r+")?;
        self.hears(pull, ":broken_heart: Test failed", 1).await?;
        self.queue_says(pull, StatusState::Failure).await?;
        self.base_is(before)?;
        let Sample { repo, author, .. } = *self.sample;
        self.practice.push_prepared(repo, pull, author)?;
        say("    the fix is pushed");
        // Nobody looks at a push and approves it within the same second, but this does: it says
        // which commit it means.
        let seen = self.practice.pull(repo, pull);
        let mended = seen.context("the pull vanished")?.head;
        self.comment(pull, &format!("r+ {mended}"))?;
        self.lands(pull, before).await
    }

    async fn retry_after_a_push_to_the_base(&self) -> anyhow::Result<()> {
        let Sample {
            repo,
            branch,
            author,
            reviewer,
            ..
        } = *self.sample;
        let test = "test -e settings.conf || { echo 'settings.conf is missing'; exit 1; }\n";
        self.practice.commit(
            repo,
            "settings",
            [("tests/unit/settings.sh", test)],
            "Test the settings",
            author,
        )?;
        let pull = self.practice.open_pull(
            repo,
            "settings",
            branch,
            "Test the settings",
            "Needs settings.conf, which somebody else brings.",
            author,
        )?;
        self.chapter(
            pull,
            "needs something of the base branch: `retry` tests it anew",
        );
        self.comment(pull, "r+")?;
        self.hears(pull, ":broken_heart: Test failed", 1).await?;
        let fixed = self.practice.commit(
            repo,
            branch,
            [("settings.conf", "colour = blue\n")],
            "Bring the settings",
            reviewer,
        )?;
        say("    what it needs is pushed to the base branch");
        self.comment(pull, "retry")?;
        self.lands(pull, fixed).await
    }

    async fn conflicting_pull_is_told_to_rebase(&self) -> anyhow::Result<()> {
        let pull = self.sample.conflicting;
        self.chapter(pull, "conflicts, and is told to rebase");
        let before = self.base()?;
        self.comment(pull, "r+")?;
        self.hears(pull, ":lock: Merge conflict", 1).await?;
        self.queue_says(pull, StatusState::Error).await?;
        self.base_is(before)
    }

    async fn try_never_lands(&self) -> anyhow::Result<()> {
        let pull = self.sample.unapproved;
        self.chapter(pull, "is tried, which never lands");
        let before = self.base()?;
        self.comment(pull, "try")?;
        self.hears(pull, ":sunny: Try build successful", 1).await?;
        self.queue_says(pull, StatusState::Success).await?;
        self.base_is(before)?;
        ensure!(
            self.state(pull)? == PullState::Open,
            "#{pull} must still be open"
        );
        Ok(())
    }

    fn chapter(&self, pull: PullNumber, what: &str) {
        let title = self.practice.pull(self.sample.repo, pull);
        let title = title.map(|pull| pull.title).unwrap_or_default();
        say(&format!("\n#{pull} \"{title}\" {what}"));
    }

    fn comment(&self, pull: PullNumber, command: &str) -> anyhow::Result<()> {
        let Sample {
            repo,
            bot,
            reviewer,
            ..
        } = *self.sample;
        let text = format!("@{bot} {command}");
        self.practice.comment(repo, pull, reviewer, &text)?;
        say(&format!("    {reviewer}: {text}"));
        Ok(())
    }

    /// Waits for a comment of the bot that begins so.
    async fn hears(
        &self,
        pull: PullNumber,
        beginning: &str,
        times: usize,
    ) -> anyhow::Result<String> {
        let Sample { repo, bot, .. } = *self.sample;
        let heard = self.practice.wait_for(STEP, |practice| {
            let comments = practice.comments(repo, pull);
            let mut fitting = comments
                .into_iter()
                .filter(|said| said.author.as_str() == bot && said.body.starts_with(beginning));
            fitting.nth(times - 1)
        });
        let heard = heard
            .await
            .with_context(|| format!("#{pull}: no comment {beginning:?}"))?;
        say(&format!("    {bot}: {}", shown(&heard.body)));
        Ok(heard.body)
    }

    /// Waits until the pull is merged, and looks whether everything is as it must be.
    async fn lands(&self, pull: PullNumber, before: CommitId) -> anyhow::Result<()> {
        let repo = self.sample.repo;
        let merged = self.practice.wait_until(STEP, |practice| {
            practice
                .pull(repo, pull)
                .is_some_and(|pull| pull.state == PullState::Merged)
        });
        merged
            .await
            .with_context(|| format!("#{pull} was not merged"))?;
        let tip = self.base()?;
        let tested = self.practice.branch(repo, "auto")?;
        ensure!(
            tested == Some(tip),
            "the base is at {tip}, tested was {tested:?}"
        );
        let seen = self.practice.pull(repo, pull);
        let head = seen.context("the pull vanished")?.head;
        let parents = self.practice.parents(repo, tip)?;
        ensure!(
            parents == [before, head],
            "the merge's parents are {parents:?}"
        );
        for context in ["lint", "unit"] {
            let passed = self.practice.wait_until(STEP, |practice| {
                let status = practice.status(repo, tip, context);
                status.is_some_and(|status| status.state == StatusState::Success)
            });
            passed
                .await
                .with_context(|| format!("the suite {context} has not passed on {tip}"))?;
        }
        self.hears(pull, ":sunny: Test successful", 1).await?;
        self.queue_says(pull, StatusState::Success).await?;
        say(&format!(
            "    {} is now at {}, exactly the tested commit",
            self.sample.branch,
            tip.short()
        ));
        Ok(())
    }

    /// Waits until the queue's own status on the pull's head says so.
    async fn queue_says(&self, pull: PullNumber, wanted: StatusState) -> anyhow::Result<()> {
        let repo = self.sample.repo;
        let head = self.practice.pull(repo, pull).map(|pull| pull.head);
        let head = head.context("the pull vanished")?;
        let said = self.practice.wait_for(STEP, |practice| {
            let status = practice.status(repo, head, "homu");
            status.filter(|status| status.state == wanted)
        });
        let said = said
            .await
            .with_context(|| format!("#{pull}: no status {wanted:?} on its head"))?;
        let words = said.description.unwrap_or_default();
        say(&format!("    status homu: {words}"));
        Ok(())
    }

    fn state(&self, pull: PullNumber) -> anyhow::Result<PullState> {
        let seen = self.practice.pull(self.sample.repo, pull);
        Ok(seen.context("the pull vanished")?.state)
    }

    fn base(&self) -> anyhow::Result<CommitId> {
        self.practice
            .branch(self.sample.repo, self.sample.branch)?
            .context("the base branch vanished")
    }

    fn base_is(&self, wanted: CommitId) -> anyhow::Result<()> {
        let tip = self.base()?;
        ensure!(tip == wanted, "the base moved to {tip}");
        Ok(())
    }
}

/// A comment's first lines, without what is hidden.
fn shown(body: &str) -> String {
    let visible = body.lines().filter(|line| !line.starts_with("<!--"));
    let visible: Vec<_> = visible.filter(|line| !line.is_empty()).take(3).collect();
    visible.join(" / ")
}
