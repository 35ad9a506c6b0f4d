//! Two Canaries with one target or one apex: the first one manages it, the other reports a defect and writes nothing
//! else.

use serde_json::Value;
use vexil_analysis::Message;
use vexil_api::Defect;
use vexil_object::{ObjectKey, kinds, meta};
use vexil_plan::CanaryContext;

use crate::{
    Context,
    finalizer::{is_deleted, reverts},
    projections::{BY_APEX, BY_TARGET},
};

/// The Canary that manages the target or the apex of this one already, and the defect of this one.
pub(crate) fn first_owner(context: &Context, canary: &CanaryContext) -> Option<(ObjectKey, Defect)> {
    let namespace = canary.key().namespace();
    let spec = &canary.spec();
    let by =
        |index, value| context.cluster.list_by(kinds::CANARY, namespace, index, value).unwrap_or_default();
    let mut others = by(BY_TARGET, &spec.target_ref.name);
    others.extend(by(BY_APEX, spec.apex_name()));
    others.iter().find_map(|other| {
        let name = meta::text(other, "/metadata/name");
        let (path, what) = shared(canary, other).filter(|_| is_older(other, canary.live()))?;
        let message = Message::DuplicateTarget { what, older: name.to_owned() }.to_string();
        Some((ObjectKey::new(kinds::CANARY, namespace, name), Defect { path: path.to_owned(), message }))
    })
}

/// The other Canaries with the target or the apex of this one: they are reconciled when this one changes.
pub(crate) fn sharing_with(context: &Context, canary: &ObjectKey) -> Vec<ObjectKey> {
    let seen = context.cluster.look(canary);
    let Some(live) = seen.object() else { return Vec::new() };
    let (target, named) = (meta::text(live, "/spec/targetRef/name"), meta::text(live, "/spec/service/name"));
    let apex = if named.is_empty() { target } else { named };
    let by = |index, value| {
        context.cluster.list_keys_by(kinds::CANARY, canary.namespace(), index, value).unwrap_or_default()
    };
    let mut others = by(BY_TARGET, target);
    others.extend(by(BY_APEX, apex));
    others.retain(|other| other != canary);
    others
}

/// A Canary that has a phase is before one that has none; then the age decides, then the uid, so that every reconcile
/// decides alike.
fn is_older(other: &Value, this: &Value) -> bool {
    let age = |canary: &Value| {
        let begun = !meta::text(canary, "/status/phase").is_empty();
        let born = meta::text(canary, "/metadata/creationTimestamp").to_owned();
        (!begun, born, meta::uid(canary).to_owned())
    };
    // Until its target has taken over, a deleted one still manages it.
    let going = is_deleted(other) && !reverts(other);
    !going && meta::uid(other) != meta::uid(this) && age(other) < age(this)
}

/// What both Canaries name: the path of the field, and what it is.
fn shared(canary: &CanaryContext, other: &Value) -> Option<(&'static str, &'static str)> {
    let spec = &canary.spec();
    let (kind, name) = (meta::text(other, "/spec/targetRef/kind"), meta::text(other, "/spec/targetRef/name"));
    if (kind, name) == (spec.target_ref.kind.as_str(), spec.target_ref.name.as_str()) {
        return Some(("spec.targetRef.name", "target"));
    }
    let named = meta::text(other, "/spec/service/name");
    let apex = if named.is_empty() { name } else { named };
    (apex == spec.apex_name()).then_some(("spec.service.name", "apex"))
}
