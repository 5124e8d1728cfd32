//! `${VARIABLE}` in a text is the environment's (homu: cfg.toml).

use super::reading::Environment;

/// Why a text with variables has no value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// The environment has no such variable.
    Unset(String),
    /// A `${` that is not followed by a name of letters, digits and `_`, and `}`.
    Unfinished,
}

impl Fault {
    pub(super) fn message(&self) -> String {
        match self {
            Self::Unset(name) => format!("needs the environment variable {name}, which is not set"),
            Self::Unfinished => "has \"${\" without a name and \"}\" after it".to_owned(),
        }
    }

    pub(super) fn remedy(&self) -> String {
        match self {
            Self::Unset(name) => format!("set {name} or write the value here"),
            Self::Unfinished => "write ${NAME}".to_owned(),
        }
    }
}

/// Puts in the values, which are not looked at again; every fault of the text if there are any.
pub(super) fn expand(text: &str, environment: Environment<'_>) -> Result<String, Vec<Fault>> {
    let mut parts = text.split("${");
    let mut expanded = parts.next().unwrap_or_default().to_owned();
    let mut faults = Vec::new();
    for part in parts {
        match part.split_once('}').filter(|(name, _)| is_name(name)) {
            None => faults.push(Fault::Unfinished),
            Some((name, rest)) => match environment(name) {
                None => faults.push(Fault::Unset(name.to_owned())),
                Some(value) => {
                    expanded.push_str(&value);
                    expanded.push_str(rest);
                }
            },
        }
    }
    if faults.is_empty() {
        Ok(expanded)
    } else {
        Err(faults)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Result<String, Vec<Fault>> {
        expand(text, &|name| (name == "ONE").then(|| "1${ONE}".to_owned()))
    }

    #[test]
    fn values_are_put_in_and_not_looked_at_again() {
        assert_eq!(given("a${ONE}b${ONE}"), Ok("a1${ONE}b1${ONE}".to_owned()));
        assert_eq!(given("$ONE } {"), Ok("$ONE } {".to_owned()));
    }

    #[test]
    fn every_missing_variable_is_named() {
        let unset = |name: &str| Fault::Unset(name.to_owned());
        assert_eq!(
            given("${TWO}${ONE}${THREE}"),
            Err(vec![unset("TWO"), unset("THREE")])
        );
    }

    #[test]
    fn a_dollar_brace_without_a_name_is_a_fault() {
        for text in ["${", "${}", "${ONE", "${A B}", "x${-}"] {
            assert_eq!(given(text), Err(vec![Fault::Unfinished]), "{text}");
        }
    }
}
