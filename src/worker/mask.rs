//! Hiding secrets in what a suite prints, as it is printed. Pure.
//!
//! Hidden are each value, its lines, and the forms in which programs like to print it. Where
//! several overlap, all that any of them covers is hidden. What counts is what viewers see, who
//! leave out escape sequences and control bytes; see `sight.rs`. Bytes are held back only while
//! they may be the beginning of a secret.

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::alphabet::{self, Alphabet};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::sight::{Sight, begun_character, seen_of};
use crate::protocol::SecretVariable;

/// Parts of a secret (its lines, what is sure of its base64) are hidden from this length on, in
/// bytes: shorter ones would hide much of any log.
const PART_BYTES_MIN: usize = 8;
/// What may be the beginning of a secret is waited for so long, in bytes, or for twice the longest
/// secret.
const HELD_BYTES_MAX: usize = 64 * 1024;
/// Where `base64` ends its lines.
const BASE64_COLUMNS: usize = 76;
/// Letters of which a mask is made, the first that is in no secret.
const MASK_LETTERS: &[u8] = b"*#.x?-";

/// What no encoder of addresses changes (RFC 3986, 2.3).
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// What JavaScript's `encodeURIComponent` changes.
const COMPONENT: AsciiSet = UNRESERVED
    .remove(b'!')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*');

/// Hides secrets in a stream of bytes.
#[derive(Debug)]
pub(super) struct Mask {
    search: AhoCorasick,
    forms: Vec<Vec<u8>>,
    longest: usize,
    mask: [u8; 3],
    /// What may be the beginning of a secret, with what stands in between.
    held: Vec<u8>,
    /// What is known of each of these bytes.
    marks: Vec<Mark>,
    /// How those who look at the log have read what went out.
    sights: [Sight; 5],
    /// The last byte that went out was hidden.
    is_hiding: bool,
}

/// What is to become of a byte.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Mark {
    Shown,
    /// It stands between the bytes of a secret, where viewers do not see it, and stays.
    Between,
    Hidden,
}

/// What a viewer sees.
#[derive(Debug)]
struct Look {
    /// Where the bytes stand among those that are held.
    places: Vec<usize>,
    text: Vec<u8>,
}

/// The secrets are too many or too long to be looked for.
#[derive(Debug, thiserror::Error)]
#[error("the secrets are too large to be hidden")]
pub(super) struct TooLarge;

