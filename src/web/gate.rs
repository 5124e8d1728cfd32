//! Who may hold a connection. Descriptors are scarce, and strangers must not take those that webhooks,
//! workers and git need.
//!
//! A new connection is let in as long as there is room, and where there is none, one that matters less is
//! closed for it: one that has asked for nothing in its first second, then one that waits between two
//! requests, then one that is being answered or has just come. Of those, one of the address that holds most, and there the one that has been
//! so for longest. Who has shown a secret or a token is never closed.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio_util::sync::CancellationToken;

use super::error::WebError;
use crate::clock::Stopwatch;
use crate::config::Config;

/// How long a connection may be open without a whole request, at its beginning and between two.
const UNASKED: Duration = Duration::from_secs(15);

/// How long a request may take to follow its connection, or the answer before it, at best.
const JUST_COME: Duration = Duration::from_secs(1);

/// How long somebody may take nothing of an answer.
const STALLED: Duration = Duration::from_secs(30);

/// How often connections are looked at that may be overdue.
const ROUND: Duration = Duration::from_secs(1);

/// Descriptors of a worker in this process: its own connections, pipes and files.
const PER_WORKER: usize = 16;

/// How many connections and streams there may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Room {
    pub(super) connections_max: usize,
    pub(super) per_address_max: usize,
    pub(super) streams_max: usize,
    pub(super) streams_per_address_max: usize,
    /// How long somebody has just come, before they need to have asked for anything.
    pub(super) just_come: Duration,
}

/// All connections. Clones are handles to the same.
#[derive(Clone)]
pub(super) struct Gate(Arc<Shared>);

struct Shared {
    room: Room,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    just_come: Duration,
    next: u64,
    visits: BTreeMap<u64, Entry>,
    of_address: HashMap<IpAddr, usize>,
    streams: usize,
    streams_of_address: HashMap<IpAddr, usize>,
}

struct Entry {
    address: IpAddr,
    doing: Doing,
    /// Grows with each change of `doing`: the smallest has been so for longest.
    order: u64,
    since: Stopwatch,
    /// Since when nothing of an answer could be sent.
    stalled: Option<Stopwatch>,
    closed: CancellationToken,
}

/// What a connection is there for; those that matter least first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Doing {
    /// It has not asked for anything.
    Nothing,
    /// It may ask for more.
    Waiting,
    /// It is being answered.
    Asking,
    /// It is being answered, and showed a secret or a token.
    Known,
}

/// A connection that was let in. It has left when this is dropped.
pub(super) struct Visit {
    gate: Gate,
    number: u64,
    address: IpAddr,
    closed: CancellationToken,
}

/// A request that is being answered, until this is dropped.
pub(super) struct Asking(Arc<Visit>);

/// A stream of events, until this is dropped.
pub(super) struct Stream {
    gate: Gate,
    address: IpAddr,
}

impl Room {
    /// What is configured, within what this process may open.
    pub(super) fn of(config: &Config) -> Self {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let workers = usize::try_from(config.worker.local).unwrap_or(usize::MAX);
        Self::within(limit, workers, config)
    }

