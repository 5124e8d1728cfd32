//! A busy day of a repository with everything on: thirty pulls, five people, and all that Homu's
//! users do. What was said, shown and moved is one transcript, which people have read.

mod ci;
mod hook;
mod rollup;
mod transcript;

use paprq_core::ids::PullNumber;
use paprq_practice::{Edit, Permission, PullState, ReviewState, StatusState};

use self::ci::Ci;
use self::hook::Hook;
use crate::world::{BASE, BOT, LIMIT, REPO, Settings, World};

const OAUTH_ID: &str = "app-of-the-story";
const OAUTH_SECRET: &str = "secret-of-the-app";

fn settings(hook: &Hook) -> Settings {
    let labels: String = [
        "approved",
        "rejected",
        "conflict",
        "succeed",
        "failed",
        "try",
        "try_succeed",
        "try_failed",
        "interrupted",
        "rollup_made",
    ]
    .iter()
    .map(|event| {
        format!("[repo.widgets.labels.{event}]\nadd = [\"S-{event}\"]\nunless = [\"frozen\"]\n")
    })
    .collect();
    let repo = format!(
        "linear = true
autosquash = true
auth_collaborators = true
try_choosers = [\"docs\"]
status.linux = {{ context = \"ci/linux\" }}
status.mac = {{ context = \"ci/mac\", try = false }}
checks.lint = {{ name = \"lint\" }}
[repo.widgets.labels.pushed]
remove = [\"S-approved\", \"S-failed\", \"S-conflict\"]
{labels}
[hooks.deploy]
endpoint = \"{}\"
access = \"reviewer\"
has_response = true
realtime = true
",
        hook.address()
    );
    Settings {
        repo,
        github: format!(
            "app_client_id = \"{OAUTH_ID}\"\napp_client_secret = \"{OAUTH_SECRET}\"\n\
             limits = {{ comments_per_min = 10000, comments_per_h = 10000, points_per_min = 100000 }}"
        ),
        files: Vec::new(),
        ..Settings::default()
    }
}

/// The day, as its people live it.
struct Day {
    world: World,
}

impl Day {
    /// A pull of somebody's that writes one file.
    fn open(&self, author: &str, branch: &str, file: &str, content: &str) -> PullNumber {
        self.push(author, branch, (file, content), &format!("Write {file}"));
        let title = format!("Change {branch}");
        let practice = &self.world.practice;
        practice
            .open_pull(REPO, branch, BASE, &title, "", author)
            .unwrap()
    }

    fn push(&self, author: &str, branch: &str, file: (&str, &str), message: &str) {
        let practice = &self.world.practice;
        practice
            .commit(REPO, branch, [file], message, author)
            .unwrap();
    }

    fn say(&self, who: &str, pull: PullNumber, command: &str) {
        self.world.say(who, pull, &format!("@{BOT} {command}"));
    }

    /// Alice approves the head as it is, and nothing that is pushed within the same second.
    fn approve(&self, pull: PullNumber) {
        let head = self.world.head(pull);
        self.say("alice", pull, &format!("r+ {head}"));
    }

    /// Waits until pulls have landed and all that is said of that was said.
    async fn landed(&self, pulls: &[PullNumber]) {
        for pull in pulls {
            self.world.hear(*pull, ":sunny: Test successful").await;
            self.world
                .until(&format!("#{pull} is closed"), |practice| {
                    let pull = practice.pull(REPO, *pull).unwrap();
                    pull.state != PullState::Open
                })
                .await;
            let head = self.world.head(*pull);
            self.world
                .until_status(head, "homu", StatusState::Success)
                .await;
            self.labelled(*pull, "S-succeed").await;
        }
    }

    async fn labelled(&self, pull: PullNumber, label: &str) {
        self.world
            .until(&format!("#{pull} has {label}"), |practice| {
                let pull = practice.pull(REPO, pull).unwrap();
                pull.labels.iter().any(|known| known == label)
            })
            .await;
    }

    /// Waits until the server knows the head of a pull.
    async fn known(&self, pull: PullNumber) {
        let head = self.world.head(pull).short();
        let line = format!("pull #{pull} seen Open at {head}");
        self.world.until_logged(&line, 1).await;
    }

    async fn unlabelled(&self, pull: PullNumber, label: &str) {
        self.world
            .until(&format!("#{pull} has not {label}"), |practice| {
                let pull = practice.pull(REPO, pull).unwrap();
                !pull.labels.iter().any(|known| known == label)
            })
            .await;
    }

    /// Waits until the bot has said something that begins so this many times.
    async fn heard(&self, pull: PullNumber, beginning: &str, times: usize) {
        let heard = self
            .world
            .practice
            .wait_until(LIMIT, |_| self.world.count(pull, beginning) >= times);
        let heard = heard.await;
        self.world.expect(heard, &format!("{beginning} on #{pull}"));
    }

    /// The tree is closed; eight pulls are approved, one is urgent; the tree is opened.
    async fn morning(&self) {
        let people = ["bob", "carol", "erin", "bob"];
        let pulls: Vec<_> = (1..=8)
            .map(|number| {
                let author = people[number % people.len()];
                let name = format!("morning-{number}");
                self.open(author, &name, &name, "1")
            })
            .collect();
        self.say("alice", pulls[0], "treeclosed=5");
        self.say("bob", pulls[0], "treeclosed-");
        self.heard(pulls[0], "@bob: :key:", 1).await;
        for (pull, command) in pulls.iter().zip([
            "r+",
            "r+ p=2",
            "r=carol",
            "r+ rollup",
            "r+ rollup=never",
            "r+ rollup=iffy",
            "r+",
            "r+",
        ]) {
            self.say("alice", *pull, command);
            self.heard(*pull, ":pushpin:", 1).await;
            self.heard(*pull, ":evergreen_tree:", 1).await;
            self.labelled(*pull, "S-approved").await;
        }
        self.say("alice", pulls[6], "p=5");
        self.landed(&pulls[6..7]).await;
        self.say("alice", pulls[7], "p=9999");
        self.heard(pulls[7], ":stop_sign:", 1).await;
        self.say("alice", pulls[0], "treeclosed-");
        for pull in [1, 4, 5, 0, 2, 7, 3] {
            self.landed(&pulls[pull..=pull]).await;
        }
    }

    /// Three pulls write the same file: the first lands, the others must be rebased.
    async fn conflicts(&self) {
        let first = self.open("bob", "shared-1", "shared", "one");
        let second = self.open("carol", "shared-2", "shared", "two");
        let third = self.open("erin", "shared-3", "shared", "three");
        self.world.until_logged("check mergeability", 2).await;
        self.say("alice", first, "r+");
        self.landed(&[first]).await;
        for pull in [second, third] {
            self.heard(pull, ":umbrella:", 1).await;
            self.labelled(pull, "S-conflict").await;
        }
        self.approve(second);
        self.heard(second, ":lock: Merge conflict", 1).await;
        let tip = self.world.base();
        let practice = &self.world.practice;
        practice.set_branch(REPO, "shared-2", tip, "carol").unwrap();
        self.push("carol", "shared-2", ("shared", "one and two"), "Write more");
        self.unlabelled(second, "S-conflict").await;
        self.known(second).await;
        self.approve(second);
        self.landed(&[second]).await;
        self.say("alice", third, "r+ 0123abcd");
        self.heard(third, ":scream_cat:", 1).await;
        self.say("erin", third, "r-");
        practice.close_pull(REPO, third, "erin").unwrap();
    }

    /// What fails: a real fault that is mended, a spurious one, one that waits behind another.
    async fn failures(&self) {
        let broken = self.open("carol", "broken", "breaks", "ci/linux");
        self.approve(broken);
        self.heard(broken, ":broken_heart:", 1).await;
        self.labelled(broken, "S-failed").await;
        self.say("bob", broken, "retry");
        self.heard(broken, ":broken_heart:", 2).await;
        self.push(
            "carol",
            "broken",
            ("breaks", "nothing"),
            "fixup! Write breaks",
        );
        self.unlabelled(broken, "S-failed").await;
        self.known(broken).await;
        self.approve(broken);
        self.landed(&[broken]).await;
        let flaky = self.open("bob", "flaky", "flaky", "lint");
        self.say("alice", flaky, "r+");
        self.heard(flaky, ":broken_heart:", 1).await;
        self.say("alice", flaky, "retry - the network was down");
        self.landed(&[flaky]).await;
        let frozen = self.open("erin", "frozen", "frozen", "1");
        let practice = &self.world.practice;
        practice.add_label(REPO, frozen, "frozen", "alice").unwrap();
        self.say("alice", frozen, "r+");
        self.heard(frozen, ":sunny:", 1).await;
    }

    /// Tries, and words that are refused.
    async fn tries(&self) {
        let good = self.open("bob", "try-good", "tried", "1");
        self.say("bob", good, "try");
        self.heard(good, ":sunny: Try build successful", 1).await;
        self.labelled(good, "S-try_succeed").await;
        self.say("bob", good, "try=docs");
        self.heard(good, ":sunny: Try build successful", 2).await;
        self.say("bob", good, "try=mars");
        self.heard(good, ":thinking:", 1).await;
        self.say("alice", good, "r+");
        self.heard(good, ":pushpin:", 1).await;
        self.say("bob", good, "try");
        self.landed(&[good]).await;
        let bad = self.open("bob", "try-bad", "breaks", "lint");
        self.say("bob", bad, "try");
        self.heard(bad, ":broken_heart:", 1).await;
        self.labelled(bad, "S-try_failed").await;
        self.say("mallory", bad, "r+");
        self.heard(bad, "@mallory: :key:", 1).await;
        self.say("bob", bad, "r+");
        self.heard(bad, "@bob: :key:", 1).await;
        self.world.say(
            "carol",
            bad,
            "Quoting:\n> @bors r+\n\n`@bors r+` is how it goes",
        );
        self.say("carol", bad, "are you still there?");
        self.say("carol", bad, "hello?");
        self.heard(bad, ":sleepy:", 1).await;
        let practice = &self.world.practice;
        practice.close_pull(REPO, bad, "bob").unwrap();
    }

    /// Who may approve beside Alice: delegates, authors, collaborators, reviews.
    async fn delegates(&self) {
        let one = self.open("carol", "delegated", "delegated", "1");
        self.say("alice", one, "delegate=erin");
        self.heard(one, ":v: @erin", 1).await;
        self.say("erin", one, "r+");
        self.landed(&[one]).await;
        let own = self.open("carol", "own", "own", "1");
        self.say("alice", own, "delegate+");
        self.heard(own, ":v: @carol", 1).await;
        self.say("carol", own, "r+");
        self.landed(&[own]).await;
        let asked = self.open("carol", "asked", "asked", "1");
        self.say("dave", asked, "r+");
        self.landed(&[asked]).await;
        let reviewed = self.open("erin", "reviewed", "reviewed", "1");
        let practice = &self.world.practice;
        let text = format!("Fine.\n\n@{BOT} r+");
        practice
            .review(REPO, reviewed, "alice", ReviewState::Approved, &text)
            .unwrap();
        self.landed(&[reviewed]).await;
        let line = self.open("erin", "line", "line", "1");
        let text = format!("@{BOT} r+");
        practice
            .review_comment(REPO, line, "alice", "line", &text)
            .unwrap();
        self.landed(&[line]).await;
    }

    /// A hook, an unfinished pull, a withdrawn approval, a comment that is edited, one that comes
    /// twice, and one commit made of many.
    async fn afternoon(&self, hook: &Hook) {
        let practice = &self.world.practice;
        let hooked = self.open("bob", "hooked", "hooked", "1");
        self.say("alice", hooked, "deploy=eu");
        self.heard(hooked, "deployed", 1).await;
        assert_eq!(hook.calls(), 1);
        let draft = self.open("carol", "wip", "wip", "1");
        let title = |title: &str| Edit {
            title: Some(title.to_owned()),
            ..Edit::default()
        };
        practice
            .edit_pull(REPO, draft, title("WIP: wip"), "carol")
            .unwrap();
        self.world.until_logged("pull #", 1).await;
        self.say("alice", draft, "r+");
        self.heard(draft, ":clipboard:", 1).await;
        practice
            .edit_pull(REPO, draft, title("It is done"), "carol")
            .unwrap();
        self.say("alice", draft, "r+");
        self.landed(&[draft]).await;
        self.say("alice", hooked, "treeclosed=9 r+");
        self.heard(hooked, ":evergreen_tree:", 1).await;
        self.say("bob", hooked, "r-");
        self.labelled(hooked, "S-rejected").await;
        let comment = practice.comments(REPO, hooked).last().unwrap().id;
        practice
            .edit_comment(REPO, comment, "bob", "@bors r+ p=7")
            .unwrap();
        let last = practice.deliveries().last().unwrap().id;
        practice.redeliver(last).unwrap();
        self.say("alice", hooked, "treeclosed-");
        self.push("bob", "hooked", ("hooked", "2"), "Write it again");
        self.known(hooked).await;
        let head = self.world.head(hooked);
        self.say("alice", hooked, &format!("squash r+ {head}"));
        self.landed(&[hooked]).await;
    }

    /// Who comes late: all at once, and each lands.
    async fn evening(&self) {
        let pulls: Vec<_> = ["late-1", "late-2", "late-3"]
            .iter()
            .map(|name| self.open("bob", name, name, "1"))
            .collect();
        self.say("alice", pulls[0], "treeclosed=9");
        for (pull, priority) in pulls.iter().zip([1, 2, 3]) {
            self.say("alice", *pull, &format!("r+ p={priority}"));
            self.heard(*pull, ":evergreen_tree:", 1).await;
        }
        self.say("alice", pulls[0], "treeclosed-");
        for pull in pulls.iter().rev() {
            self.landed(&[*pull]).await;
        }
    }

    /// Three small pulls go into one.
    async fn rollup(&self) {
        let small: Vec<_> = ["small-1", "small-2", "small-3"]
            .iter()
            .map(|name| self.open("erin", name, name, "1"))
            .collect();
        self.say("alice", small[0], "treeclosed=9");
        for pull in &small {
            self.say("alice", *pull, "r+ rollup");
            self.heard(*pull, ":evergreen_tree:", 1).await;
        }
        let made = rollup::make(&self.world, "alice", &small).await;
        for pull in &small {
            self.labelled(*pull, "S-rollup_made").await;
        }
        self.say("alice", made, "r+ p=9");
        self.landed(&[made]).await;
        self.say("alice", small[0], "treeclosed-");
        for pull in &small {
            self.heard(*pull, ":heavy_check_mark: There is nothing to merge", 1)
                .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_day_with_everything_on_goes_as_its_transcript_says() {
    let hook = Hook::start();
    let mut world = World::prepare(settings(&hook)).await;
    for (login, permission) in [("dave", Permission::Write), ("carol", Permission::Read)] {
        world
            .practice
            .add_collaborator(REPO, login, permission)
            .unwrap();
    }
    let callback = "https://paprq.example/callback";
    world
        .practice
        .add_oauth_app(OAUTH_ID, OAUTH_SECRET, callback);
    world.start_server();
    let ci = Ci::start(&world.practice);
    let day = Day { world };
    day.morning().await;
    day.conflicts().await;
    day.failures().await;
    day.tries().await;
    day.delegates().await;
    day.afternoon(&hook).await;
    day.rollup().await;
    day.evening().await;
    ci.stop();
    insta::assert_snapshot!(transcript::of(&day.world));
}
