//! Knative Services: which Revision is the primary, which the canary, and the list `spec.traffic` that both share.
//!
//! The two have one object, which a workload and a router write. Its list holds our two entries and the user's tags:
//!
//! ```yaml
//! traffic:
//!   - { revisionName: podinfo-00002, latestRevision: false, percent: 30 } # the canary
//!   - { revisionName: podinfo-00001, latestRevision: false, percent: 70 } # the primary
//!   - { tag: next, latestRevision: true, percent: 0 } # the user's
//! ```
//!
//! Without a share the canary's entry is `{latestRevision: true, percent: 0}`, as Flagger writes it. With one it names
//! the Revision, because `latestRevision` would give the share to whatever is pushed next. Knative applies no change of
//! a list as long as one of the named Revisions is not ready, so the primary's entry is left out where the canary has
//! everything. While both sides are the same Revision, which a promotion makes them, the canary's entry is the first.

use serde_json::{Value, json};

use crate::{Kind, ObjectKey, meta};

/// `serving.knative.dev/v1` Service.
pub const SERVICE: Kind = Kind::namespaced("serving.knative.dev", "v1", "Service", "services");
/// `serving.knative.dev/v1` Revision.
pub const REVISION: Kind = Kind::namespaced("serving.knative.dev", "v1", "Revision", "revisions");
/// The annotation of a Knative Service that names the Revision of the primary. It is Flagger's.
pub const PRIMARY_REVISION: &str = "flagger.app/primary-revision";

/// The Revision of a name, in a namespace.
pub fn revision(namespace: &str, name: &str) -> ObjectKey {
    ObjectKey::new(REVISION, namespace, name)
}

