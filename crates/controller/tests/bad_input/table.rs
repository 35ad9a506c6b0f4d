//! A table of mistakes. A line is a case: changes of a good object, joined by ` & `. The indented lines below it are
//! the answers. `#` begins a comment.
//!
//! A change is `path = value`. A value is JSON, `absent`, or one of a size: `text(3)`, `url(40)`, `list(3, JSON)`,
//! `map(3, JSON)`. Elements and objects on the way to a field that do not exist are created.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// Longest line of an answer, in characters.
const LONGEST: usize = 240;

/// The lines of a table that are cases.
pub fn cases(table: &str) -> impl Iterator<Item = &str> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with([' ', '#']))
}

/// The table with the answers that `answer` gives now.
pub async fn play(table: &str, good: &Value, answer: impl AsyncFn(Value) -> Vec<String>) -> String {
    let mut played = String::new();
    for line in table.lines().filter(|line| !line.starts_with(' ')) {
        played.push_str(line);
        played.push('\n');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        for said in answer(changed(good, line)).await {
            played.push_str(&format!("  {}\n", shortened(&said)));
        }
    }
    played
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn changes(case: &str) -> impl Iterator<Item = (&str, &str)> {
    case.split(" & ")
        .map(move |change| change.split_once(" = ").unwrap_or_else(|| panic!("no ` = `: {case}")))
}

fn changed(good: &Value, case: &str) -> Value {
    let mut object = good.clone();
    for (path, value) in changes(case) {
        set(&mut object, path, value_of(value));
    }
    object
}

/// `None` for a field that is taken away.
fn value_of(text: &str) -> Option<Value> {
    let sized = text.strip_suffix(')').and_then(|text| text.split_once('('));
    let Some((form, arguments)) = sized.filter(|(form, _)| form.chars().all(|c| c.is_ascii_lowercase()))
    else {
        return (text != "absent")
            .then(|| serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}")));
    };
    let (size, element) = arguments.split_once(", ").unwrap_or((arguments, "null"));
    let size: usize = size.parse().unwrap();
    let element: Value = serde_json::from_str(element).unwrap();
    Some(match form {
        "text" => json!("x".repeat(size)),
        "url" => json!(format!("http://h/{}", "x".repeat(size - "http://h/".len()))),
        "list" => json!(vec![element; size]),
        "map" => {
            (0..size).map(|n| (format!("k{n}"), element.clone())).collect::<serde_json::Map<_, _>>().into()
        }
        _ => panic!("unknown form: {text}"),
    })
}

fn set(object: &mut Value, path: &str, value: Option<Value>) {
    let mut node = object;
    let steps: Vec<&str> = path.split(['.', '[']).collect();
    let (last, before) = steps.split_last().unwrap();
    for step in before {
        node = child(node, step);
    }
    match value {
        Some(value) => *child(node, last) = value,
        None => drop(node.as_object_mut().unwrap().remove(*last)),
    }
}

fn child<'a>(node: &'a mut Value, step: &str) -> &'a mut Value {
    let Some(index) = step.strip_suffix(']') else {
        if !node.is_object() {
            *node = json!({});
        }
        return &mut node[step];
    };
    let index: usize = index.parse().unwrap();
    if !node.is_array() {
        *node = json!([]);
    }
    let list = node.as_array_mut().unwrap();
    while list.len() <= index {
        list.push(json!({}));
    }
    &mut list[index]
}

/// The fields that cases change, with `[0]` for every element.
pub fn fields(table: &str) -> BTreeSet<String> {
    let paths = cases(table).flat_map(changes).map(|(path, _)| path.split('[').collect::<Vec<_>>());
    let first = |path: Vec<&str>| {
        let rest = path[1..].iter().map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
        path[..1].iter().map(|part| (*part).to_owned()).chain(rest.map(|part| format!("[0{part}"))).collect()
    };
    paths.map(first).collect()
}

/// The fields of a schema that have no parts, with `[0]` for an element and `.key` for an entry of a map.
pub fn leaves(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(schema, "spec".to_owned(), &mut found);
    found
}

fn walk(schema: &Value, path: String, found: &mut Vec<String>) {
    let fields = schema["properties"].as_object();
    if let Some(fields) = fields {
        fields.iter().for_each(|(name, schema)| walk(schema, format!("{path}.{name}"), found));
    } else if schema["items"].is_object() {
        walk(&schema["items"], format!("{path}[0]"), found);
    } else if schema["additionalProperties"].is_object() {
        walk(&schema["additionalProperties"], format!("{path}.key"), found);
    } else {
        found.push(path);
    }
}