impl Mask {
    /// Hides these; `None` where there are none.
    pub(super) fn of(secrets: &[SecretVariable]) -> Result<Option<Self>, TooLarge> {
        let values = secrets.iter().map(|secret| secret.value.as_str());
        let mut forms: Vec<Vec<u8>> = values.flat_map(forms).collect();
        let seen: Vec<_> = forms.iter().map(|form| seen_of(form)).collect();
        forms.extend(seen.into_iter().filter(|form| !form.is_empty()));
        forms.sort_unstable();
        forms.dedup();
        let Some(longest) = forms.iter().map(Vec::len).max() else {
            return Ok(None);
        };
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&forms)
            .or(Err(TooLarge))?;
        let unused = |letter: &&u8| !forms.iter().any(|form| form.contains(letter));
        let letter = MASK_LETTERS.iter().find(unused).copied();
        Ok(Some(Self {
            search,
            longest,
            mask: [letter.unwrap_or(b'*'); 3],
            forms,
            held: Vec::new(),
            marks: Vec::new(),
            sights: Sight::all(),
            is_hiding: false,
        }))
    }

    /// Takes what comes next; returns what of all that came may be seen now.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        self.marks.resize(self.held.len(), Mark::Shown);
        let whole = self.held.len() - begun_character(&self.held);
        let looks = self.looks(whole);
        let begun: Vec<_> = looks.iter().map(|look| self.beginning(look)).collect();
        let sure = begun.iter().filter_map(|begun| begun.first()).min();
        let sure = sure.copied().unwrap_or(whole);
        if self.held.len() - sure <= self.held_bytes_max() {
            return self.let_out(sure);
        }
        // Nobody sees so much of nothing in the middle of a word: what may be a secret's
        // beginning is hidden, and not waited for any longer.
        for at in begun.into_iter().flatten() {
            self.mark(*at, Mark::Hidden);
        }
        self.let_out(whole)
    }

    /// Returns what was held back: nothing follows that would make it a secret.
    pub(super) fn release(&mut self) -> Vec<u8> {
        self.let_out(self.held.len())
    }

    fn held_bytes_max(&self) -> usize {
        HELD_BYTES_MAX.max(self.longest.saturating_mul(2))
    }

    /// What each viewer sees of the first bytes that are held; viewers that see the same are one.
    fn looks(&self, len: usize) -> Vec<Look> {
        let held = self.held.get(..len).unwrap_or_default();
        let mut looks: Vec<Look> = Vec::new();
        for mut sight in self.sights {
            let places = sight.read(held);
            if looks.iter().all(|look| look.places != places) {
                let text = places.iter().filter_map(|at| held.get(*at).copied());
                let text = text.collect();
                looks.push(Look { places, text });
            }
        }
        looks
    }

    /// Where the longest end of what is seen is that may be the beginning of a secret.
    fn beginning<'a>(&self, look: &'a Look) -> &'a [usize] {
        let most = look.text.len().min(self.longest - 1);
        let is_beginning = |len: &usize| {
            let end = look.text.get(look.text.len() - len..).unwrap_or_default();
            let mut forms = self.forms.iter();
            forms.any(|form| form.len() > *len && form.starts_with(end))
        };
        let len = (1..=most).rev().find(is_beginning).unwrap_or(0);
        look.places
            .get(look.places.len() - len..)
            .unwrap_or_default()
    }

    fn mark(&mut self, at: usize, mark: Mark) {
        if let Some(known) = self.marks.get_mut(at) {
            *known = (*known).max(mark);
        }
    }

    fn let_out(&mut self, sure: usize) -> Vec<u8> {
        for look in self.looks(self.held.len()) {
            let search = self.search.clone();
            for found in search.find_overlapping_iter(&look.text) {
                let places = look.places.get(found.range()).unwrap_or_default();
                let (Some(first), Some(last)) = (places.first(), places.last()) else {
                    continue;
                };
                for at in *first..*last {
                    self.mark(at, Mark::Between);
                }
                for at in places {
                    self.mark(*at, Mark::Hidden);
                }
            }
        }
        let rest = self.held.split_off(sure);
        let out = std::mem::replace(&mut self.held, rest);
        let marks = self.marks.split_off(sure);
        let marks = std::mem::replace(&mut self.marks, marks);
        for sight in &mut self.sights {
            sight.read(&out);
        }
        let mut seen = Vec::with_capacity(out.len());
        for (byte, mark) in out.into_iter().zip(marks) {
            match mark {
                Mark::Shown => {
                    seen.push(byte);
                    self.is_hiding = false;
                }
                Mark::Between => seen.push(byte),
                Mark::Hidden => {
                    if !self.is_hiding {
                        seen.extend_from_slice(&self.mask);
                    }
                    self.is_hiding = true;
                }
            }
        }
        seen
    }
}

/// The value, and what else would give it away.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let mut forms: Vec<Vec<u8>> = Vec::new();
    for text in [value, value.trim()] {
        forms.extend(written(text).into_iter().map(String::into_bytes));
        forms.extend(base64s(text.as_bytes()));
    }
    let lines = value.lines().map(str::trim);
    let long = lines.filter(|line| line.chars().count() >= PART_BYTES_MIN);
    forms.extend(long.map(|line| line.as_bytes().to_vec()));
    forms.retain(|form| !form.is_empty());
    forms
}

/// As it is, in addresses and forms, in JSON, and as a shell prints what it executes.
fn written(text: &str) -> Vec<String> {
    let in_form: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let in_address = utf8_percent_encode(text, &UNRESERVED).to_string();
    let in_path = in_address.replace("%2F", "/");
    let component = utf8_percent_encode(text, &COMPONENT).to_string();
    let in_json = serde_json::Value::from(text).to_string();
    let in_json = in_json.trim_matches('"').to_owned();
    let in_shell = text.replace('\'', r"'\''");
    let encoded = [in_form, in_address, in_path, component];
    let small = encoded.each_ref().map(|text| small_escapes(text));
    let mut all = vec![text.to_owned(), in_json, in_shell];
    all.extend(encoded);
    all.extend(small);
    all
}

