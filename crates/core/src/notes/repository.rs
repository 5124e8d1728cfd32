//! What pages say of a repository as a whole.

use super::harmless::plain;

/// The most characters of a name.
const NAME_CHARS_MAX: usize = 200;

/// That a repository has another name on GitHub than in cfg.toml.
pub fn renamed(label: &str, owner: &str, name: &str) -> String {
    let [label, owner, name] = [label, owner, name].map(|text| plain(text, NAME_CHARS_MAX));
    format!(
        "GitHub calls this repository {owner}/{name} now. In cfg.toml, write owner = \"{owner}\" and \
         name = \"{name}\" in [repo.{label}]: the old name works only until somebody takes it."
    )
}

/// How far the open pull requests have been read.
pub fn reading(done: usize, total: usize) -> String {
    format!("Reading open pull requests: {done} of {total}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_write_in_cfg_toml_is_said() {
        insta::assert_snapshot!(renamed("infra", "new", "infra"), @r#"GitHub calls this repository new/infra now. In cfg.toml, write owner = "new" and name = "infra" in [repo.infra]: the old name works only until somebody takes it."#);
    }

    #[test]
    fn how_far_the_reading_is_is_said() {
        assert_eq!(reading(120, 280), "Reading open pull requests: 120 of 280");
    }
}
