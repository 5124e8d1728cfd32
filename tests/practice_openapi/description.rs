//! GitHub's OpenAPI description, as JSON Schema says it.

use std::path::Path;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// The whole description, parsed once.
#[derive(Clone, Copy)]
pub(crate) struct Description(&'static Value);

/// One method of one path.
pub(crate) struct Operation {
    root: &'static Value,
    name: String,
    shape: &'static Value,
}

impl Description {
    pub(crate) fn read() -> Self {
        static READ: OnceLock<Value> = OnceLock::new();
        Self(READ.get_or_init(|| {
            let path = "fixtures/openapi/generated/api.github.com.json";
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            let text = std::fs::read(path).expect("run tests/fixtures.sh: npm's @octokit/openapi");
            serde_json::from_slice(&text).unwrap()
        }))
    }

    pub(crate) fn knows(self, method: &str, path: &str) -> bool {
        self.find(method, path).is_some()
    }

    /// Fails where GitHub has no such call.
    pub(crate) fn operation(self, method: &str, path: &str) -> Operation {
        let found = self.find(method, path);
        found.unwrap_or_else(|| panic!("GitHub describes no {method} {path}"))
    }

    fn find(self, method: &str, path: &str) -> Option<Operation> {
        let path = path.split('?').next()?;
        let paths = self.0["paths"].as_object()?;
        let matching = paths.iter().filter(|(template, item)| {
            let of_method = item.get(method.to_lowercase());
            of_method.is_some_and(|shape| matches(template, path, shape))
        });
        // The path that says most is meant: `/commits/{ref}/status` before `/commits/{ref}`.
        let said = |template: &str| {
            template
                .split('/')
                .filter(|part| !part.starts_with('{'))
                .count()
        };
        let (template, item) = matching.max_by_key(|(template, _)| said(template))?;
        Some(Operation {
            root: self.0,
            name: format!("{method} {template}"),
            shape: item.get(method.to_lowercase())?,
        })
    }
}

/// Whether a path is of this template. Only parameters that say so span several segments.
fn matches(template: &str, path: &str, shape: &Value) -> bool {
    let spans = |name: &str| {
        let parameters = shape["parameters"].as_array().into_iter().flatten();
        let mut named = parameters.filter(|parameter| {
            parameter["name"] == name
                || parameter["$ref"]
                    .as_str()
                    .is_some_and(|of| of.ends_with(&format!("/{name}")))
        });
        named.any(|parameter| parameter["x-multi-segment"] == true) || name == "ref"
    };
    let template: Vec<&str> = template.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    fits(&template, &path, &spans)
}

fn fits(template: &[&str], path: &[&str], spans: &dyn Fn(&str) -> bool) -> bool {
    let Some((first, rest)) = template.split_first() else {
        return path.is_empty();
    };
    match first
        .strip_prefix('{')
        .and_then(|name| name.strip_suffix('}'))
    {
        Some(name) if spans(name) => (1..=path.len()).any(|len| fits(rest, &path[len..], spans)),
        Some(_) => {
            path.first().is_some_and(|part| !part.is_empty()) && fits(rest, &path[1..], spans)
        }
        None => path.first() == Some(first) && fits(rest, &path[1..], spans),
    }
}

impl Operation {
    pub(crate) fn check_request(&self, body: &Value) {
        let problems = self.request_problems(body);
        assert!(
            problems.is_empty(),
            "{} is sent {body:#}:\n{}",
            self.name,
            problems.join("\n")
        );
    }

    pub(crate) fn check_answer(&self, status: u16, body: &Value) {
        let problems = self.answer_problems(status, body);
        assert!(
            problems.is_empty(),
            "{} is answered {status} {body:#}:\n{}",
            self.name,
            problems.join("\n")
        );
    }

    pub(crate) fn request_problems(&self, body: &Value) -> Vec<String> {
        let described = self.resolve(&self.shape["requestBody"]);
        let schema = &described["content"]["application/json"]["schema"];
        match (body, schema) {
            (Value::Null, _) if described["required"] != true => Vec::new(),
            (_, Value::Null) => vec!["it takes no body".to_owned()],
            (body, schema) => self.problems(schema, body),
        }
    }

    pub(crate) fn answer_problems(&self, status: u16, body: &Value) -> Vec<String> {
        let described = self.resolve(&self.shape["responses"][status.to_string()]);
        let schema = &described["content"]["application/json"]["schema"];
        match (described, schema) {
            (Value::Null, _) => vec![format!("{status} is not among its answers")],
            (_, Value::Null) if body.is_null() => Vec::new(),
            (_, Value::Null) if status >= 400 => Vec::new(),
            (_, Value::Null) => vec!["this answer has no body".to_owned()],
            (_, schema) => self.problems(schema, body),
        }
    }

    fn resolve(&self, shape: &'static Value) -> &'static Value {
        match shape["$ref"].as_str() {
            Some(to) => self.root.pointer(to.trim_start_matches('#')).unwrap(),
            None => shape,
        }
    }

    fn problems(&self, schema: &Value, value: &Value) -> Vec<String> {
        let validator = validator(self.root, schema);
        validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    }
}

/// A validator of one schema with those, and only those, that it leads to.
fn validator(root: &Value, schema: &Value) -> Validator {
    let mut schemas = Map::new();
    let mut open = vec![schema.clone()];
    while let Some(next) = open.pop() {
        for name in names(&next) {
            if !schemas.contains_key(&name) {
                let of_name = root["components"]["schemas"][&name].clone();
                schemas.insert(name, translated(of_name.clone()));
                open.push(of_name);
            }
        }
    }
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [translated(schema.clone())],
        "components": {"schemas": schemas},
    });
    jsonschema::options()
        .should_validate_formats(true)
        .build(&whole)
        .unwrap()
}

/// The schemas that a schema names.
fn names(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(members) => {
            let named = members.get("$ref").and_then(Value::as_str);
            let named = named.and_then(|to| to.strip_prefix("#/components/schemas/"));
            let below = members.values().flat_map(names);
            named.map(str::to_owned).into_iter().chain(below).collect()
        }
        Value::Array(items) => items.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

/// OpenAPI 3.0's `nullable` as JSON Schema has it; examples are left out.
fn translated(schema: Value) -> Value {
    match schema {
        Value::Object(mut members) => {
            members.retain(|name, value| {
                !matches!(name.as_str(), "example" | "examples") || value.is_object()
            });
            let nullable = members.remove("nullable") == Some(Value::Bool(true));
            let inner = members
                .into_iter()
                .map(|(name, value)| (name, translated(value)));
            let inner = Value::Object(inner.collect());
            match nullable {
                true => json!({"anyOf": [{"type": "null"}, inner]}),
                false => inner,
            }
        }
        Value::Array(items) => Value::Array(items.into_iter().map(translated).collect()),
        other => other,
    }
}