/// `%2F` as `%2f`.
fn small_escapes(text: &str) -> String {
    let mut parts = text.split('%');
    let mut small = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        small.push('%');
        small.push_str(&code.to_ascii_lowercase());
        small.push_str(rest);
    }
    small
}

/// In base64 of both alphabets: alone, in lines, and what is sure of it inside a longer text.
fn base64s(value: &[u8]) -> Vec<Vec<u8>> {
    let alphabets: [&Alphabet; 2] = [&alphabet::STANDARD, &alphabet::URL_SAFE];
    let each = alphabets.into_iter().flat_map(|alphabet| {
        let alone = GeneralPurpose::new(alphabet, PAD).encode(value);
        let lines = alone.as_bytes().chunks(BASE64_COLUMNS);
        let lines: Vec<Vec<u8>> = lines.map(<[u8]>::to_vec).collect();
        let inside = (0..3).map(|before| sure_base64(alphabet, value, before));
        let parts = lines.into_iter().chain(inside);
        let parts = parts.filter(|part| part.len() >= PART_BYTES_MIN);
        let parts: Vec<Vec<u8>> = parts.collect();
        let without_padding = alone.trim_end_matches('=').as_bytes().to_vec();
        [alone.into_bytes(), without_padding]
            .into_iter()
            .chain(parts)
    });
    each.collect()
}

