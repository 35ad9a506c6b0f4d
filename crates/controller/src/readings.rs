//! Canaries that were read lately, typed: a reconcile reads its Canary again after each write of the status, and the
//! spec is the same.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use vexil_api::{Canary, CanaryStatus, Defect, parse};
use vexil_object::meta;

/// How many are kept, each in the one place that its uid has.
const PLACES: usize = 128;

/// The parts of the metadata that readers look at.
const METADATA: [&str; 5] = ["uid", "name", "namespace", "labels", "annotations"];

/// Canaries that were read lately.
#[derive(Debug, Default)]
pub(crate) struct Readings(Mutex<Vec<Option<Reading>>>);

#[derive(Debug)]
struct Reading {
    spec: Value,
    metadata: [Option<Value>; 5],
    canary: Canary,
}

impl Readings {
    /// Reads a Canary.
    ///
    /// # Errors
    /// As [`parse`].
    pub(crate) fn read(&self, live: &Value) -> Result<Canary, Vec<Defect>> {
        let mut hasher = DefaultHasher::new();
        meta::uid(live).hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % PLACES as u64).unwrap_or_default();
        if let Some(canary) = self.known(place, live) {
            return Ok(canary);
        }
        let canary = parse(live)?;
        let reading = Reading {
            spec: live.get("spec").cloned().unwrap_or_default(),
            metadata: METADATA.map(|field| live.get("metadata")?.get(field).cloned()),
            canary: Canary { status: None, ..canary.clone() },
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.is_empty() {
            all.resize_with(PLACES, || None);
        }
        if let Some(slot) = all.get_mut(place) {
            *slot = Some(reading);
        }
        Ok(canary)
    }

    /// What was read of the same spec and metadata, with the status of now.
    fn known(&self, place: usize, live: &Value) -> Option<Canary> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = all.get(place)?.as_ref()?;
        let metadata = live.get("metadata")?;
        let same = live.get("spec") == Some(&reading.spec)
            && METADATA
                .iter()
                .zip(&reading.metadata)
                .all(|(field, known)| metadata.get(field) == known.as_ref());
        if !same {
            return None;
        }
        let status = live.get("status").filter(|status| !status.is_null());
        // A status that cannot be read is told by the whole reading.
        let status: Option<CanaryStatus> =
            status.map(|status| serde_json::from_value(status.clone())).transpose().ok()?;
        Some(Canary { status, ..reading.canary.clone() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_remembered_is_what_would_be_read() {
        let readings = Readings::default();
        let canary = |spec: u64, status: Value, note: &str| {
            json!({
                "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
                "metadata": {"name": "podinfo", "namespace": "test", "uid": "u", "annotations": {"note": note}},
                "spec": {
                    "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
                    "service": {"port": spec},
                },
                "status": status,
            })
        };
        for live in [
            canary(80, json!({"phase": "Progressing", "canaryWeight": 5}), "a"),
            canary(80, json!({"phase": "Progressing", "canaryWeight": 10}), "a"),
            canary(80, Value::Null, "a"),
            canary(80, json!({"phase": "Failed"}), "b"),
            canary(81, json!({"phase": "Failed"}), "b"),
            canary(81, json!({"phase": ["wrong"]}), "b"),
            canary(81, json!({"phase": "Failed"}), "b"),
        ] {
            let told =
                |read: Result<Canary, Vec<Defect>>| read.map(|canary| serde_json::to_value(canary).unwrap());
            assert_eq!(told(readings.read(&live)), told(parse(&live)), "{live}");
        }
    }
}
