//! Copies of scalers that the Canary no longer names: if they stayed, they would be second writers of the primary's
//! replicas.

use serde_json::Value;
use vexil_api::canary::ScalerRef;
use vexil_object::{Change, ObjectKey};

use super::{copy::copy_key, scaler};
use crate::Subject;

/// The deletions of scalers that this Canary made and that its spec no longer names: `autoscalerRef` is gone, or names
/// another scaler or kind. `listed` are the scalers of the namespace. They are deleted before another copy is created,
/// which KEDA refuses while the first exists.
///
/// A reference that cannot be understood deletes nothing.
pub fn abandoned(
    subject: &Subject<'_>,
    reference: Option<&ScalerRef>,
    listed: &[(ObjectKey, &Value)],
) -> Vec<Change> {
    let wanted = match reference.map(|reference| (reference, scaler(reference))) {
        None => None,
        Some((reference, Ok(scaler))) => Some(copy_key(subject, scaler.kind(), reference)),
        Some((_, Err(_))) => return Vec::new(),
    };
    let ours = listed.iter().filter(|(key, object)| {
        key.namespace() == subject.namespace
            && subject.owner.controls(object)
            && object.pointer("/metadata/deletionTimestamp").is_none()
    });
    ours.filter(|(key, _)| Some(key) != wanted.as_ref())
        .map(|(key, object)| Change::delete(key.clone(), object))
        .collect()
}
