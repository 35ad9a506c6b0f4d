//! Takes out of an answer what only differs by server, run or moment.
//!
//! uids become the name of their object, so that a wrong one is still seen; the resourceVersions of an object become
//! numbers in order, so that a write that should change nothing is seen as well, except where controllers of the real
//! cluster write in between. Generated names, moments, addresses, node ports and continue tokens become words.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;
use serde_json::{Map, Value, json};

use super::script::Step;

/// What a server calls things that the other calls otherwise.
#[derive(Debug, Default)]
pub struct Symbols {
    uids: BTreeMap<String, String>,
    /// The resourceVersions of each uid, in order of appearance.
    versions: BTreeMap<String, Vec<String>>,
    /// Generated names.
    names: BTreeMap<String, String>,
}

impl Symbols {
    /// Learns what an answer calls its objects.
    pub fn learn(&mut self, answer: &Value) {
        match answer {
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Object(members) => {
                if let Some(Value::Object(metadata)) = members.get("metadata") {
                    self.learn_object(metadata);
                }
                if let Some(details @ Value::Object(_)) = members.get("details") {
                    self.learn_uid(text(details, "name"), text(details, "uid"));
                }
                members.values().for_each(|member| self.learn(member));
            }
            _ => {}
        }
    }

    fn learn_object(&mut self, metadata: &Map<String, Value>) {
        let field = |name: &str| metadata.get(name).and_then(Value::as_str).unwrap_or_default();
        let (name, prefix, uid) = (field("name"), field("generateName"), field("uid"));
        if !prefix.is_empty() && name.starts_with(prefix) {
            self.names
                .entry(name.to_owned())
                .or_insert_with(|| format!("{prefix}<{}>", name.len() - prefix.len()));
        }
        self.learn_uid(name, uid);
        let versions = self.versions.entry(uid.to_owned()).or_default();
        let version = field("resourceVersion").to_owned();
        if !uid.is_empty() && !versions.contains(&version) {
            versions.push(version);
        }
    }

    fn learn_uid(&mut self, name: &str, uid: &str) {
        if uid.is_empty() || self.uids.contains_key(uid) {
            return;
        }
        let name = self.names.get(name).map_or(name, String::as_str);
        let earlier =
            self.uids.values().filter(|word| word.trim_end_matches('\'') == format!("<uid {name}>")).count();
        self.uids.insert(uid.to_owned(), format!("<uid {name}>{}", "'".repeat(earlier)));
    }
}

/// Masks an answer to a step.
pub fn mask(answer: &mut Value, symbols: &Symbols, step: &Step) {
    let driven = DRIVEN.iter().any(|kind| step.target.contains(kind));
    sort_causes(answer);
    Mask { symbols, driven, kubectl: step.verb == "KUBECTL" }.value("", answer);
}

/// Sorts what is wrong with a custom object, which the real server reports in the order of a hash map.
fn sort_causes(answer: &mut Value) {
    let group = answer.pointer("/body/details/group").and_then(Value::as_str).unwrap_or_default();
    if !group.contains('.') || group.ends_with(".k8s.io") {
        return;
    }
    let Some(Value::Array(causes)) = answer.pointer_mut("/body/details/causes") else { return };
    causes.sort_by_key(|cause| format!("{}: {}", text(cause, "field"), text(cause, "message")));
    let lines: Vec<String> =
        causes.iter().map(|cause| format!("{}: {}", text(cause, "field"), text(cause, "message"))).collect();
    if let Some(Value::String(message)) = answer.pointer_mut("/body/message")
        && let Some((head, _)) = message.split_once(" is invalid: [")
    {
        *message = format!("{head} is invalid: {lines:?}");
    }
}

/// Kinds to which controllers of a real cluster write on their own.
const DRIVEN: [&str; 8] = [
    "/namespaces?",
    "/pods",
    "/deployments",
    "/replicasets",
    "/statefulsets",
    "/daemonsets",
    "/horizontalpodautoscalers",
    "/customresourcedefinitions",
];

