//! The primary of a DaemonSet: when it is created, and when the target is copied to it.

use serde_json::{Map, Value, json};
use vexil_analysis::Revision;
use vexil_object::{Action, Change, JsonOp, Precondition, kinds};

use super::{NOUN, pods};
use crate::{
    DeploymentView, PrimaryCopy, Side, Subject, TrackedConfigs, WorkloadError,
    configs::{COPIED, copied, copied_kinds},
    metadata::{created_annotations, primary_labels},
    promoted::metadata_ops,
    revision, selector, template,
    written::WRITTEN,
};

/// Fields of the spec that are copied besides the template.
const FIELDS: [&str; 3] = ["minReadySeconds", "revisionHistoryLimit", "updateStrategy"];

/// The create of the primary, unless the target is another revision than `expected`.
pub(super) fn create(
    subject: &Subject<'_>,
    target: &Value,
    expected: Option<&Revision>,
    tracked: &TrackedConfigs,
) -> Result<PrimaryCopy, WorkloadError> {
    let pods = pods(subject, target)?;
    let revision = match copied(subject, expected, &revision::of_template(&pods), tracked) {
        Ok(revision) => revision,
        Err(found) => return Ok(PrimaryCopy::Moved { found }),
    };
    let selector = selector::resolve(subject, NOUN, kinds::DAEMON_SET, target, None)?;
    let mut spec: Map<String, Value> =
        FIELDS.iter().filter_map(|field| Some(((*field).to_owned(), own(target, field)?.clone()))).collect();
    spec.insert("selector".to_owned(), json!({"matchLabels": selector.of_copy()}));
    let copy = template::stamp(template::for_primary(subject, &selector, &pods, tracked), &revision);
    let mut annotations = created_annotations(target);
    annotations.insert(WRITTEN.to_owned(), revision::of_template(&copy).as_str().to_owned());
    annotations.extend(copied_kinds(tracked, None).map(|kinds| (COPIED.to_owned(), kinds)));
    spec.insert("template".to_owned(), copy);
    let object = json!({
        "apiVersion": kinds::DAEMON_SET.api_version(), "kind": kinds::DAEMON_SET.kind,
        "metadata": {
            "name": subject.primary_name()?, "namespace": subject.namespace,
            "labels": primary_labels(target, subject.settings, &selector.key, &selector.primary_value()),
            "annotations": annotations,
            "ownerReferences": [subject.owner.reference()],
        },
        "spec": spec,
    });
    let change = Change::create(subject.key(kinds::DAEMON_SET, Side::Primary), object);
    Ok(PrimaryCopy::Write { change, revision })
}

/// The patch of `primary`, unless it holds `expected` already or the target is another revision by now.
pub(super) fn promote(
    subject: &Subject<'_>,
    target: &Value,
    expected: &Revision,
    primary: &Value,
    tracked: &TrackedConfigs,
) -> Result<PrimaryCopy, WorkloadError> {
    if DeploymentView::new(primary).holds(expected) {
        return Ok(PrimaryCopy::Held);
    }
    let pods = pods(subject, target)?;
    let revision = match copied(subject, Some(expected), &revision::of_template(&pods), tracked) {
        Ok(revision) => revision,
        Err(found) => return Ok(PrimaryCopy::Moved { found }),
    };
    let selector = selector::resolve(subject, NOUN, kinds::DAEMON_SET, target, Some(primary))?;
    let copy = template::stamp(template::for_primary(subject, &selector, &pods, tracked), &revision);
    let written = revision::of_template(&copy);
    let mut ops: Vec<JsonOp> = FIELDS
        .iter()
        .filter_map(|field| Some(JsonOp::Add(format!("/spec/{field}"), own(target, field)?.clone())))
        .collect();
    ops.push(JsonOp::Add("/spec/template".to_owned(), copy));
    ops.extend(metadata_ops(subject, target, primary, &selector, (&written, tracked)));
    let change = Change {
        key: subject.key(kinds::DAEMON_SET, Side::Primary),
        action: Action::Json { ops, on: Precondition::of(primary) },
    };
    Ok(PrimaryCopy::Write { change, revision })
}

fn own<'t>(target: &'t Value, field: &str) -> Option<&'t Value> {
    target.get("spec")?.get(field).filter(|value| !value.is_null())
}
