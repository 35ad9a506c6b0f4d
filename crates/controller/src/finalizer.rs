//! The finalizer of a Canary with `revertOnDeletion`: whether it is there, and what it waits for.

use serde_json::Value;
use vexil_object::{Change, ObjectKey, meta};

/// Keeps a Canary until its target has taken over. The name is Flagger's.
pub(crate) const FINALIZER: &str = "finalizer.flagger.app";

/// Whether the Canary is being deleted.
pub(crate) fn is_deleted(live: &Value) -> bool {
    !meta::text(live, "/metadata/deletionTimestamp").is_empty()
}

/// Whether the finalizer keeps the Canary.
pub(crate) fn is_held(live: &Value) -> bool {
    finalizers(live).any(|name| name == FINALIZER)
}

/// Whether the target takes over again: the Canary is being deleted, and waits for that.
pub(crate) fn reverts(live: &Value) -> bool {
    is_deleted(live) && is_held(live) && live.pointer("/spec/revertOnDeletion") == Some(&Value::Bool(true))
}

fn finalizers(live: &Value) -> impl Iterator<Item = &Value> {
    live.pointer("/metadata/finalizers").and_then(Value::as_array).into_iter().flatten()
}

/// Adds or removes it; `None` if that changes nothing.
pub(crate) fn change(key: &ObjectKey, live: &Value, held: bool) -> Option<Change> {
    let mut names: Vec<Value> = finalizers(live).filter(|name| *name != FINALIZER).cloned().collect();
    names.extend(held.then(|| FINALIZER.into()));
    let mut want = live.clone();
    meta::set(&mut want, &["metadata", "finalizers"], names.into());
    Change::between(key.clone(), live, &want)
}
