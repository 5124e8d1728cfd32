//! From text to values: the parser's events put together, anchors and merge keys resolved.
//!
//! Iterative and bounded in depth and weight, because files come from strangers.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

use super::scalar::{Misfit, Word, resolve, resolve_tagged};
use super::tabs::{Stretch, Style, stray_tab};
use super::{Entry, Mapping, Node, Scalar, Value};
use crate::suite::Position;
use crate::suite::error::Problem;

/// How deep lists and mappings may stand in each other. Suites need five levels.
const DEPTH_MAX: usize = 64;

/// What a file's values may weigh together once aliases stand for what they name; see
/// [`Node::weight`].
const WEIGHT_MAX: usize = 4 * 1024 * 1024;

/// Prefix of the tags of YAML's own types.
const OWN_TAGS: &str = "tag:yaml.org,2002:";

/// Reads a stream of documents.
///
/// # Errors
///
/// The text is no YAML 1.1 as PyYAML's safe loader takes it, or it is too deep or too heavy.
pub(in crate::suite) fn load(text: &str) -> Result<Vec<Node>, Problem> {
    refuse_control_characters(text)?;
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| Problem::yaml(Some(place(*error.marker())), error.info()))?;
        loader.take(event, span)?;
    }
    match stray_tab(text, &loader.stretches) {
        None => Ok(loader.documents),
        Some(index) => Err(Problem::yaml(
            Some(place_of(text, index)),
            "tabs are only allowed in quoted texts, blocks and comments",
        )),
    }
}

/// Puts events together.
#[derive(Default)]
struct Loader {
    documents: Vec<Node>,
    /// The lists and mappings that are still open, outermost first.
    open: Vec<Open>,
    /// The finished values of the present document that have an anchor.
    anchored: HashMap<usize, Node>,
    /// The weight of everything that was made.
    weight: usize,
    stretches: Vec<Stretch>,
}

/// A list or mapping that is still open.
struct Open {
    anchor: usize,
    place: Position,
    parts: Parts,
}

enum Parts {
    List(Vec<Node>),
    Map(OpenMapping),
}

/// A mapping that is still open.
#[derive(Default)]
struct OpenMapping {
    own: Vec<Entry>,
    merged: Vec<Entry>,
    /// The key whose value comes next.
    key: Option<Key>,
}

enum Key {
    Plain(Scalar, Position),
    /// `<<`.
    Merge,
}

impl Loader {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let place = place(span.start);
        match event {
            Event::DocumentStart(_) => self.anchored.clear(),
            Event::Scalar(text, style, anchor, tag) => {
                self.stretches.push(stretch(span, style));
                self.scalar(&Written { text, style, tag }, anchor, place)?;
            }
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag.as_deref(), "seq", place)?;
                self.begin(anchor, place, Parts::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref(), "map", place)?;
                self.begin(anchor, place, Parts::Map(OpenMapping::default()))?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Alias(anchor) => self.alias(anchor, place)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn begin(&mut self, anchor: usize, place: Position, parts: Parts) -> Result<(), Problem> {
        if self.open.len() >= DEPTH_MAX {
            return Err(Problem::yaml(Some(place), "nested too deeply"));
        }
        self.open.push(Open {
            anchor,
            place,
            parts,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.parts {
            Parts::List(items) => Value::List(items),
            Parts::Map(mapping) => Value::Map(mapping.finish()),
        };
        let node = Node {
            value,
            place: open.place,
        };
        self.finish(node, open.anchor)
    }

    fn scalar(
        &mut self,
        written: &Written<'_>,
        anchor: usize,
        place: Position,
    ) -> Result<(), Problem> {
        let scalar = match (written.read(place)?, self.mapping_without_key()) {
            (Word::Scalar(scalar), _) => scalar,
            (Word::EqualsSign, Some(_)) => Scalar::from("="),
            (Word::MergeSign, Some(mapping)) => {
                mapping.key = Some(Key::Merge);
                return Ok(());
            }
            (Word::MergeSign | Word::EqualsSign, None) => {
                return Err(Problem::yaml(Some(place), "this sign can only be a key"));
            }
        };
        let value = Value::Scalar(scalar);
        self.finish(Node { value, place }, anchor)
    }

    fn alias(&mut self, anchor: usize, place: Position) -> Result<(), Problem> {
        // Not there: it is still open, so it would contain itself, or it is another document's.
        let Some(named) = self.anchored.get(&anchor) else {
            return Err(Problem::yaml(
                Some(place),
                "alias of nothing in this document",
            ));
        };
        let weight = named.weight();
        if self.open.len() + named.depth() > DEPTH_MAX {
            return Err(Problem::yaml(Some(place), "nested too deeply"));
        }
        let node = Node {
            value: named.value.clone(),
            place,
        };
        self.charge(weight, place)?;
        self.put(node)
    }

    /// Takes a value whose parts are complete.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        let own_weight = match &node.value {
            Value::Scalar(_) => node.weight(),
            Value::List(_) | Value::Map(_) => super::NODE_WEIGHT,
        };
        self.charge(own_weight, node.place)?;
        if anchor != 0 {
            self.charge(node.weight(), node.place)?;
            self.anchored.insert(anchor, node.clone());
        }
        self.put(node)
    }

