//! HorizontalPodAutoscalers. They do not scale a Deployment that has no pods, so they need no pausing.

use vexil_api::canary::ScalerRef;
use vexil_object::{Change, Kind, MAX_NAME_BYTES, ObjectKey, Objects};

use super::{
    Scaler,
    copy::{self, Bounds, Pair},
};
use crate::{Subject, WorkloadError, metadata::Pairs};

/// `autoscaling/v2`: the one version that every supported cluster serves, whatever version the Canary names.
pub(super) const KIND: Kind =
    Kind::namespaced("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers");

/// The API server's default of `minReplicas` is 1; `maxReplicas` is required (Kubernetes API reference,
/// HorizontalPodAutoscalerSpec).
const BOUNDS: Bounds = Bounds { min: ("minReplicas", 1), max: ("maxReplicas", i64::MAX) };

/// Scalers of kind HorizontalPodAutoscaler.
#[derive(Clone, Copy, Debug)]
pub struct HorizontalPodAutoscalers;

impl Scaler for HorizontalPodAutoscalers {
    fn kind(&self) -> Kind {
        KIND
    }

    fn needs(&self, subject: &Subject<'_>, reference: &ScalerRef, have: &Objects) -> Vec<ObjectKey> {
        copy::needs(subject, KIND, reference, have)
    }

    fn primary(
        &self,
        subject: &Subject<'_>,
        reference: &ScalerRef,
        have: &Objects,
    ) -> Result<Vec<Change>, WorkloadError> {
        let pair = Pair::seen(subject, (KIND, KIND.kind, MAX_NAME_BYTES), reference, have)?;
        let spec = pair.spec(subject, reference, &BOUNDS)?;
        // Flagger copies no annotations of an HPA.
        let metadata = (pair.metadata("labels"), Pairs::new());
        Ok(pair.converge(subject, spec, metadata, |_| {}))
    }

    fn pause(&self, _: &Subject<'_>, _: &ScalerRef, _: &Objects) -> Result<Option<Change>, WorkloadError> {
        Ok(None)
    }

    fn resume(&self, _: &Subject<'_>, _: &ScalerRef, _: &Objects) -> Result<Option<Change>, WorkloadError> {
        Ok(None)
    }

    fn least(
        &self,
        subject: &Subject<'_>,
        reference: &ScalerRef,
        have: &Objects,
    ) -> Result<i64, WorkloadError> {
        copy::least(subject, KIND, reference, BOUNDS.min.0, have)
    }
}
