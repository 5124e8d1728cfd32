//! What shall go wrong: rules for requests and for webhooks, set by tests while everything runs.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use paprq_core::ids::Login;

/// Requests that a fault or a hook is meant for.
///
/// Each rule counts for itself the requests that it matches, from the moment it was set.
#[derive(Clone, Debug)]
pub struct Calls {
    method: Option<String>,
    path: Option<String>,
    writes: bool,
    first: u64,
    last: u64,
}

impl Calls {
    /// All requests, of REST and of git.
    pub fn any() -> Self {
        Self {
            method: None,
            path: None,
            writes: false,
            first: 1,
            last: u64::MAX,
        }
    }

    /// Requests that change something: all but GET, and git's pushes.
    pub fn writes() -> Self {
        Self {
            writes: true,
            ..Self::any()
        }
    }

    /// Requests of this method whose path contains this text, as in `("POST", "/comments")`.
    pub fn to(method: &str, path: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            path: Some(path.to_owned()),
            ..Self::any()
        }
    }

    /// Of these only the n-th, counted from 1.
    #[must_use]
    pub fn nth(self, n: u64) -> Self {
        Self {
            first: n,
            last: n,
            ..self
        }
    }

    /// Of these only the first so many.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self {
            first: 1,
            last: count,
            ..self
        }
    }

    fn concerns(&self, arrival: &Arrival) -> bool {
        self.method
            .as_ref()
            .is_none_or(|method| *method == arrival.method)
            && self
                .path
                .as_ref()
                .is_none_or(|path| arrival.path.contains(path.as_str()))
            && (!self.writes || arrival.is_write())
    }
}

/// A request as faults and hooks see it.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Counts all requests, from 1.
    pub number: u64,
    /// `GET`, `POST` …
    pub method: String,
    /// Path with query; REST paths without `/api/v3`.
    pub path: String,
    /// Whose token it carried, if any.
    pub login: Option<Login>,
}

impl Arrival {
    /// Whether the request changes something.
    pub fn is_write(&self) -> bool {
        self.method != "GET" && !self.path.ends_with("/git-upload-pack")
    }
}

/// What goes wrong with a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ApiFault {
    /// It is answered with this status and not applied.
    Fail(u16),
    /// The same in these words.
    Say(u16, &'static str),
    /// It is answered 429 and not applied, with `Retry-After` in seconds.
    RetryAfter(u64),
    /// It is answered 403 as GitHub does at the secondary rate limit, with `Retry-After` in seconds.
    SecondaryLimit(u64),
    /// It is never answered and not applied.
    Hang,
    /// The connection breaks before it is applied.
    Refuse,
    /// It is applied, then the connection breaks.
    ApplyThenBreak,
    /// It is applied, then never answered.
    ApplyThenHang,
    /// It is applied and answered this much later.
    Delay(Duration),
}

/// Deliveries that a fault is meant for; counted like [`Calls`].
#[derive(Clone, Debug)]
pub struct Deliveries {
    event: Option<String>,
    first: u64,
    last: u64,
}

impl Deliveries {
    /// All of them.
    pub fn any() -> Self {
        Self {
            event: None,
            first: 1,
            last: u64::MAX,
        }
    }

    /// Those of one event, as in `push`.
    pub fn of(event: &str) -> Self {
        Self {
            event: Some(event.to_owned()),
            ..Self::any()
        }
    }

    /// Of these only the n-th, counted from 1.
    #[must_use]
    pub fn nth(self, n: u64) -> Self {
        Self {
            first: n,
            last: n,
            ..self
        }
    }

    /// Of these only the first so many.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self {
            first: 1,
            last: count,
            ..self
        }
    }
}

/// What goes wrong with a delivery.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HookFault {
    /// It is never sent.
    Drop,
    /// It is sent twice.
    Duplicate,
    /// It is sent this much later; others overtake it.
    Delay(Duration),
    /// It is sent after the one that follows it, or when none follows for 100 ms.
    Reorder,
}

/// Random faults of webhooks, the same for the same seed. The shares are in percent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chaos {
    /// Where the randomness starts.
    pub seed: u64,
    /// How many are never sent.
    pub drop: u32,
    /// How many are sent twice.
    pub duplicate: u32,
    /// How many are sent after the next one.
    pub reorder: u32,
}

type Watcher = Arc<dyn Fn(&Arrival) + Send + Sync>;

#[derive(Clone)]
enum Act {
    Fault(ApiFault),
    Before(Watcher),
    After(Watcher),
}

struct Rule {
    calls: Calls,
    seen: u64,
    act: Act,
}

struct HookRule {
    deliveries: Deliveries,
    seen: u64,
    fault: HookFault,
}

struct Dice {
    chaos: Chaos,
    random: StdRng,
}

#[derive(Default)]
struct Rules {
    api: Vec<Rule>,
    hooks: Vec<HookRule>,
    dice: Option<Dice>,
    hourly_limit: Option<u32>,
    unknown_mergeability: u32,
}

