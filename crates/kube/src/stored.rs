//! Compares the answer to a write with what was sent: which fields are missing, and which have another value.
//!
//! Only what was sent counts. Fields that were filled in are the API server's; values that say the same in another form
//! (`1000m` and `1`, nothing and an empty list) are equal.

use serde_json::{Map, Value};
use vexil_object::{Action, JsonOp};

/// One field that is not as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    /// The way to it: names of fields and numbers of items.
    pub(crate) path: Vec<String>,
    /// What was sent.
    pub(crate) sent: Value,
    /// Whether it is missing; else it has another value.
    pub(crate) missing: bool,
}

/// How strictly two objects are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Kinds of the API server itself leave out fields that hold their type's zero, and give lists another order.
    pub(crate) built_in: bool,
    /// What is removed has to be missing, and a list may have no more items than were sent.
    pub(crate) exact: bool,
}

/// The fields of `sent` that `answer` lacks or has otherwise, outermost only, in the order of their names.
pub(crate) fn differences(sent: &Sent, answer: &Value, rules: Rules) -> Vec<Difference> {
    let parts = sent.0.iter().flat_map(|(path, part)| {
        let got = path.iter().try_fold(answer, |place, step| match place {
            Value::Array(list) => list.get(step.parse::<usize>().ok()?),
            place => place.get(step),
        });
        let mut comparison = Comparison { rules, path: path.clone(), found: Vec::new() };
        comparison.value(part, got);
        comparison.found
    });
    parts.collect()
}

/// What a change sends: values, each with the way to its place; nothing for what is removed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent(Vec<(Vec<String>, Value)>);

impl Sent {
    /// `None` for a deletion.
    pub(crate) fn of(action: &Action) -> Option<Self> {
        match action {
            Action::Create(body) | Action::Merge { body, .. } => Some(Sent(vec![(Vec::new(), body.clone())])),
            Action::Json { ops, .. } => Some(Sent::of_patch(ops)),
            Action::Delete(_) => None,
        }
    }

    /// The last operation on a place counts. One on an item of a list moves others and is not compared.
    fn of_patch(ops: &[JsonOp]) -> Self {
        let mut sent: Vec<(Vec<String>, Value)> = Vec::new();
        for op in ops {
            let (path, value) = match op {
                JsonOp::Add(path, value) => (path, value.clone()),
                JsonOp::Remove(path) => (path, Value::Null),
            };
            let steps = path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
            let steps: Vec<String> = steps.collect();
            sent.retain(|(before, _)| !before.starts_with(&steps) && !steps.starts_with(before));
            if !steps.last().is_some_and(|last| last == "-" || last.bytes().all(|byte| byte.is_ascii_digit()))
            {
                sent.push((steps, value));
            }
        }
        Sent(sent)
    }
}

/// What the API server writes itself, or takes from elsewhere.
const SERVERS: [&str; 8] = [
    "creationTimestamp",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "namespace",
    "resourceVersion",
    "selfLink",
    "uid",
];

struct Comparison {
    rules: Rules,
    path: Vec<String>,
    found: Vec<Difference>,
}

impl Comparison {
    fn value(&mut self, sent: &Value, got: Option<&Value>) {
        match (sent, got) {
            (Value::Null, got) => self.removed(got),
            (Value::Object(sent), Some(Value::Object(got))) => self.object(sent, got),
            (Value::Array(sent), Some(Value::Array(got))) => self.list(sent, got),
            (sent, None | Some(Value::Null)) if self.says_nothing(sent) => {}
            (sent, None | Some(Value::Null)) => self.report(sent, true),
            (Value::String(text), Some(_)) if self.rules.built_in && text.is_empty() => {}
            (sent, Some(got)) if sent == got || self.says_the_same(sent, got) => {}
            (sent, Some(_)) => self.report(sent, false),
        }
    }

    /// Something else may have been filled in where a field was removed.
    fn removed(&mut self, got: Option<&Value>) {
        if self.rules.exact && got.is_some_and(|got| !got.is_null()) {
            self.report(&Value::Null, false);
        }
    }

    fn object(&mut self, sent: &Map<String, Value>, got: &Map<String, Value>) {
        for (name, sent) in sent {
            let top = self.path.is_empty() && matches!(name.as_str(), "apiVersion" | "kind" | "status");
            if top || self.path == ["metadata"] && SERVERS.contains(&name.as_str()) {
                continue;
            }
            self.path.push(name.clone());
            self.value(sent, got.get(name));
            self.path.pop();
        }
    }

    fn list(&mut self, sent: &[Value], got: &[Value]) {
        if self.rules.exact && sent.len() != got.len() {
            return self.report(&sent.into(), false);
        }
        let missing = self.unmatched(sent, got);
        for at in missing {
            let Some(item) = sent.get(at) else { continue };
            self.path.push(at.to_string());
            match got.get(at).filter(|_| sent.len() == got.len()) {
                Some(got) => self.value(item, Some(got)),
                None => self.report(item, true),
            }
            self.path.pop();
        }
    }

    /// The items that are missing, in their order; others may be between them.
    fn unmatched(&self, sent: &[Value], got: &[Value]) -> Vec<usize> {
        let is = |sent: &Value, got: &Value| {
            let mut item = Comparison { rules: self.rules, path: self.path.clone(), found: Vec::new() };
            item.path.push(String::new());
            item.value(sent, Some(got));
            item.found.is_empty()
        };
        let mut rest = got;
        let mut in_order = Vec::new();
        for (at, sent) in sent.iter().enumerate() {
            match rest.iter().position(|got| is(sent, got)) {
                Some(found) => rest = rest.get(found + 1..).unwrap_or_default(),
                None => in_order.push(at),
            }
        }
        if in_order.is_empty() {
            return in_order;
        }
        let in_place =
            || (0..sent.len()).filter(|at| !sent.get(*at).zip(got.get(*at)).is_some_and(|(s, g)| is(s, g)));
        if !self.rules.built_in {
            return if sent.len() == got.len() { in_place().collect() } else { in_order };
        }
        let anywhere = |at: &usize| !sent.get(*at).is_some_and(|s| got.iter().any(|got| is(s, got)));
        in_place().filter(anywhere).collect()
    }

    fn says_nothing(&self, sent: &Value) -> bool {
        match sent {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.values().all(|below| self.says_nothing(below)),
            Value::Bool(said) => self.rules.built_in && !said,
            Value::Number(number) => self.rules.built_in && number.as_f64() == Some(0.0),
            Value::String(text) => self.rules.built_in && text.is_empty(),
        }
    }

    fn says_the_same(&self, sent: &Value, got: &Value) -> bool {
        // Labels and annotations are texts, whatever they look like.
        if self.path.first().is_some_and(|step| step == "metadata") {
            return false;
        }
        match (quantity(sent), quantity(got)) {
            (Some(sent), Some(got)) => (sent - got).abs() <= f64::EPSILON * 4.0 * sent.abs().max(got.abs()),
            _ => false,
        }
    }

    fn report(&mut self, sent: &Value, missing: bool) {
        self.found.push(Difference { path: self.path.clone(), sent: sent.clone(), missing });
    }
}

/// A number, or the text of a quantity.
fn quantity(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => vexil_object::quantity(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
