//! How many pods the target has: only `spec.replicas` is ever written to it.

use serde_json::Value;
use vexil_object::{Change, Objects, kinds, meta};

use crate::{DeploymentView, Scaling, Side, Subject, WorkloadError};

/// The target's way up: what it has, else what its scaler says it has at least, else as many pods as the primary has,
/// else one.
pub(super) fn up(
    subject: &Subject<'_>,
    target: &Value,
    primary: Option<&Value>,
    have: &Objects,
) -> Result<Option<Scaling>, WorkloadError> {
    if DeploymentView::new(target).desired() > 0 {
        return Ok(None);
    }
    let replicas = match subject.scaler() {
        Some(reference) => subject.settings.catalog.scaler(reference)?.least(subject, reference, have)?,
        None => primary.map_or(1, |primary| DeploymentView::new(primary).desired().max(1)),
    };
    Ok(to(subject, target, replicas).map(|change| Scaling { replicas, change }))
}

/// The target's way back to all traffic: at least as many pods as the primary has. A primary that is not there or not
/// ours says nothing, and a scaler that is not there neither.
pub(super) fn back(
    subject: &Subject<'_>,
    target: &Value,
    primary: Result<Option<&Value>, WorkloadError>,
    have: &Objects,
) -> Result<Option<Scaling>, WorkloadError> {
    let primary = match primary {
        Err(error @ WorkloadError::NotKnown { .. }) => return Err(error),
        other => other.ok().flatten(),
    };
    let of_primary = primary.map_or(0, |primary| DeploymentView::new(primary).desired());
    let desired = DeploymentView::new(target).desired();
    let replicas = match up(subject, target, primary, have)? {
        Some(scaling) => scaling.replicas.max(of_primary),
        None if desired < of_primary => of_primary,
        None => return Ok(None),
    };
    Ok(to(subject, target, replicas).map(|change| Scaling { replicas, change }))
}

/// The patch that gives the target that many pods; `None` when it wants them already.
pub(super) fn to(subject: &Subject<'_>, target: &Value, replicas: i64) -> Option<Change> {
    if DeploymentView::new(target).desired() == replicas {
        return None;
    }
    let mut want = target.clone();
    meta::set(&mut want, &["spec", "replicas"], replicas.into());
    Change::between(subject.key(kinds::DEPLOYMENT, Side::Canary), target, &want)
}
