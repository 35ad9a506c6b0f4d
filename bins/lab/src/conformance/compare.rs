//! Two answers, field by field.

use serde_json::Value;

/// One difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where, as a JSON pointer: `/body/spec/replicas`.
    pub path: String,
    /// What the testbed says; none when it has no such field.
    pub testbed: Option<Value>,
    /// What the real server says; none when it has no such field.
    pub real: Option<Value>,
}

impl Difference {
    /// One line for people.
    pub fn line(&self) -> String {
        let shown = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
        format!("{}: {} vs {}", self.path, shown(&self.testbed), shown(&self.real))
    }
}

/// What differs. With `subset`, the real server's lists may have items that the testbed's do not.
pub fn differences(testbed: &Value, real: &Value, subset: bool) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(&mut found, "", Some(testbed), Some(real), subset);
    found
}

fn walk(
    found: &mut Vec<Difference>,
    path: &str,
    testbed: Option<&Value>,
    real: Option<&Value>,
    subset: bool,
) {
    match (testbed, real) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let more = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(more) {
                let step = key.replace('~', "~0").replace('/', "~1");
                walk(found, &format!("{path}/{step}"), a.get(key), b.get(key), subset);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b)))
            if subset && a.iter().all(|item| named(item).is_some()) =>
        {
            for item in a {
                let name = named(item).unwrap_or_default();
                let twin = b.iter().find(|other| named(other) == Some(name));
                walk(found, &format!("{path}/{}", name.replace('/', "~1")), Some(item), twin, subset);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for index in 0..a.len().max(b.len()) {
                walk(found, &format!("{path}/{index}"), a.get(index), b.get(index), subset);
            }
        }
        (a, b) if a == b => {}
        (a, b) => {
            found.push(Difference { path: path.to_owned(), testbed: a.cloned(), real: b.cloned() });
        }
    }
}

/// What an item of a list is known by: its name, or what it is when it is a text.
fn named(item: &Value) -> Option<&str> {
    let name = ["name", "groupVersion"].iter().find_map(|field| item.get(*field));
    name.unwrap_or(item).as_str()
}

/// Whether a path is one that a pattern means: `*` is any one step, a last `**` any rest.
pub fn matches(pattern: &str, path: &str) -> bool {
    let mut steps = path.split('/');
    for want in pattern.split('/') {
        if want == "**" {
            return true;
        }
        match steps.next() {
            Some(step) if want == "*" || want == step => {}
            _ => return false,
        }
    }
    steps.next().is_none()
}
