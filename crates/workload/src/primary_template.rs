//! The primary's pod template, made from the target's.

use serde_json::{Map, Value, json};
use vexil_analysis::Revision;
use vexil_object::{ObjectKey, meta};

use crate::{
    Selector, Subject, TrackedConfigs, WorkloadError, affinity,
    configs::rename,
    digests,
    metadata::{is_toolkit, pairs},
    revision::{FLAGGER_ID, flagger_id},
    subject::primary,
};

/// The target's pod template; refuses an object that is only a projection.
pub(crate) fn whole<'a>(key: &ObjectKey, target: &'a Value) -> Result<&'a Value, WorkloadError> {
    let refuse =
        |problem| WorkloadError::Malformed { object: key.to_string(), path: "spec.template", problem };
    if digests::is_reduced(target) {
        return Err(refuse("is only the part that the cache keeps; read the object itself"));
    }
    let template = target.pointer("/spec/template").filter(|template| template.is_object());
    template.ok_or_else(|| refuse("is missing"))
}

/// The template as the primary shall have it, but for the stamp.
/// It names the copies of the ConfigMaps and Secrets that are tracked.
pub(crate) fn for_primary(
    subject: &Subject<'_>,
    selector: &Selector,
    template: &Value,
    tracked: &TrackedConfigs,
) -> Value {
    let mut labels = pairs(template, "/metadata/labels");
    labels.retain(|key, _| !is_toolkit(key));
    labels.extend(selector.of_copy());
    let mut annotations = pairs(template, "/metadata/annotations");
    annotations.retain(|key, _| !is_toolkit(key) && key != FLAGGER_ID);

    let mut metadata = Map::new();
    metadata.insert("labels".to_owned(), json!(labels));
    if !annotations.is_empty() {
        metadata.insert("annotations".to_owned(), json!(annotations));
    }
    let mut copy = template.clone();
    meta::set(&mut copy, &["metadata"], Value::Object(metadata));
    if let Some(spec) = copy.get_mut("spec") {
        affinity::rewrite(spec, selector, subject.namespace);
        rename(spec, |name| tracked.contains_key(&name.to_string()).then(|| primary(name.name())));
    }
    copy
}

/// Writes on the template which revision it was copied from.
pub(crate) fn stamp(mut template: Value, revision: &Revision) -> Value {
    meta::set(&mut template, &["metadata", "annotations", FLAGGER_ID], flagger_id(revision).into());
    template
}
