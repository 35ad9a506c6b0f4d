//! Deployment targets.

mod readiness;
mod scale;

use serde_json::Value;
use vexil_analysis::Readiness;
use vexil_object::{Change, Kind, ObjectKey, Objects, kinds};

use crate::{
    Demand, DeploymentView, Scaling, Side, Subject, WorkloadError, Write, pod_workload::PodWorkload, scaler,
};

/// Targets of kind Deployment.
#[derive(Clone, Copy, Debug)]
pub struct Deployments;

impl PodWorkload for Deployments {
    const KIND: Kind = kinds::DEPLOYMENT;
    const NOUN: &'static str = "deployment";
    const FIELDS: &'static [&'static str] =
        &["minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit", "strategy"];

    fn needs_more(subject: &Subject<'_>, have: &Objects) -> Vec<ObjectKey> {
        let Some(reference) = subject.scaler() else { return Vec::new() };
        let scaler = subject.settings.catalog.scaler(reference);
        scaler.map(|scaler| scaler.needs(subject, reference, have)).unwrap_or_default()
    }

    /// A target that happens to be at zero says nothing about how many pods the traffic needs.
    fn replicas_at_creation(target: &Value) -> Option<i64> {
        Some(DeploymentView::new(target).desired().max(1))
    }

    /// The replicas of a primary that has a scaler are that scaler's.
    fn replicas_at_promotion(
        subject: &Subject<'_>,
        target: &Value,
        primary: &Value,
        have: &Objects,
    ) -> Option<i64> {
        let is_scaled = subject.scaler().is_some() || scaler::scales_primary(subject, have);
        let replicas = DeploymentView::new(target).desired();
        let ours = !is_scaled && replicas > 0 && replicas != DeploymentView::new(primary).desired();
        ours.then_some(replicas)
    }

    fn available(object: &DeploymentView<'_>) -> i64 {
        object.counted("availableReplicas")
    }

    fn replicas(object: &DeploymentView<'_>) -> Option<i64> {
        Some(object.desired())
    }

    fn readiness(side: Side, object: &Value, demand: &Demand) -> Readiness {
        readiness::of(side, &DeploymentView::new(object), demand)
    }

    fn scale_up(
        subject: &Subject<'_>,
        target: &Value,
        primary: Result<Option<&Value>, WorkloadError>,
        have: &Objects,
    ) -> Result<Option<Scaling>, WorkloadError> {
        scale::up(subject, target, primary?, have)
    }

    fn revert(
        subject: &Subject<'_>,
        target: &Value,
        primary: Result<Option<&Value>, WorkloadError>,
        have: &Objects,
    ) -> Result<Option<Scaling>, WorkloadError> {
        scale::back(subject, target, primary, have)
    }

    fn scale_to_zero(subject: &Subject<'_>, target: &Value) -> Option<Change> {
        scale::to(subject, target, 0)
    }

    fn refused(subject: &Subject<'_>, write: Write, error: &str) -> String {
        let (target, namespace) = (subject.target, subject.namespace);
        match write {
            Write::CreatePrimary => format!(
                "createPrimaryDeployment failed: creating deployment {target}-primary.{namespace} failed: {error}"
            ),
            Write::Promote => {
                format!("updating deployment {target}-primary.{namespace} template spec failed: {error}")
            }
            Write::ScaleUp(replicas) => {
                format!("scaling up {target}.{namespace} to {replicas} failed: {error}")
            }
            Write::ScaleToZero => format!("deployment {target}.{namespace} patch query error: {error}"),
        }
    }
}
