//! The ports of an apex Service of the user: those of the Canary, and those that the Service had before.
//!
//! Clients know ports by number or name, so the user's ports are kept with their names. Ports that the Canary adds are
//! recorded on the Service, and removed when the Canary no longer has them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use vexil_object::{MAX_LABEL_BYTES, meta};

use crate::ports::is_one;

/// The annotation of an apex of the user with the numbers of the TCP ports that were added for the Canary.
pub(crate) const WRITTEN: &str = "flagger.app/written-ports";

/// The ports of an apex of the user, merged with those of the Canary.
pub(crate) struct UserPorts {
    /// All ports, those of the Canary first.
    pub(crate) ports: Vec<Value>,
    /// The numbers of those that the Service did not have before.
    pub(crate) added: BTreeSet<i64>,
    /// Ports whose name had to change, as sentences.
    pub(crate) renamed: Vec<String>,
}

/// Merges `wanted`, the main port first, with the ports of `live`. `is_named` says whether the Canary names the main
/// port; otherwise a port that existed before keeps its name.
pub(crate) fn merged(live: &Value, wanted: Vec<Value>, is_named: bool) -> UserPorts {
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
        rename(&mut port, is_free, &mut renamed);
        taken.insert(name(&port).to_owned());
        ports.push(port);
    }
    for mut port in theirs {
        rename(&mut port, |name: &str| !name.is_empty() && !taken.contains(name), &mut renamed);
        taken.insert(name(&port).to_owned());
        ports.push(port);
    }
    UserPorts { ports, added, renamed }
}

/// Gives a port a free name, and reports it if the port had another.
fn rename(port: &mut Value, is_free: impl Fn(&str) -> bool, renamed: &mut Vec<String>) {
    let before = name(port).to_owned();
    if is_free(&before) {
        return;
    }
    let stem = if before.is_empty() { "tcp" } else { before.as_str() };
    let number = number(port).unwrap_or_default();
    let with = |end: String| {
        let room = MAX_LABEL_BYTES.saturating_sub(end.len());
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

/// Records on an apex of the user which ports were added to it.
pub(crate) fn record(object: &mut Value, added: &BTreeSet<i64>) {
    if !added.is_empty() {
        meta::set(object, &["metadata", "annotations", WRITTEN], json!(added).to_string().into());
        return;
    }
    remove_record(object);
}

/// Removes that record.
pub(crate) fn remove_record(object: &mut Value) {
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
