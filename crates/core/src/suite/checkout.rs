//! The key `checkout`: what of the commit a working copy has beside the commit's own files.

use serde::{Deserialize, Serialize};

use super::audit::{Audit, text_key};
use super::yaml::{Node, Scalar, Value};

/// The most commits of history that a suite may ask for.
const DEPTH_MAX: u32 = 1_000_000;

/// What a suite's working copy is to have. By default the commit's files and its whole history.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Checkout {
    /// The submodules.
    #[serde(default)]
    pub submodules: Submodules,
    /// The files that Git LFS keeps.
    #[serde(default)]
    pub lfs: Lfs,
    /// How many commits of history there are, at least 1; `None` for all.
    #[serde(default)]
    pub depth: Option<u32>,
}

/// Which submodules are checked out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Submodules {
    /// None, and the file does not say that this is wanted.
    #[default]
    Unsaid,
    /// None, as the file says.
    Without,
    /// Those of the commit.
    Direct,
    /// Those of the commit, and theirs.
    Recursive,
}

/// What becomes of files that Git LFS keeps.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lfs {
    /// They stay pointers, and the file does not say that this is wanted.
    #[default]
    Unsaid,
    /// They stay pointers, as the file says.
    Without,
    /// They are downloaded.
    Fetched,
}

impl Checkout {
    /// Whether it asks for what every suite has.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// `checkout: {submodules: true | recursive, lfs: BOOL, depth: INT}`.
    pub(super) fn read(node: &Node, audit: &mut Audit) -> Self {
        let mut checkout = Self::default();
        let Some(mapping) = audit.mapping(node, "/checkout") else {
            return checkout;
        };
        for entry in mapping.entries() {
            let value = &entry.value;
            match text_key(entry) {
                Some("submodules") => checkout.submodules = submodules(value, audit),
                Some("lfs") => checkout.lfs = lfs(value, audit),
                Some("depth") => {
                    checkout.depth = audit.number(value, "/checkout/depth", 1..=DEPTH_MAX);
                }
                _ => audit.undefined(entry, "/checkout"),
            }
        }
        checkout
    }
}

fn submodules(node: &Node, audit: &mut Audit) -> Submodules {
    match &node.value {
        Value::Scalar(Scalar::Null) => Submodules::Unsaid,
        Value::Scalar(Scalar::Bool(true)) => Submodules::Direct,
        Value::Scalar(Scalar::Bool(false)) => Submodules::Without,
        Value::Scalar(Scalar::Text(text)) if text == "recursive" => Submodules::Recursive,
        Value::Scalar(_) | Value::List(_) | Value::Map(_) => {
            audit.wrong_type(node, "true|false|recursive", "/checkout/submodules");
            Submodules::Unsaid
        }
    }
}

fn lfs(node: &Node, audit: &mut Audit) -> Lfs {
    match audit.boolean(node, "/checkout/lfs") {
        None => Lfs::Unsaid,
        Some(false) => Lfs::Without,
        Some(true) => Lfs::Fetched,
    }
}
