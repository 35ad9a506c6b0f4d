//! The primary of a Service: when it is created, and when the target is copied to it.

use serde_json::{Value, json};
use vexil_analysis::Revision;
use vexil_object::{Change, kinds, meta, service};

use super::revision_of;
use crate::{
    PrimaryCopy, PrimaryTemplate, Side, Subject, WorkloadError,
    metadata::{Pairs, created_annotations, pairs},
    primary_drift::WRITTEN,
    revision::{self, FLAGGER_ID, flagger_id},
};

/// Whether the primary was copied from a target of this revision.
pub(super) fn holds(primary: &Value, revision: &Revision) -> bool {
    meta::annotation(primary, FLAGGER_ID) == Some(flagger_id(revision).as_str())
}

/// Whether the primary is what was written last.
pub(super) fn state(primary: &Value, held: Option<&Revision>) -> PrimaryTemplate {
    let Some(written) = meta::annotation(primary, WRITTEN) else { return PrimaryTemplate::Untracked };
    if written != revision_of(primary).as_str() {
        return PrimaryTemplate::Edited;
    }
    match held {
        Some(held) if !holds(primary, held) => PrimaryTemplate::RolledBack,
        _ => PrimaryTemplate::AsWritten,
    }
}

/// What the primary of a target is: the target, with the traffic distribution of the Canary.
pub(super) fn copied_spec(subject: &Subject<'_>, target: &Value) -> Value {
    let mut spec = service::unallocated(target);
    let distribution = subject.spec.service.traffic_distribution.as_deref();
    if let Some(distribution) = distribution.filter(|text| !text.is_empty()) {
        meta::set(&mut spec, &["trafficDistribution"], distribution.into());
    }
    spec
}

/// The create of the primary, unless the target is another revision than `expected`.
pub(super) fn create(
    subject: &Subject<'_>,
    target: &Value,
    expected: Option<&Revision>,
) -> Result<PrimaryCopy, WorkloadError> {
    let revision = revision_of(target);
    if expected.is_some_and(|expected| *expected != revision) {
        return Ok(PrimaryCopy::Moved { found: revision });
    }
    let mut labels = pairs(target, "/metadata/labels");
    labels.retain(|key, _| !meta::is_tracking(key));
    let mut annotations = created_annotations(target);
    annotations.retain(|key, _| !meta::is_tracking(key));
    let spec = copied_spec(subject, target);
    annotations.extend(stamps(&revision, &spec));
    let object = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "name": subject.primary_name()?, "namespace": subject.namespace,
            "labels": labels, "annotations": annotations, "ownerReferences": [subject.owner.reference()],
        },
        "spec": spec,
    });
    let change = Change::create(subject.key(kinds::SERVICE, Side::Primary), object);
    Ok(PrimaryCopy::Write { change, revision })
}

/// The patch of `primary`, unless it holds `expected` already or the target is another revision by now. Its metadata
/// stays, but for what says which revision it is.
pub(super) fn promote(
    subject: &Subject<'_>,
    target: &Value,
    expected: &Revision,
    primary: &Value,
) -> Result<PrimaryCopy, WorkloadError> {
    if holds(primary, expected) {
        return Ok(PrimaryCopy::Held);
    }
    let revision = revision_of(target);
    if *expected != revision {
        return Ok(PrimaryCopy::Moved { found: revision });
    }
    let mut want = primary.clone();
    let spec = copied_spec(subject, target);
    meta::set(&mut want, &["spec"], service::with_allocated(primary, &spec));
    for (key, value) in stamps(&revision, &spec) {
        meta::set(&mut want, &["metadata", "annotations", &key], value.into());
    }
    Ok(match Change::between(subject.key(kinds::SERVICE, Side::Primary), primary, &want) {
        Some(change) => PrimaryCopy::Write { change, revision },
        None => PrimaryCopy::Held,
    })
}

/// Which revision was copied, and the digest of what was written.
fn stamps(revision: &Revision, spec: &Value) -> Pairs {
    let written = revision::of_template(spec).as_str().to_owned();
    Pairs::from([(FLAGGER_ID.to_owned(), flagger_id(revision)), (WRITTEN.to_owned(), written)])
}
