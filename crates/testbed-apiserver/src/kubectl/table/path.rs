//! JSON paths of printer columns: members, indexes, and filters such as `[?(@.type=="Ready")]`.

use serde_json::Value;

/// The values that a path leads to.
pub(super) fn find<'a>(object: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![object];
    for step in steps(path) {
        found = found.into_iter().flat_map(|value| take(value, &step)).collect();
    }
    found
}

#[derive(Debug, PartialEq)]
enum Step {
    Member(String),
    Index(usize),
    All,
    Where(String, String),
}

fn take<'a>(value: &'a Value, step: &Step) -> Vec<&'a Value> {
    match step {
        Step::Member(name) => value.get(name).into_iter().collect(),
        Step::Index(index) => value.get(index).into_iter().collect(),
        Step::All => match value {
            Value::Array(items) => items.iter().collect(),
            Value::Object(members) => members.values().collect(),
            _ => Vec::new(),
        },
        Step::Where(path, wanted) => {
            let items = value.as_array().into_iter().flatten();
            let holds = |item: &&Value| {
                find(item, path).iter().any(|value| match value {
                    Value::String(text) => text == wanted,
                    other => other.to_string() == *wanted,
                })
            };
            items.filter(holds).collect()
        }
    }
}

fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path.trim_start_matches('{').trim_end_matches('}').trim_start_matches('$');
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let end =
                if inner.starts_with('?') { inner.find(")]").map(|end| end + 1) } else { inner.find(']') };
            let Some((inside, after)) = end.and_then(|end| inner.split_at_checked(end)) else { break };
            steps.extend(bracket(inside));
            rest = after.trim_start_matches(']');
        } else {
            let (name, after) = member(rest.trim_start_matches('.'));
            if !name.is_empty() {
                steps.push(if name == "*" { Step::All } else { Step::Member(name) });
            }
            rest = after;
        }
    }
    steps
}

/// A member's name up to the next dot or bracket; a backslash takes away a dot's meaning.
fn member(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((place, c)) = chars.next() {
        match c {
            '.' | '[' => return (name, text.get(place..).unwrap_or_default()),
            '\\' => name.extend(chars.next().map(|(_, escaped)| escaped)),
            c => name.push(c),
        }
    }
    (name, "")
}

fn bracket(inside: &str) -> Option<Step> {
    if let Some(filter) = inside.strip_prefix("?(").and_then(|filter| filter.strip_suffix(')')) {
        let (path, wanted) = filter.split_once("==")?;
        let wanted = wanted.trim().trim_matches(['"', '\'']);
        return Some(Step::Where(path.trim().trim_start_matches('@').to_owned(), wanted.to_owned()));
    }
    Some(match inside {
        "*" => Step::All,
        quoted if quoted.starts_with('\'') => Step::Member(quoted.trim_matches('\'').to_owned()),
        index => Step::Index(index.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_values() {
        let object = json!({
            "spec": {"n": 1, "list": [{"a": 1}, {"a": 2}]},
            "metadata": {"labels": {"a.b/c": "x"}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}]},
        });
        let check = |path: &str, expect: Value| {
            let found: Vec<&Value> = find(&object, path);
            assert_eq!(json!(found), expect, "{path}");
        };
        check(".spec.n", json!([1]));
        check(".spec.list[1].a", json!([2]));
        check(".spec.list[*].a", json!([1, 2]));
        check(".metadata.labels.a\\.b/c", json!(["x"]));
        check(".metadata.labels['a.b/c']", json!(["x"]));
        check(".status.conditions[?(@.type==\"Ready\")].status", json!(["True"]));
        check(".spec.none", json!([]));
    }
}
