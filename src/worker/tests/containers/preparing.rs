//! What comes before the first command: the image, the packages, the build.

use super::super::podman;
use super::{IMAGE, Stage, body, container, error, suite, variable};
use crate::protocol::{JobOutcome, Order};
use paprq_core::suite::{ExtraRepo, RepoSetting};

#[tokio::test]
async fn an_image_that_cannot_be_had_is_an_error() {
    let stage = Stage::start().await;
    for (job, image) in [(1, "localhost/absent:1"), (2, ""), (3, "../info")] {
        let (log, report) = stage
            .execute(job, |order| order.suite.environment = container(image))
            .await;
        let message = format!("Could not pull image '{image}'.");
        assert_eq!(report.outcome, error(&message), "{log}");
        assert!(!log.contains(">>>"), "{log}");
    }
    // With a single, useless file.
    let useless = |archive: &mut _| podman::add(archive, "file", b"");
    stage.podman.import("localhost/empty:1", useless);
    let (log, report) = stage
        .execute(4, |order| {
            order.suite.environment = container("localhost/empty:1");
        })
        .await;
    let message = "Could not start a container of image 'localhost/empty:1'.";
    assert_eq!(report.outcome, error(message), "{log}");
    stage.end_healthy().await;
}

#[tokio::test]
async fn the_copy_of_last_time_will_do_while_a_registry_is_out_of_reach() {
    let stage = Stage::start().await;
    let image = "127.0.0.1:1/unit";
    stage.podman.run(&["tag", IMAGE, image]);
    let (log, report) = stage
        .execute(1, |order| order.suite.environment = container(image))
        .await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    assert!(
        log.contains("### Pulling image 127.0.0.1:1/unit\n"),
        "{log}"
    );
    assert!(
        log.contains("the worker's copy of the image is used"),
        "{log}"
    );
    stage.end_healthy().await;
}

#[tokio::test]
async fn packages_without_a_package_manager_are_an_error() {
    let stage = Stage::start().await;
    let (log, report) = stage
        .execute(1, |order| order.suite.packages = vec!["make".to_owned()])
        .await;
    assert_eq!(
        report.outcome,
        error("Could not install packages."),
        "{log}"
    );
    assert!(!log.contains(">>> true"), "{log}");
    let (log, report) = stage
        .execute(2, |order| {
            order.suite.extra_repos = vec![ExtraRepo {
                name: "more".to_owned(),
                settings: Vec::new(),
            }];
        })
        .await;
    assert_eq!(report.outcome, error("Could not makecache."), "{log}");
    stage.end_healthy().await;
}

/// A package manager that says what it is told, and reads repositories at the second try only.
const DNF: &[u8] = b"#!/bin/sh
if [ $1 = makecache ]; then cat /etc/yum.repos.d/papr-extras.repo; echo x >>/tries; fi
echo dnf $# \"$@\" ${VALUE-unset}
[ $(grep -c x /tries) -ge 2 ] && [ \"$3\" != absent ]";

#[tokio::test]
async fn packages_are_installed_from_the_suites_repositories_outside_its_time() {
    let stage = Stage::start().await;
    let image = "localhost/dnf:1";
    stage.podman.add_image(image, &[("bin/dnf", DNF)]);
    let wanted = |order: &mut Order, package: &str| {
        order.suite.environment = container(image);
        order.suite.env = vec![variable("VALUE", "set")];
        order.suite.packages = vec![package.to_owned(), "@it's $HOME".to_owned()];
        let setting = |key: &str, value: &str| RepoSetting {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        order.suite.extra_repos = vec![ExtraRepo {
            name: "more".to_owned(),
            settings: vec![
                setting("name", "more"),
                setting("baseurl", "http://r/$basearch"),
            ],
        }];
    };
    let (log, report) = stage.execute(1, |order| wanted(order, "make >= 4")).await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    insta::assert_snapshot!(body(&log), @r"
            ### http://example.org/pull/7
            ### TESTSUITE unit
            >>> dnf makecache
            [more]
            name=more
            baseurl=http://r/$basearch
            dnf 1 makecache unset
            ### EXITED WITH CODE 1 AFTER 0s
            >>> dnf makecache
            [more]
            name=more
            baseurl=http://r/$basearch
            dnf 1 makecache unset
            ### COMPLETED IN 0s
            >>> dnf install -y 'make >= 4' '@it'\''s $HOME'
            dnf 4 install -y make >= 4 @it's $HOME unset
            ### COMPLETED IN 0s
            >>> true
            ### COMPLETED IN 0s
            ");
    let (log, report) = stage.execute(2, |order| wanted(order, "absent")).await;
    assert_eq!(
        report.outcome,
        error("Could not install packages."),
        "{log}"
    );
    let (log, report) = stage
        .execute(3, |order| {
            wanted(order, "make");
            order.suite.timeout_s = 0;
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::TimedOut, "{log}");
    assert!(log.contains(">>> dnf install"), "{log}");
    stage.end_healthy().await;
}

#[tokio::test]
async fn repositories_that_cannot_be_read_five_times_are_an_error() {
    let stage = Stage::start().await;
    let image = "localhost/apk:1";
    let apk = b"#!/bin/sh\necho out of reach; exit 1";
    stage.podman.add_image(image, &[("bin/apk", apk)]);
    let (log, report) = stage
        .execute(1, |order| {
            order.suite.environment = container(image);
            order.suite.packages = vec!["make".to_owned()];
        })
        .await;
    assert_eq!(report.outcome, error("Could not makecache."), "{log}");
    assert_eq!(log.matches(">>> apk update\n").count(), 5, "{log}");
    stage.end_healthy().await;
}

#[tokio::test]
async fn a_build_runs_in_the_container() {
    let mut stage = Stage::start().await;
    stage.podman.add_image(
        "localhost/make:1",
        &[("bin/make", b"#!/bin/sh\necho \"make $*\"")],
    );
    let configure = ("configure", "#!/bin/sh\necho configured >here");
    stage.server.commit_scripts(&[configure]);
    let (log, report) = stage
        .execute(1, |order| {
            order.suite.environment = container("localhost/make:1");
            order.suite.build = Some(paprq_core::suite::Build::default());
            order.suite.tests = suite(&["cat here"]).tests;
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    assert!(log.contains("\nmake install\n"), "{log}");
    assert!(log.contains(">>> cat here\nconfigured\n"), "{log}");
    stage.end_healthy().await;
}
