//! A set of fields, in the notation of `fieldsV1`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::schema::node::Node;

/// A set of fields as a tree. `own` says that the place itself is in the set, not only something below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    own: bool,
    below: BTreeMap<String, Fields>,
}

impl Fields {
    /// Reads `fieldsV1`.
    pub fn read(json: &Value) -> Self {
        let mut fields = Self::read_below(json);
        fields.own = false;
        fields
    }

    fn read_below(json: &Value) -> Self {
        let members = json.as_object().into_iter().flatten();
        let below: BTreeMap<String, Fields> = members
            .clone()
            .filter(|(key, _)| *key != ".")
            .map(|(key, value)| (key.clone(), Self::read_below(value)))
            .collect();
        Fields { own: below.is_empty() || members.into_iter().any(|(key, _)| key == "."), below }
    }

    /// Writes `fieldsV1`.
    pub fn json(&self) -> Value {
        let mut members = Map::new();
        if self.own && !self.below.is_empty() {
            members.insert(".".to_owned(), json!({}));
        }
        for (key, below) in &self.below {
            members.insert(key.clone(), below.json());
        }
        Value::Object(members)
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        !self.own && self.below.values().all(Fields::is_empty)
    }

    /// Whether the place itself is in it.
    pub fn is_own(&self) -> bool {
        self.own
    }

    /// What is below a step.
    pub fn get(&self, step: &str) -> Option<&Fields> {
        self.below.get(step)
    }

    /// The steps below.
    pub fn steps(&self) -> impl Iterator<Item = (&String, &Fields)> {
        self.below.iter()
    }

    /// Adds a place.
    pub fn insert(&mut self, path: &[String]) {
        match path.split_first() {
            None => self.own = true,
            Some((step, rest)) => self.below.entry(step.clone()).or_default().insert(rest),
        }
    }

    /// Removes a place, not what is below it.
    pub fn remove(&mut self, path: &[&str]) {
        match path.split_first() {
            None => self.own = false,
            Some((step, rest)) => {
                if let Some(below) = self.below.get_mut(*step) {
                    below.remove(rest);
                    if below.is_empty() {
                        self.below.remove(*step);
                    }
                }
            }
        }
    }

    /// Removes a place and all below it.
    pub fn remove_tree(&mut self, step: &str) {
        self.below.remove(step);
    }

    /// Everything in either.
    pub fn union(&self, other: &Fields) -> Fields {
        let mut all = self.clone();
        all.own |= other.own;
        for (step, theirs) in &other.below {
            let ours = all.below.entry(step.clone()).or_default();
            *ours = ours.union(theirs);
        }
        all
    }

    /// Everything in both.
    pub fn intersection(&self, other: &Fields) -> Fields {
        let both = self.below.iter().filter_map(|(step, ours)| {
            let both = ours.intersection(other.below.get(step)?);
            (!both.is_empty()).then(|| (step.clone(), both))
        });
        Fields { own: self.own && other.own, below: both.collect() }
    }

    /// Everything that is not in `other`.
    pub fn difference(&self, other: &Fields) -> Fields {
        let left = self.below.iter().filter_map(|(step, ours)| {
            let left = match other.below.get(step) {
                Some(theirs) => ours.difference(theirs),
                None => ours.clone(),
            };
            (!left.is_empty()).then(|| (step.clone(), left))
        });
        Fields { own: self.own && !other.own, below: left.collect() }
    }

    /// The places in it, as sentences name them: `.spec.containers[name="app"].image`.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect("", &mut paths);
        paths
    }

    fn collect(&self, path: &str, paths: &mut Vec<String>) {
        for (step, _) in self.below.iter().filter(|(_, below)| below.own) {
            paths.push(format!("{path}{}", shown(step)));
        }
        for (step, below) in &self.below {
            below.collect(&format!("{path}{}", shown(step)), paths);
        }
    }
}

fn shown(step: &str) -> String {
    match step.split_once(':') {
        Some(("f", name)) => format!(".{name}"),
        Some(("k", keys)) => {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", keys.join(","))
        }
        Some(("v", value)) => format!("[={value}]"),
        _ => step.to_owned(),
    }
}

/// The step to a member.
pub(super) fn member_step(name: &str) -> String {
    format!("f:{name}")
}

/// The step to an item that is distinguished by `keys`.
pub(super) fn keyed_step(item: &Value, keys: &[String], schema: Node<'_>) -> String {
    let mut sorted: Vec<&String> = keys.iter().collect();
    sorted.sort();
    let parts = sorted.into_iter().filter_map(|key| {
        let value = item.get(key).cloned().or_else(|| schema.key_default(key))?;
        Some(format!("{}:{value}", json!(key)))
    });
    format!("k:{{{}}}", parts.collect::<Vec<_>>().join(","))
}

/// The step to an item of a set.
pub(super) fn value_step(item: &Value) -> String {
    format!("v:{item}")
}
