//! DaemonSet targets. They have no replicas: a node selector that no node has takes their pods away, as in Flagger.

mod projection;
mod readiness;
mod scale;

use std::borrow::Cow;

use serde_json::Value;
use vexil_analysis::Readiness;
use vexil_object::{Change, Kind, Objects, kinds, meta};

use crate::{
    Demand, DeploymentView, Scaling, Side, Subject, WorkloadError, Write, pod_workload::PodWorkload,
};
pub use projection::DaemonSetProjection;

/// Targets of kind DaemonSet.
#[derive(Clone, Copy, Debug)]
pub struct DaemonSets;

impl PodWorkload for DaemonSets {
    const KIND: Kind = kinds::DAEMON_SET;
    const NOUN: &'static str = "daemonset";
    const FIELDS: &'static [&'static str] = &["minReadySeconds", "revisionHistoryLimit", "updateStrategy"];

    /// Only rolling updates are supported: with `OnDelete` nothing would start the pods of a revision.
    fn check(subject: &Subject<'_>, target: &Value) -> Result<(), WorkloadError> {
        match meta::text(target, "/spec/updateStrategy/type") {
            "" | "RollingUpdate" => Ok(()),
            other => Err(WorkloadError::Strategy {
                name: subject.target.to_owned(),
                namespace: subject.namespace.to_owned(),
                found: other.to_owned(),
            }),
        }
    }

    fn with_pods(template: &Value) -> Cow<'_, Value> {
        Cow::Owned(scale::without_scale(template.clone()))
    }

    fn available(object: &DeploymentView<'_>) -> i64 {
        object.counted("numberAvailable")
    }

    /// Only the node selector of a scale-down says that no pods are wanted. A DaemonSet that no node fits is not
    /// asleep: nothing scales it up when it is needed.
    fn replicas(object: &DeploymentView<'_>) -> Option<i64> {
        scale::is_scaled_to_zero(object.object()).then_some(0)
    }

    fn readiness(side: Side, object: &Value, demand: &Demand) -> Readiness {
        readiness::of(side, object, demand)
    }

    fn scale_up(
        subject: &Subject<'_>,
        target: &Value,
        _: Result<Option<&Value>, WorkloadError>,
        _: &Objects,
    ) -> Result<Option<Scaling>, WorkloadError> {
        Ok(scale::set(subject, target, false).map(|change| Scaling { replicas: 1, change }))
    }

    fn revert(
        subject: &Subject<'_>,
        target: &Value,
        primary: Result<Option<&Value>, WorkloadError>,
        have: &Objects,
    ) -> Result<Option<Scaling>, WorkloadError> {
        Self::scale_up(subject, target, primary, have)
    }

    fn scale_to_zero(subject: &Subject<'_>, target: &Value) -> Option<Change> {
        scale::set(subject, target, true)
    }

    fn refused(subject: &Subject<'_>, write: Write, error: &str) -> String {
        let (target, namespace) = (subject.target, subject.namespace);
        match write {
            Write::CreatePrimary => format!(
                "createPrimaryDaemonSet failed: creating daemonset {target}-primary.{namespace} failed: {error}"
            ),
            Write::Promote => {
                format!("updating daemonset {target}-primary.{namespace} template spec failed: {error}")
            }
            Write::ScaleUp(_) => format!("scaling up daemonset {target}.{namespace} failed: {error}"),
            Write::ScaleToZero => format!("updating daemonset {target}.{namespace} failed: {error}"),
        }
    }
}
