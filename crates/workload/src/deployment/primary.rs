//! The primary when it is created.

use serde_json::{Map, Value, json};
use vexil_analysis::Revision;
use vexil_object::{Change, kinds};

use super::NOUN;
use crate::{
    DeploymentView, PrimaryCopy, Side, Subject, TrackedConfigs, WorkloadError,
    configs::{COPIED, copied, copied_kinds},
    metadata::{created_annotations, primary_labels},
    revision, selector, template,
    written::WRITTEN,
};

/// The create of the primary, unless the target is another revision than `expected`.
pub(super) fn create(
    subject: &Subject<'_>,
    target: &Value,
    expected: Option<&Revision>,
    tracked: &TrackedConfigs,
) -> Result<PrimaryCopy, WorkloadError> {
    let pods = template::whole(&subject.key(kinds::DEPLOYMENT, Side::Canary), target)?;
    let revision = match copied(subject, expected, &revision::of_template(pods), tracked) {
        Ok(revision) => revision,
        Err(found) => return Ok(PrimaryCopy::Moved { found }),
    };
    let object = render(subject, target, pods, &revision, tracked)?;
    let change = Change::create(subject.key(kinds::DEPLOYMENT, Side::Primary), object);
    Ok(PrimaryCopy::Write { change, revision })
}

fn render(
    subject: &Subject<'_>,
    target: &Value,
    pods: &Value,
    revision: &Revision,
    tracked: &TrackedConfigs,
) -> Result<Value, WorkloadError> {
    let selector = selector::resolve(subject, NOUN, kinds::DEPLOYMENT, target, None)?;
    let (key, value) = (&selector.key, &selector.primary_value());

    let mut spec = Map::new();
    for field in ["minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit", "strategy"] {
        if let Some(own) = target.get("spec").and_then(|spec| spec.get(field)) {
            spec.insert(field.to_owned(), own.clone());
        }
    }
    // A target that happens to be at zero says nothing about how many pods the traffic needs.
    spec.insert("replicas".to_owned(), DeploymentView::new(target).desired().max(1).into());
    spec.insert("selector".to_owned(), json!({"matchLabels": selector.of_copy()}));
    let copy = template::stamp(template::for_primary(subject, &selector, pods, tracked), revision);
    let mut annotations = created_annotations(target);
    annotations.insert(WRITTEN.to_owned(), revision::of_template(&copy).as_str().to_owned());
    annotations.extend(copied_kinds(tracked, None).map(|kinds| (COPIED.to_owned(), kinds)));
    spec.insert("template".to_owned(), copy);

    Ok(json!({
        "apiVersion": kinds::DEPLOYMENT.api_version(), "kind": kinds::DEPLOYMENT.kind,
        "metadata": {
            "name": subject.primary_name()?, "namespace": subject.namespace,
            "labels": primary_labels(target, subject.settings, key, value),
            "annotations": annotations,
            "ownerReferences": [subject.owner.reference()],
        },
        "spec": spec,
    }))
}