/// The knobs. Clones turn the same ones.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Rules>>);

/// GitHub's own hourly limit of a token.
const HOURLY_LIMIT: u32 = 5000;

impl Faults {
    /// Lets requests go wrong. Where several rules match, the one set first counts.
    pub fn api(&self, calls: Calls, fault: ApiFault) {
        self.add(calls, Act::Fault(fault));
    }

    /// Calls back when such a request has come and before it is applied. The request waits for it.
    pub fn before(&self, calls: Calls, watch: impl Fn(&Arrival) + Send + Sync + 'static) {
        self.add(calls, Act::Before(Arc::new(watch)));
    }

    /// Calls back when such a request has been applied and before it is answered.
    pub fn after(&self, calls: Calls, watch: impl Fn(&Arrival) + Send + Sync + 'static) {
        self.add(calls, Act::After(Arc::new(watch)));
    }

    /// Lets webhooks go wrong. Where several rules match, the one set first counts.
    pub fn webhooks(&self, deliveries: Deliveries, fault: HookFault) {
        self.rules().hooks.push(HookRule {
            deliveries,
            seen: 0,
            fault,
        });
    }

    /// Lets webhooks go wrong at random, where no rule says otherwise.
    pub fn chaos(&self, chaos: Chaos) {
        self.rules().dice = Some(Dice {
            chaos,
            random: StdRng::seed_from_u64(chaos.seed),
        });
    }

    /// How many requests each token has (5,000 unless told); those made already count.
    pub fn hourly_limit(&self, requests: u32) {
        self.rules().hourly_limit = Some(requests);
    }

    /// The next so many reads of a pull that is not known to be mergeable or not find it still unknown.
    pub fn mergeability_unknown(&self, reads: u32) {
        self.rules().unknown_mergeability = reads;
    }

    /// Everything goes well from now on.
    pub fn clear(&self) {
        *self.rules() = Rules::default();
    }

    pub(super) fn limit(&self) -> u32 {
        self.rules().hourly_limit.unwrap_or(HOURLY_LIMIT)
    }

    /// Whether this read shall not compute mergeability.
    pub(super) fn hides_mergeability(&self) -> bool {
        let mut rules = self.rules();
        let hides = rules.unknown_mergeability > 0;
        rules.unknown_mergeability = rules.unknown_mergeability.saturating_sub(1);
        hides
    }

    /// What is meant for this request; counts it.
    pub(super) fn plan(&self, arrival: &Arrival) -> Plan {
        let mut plan = Plan::default();
        for rule in &mut self.rules().api {
            if !rule.calls.concerns(arrival) {
                continue;
            }
            rule.seen += 1;
            if !(rule.calls.first..=rule.calls.last).contains(&rule.seen) {
                continue;
            }
            match &rule.act {
                Act::Fault(fault) => {
                    plan.fault.get_or_insert_with(|| fault.clone());
                }
                Act::Before(watch) => plan.before.push(Arc::clone(watch)),
                Act::After(watch) => plan.after.push(Arc::clone(watch)),
            }
        }
        plan
    }

    /// What is meant for this delivery; counts it.
    pub(super) fn hook_fault(&self, event: &str) -> Option<HookFault> {
        let mut rules = self.rules();
        let mut found = None;
        for rule in &mut rules.hooks {
            let wanted = &rule.deliveries;
            if wanted.event.as_ref().is_some_and(|wanted| wanted != event) {
                continue;
            }
            rule.seen += 1;
            if (wanted.first..=wanted.last).contains(&rule.seen) && found.is_none() {
                found = Some(rule.fault);
            }
        }
        found.or_else(|| rules.dice.as_mut().and_then(Dice::throw))
    }

    fn add(&self, calls: Calls, act: Act) {
        self.rules().api.push(Rule {
            calls,
            seen: 0,
            act,
        });
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dice {
    fn throw(&mut self) -> Option<HookFault> {
        let thrown = self.random.random_range(0..100_u32);
        let Chaos {
            drop,
            duplicate,
            reorder,
            ..
        } = self.chaos;
        if thrown < drop {
            Some(HookFault::Drop)
        } else if thrown < drop + duplicate {
            Some(HookFault::Duplicate)
        } else if thrown < drop + duplicate + reorder {
            Some(HookFault::Reorder)
        } else {
            None
        }
    }
}

/// What happens to one request.
#[derive(Clone, Default)]
pub(super) struct Plan {
    pub(super) fault: Option<ApiFault>,
    before: Vec<Watcher>,
    after: Vec<Watcher>,
}

impl Plan {
    pub(super) fn tell_before(&self, arrival: &Arrival) {
        for watch in &self.before {
            watch(arrival);
        }
    }

    pub(super) fn tell_after(&self, arrival: &Arrival) {
        for watch in &self.after {
            watch(arrival);
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.rules();
        f.debug_struct("Faults")
            .field("api", &rules.api.len())
            .field("webhooks", &rules.hooks.len())
            .finish_non_exhaustive()
    }
}
