//! What else happens: labels that events move, and hooks that commands call.

use std::collections::BTreeMap;

use super::finding::Location;
use super::section::{NamedSection, Section, Word};
use paprq_core::queue::labels::{LabelChange, LabelEvent};
use paprq_core::queue::rules::HookAccess;

/// A command that calls another service: `[hooks.NAME]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hook {
    /// The command's word. Default `NAME`.
    pub trigger: String,
    /// Where the call goes, http or https. Required.
    pub endpoint: String,
    /// Who may give the command. Default try.
    pub access: HookAccess,
    /// Whether the answer is posted as a comment; only where `realtime` is true. Default false.
    pub has_response: bool,
    /// Whether the call is made only when the comment arrives, and not again when comments are
    /// read anew. Default false.
    pub realtime: bool,
    /// Whether the service may redirect the call into private networks. Default false: only to
    /// itself.
    pub allow_private_redirects: bool,
}

impl Word for LabelEvent {
    const ALL: &'static [Self] = &[
        Self::Approved,
        Self::Rejected,
        Self::Conflict,
        Self::Succeed,
        Self::Failed,
        Self::Exempted,
        Self::TimedOut,
        Self::Interrupted,
        Self::Try,
        Self::TrySucceed,
        Self::TryFailed,
        Self::Pushed,
        Self::RollupMade,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Conflict => "conflict",
            Self::Succeed => "succeed",
            Self::Failed => "failed",
            Self::Exempted => "exempted",
            Self::TimedOut => "timed_out",
            Self::Interrupted => "interrupted",
            Self::Try => "try",
            Self::TrySucceed => "try_succeed",
            Self::TryFailed => "try_failed",
            Self::Pushed => "pushed",
            Self::RollupMade => "rollup_made",
        }
    }
}

impl Word for HookAccess {
    const ALL: &'static [Self] = &[Self::Reviewer, Self::Try];

    fn word(self) -> &'static str {
        match self {
            Self::Reviewer => "reviewer",
            Self::Try => "try",
        }
    }
}

/// Reads `[repo.LABEL.labels]`.
pub(super) fn labels(section: &Section<'_>) -> BTreeMap<LabelEvent, LabelChange> {
    let events = LabelEvent::ALL
        .iter()
        .map(|event| (*event, section.section(event.word())));
    events
        .filter(|(_, change)| change.exists())
        .map(|(event, change)| (event, label_change(&change)))
        .collect()
}

fn label_change(section: &Section<'_>) -> LabelChange {
    LabelChange {
        remove: section.texts("remove"),
        add: section.texts("add"),
        unless: section.texts("unless"),
    }
}

/// Reads `[hooks]`.
pub(super) fn hooks(top: &Section<'_>) -> BTreeMap<String, Hook> {
    let named = top.named_sections("hooks");
    named
        .iter()
        .map(|hook| (hook.name.clone(), Hook::read(hook)))
        .collect()
}

/// Where each hook's trigger stands.
pub(super) fn places(top: &Section<'_>) -> BTreeMap<String, Location> {
    let named = top.named_sections("hooks").into_iter();
    named
        .map(|hook| (hook.name, hook.section.place("trigger")))
        .collect()
}

impl Hook {
    fn read(NamedSection { name, section }: &NamedSection<'_>) -> Self {
        let endpoint = section.address("endpoint");
        section.missing("endpoint", "write the address that is called");
        let has_response = section.truth("has_response").unwrap_or(false);
        let realtime = section.truth("realtime").unwrap_or(false);
        let hook = Self {
            trigger: section.text("trigger").unwrap_or_else(|| name.clone()),
            endpoint: endpoint.unwrap_or_default(),
            access: section.choice("access").unwrap_or(HookAccess::Try),
            has_response: has_response && realtime,
            realtime,
            allow_private_redirects: section.truth("allow_private_redirects").unwrap_or(false),
        };
        if has_response && !realtime {
            let message = "\"has_response\" does nothing without \"realtime\"";
            let reason = "the answer would be posted again whenever comments are read anew";
            section.warn("has_response", message, reason);
        }
        if hook.trigger.contains(char::is_whitespace) {
            let message = "\"trigger\" contains white space";
            section.error("trigger", message, "write one word");
        }
        hook
    }
}
