//! The API server of `$KUBECONFIG` and what is rendered: is it accepted, down to the last field?

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

/// Groups that every API server serves; an object of another one is of a product that may not be there.
const SERVED: [&str; 8] = [
    "",
    "apiextensions.k8s.io",
    "apps",
    "autoscaling",
    "coordination.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
];

/// The largest object that `kubectl apply` can write: it keeps the whole of it in an annotation, and all annotations
/// together may have 256 KiB (`TotalAnnotationSizeLimitB` of the API machinery).
const LARGEST: usize = 256 * 1024;

/// Sends objects as a dry run, with strict validation of fields. Answers how many were accepted, and which kinds the
/// server cannot know.
pub fn accepts(objects: &[Value]) -> anyhow::Result<(usize, Vec<String>)> {
    let mut distinct: BTreeMap<String, Value> = BTreeMap::new();
    let mut left_out = Vec::new();
    for object in objects {
        let group = object["apiVersion"].as_str().unwrap_or_default();
        let group = group.split_once('/').map_or("", |(group, _)| group);
        if SERVED.contains(&group) {
            let object = in_default(object);
            distinct.insert(object.to_string(), object);
        } else {
            left_out.push(object["kind"].as_str().unwrap_or_default().to_owned());
        }
    }
    if let Some(large) = distinct.keys().find(|text| text.len() > LARGEST) {
        bail!("too large for kubectl apply: {} bytes, {:.200}", large.len(), large);
    }
    let count = distinct.len();
    dry_run(
        &json!({"apiVersion": "v1", "kind": "List", "items": distinct.into_values().collect::<Vec<_>>()}),
    )?;
    left_out.sort();
    left_out.dedup();
    Ok((count, left_out))
}

/// The object in a namespace that every cluster has: a dry run creates no namespace for what comes after it.
fn in_default(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(namespace) = object.pointer_mut("/metadata/namespace") {
        *namespace = "default".into();
    }
    object
}

fn dry_run(list: &Value) -> anyhow::Result<()> {
    let mut command = Command::new("kubectl");
    command.args(["create", "--dry-run=server", "--validate=strict", "--output=name", "--filename=-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().context("running kubectl")?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(list.to_string().as_bytes())?;
    }
    let ran = child.wait_with_output()?;
    let complaints = String::from_utf8_lossy(&ran.stderr);
    // What the cluster has already was validated before it was found to be there.
    let complaints: Vec<&str> =
        complaints.lines().filter(|line| !line.is_empty() && !line.contains("(AlreadyExists)")).collect();
    if !complaints.is_empty() {
        bail!("the API server does not accept what is rendered: {}", complaints.join("\n"));
    }
    Ok(())
}
