//! Pushes, their refusals, and outcomes that get lost.

use super::super::testing::{Fault, Origin, Server, TOKEN, branch, files};
use super::super::{
    Fetch, GitError, Limits, Mirror, PushKind, PushOutcome, Remote, RemoteAuth, Secret,
};
use paprq_core::ids::CommitId;

/// A remote with `main` at `one`, and commits after it that only the mirror must push.
struct Scene {
    origin: Origin,
    server: Server,
    mirror: Mirror,
    one: CommitId,
    two: CommitId,
    three: CommitId,
}

impl Scene {
    async fn new() -> Self {
        let origin = Origin::new();
        let one = origin.commit(&[], &files(&[("a", "1")]));
        let two = origin.commit(&[one], &files(&[("a", "2")]));
        let three = origin.commit(&[two], &files(&[("a", "3")]));
        origin.set_branch("main", one);
        let server = Server::start(origin.dir.path());
        let mirror = origin.mirror_of(&server.repository_url(), Limits::default());
        mirror.fetch(Fetch::Everything).await.unwrap();
        mirror.fetch_commit(three).await.unwrap();
        Self {
            origin,
            server,
            mirror,
            one,
            two,
            three,
        }
    }

    async fn push(
        &self,
        commit: CommitId,
        to: &str,
        how: PushKind,
    ) -> Result<PushOutcome, GitError> {
        self.mirror.push(commit, &branch(to), how).await
    }

    async fn advance(&self, commit: CommitId) -> Result<PushOutcome, GitError> {
        self.push(commit, "main", PushKind::FastForward).await
    }

