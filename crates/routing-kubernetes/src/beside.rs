//! The ports of an apex that is the user's own: those that the Canary wants, beside those that were there before.
//!
//! Clients use the ports that they know, by number or by name, so the user's ports stay, with their names. What the
//! Canary adds is remembered on the Service, so that it goes again when the Canary no longer wants it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use vexil_object::meta;

use crate::ports::is_one;

/// The annotation of a user's apex: the numbers of the TCP ports that were added for the Canary.
pub(crate) const WRITTEN: &str = "flagger.app/written-ports";

/// Longest name of a Service port (RFC 1123 label).
const NAME_LIMIT: usize = 63;

/// The ports of a user's apex as they shall be.
pub(crate) struct Beside {
    /// All of them, those of the Canary first.
    pub(crate) ports: Vec<Value>,
    /// The numbers of those that its user did not have.
    pub(crate) added: BTreeSet<i64>,
    /// Ports whose name had to change, in words.
    pub(crate) renamed: Vec<String>,
}

/// Puts `wanted`, the main port first, beside the ports of `live`. `is_named` says whether the user of the Canary has
/// chosen the name of the main port; otherwise a port that was there before keeps its own.
pub(crate) fn beside(live: &Value, wanted: Vec<Value>, is_named: bool) -> Beside {
    let list = live.pointer("/spec/ports").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let ours = written(live);
    let is_ours = |port: &Value| is_tcp(port) && number(port).is_some_and(|number| ours.contains(&number));
    let users = list.iter().filter(|port| !is_ours(port));
    let mut theirs: Vec<Value> = Vec::new();
    for port in users.clone() {
        if !wanted.iter().chain(&theirs).any(|own| is_one(own, port)) {
            theirs.push(port.clone());
        }
    }

    let (mut ports, mut added, mut renamed) = (Vec::new(), BTreeSet::new(), Vec::new());
    let mut taken = BTreeSet::new();
    let reserved: BTreeSet<_> = theirs.iter().map(|port| name(port).to_owned()).collect();
    for (at, mut port) in wanted.into_iter().enumerate() {
        let is_chosen = at == 0 && is_named;
        let before = users.clone().find(|live| is_one(live, &port));
        match before.map(name).filter(|name| !name.is_empty() && !is_chosen) {
            Some(name) => meta::set(&mut port, &["name"], name.into()),
            None if before.is_none() => added.extend(number(&port)),
            None => {}
        }
        let is_free = |name: &str| !taken.contains(name) && !reserved.contains(name);
        settle(&mut port, is_free, &mut renamed);
        taken.insert(name(&port).to_owned());
        ports.push(port);
    }
    for mut port in theirs {
        settle(&mut port, |name: &str| !name.is_empty() && !taken.contains(name), &mut renamed);
        taken.insert(name(&port).to_owned());
        ports.push(port);
    }
    Beside { ports, added, renamed }
}

/// Gives a port a name that is free, and says so where it had another.
fn settle(port: &mut Value, is_free: impl Fn(&str) -> bool, renamed: &mut Vec<String>) {
    let before = name(port).to_owned();
    if is_free(&before) {
        return;
    }
    let stem = if before.is_empty() { "tcp" } else { before.as_str() };
    let number = number(port).unwrap_or_default();
    let with = |end: String| {
        let room = NAME_LIMIT.saturating_sub(end.len());
        stem.chars().take(room).collect::<String>() + &end
    };
    let names =
        (0..).map(|n: u32| if n == 0 { with(format!("-{number}")) } else { with(format!("-{number}-{n}")) });
    let Some(after) = names.take(64).find(|name| is_free(name)) else { return };
    if !before.is_empty() {
        renamed.push(format!(
            "port {number} is published as {after}, because another port has the name {before}"
        ));
    }
    meta::set(port, &["name"], after.into());
}

/// Remembers on a user's apex which ports were added to it.
pub(crate) fn remember(object: &mut Value, added: &BTreeSet<i64>) {
    if !added.is_empty() {
        meta::set(object, &["metadata", "annotations", WRITTEN], json!(added).to_string().into());
        return;
    }
    forget(object);
}

/// Takes that memory away.
pub(crate) fn forget(object: &mut Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else { return };
    if annotations.remove(WRITTEN).is_some() && annotations.is_empty() {
        metadata.remove("annotations");
    }
}

fn written(object: &Value) -> BTreeSet<i64> {
    meta::annotation(object, WRITTEN).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn name(port: &Value) -> &str {
    meta::text(port, "/name")
}

fn number(port: &Value) -> Option<i64> {
    port.get("port").and_then(Value::as_i64)
}

fn is_tcp(port: &Value) -> bool {
    matches!(meta::text(port, "/protocol"), "" | "TCP")
}
