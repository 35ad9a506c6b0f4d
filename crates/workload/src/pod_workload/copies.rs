//! The copies of a target with a pod template: the primary when it is created, and the target's revision when it is
//! promoted to it.
//!
//! A promotion is a JSON patch, because the pod template must be replaced whole while the cache knows only its digest;
//! a merge patch would leave fields of the former template behind. The API server answers 409 when the resourceVersion
//! has moved on.

use serde_json::{Map, Value, json};
use vexil_analysis::Revision;
use vexil_object::{Action, Change, JsonOp, Objects, Precondition};

use super::PodWorkload;
use crate::{
    DeploymentView, PrimaryCopy, Selector, Side, Subject, TrackedConfigs, WorkloadError,
    configs::{COPIED, copied, copied_kinds},
    metadata::{created_annotations, primary_labels},
    primary_drift::WRITTEN,
    primary_template,
    promoted_metadata::metadata_ops,
    revision, selector,
};

/// What of the target goes to its primary.
struct Source {
    revision: Revision,
    selector: Selector,
    /// The pod template of the primary.
    template: Value,
    /// The digest of `template`.
    written: Revision,
}

/// The source for a copy, or what the target is now if that is another revision than `expected`.
fn source<T: PodWorkload>(
    subject: &Subject<'_>,
    target: &Value,
    expected: Option<&Revision>,
    primary: Option<&Value>,
    tracked: &TrackedConfigs,
) -> Result<Result<Source, Revision>, WorkloadError> {
    let pods = T::with_pods(primary_template::whole(&subject.key(T::KIND, Side::Canary), target)?);
    let revision = match copied(subject, expected, &revision::of_template(&pods), tracked) {
        Ok(revision) => revision,
        Err(found) => return Ok(Err(found)),
    };
    let selector = selector::resolve(subject, T::NOUN, T::KIND, target, primary)?;
    let template =
        primary_template::stamp(primary_template::for_primary(subject, &selector, &pods, tracked), &revision);
    let written = revision::of_template(&template);
    Ok(Ok(Source { revision, selector, template, written }))
}

/// The create of the primary, unless the target is another revision than `expected`.
pub(super) fn create<T: PodWorkload>(
    subject: &Subject<'_>,
    target: &Value,
    expected: Option<&Revision>,
    tracked: &TrackedConfigs,
) -> Result<PrimaryCopy, WorkloadError> {
    let Source { revision, selector, template, written } =
        match source::<T>(subject, target, expected, None, tracked)? {
            Ok(source) => source,
            Err(found) => return Ok(PrimaryCopy::Moved { found }),
        };
    let own = |field: &&str| Some(((*field).to_owned(), own(target, field)?.clone()));
    let mut spec: Map<String, Value> = T::FIELDS.iter().filter_map(own).collect();
    if let Some(replicas) = T::replicas_at_creation(target) {
        spec.insert("replicas".to_owned(), replicas.into());
    }
    spec.insert("selector".to_owned(), json!({"matchLabels": selector.of_copy()}));
    spec.insert("template".to_owned(), template);
    let mut annotations = created_annotations(target);
    annotations.insert(WRITTEN.to_owned(), written.as_str().to_owned());
    annotations.extend(copied_kinds(tracked, None).map(|kinds| (COPIED.to_owned(), kinds)));
    let object = json!({
        "apiVersion": T::KIND.api_version(), "kind": T::KIND.kind,
        "metadata": {
            "name": subject.primary_name()?, "namespace": subject.namespace,
            "labels": primary_labels(target, subject.settings, &selector.key, &selector.primary_value()),
            "annotations": annotations,
            "ownerReferences": [subject.owner.reference()],
        },
        "spec": spec,
    });
    Ok(PrimaryCopy::Write { change: Change::create(subject.key(T::KIND, Side::Primary), object), revision })
}

/// The patch of `primary`, unless it holds `expected` already or the target is another revision by now.
pub(super) fn promote<T: PodWorkload>(
    subject: &Subject<'_>,
    target: &Value,
    expected: &Revision,
    primary: &Value,
    (tracked, have): (&TrackedConfigs, &Objects),
) -> Result<PrimaryCopy, WorkloadError> {
    if DeploymentView::new(primary).holds(expected) {
        return Ok(PrimaryCopy::Held);
    }
    let Source { revision, selector, template, written } =
        match source::<T>(subject, target, Some(expected), Some(primary), tracked)? {
            Ok(source) => source,
            Err(found) => return Ok(PrimaryCopy::Moved { found }),
        };
    let mut ops: Vec<JsonOp> = T::FIELDS.iter().filter_map(|field| promoted(target, field)).collect();
    if let Some(replicas) = T::replicas_at_promotion(subject, target, primary, have) {
        ops.push(JsonOp::Add("/spec/replicas".to_owned(), replicas.into()));
    }
    ops.push(JsonOp::Add("/spec/template".to_owned(), template));
    ops.extend(metadata_ops(subject, target, primary, &selector, (&written, tracked)));
    let change = Change {
        key: subject.key(T::KIND, Side::Primary),
        action: Action::Json { ops, on: Precondition::of(primary) },
    };
    Ok(PrimaryCopy::Write { change, revision })
}

/// The operation that copies a field of the spec. Those that the API server fills in are always there in what it
/// returned; a `minReadySeconds` of zero is not returned.
fn promoted(target: &Value, field: &str) -> Option<JsonOp> {
    let zero = json!(0);
    let value = own(target, field).or((field == "minReadySeconds").then_some(&zero))?;
    Some(JsonOp::Add(format!("/spec/{field}"), value.clone()))
}

fn own<'t>(target: &'t Value, field: &str) -> Option<&'t Value> {
    target.get("spec")?.get(field).filter(|value| !value.is_null())
}