    fn charge(&mut self, weight: usize, place: Position) -> Result<(), Problem> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > WEIGHT_MAX {
            return Err(Problem::yaml(Some(place), "too large with its aliases"));
        }
        Ok(())
    }

    fn put(&mut self, node: Node) -> Result<(), Problem> {
        match self.open.last_mut().map(|open| &mut open.parts) {
            None => self.documents.push(node),
            Some(Parts::List(items)) => items.push(node),
            Some(Parts::Map(mapping)) => mapping.put(node)?,
        }
        Ok(())
    }

    /// The innermost open mapping, if a key comes next.
    fn mapping_without_key(&mut self) -> Option<&mut OpenMapping> {
        match &mut self.open.last_mut()?.parts {
            Parts::Map(mapping) if mapping.key.is_none() => Some(mapping),
            Parts::Map(_) | Parts::List(_) => None,
        }
    }
}

impl OpenMapping {
    fn put(&mut self, node: Node) -> Result<(), Problem> {
        match self.key.take() {
            None => match node.value {
                Value::Scalar(key) => self.key = Some(Key::Plain(key, node.place)),
                Value::List(_) | Value::Map(_) => {
                    return Err(Problem::yaml(Some(node.place), "a key must be one word"));
                }
            },
            Some(Key::Merge) => self.merge(node)?,
            Some(Key::Plain(key, key_place)) => self.own.push(Entry {
                key,
                key_place,
                value: node,
            }),
        }
        Ok(())
    }

    /// Takes what stands behind `<<`: a mapping, or several of which the first wins.
    fn merge(&mut self, node: Node) -> Result<(), Problem> {
        let mappings = match node.value {
            Value::List(items) => items,
            Value::Map(_) | Value::Scalar(_) => vec![node],
        };
        for item in mappings.into_iter().rev() {
            let Value::Map(mapping) = item.value else {
                return Err(Problem::yaml(
                    Some(item.place),
                    "only mappings can be merged",
                ));
            };
            self.merged.extend(mapping);
        }
        Ok(())
    }

    /// Own entries win over merged ones, wherever they stand.
    fn finish(self) -> Mapping {
        self.merged.into_iter().chain(self.own).collect()
    }
}

/// A scalar as the file has it.
struct Written<'a> {
    text: Cow<'a, str>,
    style: ScalarStyle,
    tag: Option<Cow<'a, Tag>>,
}

impl Written<'_> {
    fn read(&self, place: Position) -> Result<Word, Problem> {
        let word = match self.tag.as_deref().map(tag_name).as_deref() {
            // The tag `!` says no more than that it is a scalar.
            Some("!") => resolve(&self.text),
            Some(tag) => tag
                .strip_prefix(OWN_TAGS)
                .ok_or(Misfit)
                .and_then(|tag| resolve_tagged(tag, &self.text))
                .map(Word::Scalar),
            None if self.style == ScalarStyle::Plain => resolve(&self.text),
            None => Ok(Word::Scalar(Scalar::from(self.text.as_ref()))),
        };
        word.map_err(|Misfit| Problem::yaml(Some(place), "this is no value of its type"))
    }
}

fn check_tag(tag: Option<&Tag>, expected: &str, place: Position) -> Result<(), Problem> {
    let fits = tag.map(tag_name).is_none_or(|name| {
        name == "!"
            || name
                .strip_prefix(OWN_TAGS)
                .is_some_and(|name| name == expected)
    });
    if fits {
        Ok(())
    } else {
        Err(Problem::yaml(
            Some(place),
            "this tag is not understood here",
        ))
    }
}

fn tag_name(tag: &Tag) -> String {
    format!("{}{}", tag.handle, tag.suffix)
}

fn stretch(span: Span, style: ScalarStyle) -> Stretch {
    Stretch {
        characters: span.start.index()..span.end.index(),
        style: match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted
            | ScalarStyle::DoubleQuoted
            | ScalarStyle::Literal
            | ScalarStyle::Folded => Style::Marked,
        },
    }
}

/// YAML 1.1 knows text only: no control characters but tab and line breaks.
fn refuse_control_characters(text: &str) -> Result<(), Problem> {
    let stray = text.chars().position(|letter| {
        let fine = matches!(letter, '\t' | '\n' | '\r' | '\u{85}')
            || !(letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}'));
        !fine
    });
    match stray {
        None => Ok(()),
        Some(index) => Err(Problem::yaml(
            Some(place_of(text, index)),
            "control characters are not allowed",
        )),
    }
}

fn place(marker: Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

/// The place of the character with this index.
fn place_of(text: &str, index: usize) -> Position {
    let start = Position { line: 1, column: 1 };
    text.chars()
        .take(index)
        .fold(start, |place, letter| match letter {
            '\n' => Position {
                line: place.line + 1,
                column: 1,
            },
            _ => Position {
                column: place.column + 1,
                ..place
            },
        })
}
