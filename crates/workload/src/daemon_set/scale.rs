//! Pods or none: a node selector for a label that no node has.

use serde_json::Value;
use vexil_object::{Change, kinds, meta};

use crate::{Side, Subject};

/// The label of nodes that do not exist.
const SCALED_TO_ZERO: &str = "flagger.app/scale-to-zero";

/// The patch that takes the target's pods away, or gives them back; `None` if it is so already.
pub(super) fn set(subject: &Subject<'_>, target: &Value, zero: bool) -> Option<Change> {
    if is_scaled_to_zero(target) == zero {
        return None;
    }
    let mut want = target.clone();
    if zero {
        meta::set(&mut want, &["spec", "template", "spec", "nodeSelector", SCALED_TO_ZERO], "true".into());
    } else if let Some(selector) = node_selector(&mut want) {
        selector.remove(SCALED_TO_ZERO);
    }
    Change::between(subject.key(kinds::DAEMON_SET, Side::Canary), target, &want)
}

/// Whether a DaemonSet, whole or projected, is for no node.
pub(super) fn is_scaled_to_zero(object: &Value) -> bool {
    let selector = object.pointer("/spec/template/spec/nodeSelector");
    selector.is_some_and(|selector| selector.get(SCALED_TO_ZERO).is_some())
}

/// Marks what the cache keeps of a DaemonSet that is for no node.
pub(super) fn mark(kept: &mut Value) {
    meta::set(kept, &["spec", "template", "spec", "nodeSelector", SCALED_TO_ZERO], "true".into());
}

/// A pod template as it is while the target has pods.
pub(super) fn without_scale(mut template: Value) -> Value {
    let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) else { return template };
    if let Some(selector) = spec.get_mut("nodeSelector").and_then(Value::as_object_mut) {
        selector.remove(SCALED_TO_ZERO);
        if selector.is_empty() {
            spec.remove("nodeSelector");
        }
    }
    template
}

fn node_selector(object: &mut Value) -> Option<&mut serde_json::Map<String, Value>> {
    object.pointer_mut("/spec/template/spec/nodeSelector")?.as_object_mut()
}
