//! Webhooks: making deliveries, signing them, sending them in order, and writing down what came back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Sha256;
use tokio::sync::mpsc;

use paprq_core::ids::Login;

use super::core::Core;
use super::faults::HookFault;
use super::json::with;
use super::world::{Delivery, DeliveryOutcome, World};
use super::{Practice, PracticeError};

/// GitHub gives a webhook's receiver this long.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How long a delivery that shall be overtaken waits for another.
const OVERTAKEN_WITHIN: Duration = Duration::from_millis(100);

/// A delivery ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    delivery: u64,
    hook: u64,
    url: String,
    secret: String,
    event: String,
    guid: String,
    body: Bytes,
    fault: Option<HookFault>,
}

/// What happened, as a webhook tells it.
#[derive(Debug)]
pub(super) struct News<'a> {
    pub(super) repo: &'a str,
    pub(super) event: &'a str,
    pub(super) action: Option<&'a str>,
    pub(super) sender: &'a Login,
    /// The payload without `action`, `repository` and `sender`.
    pub(super) payload: Value,
}

impl Practice {
    /// Makes a delivery once more, under the same guid and with the same payload.
    ///
    /// # Errors
    /// If there is no such delivery.
    pub fn redeliver(&self, delivery: u64) -> Result<(), PracticeError> {
        self.core().redeliver(delivery)
    }
}

impl Core {
    pub(super) fn redeliver(&self, delivery: u64) -> Result<(), PracticeError> {
        let mut world = self.world();
        let made = world.deliveries.iter().find(|made| made.id == delivery);
        let hook = made.map(|made| made.hook);
        let done = hook.is_some_and(|hook| self.deliver_again(&mut world, hook, delivery));
        drop(world);
        self.changed();
        match done {
            true => Ok(()),
            false => Err(PracticeError::Unknown(format!("delivery {delivery}"))),
        }
    }

    /// Delivers news to all webhooks of the repository.
    pub(super) fn tell(&self, world: &mut World, news: News<'_>) {
        let Some(repo) = world.repo(news.repo) else {
            return;
        };
        let hooks = repo.hooks.clone();
        if hooks.is_empty() {
            return;
        }
        let shapes = self.shapes(world);
        let told_repo = match news.event {
            "push" => shapes.pushed_repo(repo),
            _ => shapes.repo(repo),
        };
        let ends = json!({"repository": told_repo, "sender": shapes.user(news.sender)});
        let start = match news.action {
            Some(action) => json!({"action": action}),
            None => json!({}),
        };
        let payload = with(with(start, news.payload), ends);
        for hook in hooks {
            let delivery = Delivery {
                id: world.next_id(),
                hook: hook.id,
                repo: news.repo.to_owned(),
                guid: guid(),
                event: news.event.to_owned(),
                action: news.action.map(ToOwned::to_owned),
                payload: payload.clone(),
                at: self.now(),
                outcome: DeliveryOutcome::UnderWay,
                took_ms: 0,
                again: false,
            };
            self.send(world, delivery);
        }
    }

    /// Makes a delivery once more, under the same guid. Whether there was such a one.
    pub(super) fn deliver_again(&self, world: &mut World, hook: u64, id: u64) -> bool {
        let found = world
            .deliveries
            .iter()
            .find(|delivery| delivery.hook == hook && delivery.id == id);
        let Some(mut delivery) = found.cloned() else {
            return false;
        };
        delivery.id = world.next_id();
        delivery.at = self.now();
        delivery.outcome = DeliveryOutcome::UnderWay;
        delivery.again = true;
        self.send(world, delivery);
        true
    }

    fn send(&self, world: &mut World, mut delivery: Delivery) {
        let hook = world
            .repo(&delivery.repo)
            .and_then(|repo| repo.hooks.iter().find(|hook| hook.id == delivery.hook));
        let Some(hook) = hook else {
            return;
        };
        let fault = self.faults.hook_fault(&delivery.event);
        let parcel = Parcel {
            delivery: delivery.id,
            hook: hook.id,
            url: hook.url.clone(),
            secret: hook.secret.clone(),
            event: delivery.event.clone(),
            guid: delivery.guid.clone(),
            body: Bytes::from(delivery.payload.to_string()),
            fault,
        };
        // A server that was stopped takes no parcels: then nothing is delivered.
        if fault == Some(HookFault::Drop) || self.parcels.send(parcel).is_err() {
            delivery.outcome = DeliveryOutcome::Lost;
        }
        world.deliveries.push(delivery);
    }

