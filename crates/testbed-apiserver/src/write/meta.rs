//! Metadata that the server keeps for itself, and the rules for what clients may write there.

use serde_json::{Value, json};

use super::super::{
    errors::{Cause, Fault, Reply, Status},
    json::{at, is_deleting, list, name, put, put_or_take, take, text},
    state::Call,
};

/// Fields of metadata that no client can set.
const OURS: [&str; 8] = [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "resourceVersion",
    "selfLink",
    "managedFields",
];

/// Puts the namespace of the URL into the object.
///
/// # Errors
/// 400 when the object names another one.
pub(super) fn place(call: &Call, object: &mut Value) -> Reply<()> {
    let sent = text(object, &["metadata", "namespace"]);
    if !call.resource.namespaced {
        take(object, &["metadata", "namespace"]);
        return Ok(());
    }
    if !sent.is_empty() && sent != call.namespace {
        return Err(Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    put(object, &["metadata", "namespace"], json!(call.namespace));
    Ok(())
}

/// Removes what clients cannot set.
pub(super) fn strip(object: &mut Value) {
    for field in OURS {
        take(object, &["metadata", field]);
    }
}

/// Takes over from the stored object what clients cannot change. Once a deletion has begun its time can only come
/// nearer, which is not needed here.
pub(super) fn keep(old: &Value, new: &mut Value) {
    let fields = OURS.iter().filter(|field| **field != "managedFields").chain(&["namespace", "name"]);
    for field in fields {
        let path = ["metadata", *field];
        put_or_take(new, &path, at(old, &path).cloned());
    }
}

/// Removes members of metadata that say nothing, as the real server's encoding does.
pub(super) fn tidy(object: &mut Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    metadata.retain(|_, value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    });
}

/// What is wrong with the metadata of a new object.
pub(super) fn check(call: &Call, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let prefix = text(object, &["metadata", "generateName"]);
    if !prefix.is_empty() {
        let whole = prefix.strip_suffix('-').map_or(prefix.to_owned(), |prefix| format!("{prefix}a"));
        let found = super::super::kinds::names::check(&call.resource, &whole, "metadata.generateName");
        let found = found.into_iter().map(|cause| Cause { fault: Fault::Invalid(json!(prefix)), ..cause });
        causes.extend(found);
    }
    if name(object).is_empty() {
        let detail = "name or generateName is required";
        causes.push(Cause::new("metadata.name", Fault::Required, detail));
    } else {
        causes.extend(super::super::kinds::names::check(&call.resource, name(object), "metadata.name"));
    }
    causes.extend(super::super::kinds::names::check_labels(object));
    for owner in list(object, &["metadata", "ownerReferences"]) {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if text(owner, &[field]).is_empty() {
                let path = format!("metadata.ownerReferences.{field}");
                let detail =
                    if field == "apiVersion" { "version must not be empty" } else { "must not be empty" };
                causes.push(Cause::new(path, Fault::Invalid(json!("")), detail));
            }
        }
    }
    causes.extend(one_controller(object));
    for (index, finalizer) in list(object, &["metadata", "finalizers"]).iter().enumerate() {
        let finalizer = finalizer.as_str().unwrap_or_default();
        // Kinds of definitions are held to less: Flagger's finalizer has no path.
        if call.resource.custom.is_none()
            && !finalizer.contains('/')
            && !matches!(finalizer, "orphan" | "foregroundDeletion" | "kubernetes")
        {
            let field = format!("metadata.finalizers[{index}]");
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            causes.push(Cause::new(field, Fault::Invalid(json!(finalizer)), detail));
        }
    }
    causes
}

/// An object has one controller at most.
fn one_controller(object: &Value) -> Option<Cause> {
    let owners = list(object, &["metadata", "ownerReferences"]);
    let mut controllers = owners.iter().filter(|owner| owner.get("controller") == Some(&json!(true)));
    let shown = |owner: &Value| format!("{}/{}", text(owner, &["kind"]), text(owner, &["name"]));
    let (first, second) = (controllers.next().map(shown)?, controllers.next().map(shown)?);
    let detail = format!(
        "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {second}"
    );
    Some(Cause::new("metadata.ownerReferences", Fault::Invalid(json!(owners)), detail))
}

/// What is wrong with the metadata of an object that was there before.
pub(super) fn check_update(old: &Value, new: &Value) -> Vec<Cause> {
    let before = list(old, &["metadata", "finalizers"]);
    let added = list(new, &["metadata", "finalizers"]).iter().filter(|f| !before.contains(f));
    let added: Vec<String> = added.map(Value::to_string).collect();
    if added.is_empty() || !is_deleting(old) {
        return Vec::new();
    }
    let detail = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        added.join(", ")
    );
    vec![Cause::new("metadata.finalizers", Fault::Forbidden, detail)]
}

/// Everything but metadata and status: what a change of `generation` follows.
pub(super) fn specification<'a>(
    call: &Call,
    object: &'a Value,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let has_status = call.resource.has_status;
    let members = object.as_object().into_iter().flatten();
    members.filter(move |(name, _)| *name != "metadata" && !(*name == "status" && has_status))
}
