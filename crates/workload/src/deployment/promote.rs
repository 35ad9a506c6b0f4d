//! The promotion: the template that was analysed is written to the primary, and no other field of it.
//!
//! A JSON patch, because the pod template must be replaced whole while the cache knows only its digest; a merge patch
//! would leave fields of the former template behind. The API server answers 409 when the resourceVersion has moved on.

use serde_json::{Value, json};
use vexil_analysis::Revision;
use vexil_object::{Action, Change, JsonOp, Objects, Precondition, kinds};

use super::NOUN;
use crate::{
    DeploymentView, PrimaryCopy, Side, Subject, TrackedConfigs, WorkloadError, configs::copied,
    promoted::metadata_ops, revision, scaler, selector, template,
};

/// The patch of `primary`, unless it holds `expected` already or the target is another revision by now.
pub(super) fn copy(
    subject: &Subject<'_>,
    target: &Value,
    expected: &Revision,
    primary: &Value,
    tracked: &TrackedConfigs,
    have: &Objects,
) -> Result<PrimaryCopy, WorkloadError> {
    if DeploymentView::new(primary).holds(expected) {
        return Ok(PrimaryCopy::Held);
    }
    let pods = template::whole(&subject.key(kinds::DEPLOYMENT, Side::Canary), target)?;
    let revision = match copied(subject, Some(expected), &revision::of_template(pods), tracked) {
        Ok(revision) => revision,
        Err(found) => return Ok(PrimaryCopy::Moved { found }),
    };
    let selector = selector::resolve(subject, NOUN, kinds::DEPLOYMENT, target, Some(primary))?;
    let copy = template::stamp(template::for_primary(subject, &selector, pods, tracked), &revision);
    let written = revision::of_template(&copy);

    let is_scaled = subject.scaler().is_some() || scaler::scales_primary(subject, have);
    let mut ops = spec(target, primary, is_scaled);
    ops.push(JsonOp::Add("/spec/template".to_owned(), copy));
    ops.extend(metadata_ops(subject, target, primary, &selector, (&written, tracked)));
    let change = Change {
        key: subject.key(kinds::DEPLOYMENT, Side::Primary),
        action: Action::Json { ops, on: Precondition::of(primary) },
    };
    Ok(PrimaryCopy::Write { change, revision })
}

/// The fields other than the template. Those that the API server fills in are always there in what it returned. The
/// replicas of a primary that has a scaler are that scaler's.
fn spec(target: &Value, primary: &Value, is_scaled: bool) -> Vec<JsonOp> {
    let own =
        |field: &str| target.get("spec").and_then(|spec| spec.get(field)).filter(|value| !value.is_null());
    let mut ops = Vec::new();
    for field in ["progressDeadlineSeconds", "revisionHistoryLimit", "strategy"] {
        ops.extend(own(field).map(|value| JsonOp::Add(format!("/spec/{field}"), value.clone())));
    }
    // Zero is not returned, so absence means zero.
    let min_ready = own("minReadySeconds").cloned().unwrap_or_else(|| json!(0));
    ops.push(JsonOp::Add("/spec/minReadySeconds".to_owned(), min_ready));

    let replicas = DeploymentView::new(target).desired();
    let ours = !is_scaled && replicas > 0 && replicas != DeploymentView::new(primary).desired();
    if ours {
        ops.push(JsonOp::Add("/spec/replicas".to_owned(), replicas.into()));
    }
    ops
}
