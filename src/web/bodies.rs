//! The bodies of requests, so received that strangers cannot fill the memory.
//!
//! All bodies together hold a bounded number of bytes. Where one more does not fit, the largest that is
//! still arriving is given up, so that a small webhook always finds room beside those who send much and
//! do not end. A body arrives at a least rate and within a deadline, and it is kept once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::HeaderMap;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::error::WebError;
use super::sent;

/// How long a body may take in all.
const DEADLINE: Duration = Duration::from_secs(60);

/// The time in which [`WINDOW_BYTES`] must arrive, unless the body ends before.
const WINDOW: Duration = Duration::from_secs(5);

/// 16 KiB a second.
const WINDOW_BYTES: usize = 80 << 10;

/// What is set aside for a body of which nothing has come yet, in bytes.
const FIRST_BYTES: usize = 16 << 10;

/// Bodies above this are looked at one after another, and where it holds up nobody, in bytes.
pub(super) const LARGE_BYTES: usize = 256 << 10;

/// How many large bodies are looked at at a time. Each may take its own size again.
const LARGE_AT_A_TIME: usize = 2;

/// What holds for a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// The largest, in bytes.
    pub(super) bytes_max: usize,
    pub(super) sender: Sender,
}

/// Who sends a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sender {
    /// Nobody knows before the body was looked at. It gives way to smaller ones.
    Stranger,
    /// Somebody who showed a token before the body. It is received to its end.
    Known,
}

/// All bodies that are being received or looked at.
pub(super) struct Bodies {
    ledger: Arc<Mutex<Ledger>>,
    large: Semaphore,
}

/// Who holds how much.
struct Ledger {
    bytes_max: usize,
    held: usize,
    next: u64,
    coming: BTreeMap<u64, Part>,
}

/// A body of which not everything is there.
struct Part {
    bytes: Vec<u8>,
    sender: Sender,
    /// How long it said that it is; a hint.
    announced: usize,
}

/// A place in the ledger, which is given back when this is dropped.
struct Coming {
    ledger: Arc<Mutex<Ledger>>,
    number: u64,
}

/// A body that is there. It counts until nobody has it any more.
struct Whole {
    ledger: Arc<Mutex<Ledger>>,
    bytes: Vec<u8>,
    charged: usize,
}

/// Whether a body goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Goes {
    On,
    NoFurther,
}

impl Bodies {
    /// All of them together hold at most this many bytes.
    pub(super) fn new(bytes_max: u64) -> Self {
        Self {
            ledger: Arc::new(Mutex::new(Ledger {
                bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX),
                held: 0,
                next: 0,
                coming: BTreeMap::new(),
            })),
            large: Semaphore::new(LARGE_AT_A_TIME),
        }
    }

    /// Receives a body.
    ///
    /// # Errors
    /// [`WebError::TooLarge`], [`WebError::TooSlow`], [`WebError::Busy`] where there is no room for
    /// it, and [`WebError::Bad`] if it ends too early.
    pub(super) async fn receive<S>(
        &self,
        headers: &HeaderMap,
        content: S,
        terms: Terms,
    ) -> Result<Bytes, WebError>
    where
        S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    {
        let announced = announced(headers)?;
        if announced.is_some_and(|len| len > terms.bytes_max as u64) {
            return Err(WebError::TooLarge);
        }
        let coming = self.begin(terms.sender, announced);
        let filled = timeout(DEADLINE, coming.fill(content, terms.bytes_max)).await;
        filled.or(Err(WebError::TooSlow))??;
        coming.whole()
    }

    /// Waits until a body of this length may be looked at.
    pub(super) async fn turn(&self, len: usize) -> Option<SemaphorePermit<'_>> {
        if len <= LARGE_BYTES {
            return None;
        }
        self.large.acquire().await.ok()
    }

    fn begin(&self, sender: Sender, announced: Option<u64>) -> Coming {
        let announced = announced.and_then(|len| usize::try_from(len).ok());
        let mut ledger = lock(&self.ledger);
        let number = ledger.next;
        ledger.next += 1;
        let part = Part {
            bytes: Vec::new(),
            sender,
            announced: announced.unwrap_or_default(),
        };
        ledger.coming.insert(number, part);
        Coming {
            ledger: Arc::clone(&self.ledger),
            number,
        }
    }
}

