//! Values as Python prints them: PAPR's messages quote them so.

use std::fmt::Write as _;

use super::{Mapping, Node, Scalar, Value};

/// `str(value)`: text bare, everything inside a list or a mapping as a literal.
pub(in crate::suite) fn display(value: &Value) -> String {
    match value {
        Value::Scalar(scalar) => display_scalar(scalar),
        Value::List(_) | Value::Map(_) => literal(value),
    }
}

/// `str(value)` of a scalar.
pub(in crate::suite) fn display_scalar(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Null => "None".to_owned(),
        Scalar::Bool(true) => "True".to_owned(),
        Scalar::Bool(false) => "False".to_owned(),
        Scalar::Int(number) => number.to_string(),
        Scalar::HugeInt(text) | Scalar::Float(text) | Scalar::Text(text) | Scalar::Date(text) => {
            text.clone()
        }
    }
}

/// `repr(text.encode('unicode_escape'))`: how pykwalify quotes a text where it wants a list.
pub(in crate::suite) fn bytes_literal(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '\\' => escaped.push_str("\\\\"),
            '\n' | '\r' | '\t' | '\0'..='\u{1f}' | '\u{7f}'.. => escape(letter, &mut escaped),
            _ => escaped.push(letter),
        }
    }
    format!("b{}", quoted(&escaped))
}

fn literal(value: &Value) -> String {
    match value {
        Value::Scalar(Scalar::Text(text)) => quoted(text),
        Value::Scalar(scalar) => display_scalar(scalar),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(node_literal).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(mapping) => map_literal(mapping),
    }
}

fn node_literal(node: &Node) -> String {
    literal(&node.value)
}

fn map_literal(mapping: &Mapping) -> String {
    let entries: Vec<String> = mapping
        .entries()
        .iter()
        .map(|entry| {
            let key = literal(&Value::Scalar(entry.key.clone()));
            format!("{key}: {}", node_literal(&entry.value))
        })
        .collect();
    format!("{{{}}}", entries.join(", "))
}

/// `repr(text)`: in single quotes unless only those occur in it.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::from(quote);
    for letter in text.chars() {
        if letter == quote || letter == '\\' {
            out.push('\\');
            out.push(letter);
        } else if letter.is_control() {
            escape(letter, &mut out);
        } else {
            out.push(letter);
        }
    }
    out.push(quote);
    out
}

fn escape(letter: char, out: &mut String) {
    match letter {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ => {
            let code = u32::from(letter);
            let written = match code {
                0..=0xff => write!(out, "\\x{code:02x}"),
                0x100..=0xffff => write!(out, "\\u{code:04x}"),
                _ => write!(out, "\\U{code:08x}"),
            };
            written.unwrap_or_default();
        }
    }
}

/// `repr(number)`: as Rust's debug form, but with at least two digits and a sign in the exponent.
pub(super) fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    let text = format!("{number:?}");
    match text.split_once('e') {
        None => text,
        Some((digits, exponent)) => {
            let digits = digits.strip_suffix(".0").unwrap_or(digits);
            match exponent.strip_prefix('-') {
                Some(small) => format!("{digits}e-{small:0>2}"),
                None => format!("{digits}e+{exponent:0>2}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_printed_as_python_prints_them() {
        let printed: Vec<String> = [
            1.0,
            0.1,
            1e15,
            1e16,
            1.5e300,
            1e-4,
            1e-5,
            -2.5e-7,
            f64::NAN,
            f64::NEG_INFINITY,
        ]
        .into_iter()
        .map(float)
        .collect();
        assert_eq!(
            printed.join(" "),
            "1.0 0.1 1000000000000000.0 1e+16 1.5e+300 0.0001 1e-05 -2.5e-07 nan -inf"
        );
    }

    #[test]
    fn texts_are_quoted_as_python_quotes_them() {
        assert_eq!(quoted("a"), "'a'");
        assert_eq!(quoted("it's"), "\"it's\"");
        assert_eq!(quoted("'\""), "'\\'\"'");
        assert_eq!(quoted("a\nb\\\u{7}ä"), "'a\\nb\\\\\\x07ä'");
    }

    #[test]
    fn texts_become_bytes_as_python_escapes_them() {
        assert_eq!(bytes_literal("make"), "b'make'");
        assert_eq!(bytes_literal("it's"), "b\"it's\"");
        assert_eq!(
            bytes_literal("a\nä\u{2192}\u{1f980}"),
            "b'a\\\\n\\\\xe4\\\\u2192\\\\U0001f980'"
        );
    }
}
