//! Readiness of a Deployment: whether its pods are as wanted, by the rules of `kubectl rollout status`.

use vexil_analysis::Readiness;

use crate::{Demand, DeploymentView, Side};

/// What one look at the status says, without the words that say whose status it is.
enum Look {
    Ready,
    Waiting(String),
    Failed(String),
}

/// The readiness of one side, with the contract's message.
pub(super) fn of(side: Side, deployment: &DeploymentView<'_>, demand: &Demand) -> Readiness {
    let (name, namespace) = (deployment.name(), deployment.namespace());
    let message = |inner: String| match side {
        Side::Primary => format!("{name}.{namespace} not ready: {inner}"),
        Side::Canary => format!("canary deployment {name}.{namespace} not ready: {inner}"),
    };
    match look(side, deployment, demand) {
        Look::Ready => Readiness::Ready,
        Look::Waiting(inner) => Readiness::Waiting(message(inner)),
        Look::Failed(inner) => Readiness::Failed(message(inner)),
    }
}

fn look(side: Side, deployment: &DeploymentView<'_>, demand: &Demand) -> Look {
    if deployment.lags() {
        return Look::Waiting(waiting("observed deployment generation less than desired generation"));
    }
    let progressing = deployment.condition("Progressing");
    if progressing.is_some_and(|condition| condition.reason() == "ProgressDeadlineExceeded") {
        return Look::Failed(format!("deployment \"{}\" exceeded its progress deadline", deployment.name()));
    }
    match shortfall(side, deployment, demand) {
        None => Look::Ready,
        Some(message) => Look::Waiting(message),
    }
}

/// What is missing, if anything.
fn shortfall(side: Side, deployment: &DeploymentView<'_>, demand: &Demand) -> Option<String> {
    let desired = deployment.desired();
    let [updated, running, available] =
        ["updatedReplicas", "replicas", "availableReplicas"].map(|field| deployment.counted(field));
    if desired == 0 && demand.some_pod {
        let whose = match side {
            Side::Primary => "primary",
            Side::Canary => "canary",
        };
        return Some(format!("{whose} deployment is scaled to zero"));
    }
    if updated < desired {
        return Some(waiting(&format!("{updated} out of {desired} new replicas have been updated")));
    }
    if running > updated {
        let old = running.saturating_sub(updated);
        return Some(waiting(&format!("{old} old replicas are pending termination")));
    }
    let need = match side {
        // The user does not want the primary to be waited for.
        Side::Primary if demand.threshold_percent == 0 => 0,
        Side::Primary | Side::Canary => needed(desired, updated, demand.threshold_percent),
    };
    (available < need).then(|| {
        let percent = demand.threshold_percent;
        waiting(&format!("{available} of {need} (readyThreshold {percent}%) updated replicas are available"))
    })
}

fn waiting(what: &str) -> String {
    format!("waiting for rollout to finish: {what}")
}

/// The pods that must be available: the threshold's share of the updated ones, rounded up, and at least one where any
/// is wanted.
fn needed(desired: i64, updated: i64, threshold_percent: u32) -> i64 {
    let share = updated.saturating_mul(i64::from(threshold_percent)).saturating_add(99) / 100;
    share.max(i64::from(desired > 0))
}