    fn within(descriptors: usize, workers: usize, config: &Config) -> Self {
        let capacity = &config.web.capacity;
        let others = (descriptors / 4).saturating_add(workers.saturating_mul(PER_WORKER));
        let free = descriptors.saturating_sub(others).max(descriptors / 4);
        let connections_max = count(capacity.connections_max).min(free).max(1);
        let at_most = |wanted: Option<u32>, most: usize| wanted.map_or(most, count).min(most);
        let streams_max = count(capacity.streams_max).min(connections_max / 2);
        let half = |all: usize| (all / 2).max(1);
        Self {
            connections_max,
            per_address_max: match capacity.connections_per_address_max {
                None => half(connections_max),
                wanted => at_most(wanted, connections_max),
            },
            streams_max,
            streams_per_address_max: match capacity.streams_per_address_max {
                None => half(streams_max),
                wanted => at_most(wanted, streams_max),
            },
            just_come: JUST_COME,
        }
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Gate {
    pub(super) fn new(room: Room) -> Self {
        Self(Arc::new(Shared {
            room,
            table: Mutex::new(Table {
                just_come: room.just_come,
                ..Table::default()
            }),
        }))
    }

    pub(super) fn room(&self) -> Room {
        self.0.room
    }

    /// Lets a connection in, for which another may have to go; none if all that could go matter more.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Visit> {
        let address = network(address);
        let mut table = self.table();
        if table.held_by(address) >= self.0.room.per_address_max {
            table.close_one(|entry| entry.address == address)?;
        }
        if table.visits.len() >= self.0.room.connections_max {
            table.close_one(|_| true)?;
        }
        let closed = CancellationToken::new();
        let number = table.number();
        let entry = Entry {
            address,
            doing: Doing::Nothing,
            order: number,
            since: Stopwatch::start(),
            stalled: None,
            closed: closed.clone(),
        };
        table.visits.insert(number, entry);
        *table.of_address.entry(address).or_default() += 1;
        Some(Visit {
            gate: self.clone(),
            number,
            address,
            closed,
        })
    }

    /// Closes connections that are overdue, for as long as it is polled.
    pub(super) async fn watch(&self) {
        let mut rounds = tokio::time::interval(ROUND);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.table().close_overdue();
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever has one address of version 6 has its whole network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        address @ IpAddr::V4(_) => address,
    }
}

impl Table {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn held_by(&self, address: IpAddr) -> usize {
        self.of_address.get(&address).copied().unwrap_or_default()
    }

    /// Closes the connection that matters least among these.
    fn close_one(&mut self, among: impl Fn(&Entry) -> bool) -> Option<()> {
        let candidates = self.visits.iter();
        let candidates = candidates.filter(|(_, entry)| entry.doing < Doing::Known && among(entry));
        let (number, _) = candidates.min_by_key(|(_, entry)| {
            let held = self.held_by(entry.address);
            (
                entry.matters(self.just_come),
                std::cmp::Reverse(held),
                entry.order,
            )
        })?;
        let number = *number;
        self.close(number);
        Some(())
    }

    fn close_overdue(&mut self) {
        let overdue = self.visits.iter().filter(|(_, entry)| entry.is_overdue());
        let overdue: Vec<u64> = overdue.map(|(number, _)| *number).collect();
        for number in overdue {
            self.close(number);
        }
    }

    fn close(&mut self, number: u64) {
        if let Some(entry) = self.visits.remove(&number) {
            entry.closed.cancel();
            leave(&mut self.of_address, entry.address);
        }
    }

    fn set(&mut self, number: u64, doing: Doing) {
        let order = self.number();
        if let Some(entry) = self.visits.get_mut(&number) {
            entry.doing = doing;
            entry.order = order;
            entry.since = Stopwatch::start();
        }
    }
}

fn leave(counts: &mut HashMap<IpAddr, usize>, address: IpAddr) {
    if let Some(count) = counts.get_mut(&address) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&address);
        }
    }
}

impl Entry {
    /// What it is there for. Whoever has just come counts as one who is being answered: a request may
    /// be on its way, and those who come next must not push it out before it is read.
    fn matters(&self, just_come: Duration) -> Doing {
        match self.doing {
            Doing::Nothing | Doing::Waiting if self.since.elapsed() < just_come => Doing::Asking,
            Doing::Nothing | Doing::Waiting | Doing::Asking | Doing::Known => self.doing,
        }
    }

    fn is_overdue(&self) -> bool {
        let has_not_asked = match self.doing {
            Doing::Nothing | Doing::Waiting => self.since.elapsed() > UNASKED,
            Doing::Asking | Doing::Known => false,
        };
        let takes_nothing = self.stalled.is_some_and(|since| since.elapsed() > STALLED);
        has_not_asked || takes_nothing
    }
}

