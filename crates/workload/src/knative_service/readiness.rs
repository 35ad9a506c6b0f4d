//! What the condition `Ready` of a Revision says.

use serde_json::{Value, json};
use vexil_analysis::Readiness;
use vexil_object::{Kind, ObjectKey, Projection, knative, meta};

use crate::{pods::shortened, projection::identity};

/// Keeps of a Revision whether it is ready: Knative has many, and none is ever written.
#[derive(Clone, Copy, Debug)]
pub struct RevisionProjection;

impl Projection for RevisionProjection {
    fn kind(&self) -> Kind {
        knative::REVISION
    }

    fn keep(&self, object: Value) -> Value {
        let conditions: Vec<&Value> = condition(&object).into_iter().collect();
        json!({"metadata": identity(&object), "status": {"conditions": conditions}})
    }
}

/// Whether the condition `Ready` of a Revision says so.
pub(super) fn is_ready(object: &Value) -> bool {
    condition(object).is_some_and(|ready| meta::text(ready, "/status") == "True")
}

fn condition(object: &Value) -> Option<&Value> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    conditions.iter().find(|one| meta::text(one, "/type") == "Ready")
}

/// Why a Revision that exists is not ready. One past Knative's own deadline does not become ready any more.
pub(super) fn readiness_of(key: &ObjectKey, object: &Value) -> Readiness {
    if is_ready(object) {
        return Readiness::Ready;
    }
    let text = |field| condition(object).map(|ready| meta::text(ready, field)).unwrap_or_default();
    let (reason, message) = (text("/reason"), text("/message"));
    let parts = [reason, message].into_iter().filter(|part| !part.is_empty());
    let why = shortened(&parts.map(|part| format!(": {part}")).collect::<String>());
    let said = format!("Knative Revision {}.{} is not ready{why}", key.name(), key.namespace());
    let is_over = text("/status") == "False" && reason == "ProgressDeadlineExceeded";
    if is_over { Readiness::Failed(said) } else { Readiness::Waiting(said) }
}