/// The list of a Service that shares its traffic.
pub fn traffic(service: &Value) -> &[Value] {
    service.pointer("/spec/traffic").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whether an entry has a URL of its own. Ours have none.
pub fn is_tagged(entry: &Value) -> bool {
    !meta::text(entry, "/tag").is_empty()
}

fn name(entry: &Value) -> Option<&str> {
    Some(meta::text(entry, "/revisionName")).filter(|name| !name.is_empty())
}

fn percent(entry: &Value) -> i64 {
    entry.get("percent").and_then(Value::as_i64).unwrap_or(0)
}

/// The Revision of the primary: that of the annotation, else the last one that gets traffic by its name. `None` where
/// all traffic follows the latest Revision.
pub fn primary_revision(service: &Value) -> Option<&str> {
    let annotated = meta::annotation(service, PRIMARY_REVISION).filter(|name| !name.is_empty());
    annotated.or_else(|| {
        let mut shares = traffic(service).iter().rev().filter(|entry| percent(entry) > 0);
        shares.find_map(name)
    })
}

/// The Revision of what was pushed last; `None` until Knative has created one.
pub fn latest_created(service: &Value) -> Option<&str> {
    Some(meta::text(service, "/status/latestCreatedRevisionName")).filter(|name| !name.is_empty())
}

/// The Revision of the canary: one that has a share keeps it, whatever was pushed since; else the latest one.
pub fn canary_revision(service: &Value) -> Option<&str> {
    let list = traffic(service);
    let (of_canary, _) = places(list, primary_revision(service).unwrap_or_default());
    let shares = of_canary.and_then(|at| list.get(at)).filter(|entry| percent(entry) > 0);
    shares.and_then(name).or_else(|| latest_created(service))
}

/// Where the untagged entries of both sides are: the canary's, then the primary's. An entry that is neither belongs to
/// nobody.
pub fn places(list: &[Value], primary: &str) -> (Option<usize>, Option<usize>) {
    let untagged = || list.iter().enumerate().filter(|(_, entry)| !is_tagged(entry));
    let of_primary = untagged().rfind(|(_, entry)| name(entry) == Some(primary)).map(|(at, _)| at);
    let of_canary = untagged().map(|(at, _)| at).find(|at| Some(*at) != of_primary);
    (of_canary, of_primary)
}

/// The list of `service` with `share` percent for the Revision `canary` and the rest for `primary`. Tags stay where
/// they are, without a share; other entries are removed.
pub fn shared(service: &Value, primary: &str, canary: &str, share: u32) -> Vec<Value> {
    let live = traffic(service);
    let (of_canary, of_primary) = places(live, primary);
    let base = |at: Option<usize>| at.and_then(|at| live.get(at)).filter(|entry| entry.is_object()).cloned();
    let canary_entry = if share == 0 {
        entry(base(of_canary), None, 0)
    } else {
        entry(base(of_canary), Some(canary), share)
    };
    let rest = 100_u32.saturating_sub(share);
    let primary_entry = (rest > 0 || canary == primary).then(|| entry(base(of_primary), Some(primary), rest));
    let mut list = Vec::new();
    let (mut canary_at, mut primary_at) = (None, None);
    for (at, live) in live.iter().enumerate() {
        if Some(at) == of_canary {
            canary_at = Some(list.len());
            list.push(canary_entry.clone());
        } else if Some(at) == of_primary {
            if let Some(entry) = &primary_entry {
                primary_at = Some(list.len());
                list.push(entry.clone());
            }
        } else if is_tagged(live) {
            list.push(without_share(live));
        }
    }
    let canary_at = canary_at.unwrap_or_else(|| {
        list.insert(0, canary_entry);
        primary_at = primary_at.map(|at| at + 1);
        0
    });
    match (primary_entry, primary_at) {
        (Some(entry), None) => list.insert(canary_at + 1, entry),
        // Two entries of one Revision differ only in their order.
        (Some(_), Some(primary_at)) if share > 0 && canary == primary && primary_at < canary_at => {
            list.swap(primary_at, canary_at);
        }
        _ => {}
    }
    list
}

/// The list of `service` after `promoted` has become its primary: what the primary had is its. A list without an entry
/// of the primary stays as it is.
pub fn promoted(service: &Value, promoted: &str) -> Vec<Value> {
    let mut list = traffic(service).to_vec();
    let (of_canary, of_primary) = places(&list, primary_revision(service).unwrap_or_default());
    let share = of_canary.and_then(|at| list.get(at)).map_or(0, percent);
    let Some(entry) = of_primary.and_then(|at| list.get_mut(at)) else { return list };
    meta::set(entry, &["revisionName"], promoted.into());
    let renamed = json!({"spec": {"traffic": list}});
    shared(&renamed, promoted, promoted, u32::try_from(share).unwrap_or(0).min(100))
}

/// An entry of ours. Fields that it does not have are others'.
fn entry(live: Option<Value>, revision: Option<&str>, percent: u32) -> Value {
    let mut entry = live.unwrap_or_else(|| json!({}));
    if let Some(fields) = entry.as_object_mut() {
        fields.remove("configurationName");
        fields.remove("revisionName");
        if let Some(name) = revision {
            fields.insert("revisionName".to_owned(), name.into());
        }
        fields.insert("latestRevision".to_owned(), revision.is_none().into());
        fields.insert("percent".to_owned(), percent.into());
    }
    entry
}

fn without_share(tagged: &Value) -> Value {
    let mut entry = tagged.clone();
    if let Some(percent) = entry.get_mut("percent").filter(|percent| !percent.is_null()) {
        *percent = 0.into();
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(primary: &str, traffic: Value) -> Value {
        let annotations = if primary.is_empty() { json!({}) } else { json!({PRIMARY_REVISION: primary}) };
        json!({
            "metadata": {"annotations": annotations},
            "spec": {"traffic": traffic},
            "status": {"latestCreatedRevisionName": "p-3"},
        })
    }

    fn named(name: &str, percent: u32) -> Value {
        json!({"revisionName": name, "latestRevision": false, "percent": percent})
    }

    fn latest(percent: u32) -> Value {
        json!({"latestRevision": true, "percent": percent})
    }

    #[test]
    fn both_revisions_are_found() {
        let check = |primary: &str, traffic: Value, expect: (Option<&str>, Option<&str>)| {
            let service = service(primary, traffic);
            assert_eq!((primary_revision(&service), canary_revision(&service)), expect, "{service}");
        };
        let (p1, p3) = (Some("p-1"), Some("p-3"));
        check("p-1", json!([latest(0), named("p-1", 100)]), (p1, p3));
        check("p-1", json!([named("p-2", 30), named("p-1", 70)]), (p1, Some("p-2")));
        check("p-3", json!([named("p-3", 30), named("p-3", 70)]), (p3, p3));
        check("", Value::Null, (None, p3));
        check("", json!([latest(100)]), (None, p3));
        // A user has held the last push back, or the annotation was lost.
        check("", json!([latest(0), named("p-1", 100)]), (p1, p3));
        check("", json!([named("p-2", 30), named("p-1", 70)]), (p1, Some("p-2")));
        check("", json!([{"tag": "now", "revisionName": "p-1", "percent": 100}]), (p1, p3));
    }

    #[test]
    fn tags_stay_and_other_entries_do_not() {
        let check = |traffic: Value, share: u32, expect: Value| {
            let list = shared(&service("p-1", traffic.clone()), "p-1", "p-2", share);
            assert_eq!(Value::from(list), expect, "{share} in {traffic}");
        };
        let tag = json!({"tag": "now", "revisionName": "p-1", "percent": 0});
        check(Value::Null, 0, json!([latest(0), named("p-1", 100)]));
        check(json!([latest(100)]), 0, json!([latest(0), named("p-1", 100)]));
        check(json!([latest(0), named("p-1", 100)]), 30, json!([named("p-2", 30), named("p-1", 70)]));
        check(json!([named("p-2", 30), named("p-1", 70)]), 100, json!([named("p-2", 100)]));
        check(json!([named("p-2", 100)]), 0, json!([latest(0), named("p-1", 100)]));
        let both = json!([named("p-1", 40), named("p-0", 60)]);
        let list = shared(&service("p-1", both), "p-1", "p-1", 60);
        assert_eq!(Value::from(list), json!([named("p-1", 60), named("p-1", 40)]));
        check(json!([named("p-0", 50), named("p-1", 50)]), 0, json!([latest(0), named("p-1", 100)]));
        check(
            json!([tag, latest(0), named("p-0", 5), named("p-1", 95)]),
            40,
            json!([tag, named("p-2", 40), named("p-1", 60)]),
        );
        let with_share = json!({"tag": "now", "revisionName": "p-1", "percent": 100});
        check(json!([with_share]), 0, json!([latest(0), named("p-1", 100), tag]));
        check(json!([{"tag": "a", "latestRevision": true}, named("p-1", 100)]), 0, {
            json!([latest(0), {"tag": "a", "latestRevision": true}, named("p-1", 100)])
        });
    }

    #[test]
    fn a_promotion_renames_the_entry_of_the_primary() {
        let check = |traffic: Value, expect: Value| {
            assert_eq!(Value::from(promoted(&service("p-1", traffic), "p-3")), expect);
        };
        check(json!([latest(0), named("p-1", 100)]), json!([latest(0), named("p-3", 100)]));
        check(json!([named("p-3", 50), named("p-1", 50)]), json!([named("p-3", 50), named("p-3", 50)]));
        check(json!([named("p-3", 100)]), json!([named("p-3", 100)]));
        check(json!([latest(100)]), json!([latest(100)]));
    }
}
