//! GitHub's own examples of webhooks, and what ours lack of them.

use std::collections::BTreeSet;
use std::path::Path;

use paprq_practice::Delivery;
use serde_json::Value;

/// Where keys are compared: at the top and in these members.
const PLACES: [&str; 11] = [
    "",
    "/pull_request",
    "/pull_request/head",
    "/pull_request/base",
    "/repository",
    "/sender",
    "/comment",
    "/review",
    "/issue",
    "/check_run",
    "/commit",
];

/// Members that only the payloads of organisations, enterprises and apps have.
const NOT_OURS: [&str; 3] = ["organization", "enterprise", "installation"];

/// Fails where a delivery lacks a key that all examples of its event and action have. How many
/// sorts of deliveries were compared.
pub(crate) fn compare(deliveries: &[Delivery]) -> usize {
    let examples = read();
    let mut compared = BTreeSet::new();
    let mut lacking = BTreeSet::new();
    for sent in deliveries {
        let alike = of(&examples, sent);
        if alike.is_empty() {
            continue;
        }
        let sort = format!("{} {}", sent.event, sent.action.as_deref().unwrap_or(""));
        for place in PLACES {
            let ours = keys(&sent.payload, place).unwrap_or_default();
            for key in common(&alike, place).difference(&ours) {
                lacking.insert(format!("{sort}: {place}/{key}"));
            }
        }
        compared.insert(sort);
    }
    lacking.retain(|path| {
        !NOT_OURS
            .iter()
            .any(|name| path.ends_with(&format!("/{name}")))
    });
    assert!(lacking.is_empty(), "lacking: {lacking:#?}");
    compared.len()
}

fn read() -> Value {
    let path = "fixtures/webhooks-examples/api.github.com/index.json";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text =
        std::fs::read(path).expect("run tests/fixtures.sh: npm's @octokit/webhooks-examples");
    serde_json::from_slice(&text).unwrap()
}

fn of<'a>(examples: &'a Value, sent: &Delivery) -> Vec<&'a Value> {
    let events = examples.as_array().unwrap().iter();
    let of_event = events.filter(|event| event["name"] == sent.event.as_str());
    of_event
        .flat_map(|event| event["examples"].as_array().unwrap())
        .filter(|example| example["action"].as_str() == sent.action.as_deref())
        .collect()
}

/// The keys that all examples have there; none if one of them has no such place.
fn common(examples: &[&Value], place: &str) -> BTreeSet<String> {
    let mut sets = examples.iter().map(|example| keys(example, place));
    let first = sets.next().flatten().unwrap_or_default();
    sets.fold(first, |all, these| {
        let these = these.unwrap_or_default();
        all.intersection(&these).cloned().collect()
    })
}

fn keys(payload: &Value, place: &str) -> Option<BTreeSet<String>> {
    let members = payload.pointer(place)?.as_object()?;
    Some(members.keys().cloned().collect())
}