impl Visit {
    /// A request begins.
    pub(super) fn asks(self: &Arc<Self>) -> Asking {
        self.gate.table().set(self.number, Doing::Asking);
        Asking(Arc::clone(self))
    }

    /// Whoever asks has shown a secret or a token: the connection stays until the answer is given.
    pub(super) fn is_known(&self) {
        self.gate.table().set(self.number, Doing::Known);
    }

    /// A stream of events begins.
    ///
    /// # Errors
    /// [`WebError::Full`] if there are as many as there may be.
    pub(super) fn stream(&self) -> Result<Stream, WebError> {
        let room = self.gate.0.room;
        let mut table = self.gate.table();
        let own = table.streams_of_address.get(&self.address).copied();
        let own = own.unwrap_or_default();
        if table.streams >= room.streams_max || own >= room.streams_per_address_max {
            return Err(WebError::Full);
        }
        table.streams += 1;
        table.streams_of_address.insert(self.address, own + 1);
        Ok(Stream {
            gate: self.gate.clone(),
            address: self.address,
        })
    }

    /// Waits until the connection is to be closed.
    pub(super) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Some of an answer could be sent.
    pub(super) fn moves(&self) {
        if let Some(entry) = self.gate.table().visits.get_mut(&self.number) {
            entry.stalled = None;
        }
    }

