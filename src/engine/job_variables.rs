//! What a job's commands and its log are told of what they test.

use paprq_core::jobs::Job;
use paprq_core::queue::run::Purpose;
use paprq_core::suite::Variable;

/// `RHCI_*` and `PAPR_*`, as PAPR sets them. Of a pull request test: the pull, the branch that it goes
/// to, and the merge where one is tested; of all else the branch, for which `auto` and `try` count.
pub(super) fn variables(job: &Job, slug: &str) -> Vec<Variable> {
    let identity = job.subject.identity.unwrap_or(job.commit);
    let mut facts = vec![("REPO", slug.to_owned()), ("COMMIT", identity.to_string())];
    match (job.purpose, job.subject.pull) {
        (Purpose::Pull, Some(pull)) => {
            facts.push(("PULL_ID", pull.to_string()));
            if identity != job.commit {
                facts.push(("MERGE_COMMIT", job.commit.to_string()));
            }
        }
        (Purpose::Land | Purpose::Try | Purpose::Branch | Purpose::Pull, _) => {
            facts.push(("BRANCH", job.subject.branch.clone()));
        }
    }
    let both = ["RHCI", "PAPR"].iter().flat_map(|prefix| {
        facts
            .iter()
            .map(move |(name, value)| variable(format!("{prefix}_{name}"), value))
    });
    let mut variables: Vec<_> = both.collect();
    if job.purpose == Purpose::Pull {
        let name = "PAPR_PULL_TARGET_BRANCH".to_owned();
        variables.push(variable(name, &job.subject.branch));
    }
    variables
}

fn variable(name: String, value: &str) -> Variable {
    Variable {
        name,
        value: value.to_owned(),
    }
}

/// The lines that open a log after the date (PAPR's, without the marks before them).
pub(super) fn log_header(job: &Job, web_url: &str) -> Vec<String> {
    let identity = job.subject.identity.unwrap_or(job.commit);
    let is_head_alone = job.purpose == Purpose::Pull && identity == job.commit;
    let address = match (job.purpose, job.subject.pull) {
        (Purpose::Pull, Some(pull)) => format!("{web_url}/pull/{pull}"),
        (Purpose::Land | Purpose::Try | Purpose::Branch | Purpose::Pull, _) => {
            format!("{web_url}/commits/{}", job.subject.branch)
        }
    };
    let mut lines = vec![address, identity.to_string()];
    if is_head_alone {
        lines.push("(WARNING: not merge sha, check for conflicts)".to_owned());
    }
    lines.push(format!("TESTSUITE {}", job.suite.context));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use paprq_core::ids::{CommitId, JobId, PullNumber, RepoLabel, RunId, Timestamp};
    use paprq_core::jobs::{JobState, Subject};
    use paprq_core::suite::{Environment, Network, Suite};

    fn commit(digit: &str) -> CommitId {
        digit.repeat(40).parse().unwrap()
    }

    fn job(purpose: Purpose, identity: Option<CommitId>) -> Job {
        let environment = Environment::Sandbox {
            network: Network::Off,
        };
        Job {
            id: JobId(1),
            repo: RepoLabel::new("demo"),
            run: RunId(1),
            purpose,
            priority: 0,
            commit: commit("e"),
            subject: Subject {
                pull: Some(PullNumber(7)),
                labels: Vec::new(),
                identity,
                branch: "main".to_owned(),
            },
            tree: None,
            suite: Suite::new("f28", environment),
            made_at: Timestamp(0),
            state: JobState::Waiting,
            attempts: Vec::new(),
        }
    }

    fn told(job: &Job) -> String {
        let variables = variables(job, "octo/demo").into_iter();
        let variables = variables.map(|variable| format!("{}={}", variable.name, variable.value));
        let header = log_header(job, "https://github.com/octo/demo").into_iter();
        variables.chain(header).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_pulls_own_test_is_told_of_the_pull_and_of_its_merge() {
        insta::assert_snapshot!(told(&job(Purpose::Pull, Some(commit("a")))), @r"
        RHCI_REPO=octo/demo
        RHCI_COMMIT=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        RHCI_PULL_ID=7
        RHCI_MERGE_COMMIT=eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
        PAPR_REPO=octo/demo
        PAPR_COMMIT=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        PAPR_PULL_ID=7
        PAPR_MERGE_COMMIT=eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
        PAPR_PULL_TARGET_BRANCH=main
        https://github.com/octo/demo/pull/7
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        TESTSUITE f28
        ");
    }

    #[test]
    fn a_pull_that_does_not_merge_has_no_merge_commit_and_a_warning() {
        insta::assert_snapshot!(told(&job(Purpose::Pull, None)), @r"
        RHCI_REPO=octo/demo
        RHCI_COMMIT=eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
        RHCI_PULL_ID=7
        PAPR_REPO=octo/demo
        PAPR_COMMIT=eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
        PAPR_PULL_ID=7
        PAPR_PULL_TARGET_BRANCH=main
        https://github.com/octo/demo/pull/7
        eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
        (WARNING: not merge sha, check for conflicts)
        TESTSUITE f28
        ");
    }

    #[test]
    fn merges_tries_and_branches_are_told_of_a_branch_and_of_no_pull() {
        let branch = told(&job(Purpose::Branch, None));
        for purpose in [Purpose::Land, Purpose::Try] {
            assert_eq!(told(&job(purpose, None)), branch);
        }
        insta::assert_snapshot!(branch, @r"
        RHCI_REPO=octo/demo
        RHCI_COMMIT=eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
        RHCI_BRANCH=main
        PAPR_REPO=octo/demo
        PAPR_COMMIT=eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
        PAPR_BRANCH=main
        https://github.com/octo/demo/commits/main
        eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
        TESTSUITE f28
        ");
    }
}
