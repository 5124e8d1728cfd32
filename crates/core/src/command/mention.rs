//! The bot's name in a text: `@LOGIN`, the whole login and nothing that merely looks like it.

/// Where the mentions of this login begin (at their `@`), in order.
pub(super) fn all<'a>(text: &'a str, login: &'a str) -> impl Iterator<Item = usize> + 'a {
    let signs = text.match_indices('@').map(|(position, _)| position);
    signs.filter(move |position| {
        text.split_at_checked(*position)
            .is_some_and(|(before, from_sign)| {
                may_precede(before) && after(from_sign, login).is_some_and(may_follow)
            })
    })
}

/// What follows `@LOGIN` in a text that begins with it, in any case of its ASCII letters.
pub(super) fn after<'a>(text: &'a str, login: &str) -> Option<&'a str> {
    let rest = text.strip_prefix('@').filter(|_| !login.is_empty())?;
    let (name, rest) = rest.split_at_checked(login.len())?;
    name.eq_ignore_ascii_case(login).then_some(rest)
}

/// Whether a mention may begin after this text: not in a mail address (`x@bot`), nor in a path of
/// a URL (`/@bot`), nor doubled. GitHub notifies nobody there either.
fn may_precede(before: &str) -> bool {
    let letter = before.chars().next_back();
    !letter.is_some_and(|letter| letter.is_alphanumeric() || "_/@".contains(letter))
}

/// Whether a login is complete before this text.
///
/// It is not if the text goes on as a longer login (`@bot-two`, `@bot_corp`, `@bot[bot]`), a team
/// (`@bot/team`), a domain (`@bot.org`) or an account elsewhere (`@bot@host`).
fn may_follow(rest: &str) -> bool {
    let mut letters = rest.chars();
    match letters.next() {
        None => true,
        Some('-' | '_' | '/' | '@') => false,
        Some('.') => !letters.next().is_some_and(char::is_alphanumeric),
        Some('[') => !rest.starts_with("[bot]"),
        Some(letter) => !letter.is_alphanumeric(),
    }
}
