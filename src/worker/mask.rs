//! Hiding secrets in what a suite prints, as it is printed. Pure.
//!
//! Hidden are each value, its lines, and the forms in which programs like to print it. Where
//! several overlap, all that any of them covers is hidden. Bytes are held back only while they
//! may be the beginning of a secret.

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::alphabet::{self, Alphabet};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::protocol::SecretVariable;

/// Parts of a secret (its lines, what is sure of its base64) are hidden from this length on, in
/// bytes: shorter ones would hide much of any log.
const PART_BYTES_MIN: usize = 8;
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
    /// What may be the beginning of a secret.
    held: Vec<u8>,
    /// So many of the held bytes belong to a secret that began before them.
    held_hidden: usize,
    /// The last byte that went out was hidden.
    is_hiding: bool,
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
            held_hidden: 0,
            is_hiding: false,
        }))
    }

    /// Takes what comes next; returns what of all that came may be seen now.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let sure = self.held.len() - self.beginning();
        self.let_out(sure)
    }

    /// Returns what was held back: nothing follows that would make it a secret.
    pub(super) fn release(&mut self) -> Vec<u8> {
        self.let_out(self.held.len())
    }

    /// The length of the longest end of what is held that may be the beginning of a secret.
    fn beginning(&self) -> usize {
        let most = self.held.len().min(self.longest - 1);
        let is_beginning = |len: &usize| {
            let end = self.held.get(self.held.len() - len..).unwrap_or_default();
            let mut forms = self.forms.iter();
            forms.any(|form| form.len() > *len && form.starts_with(end))
        };
        (1..=most).rev().find(is_beginning).unwrap_or(0)
    }

    fn let_out(&mut self, sure: usize) -> Vec<u8> {
        let mut hidden = vec![false; self.held.len()];
        let mut hide = |from: usize, to: usize| {
            hidden.get_mut(from..to).unwrap_or_default().fill(true);
        };
        hide(0, self.held_hidden);
        for found in self.search.find_overlapping_iter(&self.held) {
            hide(found.start(), found.end());
        }
        let rest = self.held.split_off(sure);
        let out = std::mem::replace(&mut self.held, rest);
        // Secrets that begin in what stays are found again; those that began before are not.
        let still_hidden = hidden.split_off(sure);
        self.held_hidden = still_hidden
            .iter()
            .take_while(|is_hidden| **is_hidden)
            .count();
        let mut seen = Vec::with_capacity(out.len());
        for (byte, is_hidden) in out.into_iter().zip(hidden) {
            match (is_hidden, self.is_hiding) {
                (false, _) => seen.push(byte),
                (true, false) => seen.extend_from_slice(&self.mask),
                (true, true) => {}
            }
            self.is_hiding = is_hidden;
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
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

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