/// Patterns in texts, and what replaces them.
static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let patterns = [
        (r"\b20(2[1-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>"),
        (r"\b20(2[1-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "<microtime>"),
        (r"\b10\.\d+\.\d+\.\d+\b", "<ip>"),
        (r#"patch: Invalid value: "\{.*\}": "#, "patch: Invalid value: <object>: "),
        (r#"^Invalid value: "\{.*\}": "#, "Invalid value: <object>: "),
        (r"in record \(\d+\)", "in record (<rv>)"),
        (r"too old resource version: \d+ \(\d+\)", "too old resource version: <rv> (<rv>)"),
        (r"current: \d+", "current: <rv>"),
        (r"\b(80|443|9898|8080):3[0-2]\d\d\d/TCP", "$1:<port>/TCP"),
        (r"127\.0\.0\.1:\d+", "<server>"),
        (r"https?://<server>", "<server>"),
    ];
    patterns.into_iter().filter_map(|(pattern, word)| Some((Regex::new(pattern).ok()?, word))).collect()
});

static UUID: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").ok());

static AGE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b(\d+[smhd])+\b( ago)?").ok());

struct Mask<'a> {
    symbols: &'a Symbols,
    driven: bool,
    kubectl: bool,
}

impl Mask<'_> {
    fn value(&self, key: &str, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(key, text),
            Value::Number(_) if key == "nodePort" || key == "healthCheckNodePort" => *value = json!("<port>"),
            Value::Array(items) => {
                if key == "managedFields" {
                    items.retain(|item| !is_controllers(item));
                    items.sort_by_key(|item| {
                        ["operation", "manager", "subresource", "apiVersion"]
                            .map(|field| text(item, field).to_owned())
                    });
                }
                if key == "resources" || key == "groups" {
                    // The real server reports them in the order in which it came to know them.
                    items.sort_by_key(|item| text(item, "name").to_owned());
                }
                if key == "items" {
                    items.retain(|item| text(&item["metadata"], "name") != "kube-root-ca.crt");
                }
                let own = if key == "cells" { "cell" } else { key };
                items.iter_mut().for_each(|item| self.value(own, item));
            }
            Value::Object(members) => self.object(key, members),
            _ => {}
        }
    }

    fn object(&self, key: &str, members: &mut Map<String, Value>) {
        let uid = members.get("uid").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(Value::String(version)) = members.get_mut("resourceVersion").filter(|_| key == "metadata")
        {
            let known = self.symbols.versions.get(&uid);
            let place = known.and_then(|known| known.iter().position(|one| one == version));
            *version = match place {
                Some(place) if !self.driven => format!("<rv {place}>"),
                _ if version.is_empty() => String::new(),
                _ => "<rv>".to_owned(),
            };
        }
        for (key, mut member) in std::mem::take(members) {
            self.value(&key, &mut member);
            members.insert(self.text("", &key), member);
        }
    }

    fn text(&self, key: &str, text: &str) -> String {
        if key == "continue" && !text.is_empty() {
            return "<continue>".to_owned();
        }
        let mut text = text.to_owned();
        for (name, word) in &self.symbols.names {
            text = text.replace(name, word);
        }
        if let Some(uuid) = &*UUID {
            let named = |found: &regex::Captures<'_>| {
                let uid = found.get(0).map_or("", |uid| uid.as_str());
                self.symbols.uids.get(uid).cloned().unwrap_or("<uid>".to_owned())
            };
            text = uuid.replace_all(&text, named).into_owned();
        }
        for (pattern, word) in &*PATTERNS {
            text = pattern.replace_all(&text, *word).into_owned();
        }
        if let Some(age) = AGE.as_ref().filter(|_| self.kubectl || key == "cell") {
            text = age.replace_all(&text, "<age>").into_owned();
        }
        if self.kubectl { text.split_whitespace().collect::<Vec<_>>().join(" ") } else { text }
    }
}

/// Whether an entry of `managedFields` is that of a part of the real cluster.
fn is_controllers(entry: &Value) -> bool {
    let manager = text(entry, "manager");
    manager.starts_with("kube") && !manager.starts_with("kubectl")
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