/// How long the sender says that the body is.
fn announced(headers: &HeaderMap) -> Result<Option<u64>, WebError> {
    const NAME: &str = "content-length";
    let Some(len) = sent::sole(headers, NAME)? else {
        return Ok(None);
    };
    len.trim().parse().map(Some).or(Err(WebError::Header(NAME)))
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Coming {
    async fn fill<S>(&self, mut content: S, bytes_max: usize) -> Result<(), WebError>
    where
        S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    {
        loop {
            let window = timeout(WINDOW, self.window(&mut content, bytes_max)).await;
            if window.or(Err(WebError::TooSlow))?? == Goes::NoFurther {
                return Ok(());
            }
        }
    }

    /// Receives what must come in one [`WINDOW`].
    async fn window<S>(&self, content: &mut S, bytes_max: usize) -> Result<Goes, WebError>
    where
        S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    {
        let mut came = 0;
        while came < WINDOW_BYTES {
            let chunk = match content.next().await {
                Some(Ok(chunk)) => chunk,
                Some(Err(_)) => return Err(WebError::Bad("the body ended too early")),
                None => return Ok(Goes::NoFurther),
            };
            lock(&self.ledger).add(self.number, &chunk, bytes_max)?;
            came += chunk.len();
        }
        Ok(Goes::On)
    }

    fn whole(self) -> Result<Bytes, WebError> {
        let part = lock(&self.ledger).coming.remove(&self.number);
        let bytes = part.ok_or(WebError::Busy)?.bytes;
        Ok(Bytes::from_owner(Whole {
            ledger: Arc::clone(&self.ledger),
            charged: bytes.capacity(),
            bytes,
        }))
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        lock(&self.ledger).give_up(self.number);
    }
}

impl AsRef<[u8]> for Whole {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        let mut ledger = lock(&self.ledger);
        ledger.held = ledger.held.saturating_sub(self.charged);
    }
}

impl Ledger {
    fn add(&mut self, number: u64, chunk: &[u8], bytes_max: usize) -> Result<(), WebError> {
        let part = self.coming.get(&number).ok_or(WebError::Busy)?;
        let needed = part.bytes.len() + chunk.len();
        if needed > bytes_max {
            return Err(WebError::TooLarge);
        }
        let capacity = part.capacity_for(needed, bytes_max);
        let more = capacity.saturating_sub(part.bytes.capacity());
        self.make_room(number, more, capacity)?;
        let part = self.coming.get_mut(&number).ok_or(WebError::Busy)?;
        part.bytes.reserve_exact(capacity - part.bytes.len());
        part.bytes.extend_from_slice(chunk);
        self.held += more;
        Ok(())
    }

    /// Gives up larger bodies until there is room for this many bytes more of a body that will then
    /// take up `capacity`; that one itself, where none is larger.
    fn make_room(&mut self, number: u64, more: usize, capacity: usize) -> Result<(), WebError> {
        while self.held.saturating_add(more) > self.bytes_max {
            let yielding = self.coming.iter().filter(|(other, part)| {
                **other != number && part.sender == Sender::Stranger && !part.bytes.is_empty()
            });
            // Of those that are as large, the one that has been arriving for longest.
            let largest = yielding
                .max_by_key(|(other, part)| (part.bytes.capacity(), std::cmp::Reverse(**other)));
            let own = self.coming.get(&number).map(|part| part.sender);
            let (other, size) = largest
                .map(|(other, part)| (*other, part.bytes.capacity()))
                .ok_or(WebError::Busy)?;
            if size < capacity && own == Some(Sender::Stranger) {
                return Err(WebError::Busy);
            }
            self.give_up(other);
        }
        Ok(())
    }

    fn give_up(&mut self, number: u64) {
        if let Some(part) = self.coming.remove(&number) {
            self.held = self.held.saturating_sub(part.bytes.capacity());
        }
    }
}

