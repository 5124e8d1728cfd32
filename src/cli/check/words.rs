//! Words of the configuration that the bot would never hear, or not understand.

use std::collections::BTreeMap;

use crate::config::{Config, ConfigError, Location};
use paprq_core::command::{self, Grammar};
use paprq_core::ids::Login;

/// What must be changed in hooks and aliases.
pub(super) fn faults(config: &Config) -> Vec<ConfigError> {
    hooks(config).into_iter().chain(aliases(config)).collect()
}

fn hooks(config: &Config) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    let mut known = BTreeMap::<&str, &str>::new();
    for (name, hook) in &config.hooks {
        let (place, trigger) = (config.places.hooks.get(name), hook.trigger.as_str());
        if command::is_taken(trigger) {
            let message =
                format!("\"{trigger}\" is a command of the bot: the hook is never called");
            errors.extend(error(place, message, "write another word as its trigger"));
        }
        if let Some(other) = known.insert(trigger, name) {
            let message = format!("\"{trigger}\" calls [hooks.{other}] already");
            errors.extend(error(place, message, "write another word as its trigger"));
        }
    }
    errors
}

fn aliases(config: &Config) -> Vec<ConfigError> {
    let hooks = config.hooks.values();
    let grammar = Grammar {
        bot: Login::new(""),
        hooks: hooks.map(|hook| hook.trigger.clone()).collect(),
        aliases: Vec::new(),
    };
    let errors = config.aliases.iter().filter_map(|(phrase, commands)| {
        let word = grammar.understand(commands).err()?;
        let message = format!("{phrase:?} stands for {word:?}, which is not a command");
        let remedy = "write commands as after the bot's name, such as \"retry all\" or \"r+\"";
        error(config.places.aliases.get(phrase), message, remedy)
    });
    errors.collect()
}

fn error(place: Option<&Location>, message: String, remedy: &str) -> Option<ConfigError> {
    Some(ConfigError {
        place: place?.clone(),
        message,
        remedy: remedy.to_owned(),
    })
}
