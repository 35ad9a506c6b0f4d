//! What the parents of a route report about it in its status.

use serde_json::Value;
use vexil_object::{ObjectKey, meta};
use vexil_routing::Acceptance;

/// Whether every parent applies the present generation of the route.
pub(crate) fn of(key: &ObjectKey, live: &Value) -> Acceptance {
    let list = |pointer: &str| live.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    let generation = live.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
    let mut outdated = None;
    for parent in list("/spec/parentRefs") {
        let name = described(parent, key.namespace());
        let reports: Vec<&Value> =
            list("/status/parents").filter(|report| is_same(&report["parentRef"], parent, key)).collect();
        if reports.is_empty() {
            return Acceptance::Refused(format!("{name} has not reported on {key} yet"));
        }
        for report in reports {
            match verdict(report, generation) {
                Ok(()) => {}
                Err(None) => {
                    outdated = outdated
                        .or(Some(format!("{name} has not applied generation {generation} of {key} yet")));
                }
                Err(Some(why)) => return Acceptance::Refused(format!("{name} does not apply {key}: {why}")),
            }
        }
    }
    outdated.map_or(Acceptance::Accepted, Acceptance::Outdated)
}

/// The verdict of one parent: `Err(None)` while it is about an earlier generation, else why it does not apply the
/// route.
fn verdict(report: &Value, generation: i64) -> Result<(), Option<String>> {
    let conditions =
        report.get("conditions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let find = |kind: &str| conditions.iter().find(|condition| meta::text(condition, "/type") == kind);
    // Not every product reports on the references.
    for (kind, is_required) in [("Accepted", true), ("ResolvedRefs", false)] {
        let Some(condition) = find(kind) else {
            if is_required {
                return Err(Some(format!("it reports no condition {kind}")));
            }
            continue;
        };
        let observed = condition.get("observedGeneration").and_then(Value::as_i64);
        if observed.is_some_and(|observed| observed < generation) {
            return Err(None);
        }
        if meta::text(condition, "/status") != "True" {
            let (reason, message) = (meta::text(condition, "/reason"), meta::text(condition, "/message"));
            return Err(Some(format!("{kind} is {}, {reason}: {message}", meta::text(condition, "/status"))));
        }
    }
    Ok(())
}

/// Whether two references name the same parent; a field that is missing has its default.
fn is_same(one: &Value, other: &Value, key: &ObjectKey) -> bool {
    let text = |reference: &Value, field: &str, default: &str| {
        reference.get(field).and_then(Value::as_str).unwrap_or(default).to_owned()
    };
    let same = |field: &str, default: &str| text(one, field, default) == text(other, field, default);
    same("group", "gateway.networking.k8s.io")
        && same("kind", "Gateway")
        && same("namespace", key.namespace())
        && same("name", "")
        && same("sectionName", "")
        && one.get("port").and_then(Value::as_i64) == other.get("port").and_then(Value::as_i64)
}

/// `Gateway infra/public, listener https`.
fn described(parent: &Value, namespace: &str) -> String {
    let text =
        |field: &str, default: &str| parent.get(field).and_then(Value::as_str).unwrap_or(default).to_owned();
    let listener = text("sectionName", "");
    let listener = if listener.is_empty() { listener } else { format!(", listener {listener}") };
    format!("{} {}/{}{listener}", text("kind", "Gateway"), text("namespace", namespace), text("name", ""))
}
