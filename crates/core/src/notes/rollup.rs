//! The description of a rollup: a pull that holds others.

use super::Links;
use super::harmless::prose;
use crate::ids::PullNumber;

/// How much of a title is shown, in characters.
const TITLE_CHARS_MAX: usize = 200;

/// Title and description of a rollup.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RollupText {
    /// Its title.
    pub title: String,
    /// Its description.
    pub body: String,
}

/// The words of a rollup of pulls, each with its title, that were merged and that were not.
///
/// Bots and people read the two lists (homu: server.py); the part between the ignore marks stays out
/// of the merge commit.
pub fn rollup(
    merged: &[(PullNumber, String)],
    failed: &[(PullNumber, String)],
    links: &Links,
) -> RollupText {
    let mut all: Vec<_> = merged
        .iter()
        .chain(failed)
        .map(|(number, _)| number)
        .collect();
    all.sort();
    let all: Vec<_> = all.into_iter().map(ToString::to_string).collect();
    let mut body = format!("Successful merges:\n\n{}\n", list(merged));
    if !failed.is_empty() {
        body.push_str(&format!("Failed merges:\n\n{}\n", list(failed)));
    }
    if let Some(page) = links.page(&format!("queue/{}?prs={}", links.repo, all.join(","))) {
        body.push_str(&format!(
            "<!-- homu-ignore:start -->\n[Create a similar rollup]({page})\n<!-- homu-ignore:end -->\n"
        ));
    }
    RollupText {
        title: format!("Rollup of {} pull requests", merged.len()),
        body,
    }
}

fn list(pulls: &[(PullNumber, String)]) -> String {
    let lines = pulls
        .iter()
        .map(|(number, title)| format!(" - #{number} ({})\n", prose(title, TITLE_CHARS_MAX)));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Login, RepoLabel};

    fn text(merged: &[(u64, &str)], failed: &[(u64, &str)]) -> RollupText {
        let owned = |pulls: &[(u64, &str)]| -> Vec<_> {
            let pulls = pulls.iter();
            pulls
                .map(|(number, title)| (PullNumber(*number), (*title).to_owned()))
                .collect()
        };
        let links = Links {
            base_url: "https://bot.example.org".to_owned(),
            repo: RepoLabel::new("demo"),
            web_url: "https://github.com".to_owned(),
            slug: "octo/demo".to_owned(),
            bot: Login::new("bot"),
        };
        rollup(&owned(merged), &owned(failed), &links)
    }

    #[test]
    fn a_rollup_lists_what_it_holds_and_what_it_does_not() {
        let text = text(&[(2, "Greet"), (7, "Take leave")], &[(5, "Shout")]);
        assert_eq!(text.title, "Rollup of 2 pull requests");
        insta::assert_snapshot!(text.body, @r"
        Successful merges:

         - #2 (Greet)
         - #7 (Take leave)

        Failed merges:

         - #5 (Shout)

        <!-- homu-ignore:start -->
        [Create a similar rollup](https://bot.example.org/queue/demo?prs=2,5,7)
        <!-- homu-ignore:end -->
        ");
    }

    #[test]
    fn titles_call_nobody_and_do_not_break_out() {
        let text = text(&[(1, "@alice see #9 <!-- homu-ignore:start -->")], &[]);
        assert!(!text.body.contains("Failed"));
        assert!(!text.body.contains("@alice") && !text.body.contains("#9"));
        assert_eq!(text.body.matches("homu-ignore:start -->\n").count(), 1);
        assert_eq!(text.body.matches("<!--").count(), 2, "{}", text.body);
    }
}