    fn main(&self) -> Option<CommitId> {
        self.origin.branch("main")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_branches_are_created_and_overwritten() {
    let scene = Scene::new().await;
    for commit in [scene.three, scene.three, scene.one] {
        let outcome = scene
            .push(commit, "auto", PushKind::Overwrite)
            .await
            .unwrap();
        assert_eq!(outcome, PushOutcome::Done);
        assert_eq!(scene.origin.branch("auto"), Some(commit));
        assert_eq!(scene.mirror.tip(&branch("auto")).unwrap(), Some(commit));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_is_advanced_and_a_second_time_is_no_fault() {
    let scene = Scene::new().await;
    assert_eq!(scene.advance(scene.two).await.unwrap(), PushOutcome::Done);
    assert_eq!(scene.main(), Some(scene.two));
    assert_eq!(scene.advance(scene.two).await.unwrap(), PushOutcome::Done);
    assert_eq!(scene.advance(scene.three).await.unwrap(), PushOutcome::Done);
    assert_eq!(scene.main(), Some(scene.three));
    assert_eq!(
        scene.mirror.tip(&branch("main")).unwrap(),
        Some(scene.three)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_answered_costs_two_requests() {
    let scene = Scene::new().await;
    let before = scene.server.requests();
    assert_eq!(scene.advance(scene.two).await.unwrap(), PushOutcome::Done);
    assert_eq!(scene.server.requests() - before, 2);
    let overwrite = scene.push(scene.three, "auto", PushKind::Overwrite);
    assert_eq!(overwrite.await.unwrap(), PushOutcome::Done);
    assert_eq!(scene.server.requests() - before, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_is_never_moved_back_or_aside() {
    let scene = Scene::new().await;
    scene.origin.set_branch("main", scene.three);
    let tip = Some(scene.three);
    assert_eq!(
        scene.advance(scene.two).await.unwrap(),
        PushOutcome::Moved { tip }
    );
    let human = scene.origin.commit(&[scene.one], &files(&[("a", "human")]));
    scene.origin.set_branch("main", human);
    assert_eq!(
        scene.advance(scene.two).await.unwrap(),
        PushOutcome::Moved { tip: Some(human) }
    );
    assert_eq!(scene.main(), Some(human));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_moved_forward_unseen_is_still_advanced() {
    let scene = Scene::new().await;
    scene.origin.set_branch("main", scene.two);
    assert_eq!(scene.mirror.tip(&branch("main")).unwrap(), Some(scene.one));
    assert_eq!(scene.advance(scene.three).await.unwrap(), PushOutcome::Done);
    assert_eq!(scene.main(), Some(scene.three));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_branch_is_not_created_again_by_advancing_it() {
    let scene = Scene::new().await;
    scene.origin.delete_branch("main");
    assert_eq!(
        scene.advance(scene.two).await.unwrap(),
        PushOutcome::Moved { tip: None }
    );
    assert_eq!(scene.main(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_why() {
    let scene = Scene::new().await;
    scene.origin.set_hook("echo main is protected >&2; exit 1");
    for how in [PushKind::FastForward, PushKind::Overwrite] {
        let outcome = scene.push(scene.two, "main", how).await.unwrap();
        let PushOutcome::Refused { reason } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(reason, "pre-receive hook declined; main is protected");
    }
    assert_eq!(scene.main(), Some(scene.one));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_judged_by_where_the_branch_is() {
    let scene = Scene::new().await;
    let human = scene.origin.commit(&[scene.one], &files(&[("a", "human")]));
    for (winner, outcome) in [
        (human, PushOutcome::Moved { tip: Some(human) }),
        (scene.two, PushOutcome::Done),
    ] {
        scene.origin.set_branch("main", scene.one);
        // Somebody else is faster: git allows that in a hook only when it knows of no quarantine.
        scene.origin.set_hook(&format!(
            "unset GIT_QUARANTINE_PATH; git update-ref refs/heads/main {winner}; exit 1"
        ));
        assert_eq!(scene.advance(scene.two).await.unwrap(), outcome);
        assert_eq!(scene.main(), Some(winner));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_read_back() {
    let scene = Scene::new().await;
    scene.server.fault(Fault::ApplyThenBreak);
    assert_eq!(scene.advance(scene.two).await.unwrap(), PushOutcome::Done);
    assert_eq!(scene.main(), Some(scene.two));
    scene.server.fault(Fault::BreakPush);
    let unknown = scene.advance(scene.three).await;
    assert!(matches!(unknown, Err(GitError::Unknown(_))), "{unknown:?}");
    assert_eq!(scene.mirror.tip(&branch("main")).unwrap(), Some(scene.two));
    scene.server.fault(Fault::None);
    assert_eq!(scene.advance(scene.three).await.unwrap(), PushOutcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_was_never_sent_is_transient() {
    let scene = Scene::new().await;
    scene.server.fault(Fault::Unavailable);
    let later = scene.push(scene.two, "auto", PushKind::Overwrite).await;
    assert!(matches!(later, Err(GitError::Transient(_))), "{later:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_without_an_answer_in_time_is_unknown() {
    let origin = Origin::new();
    let one = origin.commit(&[], &files(&[("a", "1")]));
    let server = Server::start(origin.dir.path());
    let limits = Limits {
        push_s: 1,
        ask_s: 1,
        ..Limits::default()
    };
    let mirror = origin.mirror_of(&server.repository_url(), limits);
    mirror.fetch_commit(one).await.unwrap();
    server.fault(Fault::Hang);
    let unknown = mirror.push(one, &branch("auto"), PushKind::Overwrite).await;
    assert!(matches!(unknown, Err(GitError::Unknown(_))), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_not_here_is_missing() {
    let scene = Scene::new().await;
    let missing = scene.advance(CommitId::ZERO).await;
    assert!(matches!(missing, Err(GitError::Missing(CommitId::ZERO))));
}

/// A fork beside the scene's repository, and how to get in.
fn fork(scene: &Scene, token: &str) -> (Origin, Server, Remote) {
    let fork = Origin::new();
    let server = Server::start(fork.dir.path());
    let remote = Remote {
        url: server.repository_url(),
        auth: RemoteAuth::Token(Secret::new(token)),
    };
    assert_ne!(remote.url, scene.server.repository_url());
    (fork, server, remote)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_gets_branches_of_its_own() {
    let scene = Scene::new().await;
    let (fork, _server, remote) = fork(&scene, TOKEN);
    let before = scene.server.requests();
    let push = async |commit, how| {
        let to = branch("main");
        scene
            .mirror
            .push_to(&remote, commit, &to, how)
            .await
            .unwrap()
    };
    assert_eq!(
        push(scene.two, PushKind::FastForward).await,
        PushOutcome::Moved { tip: None }
    );
    assert_eq!(
        push(scene.two, PushKind::Overwrite).await,
        PushOutcome::Done
    );
    assert_eq!(
        push(scene.three, PushKind::FastForward).await,
        PushOutcome::Done
    );
    let tip = Some(scene.three);
    assert_eq!(
        push(scene.two, PushKind::FastForward).await,
        PushOutcome::Moved { tip }
    );
    assert_eq!(fork.branch("main"), tip);
    // What is in the fork says nothing about the repository itself.
    assert_eq!(scene.mirror.tip(&branch("main")).unwrap(), Some(scene.one));
    assert_eq!(scene.main(), Some(scene.one));
    assert_eq!(scene.server.requests(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forks_branch_that_is_elsewhere_is_fetched_before_it_is_judged() {
    let scene = Scene::new().await;
    let (fork, _server, remote) = fork(&scene, TOKEN);
    let human = fork.commit(&[], &files(&[("a", "human")]));
    fork.set_branch("main", human);
    let (to, how) = (branch("main"), PushKind::FastForward);
    let outcome = scene.mirror.push_to(&remote, scene.two, &to, how).await;
    assert_eq!(outcome.unwrap(), PushOutcome::Moved { tip: Some(human) });
    assert_eq!(fork.branch("main"), Some(human));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_lets_in_whom_its_own_token_names() {
    let scene = Scene::new().await;
    let (fork, _server, remote) = fork(&scene, "ghs_somebody_else");
    let (to, how) = (branch("main"), PushKind::Overwrite);
    let refused = scene.mirror.push_to(&remote, scene.two, &to, how).await;
    assert!(matches!(refused, Err(GitError::Rejected(_))), "{refused:?}");
    assert!(!format!("{refused:?}").contains("somebody_else"));
    assert_eq!(fork.branch("main"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_pushed_to_what_is_no_remote() {
    let scene = Scene::new().await;
    let remote = Remote {
        url: "ext::touch x".to_owned(),
        auth: RemoteAuth::None,
    };
    for (commit, name) in [
        (scene.two, "main"),
        (scene.two, "-x"),
        (CommitId::ZERO, "main"),
    ] {
        let to = branch(name);
        let refused = scene
            .mirror
            .push_to(&remote, commit, &to, PushKind::Overwrite);
        let refused = refused.await;
        assert!(matches!(refused, Err(GitError::BadUrl(_))), "{refused:?}");
    }
}