/// The letters that depend on the value alone where `before` bytes, modulo 3, come before it.
fn sure_base64(alphabet: &Alphabet, value: &[u8], before: usize) -> Vec<u8> {
    let bytes = [&vec![0; before], value].concat();
    let text = GeneralPurpose::new(alphabet, NO_PAD).encode(&bytes);
    let first = (before * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    text.as_bytes().get(first..end).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    fn mask(values: &[&str]) -> Mask {
        let secrets = values.iter().map(|value| SecretVariable {
            name: "S".to_owned(),
            value: (*value).to_owned(),
        });
        let secrets: Vec<_> = secrets.collect();
        Mask::of(&secrets).unwrap().unwrap()
    }

    fn masked(values: &[&str], text: &str) -> String {
        let mut mask = mask(values);
        let mut seen = mask.push(text.as_bytes());
        seen.extend(mask.release());
        String::from_utf8_lossy(&seen).into_owned()
    }

    const VALUE: &str = "pässword/+'& \"1";

    #[test]
    fn the_forms_in_which_programs_print_a_value_are_hidden() {
        let bytes = VALUE.as_bytes();
        let form: String = url::form_urlencoded::byte_serialize(bytes).collect();
        for text in [
            VALUE.to_owned(),
            STANDARD.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
            "p%C3%A4ssword%2F%2B%27%26%20%221".to_owned(),
            "p%c3%a4ssword%2f%2b%27%26%20%221".to_owned(),
            "p%C3%A4ssword/%2B%27%26%20%221".to_owned(),
            "p%C3%A4ssword%2F%2B'%26%20%221".to_owned(),
            "pässword/+'& \\\"1".to_owned(),
            "pässword/+'\\''& \"1".to_owned(),
            form,
        ] {
            assert_eq!(masked(&[VALUE], &format!("<{text}>")), "<***>", "{text}");
        }
    }

    #[test]
    fn a_value_inside_a_longer_base64_is_hidden_but_for_the_letters_it_shares() {
        for before in ["", "u:", "us:", "use:"] {
            let text = STANDARD.encode(format!("{before}{VALUE}, and more"));
            let seen = masked(&[VALUE], &text);
            assert!(seen.contains("***"), "{seen}");
            // Two letters at most hang on what is before as well, and two on what is after.
            let hidden = text.len() - seen.replace("***", "").len();
            assert!(hidden * 6 > (VALUE.len() - 2) * 8, "{seen}");
        }
    }

    #[test]
    fn long_base64_is_hidden_in_the_lines_that_the_program_makes_of_it() {
        let value = "long secret ".repeat(20);
        let encoded = STANDARD.encode(&value);
        let lines: Vec<_> = encoded.as_bytes().chunks(76).collect();
        let lines = lines.join(&b'\n');
        let seen = masked(&[&value], &String::from_utf8_lossy(&lines));
        assert!(seen.chars().all(|letter| "*\n".contains(letter)), "{seen}");
    }

    #[test]
    fn the_lines_of_a_value_are_hidden_if_they_are_long_enough() {
        let key = "-----BEGIN KEY-----\n  MIIEpAIBAAKC\nshort\n-----END KEY-----\n";
        let text = "MIIEpAIBAAKC\r\nshort\n-----END KEY----- shorter\n";
        assert_eq!(masked(&[key], text), "***\r\nshort\n*** shorter\n");
    }

    #[test]
    fn all_that_overlapping_secrets_cover_is_hidden() {
        let values = ["abcdefgh", "efghijkl", "cdefghij"];
        assert_eq!(
            masked(&values, "0abcdefghijklm abcdefghabcdefgh"),
            "0***m ***"
        );
    }

    #[test]
    fn only_what_may_become_a_secret_is_held_back() {
        let mut mask = mask(&["secret-value"]);
        assert_eq!(mask.push(b"a line\n"), b"a line\n");
        assert_eq!(mask.push(b"what sec"), b"what ");
        assert_eq!(mask.push(b"ond\nse"), b"second\n");
        assert_eq!(mask.push(b"cret-valu"), b"");
        assert_eq!(mask.push(b"e!"), b"***!");
        assert_eq!(mask.push(b"secret"), b"");
        assert_eq!(mask.release(), b"secret");
    }

    #[test]
    fn a_mask_cannot_become_part_of_another_secret() {
        let values = ["first-secret", "a***bcdefg"];
        assert_eq!(masked(&values, "afirst-secretbcdefg"), "a###bcdefg");
    }

    #[test]
    fn what_nobody_sees_does_not_split_a_secret() {
        for (text, seen) in [
            (
                "\u{1b}[01;31m\u{1b}[Ksecr\u{1b}[m\u{1b}[Ket-1!",
                "\u{1b}[01;31m\u{1b}[K***\u{1b}[m\u{1b}[K!",
            ),
            ("secr\u{7}\u{0}et-1!", "***\u{7}\u{0}!"),
            ("secr\u{1b}]0;title\u{7}et-1!", "***\u{1b}]0;title\u{7}!"),
            ("secr\u{1b}]8;;x\u{1b}\\et-1!", "***\u{1b}]8;;x\u{1b}\\!"),
            ("secr\u{1b}(Bet-1!", "***\u{1b}(B!"),
            ("secr\u{200b}et-1!", "***\u{200b}!"),
            ("\u{1b}]0;secret-1\u{7}!", "\u{1b}]0;***\u{7}!"),
            ("\u{1b}[s\u{7}ecret-1!", "\u{1b}[***\u{7}!"),
        ] {
            assert_eq!(masked(&["secret-1"], text), seen, "{text:?}");
        }
        assert_eq!(
            masked(&["line one\nline two"], "line one\r\nline two\r\n"),
            "***\r\r\n"
        );
        assert_eq!(
            masked(&["line one\r\nline two"], "line one\nline two\n"),
            "***\n"
        );
    }

    #[test]
    fn what_is_held_back_is_bounded() {
        let mut mask = mask(&["secret-1"]);
        let nothing = [0; 1000];
        let mut seen = mask.push(b"secr");
        for _ in 0..200 {
            seen.extend(mask.push(&nothing));
            assert!(mask.held.len() <= HELD_BYTES_MAX + nothing.len());
        }
        seen.extend(mask.push(b"et-1"));
        seen.extend(mask.release());
        assert_eq!(seen_of(&seen), b"***et-1");
    }

    /// What a job's page shows, without its tags.
    fn on_page(log: &[u8]) -> String {
        let text = String::from_utf8_lossy(log);
        let lines = text.lines().map(|line| {
            let shown = line.rsplit('\r').next().unwrap_or(line);
            let html = ansi_to_html::convert(shown);
            let html = html.unwrap_or_else(|_| ansi_to_html::Esc(shown).to_string());
            let pieces = html.split('<').enumerate();
            let text = pieces.filter_map(|(number, piece)| match number {
                0 => Some(piece),
                _ => piece.split_once('>').map(|(_, text)| text),
            });
            let text: String = text.collect();
            text.replace(paprq_core::notes::is_unseen, "")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Sequences and bytes that viewers leave out.
    const UNSEEN: [&str; 12] = [
        "\u{1b}[01;31m",
        "\u{1b}[m",
        "\u{1b}[K",
        "\u{1b}[38;5;211m",
        "\u{1b}[2J",
        "\u{7}",
        "\0",
        "\u{1b}(B",
        "\u{1b}]0;a title\u{7}",
        "\u{1b}]8;;http://x\u{1b}\\",
        "\u{200b}",
        "\u{1b}",
    ];

    fn cut_and_masked(value: &str, text: &[u8], cuts: &[usize]) -> Vec<u8> {
        let mut mask = mask(&[value]);
        let (mut seen, mut rest) = (Vec::new(), text);
        for cut in cuts.iter().cycle() {
            let (piece, later) = rest.split_at((*cut).min(rest.len()));
            seen.extend(mask.push(piece));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        seen.extend(mask.release());
        seen
    }

    #[test]
    fn no_secrets_need_no_mask() {
        assert!(Mask::of(&[]).unwrap().is_none());
    }

    fn fragments() -> impl Strategy<Value = (Vec<String>, Vec<u8>)> {
        let values = proptest::collection::vec("[ab*é\n/]{8,12}", 1..4);
        let values = values.prop_filter("blank", |values| {
            values.iter().all(|value| value.trim().chars().count() >= 8)
        });
        values.prop_flat_map(|values| {
            let whole = proptest::sample::select(values.clone());
            let part = (whole.clone(), 0..12usize)
                .prop_map(|(value, len)| value.chars().take(len).collect::<String>());
            let encoded = whole.clone().prop_map(|value| STANDARD.encode(value));
            let other = "[ab*é\n/]{0,6}";
            let text = proptest::collection::vec(prop_oneof![whole, part, encoded, other], 0..12);
            (
                Just(values),
                text.prop_map(|parts| parts.concat().into_bytes()),
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

        #[test]
        fn no_page_and_no_raw_log_shows_a_secret_whatever_stands_in_between(
            value in "[g-m]{8,12}",
            pieces in proptest::collection::vec(
                prop_oneof![
                    2 => (any::<proptest::sample::Index>(), Just(None)),
                    3 => (any::<proptest::sample::Index>(), "[n-z0-9 \n]{0,3}".prop_map(Some)),
                ],
                1..60,
            ),
            cuts in proptest::collection::vec(1..9usize, 1..20),
        ) {
            let (mut text, mut letters) = (String::new(), value.chars().cycle());
            let mut others = String::new();
            for (index, other) in pieces {
                let unseen = UNSEEN[index.index(UNSEEN.len())];
                // A letter of the secret, and something that nobody sees.
                if other.is_none() {
                    text.extend(letters.next());
                }
                text.push_str(unseen);
                others.push_str(unseen);
                others.push_str(&other.unwrap_or_default());
            }
            let seen = cut_and_masked(&value, text.as_bytes(), &cuts);
            prop_assert!(!String::from_utf8_lossy(&seen).contains(&value));
            prop_assert!(!on_page(&seen).contains(&value), "{:?}", String::from_utf8_lossy(&seen));
            let whole = cut_and_masked(&value, text.as_bytes(), &[text.len()]);
            prop_assert_eq!(seen, whole);
            // Without any letter of the secret every byte is passed on.
            let passed = cut_and_masked("GHIJKLMN", others.as_bytes(), &cuts);
            prop_assert_eq!(passed, others.into_bytes());
        }

        #[test]
        fn nothing_of_a_value_comes_out_however_the_text_is_cut(
            (values, text) in fragments(),
            cuts in proptest::collection::vec(1..9usize, 1..20),
        ) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let mut mask = mask(&values);
            let (mut seen, mut rest) = (Vec::new(), text.as_slice());
            for cut in cuts.iter().cycle() {
                let (piece, later) = rest.split_at((*cut).min(rest.len()));
                seen.extend(mask.push(piece));
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            seen.extend(mask.release());
            let search = |form: &[u8], text: &[u8]| text.windows(form.len()).any(|piece| piece == form);
            let forms: Vec<Vec<u8>> = values.iter().flat_map(|value| forms(value)).collect();
            for form in &forms {
                prop_assert!(!search(form, &seen), "{:?}", String::from_utf8_lossy(form));
            }
            let whole = masked(&values, &String::from_utf8(text.clone()).unwrap());
            prop_assert_eq!(String::from_utf8_lossy(&seen), whole);
            if !forms.iter().any(|form| search(form, &text)) {
                prop_assert_eq!(&seen, &text);
            }
        }
    }
}