    /// Nothing of an answer can be sent now.
    pub(super) fn stalls(&self) {
        if let Some(entry) = self.gate.table().visits.get_mut(&self.number) {
            entry.stalled.get_or_insert_with(Stopwatch::start);
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.gate.table().close(self.number);
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.gate.table().set(self.0.number, Doing::Waiting);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut table = self.gate.table();
        table.streams -= 1;
        leave(&mut table.streams_of_address, self.address);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOM: Room = Room {
        connections_max: 4,
        per_address_max: 3,
        streams_max: 3,
        streams_per_address_max: 2,
        just_come: Duration::ZERO,
    };

    fn from(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn enter(gate: &Gate, last: u8) -> Arc<Visit> {
        Arc::new(gate.enter(from(last)).unwrap())
    }

    fn is_closed(visit: &Visit) -> bool {
        visit.closed.is_cancelled()
    }

    #[test]
    fn who_asks_for_nothing_goes_first_then_who_waits_then_who_is_answered() {
        let gate = Gate::new(ROOM);
        let (silent, waiting, asking, known) = (
            enter(&gate, 1),
            enter(&gate, 2),
            enter(&gate, 3),
            enter(&gate, 4),
        );
        let (_asks, _asks_too) = (asking.asks(), known.asks());
        known.is_known();
        drop(waiting.asks());
        let mut later = Vec::new();
        for (gone, stays) in [(&silent, &waiting), (&waiting, &asking), (&asking, &known)] {
            let visit = enter(&gate, 5 + u8::try_from(later.len()).unwrap());
            later.push((visit.asks(), visit));
            assert!(is_closed(gone));
            assert!(!is_closed(stays));
        }
        assert!(!is_closed(&known));
    }

    #[test]
    fn whoever_has_just_come_is_not_pushed_out_by_the_next() {
        for (just_come, is_pushed_out) in [(Duration::from_secs(60), false), (Duration::ZERO, true)]
        {
            let gate = Gate::new(Room { just_come, ..ROOM });
            let answered = [1, 2, 3, 4].map(|last| enter(&gate, last));
            let _asks = answered.each_ref().map(Visit::asks);
            let (first, second) = (enter(&gate, 5), enter(&gate, 6));
            assert_eq!(is_closed(&first), is_pushed_out);
            assert!(!is_closed(&second));
        }
    }

    #[test]
    fn whoever_holds_most_loses_first_and_there_the_oldest() {
        let gate = Gate::new(ROOM);
        let alone = enter(&gate, 1);
        let many = [2, 2, 2].map(|last| enter(&gate, last));
        let _new = enter(&gate, 3);
        assert!(!is_closed(&alone));
        assert_eq!(
            many.each_ref().map(|visit| is_closed(visit)),
            [true, false, false]
        );
    }

    #[test]
    fn an_address_that_holds_its_share_makes_room_for_itself() {
        let gate = Gate::new(ROOM);
        let many = [2, 2, 2].map(|last| enter(&gate, last));
        let new = enter(&gate, 2);
        assert!(is_closed(&many[0]));
        assert!(!is_closed(&new));
        let asks: Vec<_> = [&many[1], &many[2], &new].map(|visit| visit.asks()).into();
        for visit in [&many[1], &many[2], &new] {
            visit.is_known();
        }
        assert!(gate.enter(from(2)).is_none());
        assert!(gate.enter(from(3)).is_some());
        drop(asks);
        assert!(gate.enter(from(2)).is_some());
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        let gate = Gate::new(ROOM);
        let visits = ["2001:db8::1", "2001:db8::2:1", "2001:db8::3", "2001:db8::4"];
        let visits = visits.map(|address| gate.enter(address.parse().unwrap()).unwrap());
        assert!(is_closed(&visits[0]));
        let other = gate.enter("2001:db8:0:1::1".parse().unwrap()).unwrap();
        assert!(!is_closed(&other) && !is_closed(&visits[1]));
    }

    #[test]
    fn streams_are_refused_beyond_their_number_and_come_back() {
        let gate = Gate::new(ROOM);
        let (one, two) = (enter(&gate, 1), enter(&gate, 2));
        let streams = [one.stream().unwrap(), one.stream().unwrap()];
        assert!(matches!(one.stream(), Err(WebError::Full)));
        let other = two.stream().unwrap();
        assert!(matches!(two.stream(), Err(WebError::Full)));
        drop((streams, other));
        assert!(one.stream().is_ok());
    }

    #[test]
    fn pages_leave_descriptors_to_all_else() {
        let text = "github = { access_token = 't' }\n[repo.x]\nowner = 'o'\nname = 'n'\n\
                    github = { secret = 's' }";
        let mut config = Config::from_toml("cfg.toml", text, &|_| None).unwrap();
        let within = |descriptors, config: &Config| Room::within(descriptors, 2, config);
        assert_eq!(within(1024, &config).connections_max, 736);
        assert_eq!(within(1024, &config).per_address_max, 368);
        assert_eq!(within(1 << 20, &config).connections_max, 2048);
        assert!(within(64, &config).connections_max >= 16);
        config.web.capacity.connections_per_address_max = Some(u32::MAX);
        config.web.capacity.streams_per_address_max = Some(7);
        let room = within(1024, &config);
        assert_eq!(room.per_address_max, room.connections_max);
        assert_eq!((room.streams_max, room.streams_per_address_max), (368, 7));
    }

    proptest! {
        /// Whatever strangers do, there never are more than may be, who is known stays, and somebody
        /// new comes in as long as not all are known.
        #[test]
        fn strangers_never_keep_anybody_out(
            deeds in prop::collection::vec((0_u8..4, 0_u8..6, 0_usize..8), 1..300),
        ) {
            let gate = Gate::new(ROOM);
            let known = enter(&gate, 9);
            let _asks = known.asks();
            known.is_known();
            let mut there: Vec<(Arc<Visit>, Option<Asking>)> = Vec::new();
            for (deed, last, which) in deeds {
                match (deed, there.get_mut(which)) {
                    (0 | 1, _) => {
                        let visit = gate.enter(from(last));
                        prop_assert!(visit.is_some());
                        there.extend(visit.map(|visit| (Arc::new(visit), None)));
                    }
                    (2, Some((visit, asking))) => *asking = Some(visit.asks()),
                    (3, Some(_)) => drop(there.remove(which)),
                    _ => {}
                }
                prop_assert!(gate.table().visits.len() <= ROOM.connections_max);
                prop_assert!(!is_closed(&known));
            }
            drop(there);
            prop_assert_eq!(gate.table().of_address.len(), 1);
        }
    }
}
