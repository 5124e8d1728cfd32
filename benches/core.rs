//! How fast the pure core is: one event in a repository with ten thousand open pulls, and reading
//! a comment. `cargo bench --bench core`

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use paprq_core::command::Grammar;
use paprq_core::ids::{BranchName, CommitId, Login, PullNumber, RunId, Timestamp};
use paprq_core::queue::Queue;
use paprq_core::queue::effect::History;
use paprq_core::queue::event::{
    Comment, CommentKey, CommentSort, Event, HeadRepo, PullFacts, PullState, Source,
};
use paprq_core::queue::rules::{
    ExemptionRule, Fixups, Mentions, Merging, PullTests, Reporting, Reuse, Rules,
};
use paprq_core::queue::train::plan::{Batch, Candidate, Mixing, TrainRules, plan};
use paprq_core::queue::train::{Onto, Train};

const PULLS: u64 = 10_000;

fn rules() -> Rules {
    Rules {
        grammar: Grammar {
            bot: Login::new("bors"),
            hooks: Vec::new(),
            aliases: Vec::new(),
        },
        reviewers: vec![Login::new("alice")],
        try_users: Vec::new(),
        authorities: Vec::new(),
        hooks: BTreeMap::new(),
        labels: BTreeMap::new(),
        max_priority: 9001,
        timeout_s: 3600,
        setup_timeout_s: 900,
        auto_branch: BranchName::new("auto"),
        try_branch: BranchName::new("try"),
        history: History::Merged,
        fixups: Fixups::Keep,
        mentions: Mentions::AsWritten,
        exemption: ExemptionRule::Never,
        choosers: BTreeMap::new(),
        buildbot: None,
        temporary_branch: BranchName::new("homu-tmp"),
        statuses: Vec::new(),
        check_runs: Vec::new(),
        suites: None,
        pulls: PullTests::None,
        trusted: Vec::new(),
        reuse: Reuse::Passes,
        merging: Merging::On,
        reporting: Reporting::On,
    }
}

fn facts(number: u64) -> PullFacts {
    let mut head = [7; 20];
    head[..8].copy_from_slice(&number.to_be_bytes());
    PullFacts {
        number: PullNumber(number),
        title: format!("Change {number}"),
        body: String::new(),
        author: Login::new("bob"),
        state: PullState::Open,
        draft: false,
        head: CommitId::from_bytes(head),
        head_label: format!("octo:change-{number}"),
        head_repo: HeadRepo::Base,
        pushed_at: None,
        base: BranchName::new("main"),
        mergeable: None,
        labels: Vec::new(),
        updated_at: Timestamp(0),
    }
}

fn full_queue() -> Queue {
    let mut queue = Queue::new(rules(), RunId::before_first(1));
    for number in 1..=PULLS {
        let seen = Event::PullSeen {
            facts: facts(number),
            source: Source::Webhook,
        };
        black_box(queue.handle(Timestamp(1_000), seen));
    }
    queue.take_touched();
    queue
}

fn approval(number: u64) -> Event {
    Event::CommentMade {
        pull: PullNumber(number),
        comment: Comment {
            key: CommentKey {
                at: Timestamp(2_000),
                id: number,
                sort: CommentSort::Issue,
            },
            author: Login::new("alice"),
            standing: None,
            body: "@bors r+".to_owned(),
            commit: None,
            url: String::new(),
        },
    }
}

fn core(criterion: &mut Criterion) {
    let queue = full_queue();
    criterion.bench_function("an approval among 10,000 open pulls", |bencher| {
        bencher.iter_batched_ref(
            || queue.clone(),
            |queue| black_box(queue.handle(Timestamp(3_000), approval(PULLS / 2))),
            BatchSize::LargeInput,
        );
    });
    let grammar = rules().grammar;
    let author = Login::new("alice");
    let prose = "Nothing to see here, @borsig and x@bors are others.\n".repeat(100);
    criterion.bench_function("a comment of 5 kB without a command", |bencher| {
        bencher.iter(|| black_box(grammar.read(&prose, &author)));
    });
}

/// What is next with 50 runs in flight and 1,000 pulls behind them.
fn train(criterion: &mut Criterion) {
    let rules = TrainRules {
        batch: Batch {
            min: 1,
            max: 8,
            wait_s: 0,
        },
        window: 51,
        land_ahead: true,
        failure_depth: 2,
    };
    let mut train = Train::default();
    let mut onto = Onto::Tip;
    for run in 1..=50 {
        let members = (8 * run..8 * run + 8).map(PullNumber).collect();
        train.begun(RunId(run), members, onto);
        onto = Onto::Run(RunId(run));
    }
    let candidates: Vec<_> = (1..=1000)
        .map(|number| Candidate {
            pull: PullNumber(1000 + number),
            ready_since: Timestamp(0),
            mixing: Mixing::Freely,
            depends_on: Vec::new(),
            conflicts_with: Vec::new(),
        })
        .collect();
    criterion.bench_function("plan, window 50, 1,000 candidates", |bencher| {
        bencher.iter(|| plan(black_box(&train), &candidates, &rules, Timestamp(1)));
    });
}

criterion_group!(benches, core, train);
criterion_main!(benches);
