//! The generated route as it shall be, made from the user's.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use vexil_object::{ObjectKey, meta};
use vexil_routing::{MARKERS, RouteError, RouteTarget, Routes, Side, Weight, put};

use crate::{
    read,
    source::{Keys, Rule, Source},
};

/// Above what users write by hand, so that a rule wins over the one it was copied from.
const PRIORITY: i64 = 10_000;

const SIDES: [Side; 2] = [Side::Primary, Side::Canary];

/// Keys, or what they begin with, by which tools recognise what they have applied and remove what they have not. On a
/// copy they would be a lie: the pruner of a GitOps tool would delete it (`routing.md` 21.13).
const TRACKING: [&str; 10] = [
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "applyset.kubernetes.io/",
    "argocd.argoproj.io/",
    "config.k8s.io/owning-inventory",
    "helm.toolkit.fluxcd.io/",
    "kapp.k14s.io/",
    "kubectl.kubernetes.io/last-applied-configuration",
    "kustomize.toolkit.fluxcd.io/",
    "meta.helm.sh/",
];

/// A new one, which the Canary owns, with the user's labels and annotations.
pub(crate) fn created(
    key: &ObjectKey,
    keys: &Keys,
    target: &RouteTarget<'_>,
    want: &Routes,
    source: &Source<'_>,
) -> Result<Value, RouteError> {
    let mut bare = json!({
        "apiVersion": key.kind().api_version(),
        "kind": key.kind().kind,
        "metadata": {
            "name": key.name(),
            "namespace": key.namespace(),
            "ownerReferences": [target.owner.reference()],
        },
    });
    for map in ["labels", "annotations"] {
        if let Some(theirs) = source.live.pointer(&format!("/metadata/{map}")) {
            meta::set(&mut bare, &["metadata", map], theirs.clone());
        }
    }
    owned(keys, target, want, source, &bare)
}

/// One that the Canary owns: a spec that follows the user's, and no marks of tools that did not apply it.
pub(crate) fn owned(
    keys: &Keys,
    target: &RouteTarget<'_>,
    want: &Routes,
    source: &Source<'_>,
    live: &Value,
) -> Result<Value, RouteError> {
    let mut object = live.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        untrack(metadata);
    }
    let mut spec = source.live.get("spec").cloned().unwrap_or_default();
    if let Some(spec) = spec.as_object_mut() {
        // A port can be listened on once.
        spec.remove("stream");
    }
    source.rules.iter().try_for_each(|rule| port(keys, target, rule))?;
    let rules = source.rules.iter().zip(priorities(keys, source)?).map(|(rule, priority)| {
        let mut copy = rule.rule.clone();
        let backends = SIDES.map(|side| entry(target, want, side, rule.backend.clone()));
        put(&mut copy, "priority", priority.into());
        put(&mut copy, "backends", json!(backends));
        copy
    });
    meta::set(&mut spec, &["http"], rules.collect());
    meta::set(&mut object, &["spec"], spec);
    Ok(object)
}

/// The generated route with other weights and nothing else changed.
pub(crate) fn weighted(
    key: &ObjectKey,
    target: &RouteTarget<'_>,
    want: &Routes,
    live: &Value,
) -> Result<Value, RouteError> {
    let mut object = live.clone();
    for entries in read::lists(key, target, live)? {
        let list = entries.with(SIDES, |side, backend| entry(target, want, side, backend));
        put(&mut object, entries.path(), list.into());
    }
    Ok(object)
}

/// The priority of each copy: as high as said, above the rule that it was copied from, and in the order that the user
/// gave to rules that match the same requests.
fn priorities(keys: &Keys, source: &Source<'_>) -> Result<Vec<i64>, RouteError> {
    let own = |rule: &Rule<'_>| match rule.rule.get("priority") {
        None | Some(Value::Null) => Ok(0),
        Some(priority) => priority.as_i64().ok_or_else(|| {
            let problem = format!("is {priority}, not a whole number");
            RouteError::malformed(&keys.source, format!("{}.priority", rule.path), problem)
        }),
    };
    let own: Vec<i64> = source.rules.iter().map(own).collect::<Result<_, _>>()?;
    let mut ranked: BTreeMap<i64, i64> = own.iter().map(|priority| (*priority, PRIORITY)).collect();
    let mut above = PRIORITY;
    for (own, copy) in &mut ranked {
        *copy = above.max(own.saturating_add(1));
        above = copy.saturating_add(1);
    }
    Ok(own.iter().filter_map(|priority| ranked.get(priority).copied()).collect())
}

/// The port that a rule names must be one of the Services, or both copies would lead nowhere.
fn port(keys: &Keys, target: &RouteTarget<'_>, rule: &Rule<'_>) -> Result<(), RouteError> {
    let Some(asked) = rule.backend.get("servicePort") else { return Ok(()) };
    let own = target.spec.service.port_name.as_deref().filter(|name| !name.is_empty()).unwrap_or("http");
    let mut ports = vec![(own.to_owned(), target.port()?)];
    ports.extend(target.discovered_ports.iter().map(|(name, number)| (name.clone(), i64::from(*number))));
    let named = |(name, number): &(String, i64)| match asked {
        Value::String(text) => text == name || text.parse() == Ok(*number),
        number_asked => number_asked.as_i64() == Some(*number),
    };
    if ports.iter().any(named) {
        return Ok(());
    }
    let known: Vec<_> = ports.iter().map(|(name, number)| format!("{name} ({number})")).collect();
    let problem =
        format!("is {asked}, which Service {} does not have; it has {}", target.apex, known.join(", "));
    Err(RouteError::malformed(&keys.source, format!("{}.backends[0].servicePort", rule.path), problem))
}

fn entry(target: &RouteTarget<'_>, want: &Routes, side: Side, mut backend: Value) -> Value {
    let (service, weight): (String, Weight) = match side {
        Side::Primary => (target.primary(), want.primary()),
        Side::Canary => (target.canary(), want.canary()),
    };
    put(&mut backend, "serviceName", service.into());
    put(&mut backend, "weight", weight.percent().into());
    backend
}

/// Removes the marks of tools, but for those that keep Flux away.
fn untrack(metadata: &mut Map<String, Value>) {
    let tracks = |key: &str| {
        TRACKING.iter().any(|mark| key.starts_with(mark)) && !MARKERS.iter().any(|(marker, _)| *marker == key)
    };
    for map in ["labels", "annotations"] {
        let Some(keys) = metadata.get_mut(map).and_then(Value::as_object_mut) else { continue };
        keys.retain(|key, _| !tracks(key));
        if keys.is_empty() {
            metadata.remove(map);
        }
    }
}
