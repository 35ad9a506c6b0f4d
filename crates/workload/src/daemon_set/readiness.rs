//! Readiness of a DaemonSet: whether the pods of its nodes are as wanted.

use serde_json::Value;
use vexil_analysis::Readiness;

use super::scale::is_scaled_to_zero;
use crate::{Demand, DeploymentView, Side};

/// The readiness of one side, with the contract's message.
pub(super) fn of(side: Side, object: &Value, demand: &Demand) -> Readiness {
    let view = DeploymentView::new(object);
    let Some(inner) = shortfall(side, object, demand) else { return Readiness::Ready };
    let (name, namespace) = (view.name(), view.namespace());
    Readiness::Waiting(match side {
        Side::Primary => format!("primary daemonset {name}.{namespace} not ready: {inner}"),
        Side::Canary => format!("canary daemonset {name}.{namespace} not ready: {inner}"),
    })
}

/// What is missing, if anything.
fn shortfall(side: Side, object: &Value, demand: &Demand) -> Option<String> {
    let view = DeploymentView::new(object);
    let at_zero = is_scaled_to_zero(object);
    if demand.some_pod && at_zero {
        return Some("the daemonset is scaled to zero".to_owned());
    }
    if view.lags() {
        return Some(waiting("observed daemonset generation less than desired generation"));
    }
    let [desired, updated, available] =
        ["desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable"].map(|it| view.counted(it));
    // The user does not want the primary to be waited for.
    let waits = side == Side::Canary || demand.threshold_percent > 0;
    if desired == 0 && !at_zero && waits {
        return Some("no node is selected".to_owned());
    }
    if updated < desired {
        return Some(waiting(&format!("{updated} out of {desired} new pods have been updated")));
    }
    let percent = demand.threshold_percent;
    let share = desired.saturating_mul(i64::from(percent)).saturating_add(99) / 100;
    let need = if waits { share.max(i64::from(desired > 0)) } else { 0 };
    (available < need).then(|| {
        waiting(&format!("{available} of {need} (readyThreshold {percent}%) updated pods are available"))
    })
}

fn waiting(what: &str) -> String {
    format!("waiting for rollout to finish: {what}")
}