impl Part {
    /// How much to set aside so that this much fits: twice as much each time, and in the end no more
    /// than was announced.
    fn capacity_for(&self, needed: usize, bytes_max: usize) -> usize {
        let capacity = self.bytes.capacity();
        if needed <= capacity {
            return capacity;
        }
        let most = if needed <= self.announced {
            self.announced
        } else {
            bytes_max
        };
        (capacity * 2).max(FIRST_BYTES).min(most).max(needed)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use proptest::prelude::*;

    use super::*;

    const STRANGER: Terms = Terms {
        bytes_max: 1 << 20,
        sender: Sender::Stranger,
    };

    fn held(bodies: &Bodies) -> usize {
        lock(&bodies.ledger).held
    }

    async fn receive(bodies: &Bodies, bytes: Vec<u8>) -> Result<Bytes, WebError> {
        let content = stream::iter([Ok(Bytes::from(bytes))]);
        bodies.receive(&HeaderMap::new(), content, STRANGER).await
    }

    #[tokio::test]
    async fn a_body_counts_until_nobody_has_it() {
        let bodies = Bodies::new(1 << 20);
        let body = receive(&bodies, vec![7; 300_000]).await.unwrap();
        assert!(held(&bodies) >= 300_000);
        let part = body.slice(5..9);
        drop(body);
        assert!(held(&bodies) >= 300_000);
        assert_eq!(&part[..], [7; 4]);
        drop(part);
        assert_eq!(held(&bodies), 0);
    }

    #[tokio::test]
    async fn a_small_body_finds_room_and_the_largest_that_arrives_is_given_up() {
        let bodies = Bodies::new(1 << 20);
        let (large, small) = (
            bodies.begin(Sender::Stranger, None),
            bodies.begin(Sender::Stranger, None),
        );
        lock(&bodies.ledger)
            .add(large.number, &vec![1; 900_000], 1 << 20)
            .unwrap();
        lock(&bodies.ledger)
            .add(small.number, &vec![1; 100_000], 1 << 20)
            .unwrap();
        assert_eq!(
            receive(&bodies, vec![2; 120_000]).await.unwrap().len(),
            120_000
        );
        assert!(matches!(large.whole(), Err(WebError::Busy)));
        assert_eq!(small.whole().unwrap().len(), 100_000);
    }

    #[tokio::test]
    async fn what_is_there_is_kept_and_a_larger_one_gives_way_itself() {
        let bodies = Bodies::new(1 << 20);
        let whole = receive(&bodies, vec![1; 700_000]).await.unwrap();
        let refused = receive(&bodies, vec![1; 400_000]).await;
        assert_eq!(refused, Err(WebError::Busy));
        let coming = bodies.begin(Sender::Stranger, None);
        lock(&bodies.ledger)
            .add(coming.number, &vec![1; 100_000], 1 << 20)
            .unwrap();
        assert_eq!(
            receive(&bodies, vec![1; 300_000]).await,
            Err(WebError::Busy)
        );
        drop(whole);
        assert_eq!(
            receive(&bodies, vec![1; 300_000]).await.unwrap().len(),
            300_000
        );
    }

    #[tokio::test]
    async fn who_showed_a_token_is_received_to_the_end() {
        let bodies = Bodies::new(1 << 20);
        let known = bodies.begin(Sender::Known, None);
        lock(&bodies.ledger)
            .add(known.number, &vec![1; 900_000], 1 << 20)
            .unwrap();
        assert_eq!(
            receive(&bodies, vec![1; 200_000]).await,
            Err(WebError::Busy)
        );
        assert_eq!(known.whole().unwrap().len(), 900_000);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_too_slowly_is_not_waited_for() {
        let bodies = Bodies::new(1 << 20);
        let drops = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Some((Ok(Bytes::from_static(&[0; 100])), ()))
        });
        let slow = Box::pin(drops);
        let refused = bodies.receive(&HeaderMap::new(), slow, STRANGER).await;
        assert_eq!(refused, Err(WebError::TooSlow));
        let headers = HeaderMap::new();
        let silent = bodies.receive(&headers, stream::pending(), STRANGER);
        assert_eq!(silent.await, Err(WebError::TooSlow));
        assert_eq!(held(&bodies), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_has_a_deadline_at_any_rate() {
        let bodies = Bodies::new(64 << 20);
        let fast_enough = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok(Bytes::from_static(&[0; WINDOW_BYTES])), ()))
        });
        let terms = Terms {
            bytes_max: 25 << 20,
            ..STRANGER
        };
        let slow = Box::pin(fast_enough);
        let refused = bodies.receive(&HeaderMap::new(), slow, terms).await;
        assert_eq!(refused, Err(WebError::TooSlow));
    }

    proptest! {
        /// Whatever arrives in whatever order, no more is held than may be, and all is given back.
        #[test]
        fn no_more_is_held_than_may_be(
            chunks in prop::collection::vec((0_usize..12, 1_usize..400_000, any::<bool>()), 1..200),
        ) {
            let bodies = Bodies::new(1 << 20);
            let mut coming: BTreeMap<usize, Coming> = BTreeMap::new();
            let mut whole = Vec::new();
            for (who, len, ends) in chunks {
                let part = coming
                    .entry(who)
                    .or_insert_with(|| bodies.begin(Sender::Stranger, None));
                let added = lock(&bodies.ledger).add(part.number, &vec![0; len], 1 << 20);
                if (ends || added.is_err()) && let Some(part) = coming.remove(&who) {
                    whole.extend(part.whole());
                }
                prop_assert!(held(&bodies) <= 1 << 20);
                if whole.len() > 2 {
                    whole.clear();
                }
            }
            drop((coming, whole));
            prop_assert_eq!(held(&bodies), 0);
        }
    }
}
