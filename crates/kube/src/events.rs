//! Kubernetes Events in the form in which Flagger writes them.

use serde_json::{Value, json};
use vexil_object::{ObjectKey, kinds::EVENT, meta};

/// Longest message of an Event, in bytes (Event API reference, `note`).
const MESSAGE_LIMIT: usize = 1024;

/// One Event about a Canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// Name of the Event, made by the caller from its content, so that recording it again after a crash changes
    /// nothing.
    pub name: String,
    /// Namespace of the Canary, and of the Event.
    pub namespace: String,
    /// Name of the Canary.
    pub canary: String,
    /// uid of the Canary.
    pub uid: String,
    /// resourceVersion of the Canary; may be empty.
    pub resource_version: String,
    /// Type of the Event: `Normal` or `Warning`.
    pub r#type: &'static str,
    /// What happened; cut to 1024 bytes.
    pub message: String,
    /// When, in milliseconds since the Unix epoch; Events hold whole seconds.
    pub at_ms: u64,
}

impl EventRecord {
    /// The key of the Event itself.
    pub fn key(&self) -> ObjectKey {
        ObjectKey::new(EVENT, &self.namespace, &self.name)
    }

    /// The Event as it is created.
    pub(crate) fn object(&self) -> Value {
        let time = timestamp(self.at_ms);
        let mut involved = json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
            "name": self.canary, "namespace": self.namespace, "uid": self.uid,
        });
        if !self.resource_version.is_empty() {
            meta::set(&mut involved, &["resourceVersion"], self.resource_version.as_str().into());
        }
        json!({
            "metadata": { "name": self.name, "namespace": self.namespace },
            "involvedObject": involved,
            "reason": "Synced",
            "message": cut(&self.message),
            "source": { "component": "flagger" },
            "reportingComponent": "flagger",
            "reportingInstance": "",
            "type": self.r#type,
            "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1,
        })
    }
}

/// A time in milliseconds since the epoch as RFC 3339 with whole seconds, as `metav1.Time` is written.
pub fn timestamp(at_ms: u64) -> String {
    let whole = i64::try_from(at_ms / 1000).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(whole).unwrap_or(jiff::Timestamp::MAX).to_string()
}

fn cut(message: &str) -> &str {
    let mut end = message.len().min(MESSAGE_LIMIT);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(message: &str) -> Value {
        EventRecord {
            name: "podinfo.1".into(),
            namespace: "test".into(),
            canary: "podinfo".into(),
            uid: "u".into(),
            resource_version: String::new(),
            r#type: "Warning",
            message: message.into(),
            at_ms: 1_714_557_600_999,
        }
        .object()
    }

    #[test]
    fn an_event_looks_as_the_reference_writes_it() {
        assert_eq!(
            record("Rolling back"),
            json!({
                "metadata": { "name": "podinfo.1", "namespace": "test" },
                "involvedObject": {
                    "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "podinfo", "namespace": "test", "uid": "u",
                },
                "reason": "Synced", "message": "Rolling back", "type": "Warning",
                "source": { "component": "flagger" }, "reportingComponent": "flagger", "reportingInstance": "",
                "firstTimestamp": "2024-05-01T10:00:00Z", "lastTimestamp": "2024-05-01T10:00:00Z", "count": 1,
            })
        );
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let long = format!("{}ü", "x".repeat(1023));
        assert_eq!(record(&long)["message"].as_str().unwrap(), "x".repeat(1023));
    }
}
