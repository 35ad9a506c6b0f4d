//! An autoscaler of this controller's own. It scales by the hour, leaves a target without pods alone, and the
//! primary needs none: there is nothing to copy, to pause or to resume.

use serde_json::Value;
use vexil_api::canary::ScalerRef;
use vexil_object::{Change, Kind, ObjectKey, Objects};
use vexil_workload::{Scaler, Subject, WorkloadError};

/// The kind that `spec.autoscalerRef` of a Canary names.
pub const KIND: Kind = Kind::namespaced("example.com", "v1", "Timetable", "timetables");

/// Scales by the hour.
pub struct Timetables;

/// The user's Timetable.
pub fn key(subject: &Subject<'_>, reference: &ScalerRef) -> ObjectKey {
    ObjectKey::new(KIND, subject.view.namespace, &reference.name)
}

impl Scaler for Timetables {
    fn kind(&self) -> Kind {
        KIND
    }

    fn needs(&self, subject: &Subject<'_>, reference: &ScalerRef, have: &Objects) -> Vec<ObjectKey> {
        Some(key(subject, reference)).filter(|key| !have.has(key)).into_iter().collect()
    }

    fn primary(&self, _: &Subject<'_>, _: &ScalerRef, _: &Objects) -> Result<Vec<Change>, WorkloadError> {
        Ok(Vec::new())
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
        let live = have.get(&key(subject, reference)).object();
        Ok(live.and_then(|it| it.pointer("/spec/least")).and_then(Value::as_i64).unwrap_or(1))
    }
}
