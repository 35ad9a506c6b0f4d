//! The promotion: the template that was analysed is written to the primary, and no other field of it.
//!
//! A JSON patch, because the pod template must be replaced whole while the cache knows only its digest; a merge patch
//! would leave fields of the former template behind. The API server answers 409 when the resourceVersion has moved on.

use serde_json::{Value, json};
use vexil_analysis::Revision;
use vexil_object::{Action, Change, JsonOp, Objects, Precondition, kinds};

use super::NOUN;
use crate::{
    DeploymentView, PrimaryCopy, Settings, Side, Subject, TrackedConfigs, WorkloadError,
    configs::{COPIED, copied, copied_kinds},
    metadata::{Pairs, is_managed, pairs, primary_labels, promoted_annotations},
    revision, scaler, selector, template,
    written::WRITTEN,
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
    let labels = primary_labels(target, subject.settings, &selector.key, &selector.primary_value());
    let copy = template::stamp(template::for_primary(subject, &selector, pods, tracked), &revision);
    let mut annotations = promoted_annotations(target, subject.settings);
    annotations.insert(WRITTEN.to_owned(), revision::of_template(&copy).as_str().to_owned());
    annotations.extend(copied_kinds(tracked, Some(primary)).map(|kinds| (COPIED.to_owned(), kinds)));
    let copied = pairs(target, "/metadata/annotations");

    let is_scaled = subject.scaler().is_some() || scaler::scales_primary(subject, have);
    let mut ops = spec(target, primary, is_scaled);
    ops.push(JsonOp::Add("/spec/template".to_owned(), copy));
    let settings = subject.settings;
    ops.extend(converge(primary, "labels", labels, |key| goes(settings, key)));
    // The first promotion drops what the creation copied, as Flagger does; what others wrote stays.
    ops.extend(converge(primary, "annotations", annotations, |key| {
        goes(settings, key) || copied.contains_key(key) && !is_managed(key)
    }));
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

/// Whether a key that the target no longer has goes from the primary too.
fn goes(settings: &Settings, key: &str) -> bool {
    settings.includes(key) && !is_managed(key)
}

/// The operation that makes one map of the metadata hold `want`, without the keys that shall go. The map is written
/// whole: removing a key that is gone already would be answered 422, before the resourceVersion is even compared, and
/// could not be distinguished from a bad request.
fn converge(primary: &Value, map: &str, want: Pairs, goes: impl Fn(&str) -> bool) -> Option<JsonOp> {
    let path = format!("/metadata/{map}");
    let live = pairs(primary, &path);
    let mut next = live.clone();
    next.retain(|key, _| !goes(key));
    next.extend(want);
    (next != live).then(|| JsonOp::Add(path, json!(next)))
}