    fn delivered(&self, id: u64, outcome: DeliveryOutcome, took_ms: u64) {
        let mut world = self.world();
        let found = world
            .deliveries
            .iter_mut()
            .rev()
            .find(|delivery| delivery.id == id);
        if let Some(delivery) = found {
            delivery.outcome = outcome;
            delivery.took_ms = took_ms;
        }
        drop(world);
        self.changed();
    }
}

/// Sends what comes, each webhook's deliveries one after the other.
pub(super) async fn deliver(
    core: Arc<Core>,
    client: reqwest::Client,
    mut parcels: mpsc::UnboundedReceiver<Parcel>,
) {
    let mut lanes: HashMap<u64, mpsc::UnboundedSender<Parcel>> = HashMap::new();
    while let Some(parcel) = parcels.recv().await {
        let lane = lanes.entry(parcel.hook).or_insert_with(|| {
            let (sender, receiver) = mpsc::unbounded_channel();
            let postman = Postman {
                core: Arc::clone(&core),
                client: client.clone(),
            };
            tokio::spawn(postman.walk(receiver));
            sender
        });
        // The lane lives as long as its sender, which the map holds.
        drop(lane.send(parcel));
    }
}

/// Carries the deliveries of one webhook.
#[derive(Clone, Debug)]
struct Postman {
    core: Arc<Core>,
    client: reqwest::Client,
}

impl Postman {
    async fn walk(self, mut parcels: mpsc::UnboundedReceiver<Parcel>) {
        let mut held: Vec<Parcel> = Vec::new();
        loop {
            let next = if held.is_empty() {
                parcels.recv().await
            } else {
                let next = tokio::time::timeout(OVERTAKEN_WITHIN, parcels.recv()).await;
                next.unwrap_or(None)
            };
            match next {
                Some(parcel) if parcel.fault == Some(HookFault::Reorder) && held.is_empty() => {
                    held.push(parcel);
                    continue;
                }
                Some(parcel) => self.carry(parcel).await,
                None if held.is_empty() => return,
                None => {}
            }
            for parcel in held.drain(..) {
                self.post(parcel).await;
            }
        }
    }

    async fn carry(&self, parcel: Parcel) {
        match parcel.fault {
            Some(HookFault::Delay(delay)) => {
                let postman = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    postman.post(parcel).await;
                });
            }
            Some(HookFault::Duplicate) => {
                self.post(parcel.clone()).await;
                self.post(parcel).await;
            }
            Some(HookFault::Drop | HookFault::Reorder) | None => self.post(parcel).await,
        }
    }

    async fn post(&self, parcel: Parcel) {
        let id = parcel.delivery;
        let sent = self.core.now();
        let request = self
            .client
            .post(&parcel.url)
            .timeout(ANSWER_WITHIN)
            .header("content-type", "application/json")
            .header("user-agent", "GitHub-Hookshot/practice")
            .header("x-github-event", &parcel.event)
            .header("x-github-delivery", &parcel.guid)
            .header("x-github-hook-id", parcel.hook)
            .header("x-hub-signature", sha1_signature(&parcel))
            .header("x-hub-signature-256", sha256_signature(&parcel))
            .body(parcel.body);
        let outcome = match request.send().await {
            Ok(answer) => DeliveryOutcome::Answered(answer.status().as_u16()),
            Err(error) => DeliveryOutcome::Unanswered(error.to_string()),
        };
        self.core
            .delivered(id, outcome, self.core.now().ms_since(sent));
    }
}

/// `X-Hub-Signature`: HMAC (RFC 2104) of the body with the webhook's secret.
fn sha1_signature(parcel: &Parcel) -> String {
    let digest = Hmac::<Sha1>::new_from_slice(parcel.secret.as_bytes()).map(|mut mac| {
        mac.update(&parcel.body);
        mac.finalize().into_bytes()
    });
    digest.map_or_else(
        |_| String::new(),
        |digest| format!("sha1={}", hex::encode(digest)),
    )
}

fn sha256_signature(parcel: &Parcel) -> String {
    let digest = Hmac::<Sha256>::new_from_slice(parcel.secret.as_bytes()).map(|mut mac| {
        mac.update(&parcel.body);
        mac.finalize().into_bytes()
    });
    digest.map_or_else(
        |_| String::new(),
        |digest| format!("sha256={}", hex::encode(digest)),
    )
}

/// A random UUID (RFC 9562, version 4).
fn guid() -> String {
    let random = rand::random::<u128>();
    let uuid = random & !(0xf000_u128 << 64) & !(0xc000_u128 << 48);
    let digits = format!("{:032x}", uuid | (0x4000_u128 << 64) | (0x8000_u128 << 48));
    let mut text = String::with_capacity(36);
    for (index, digit) in digits.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}
