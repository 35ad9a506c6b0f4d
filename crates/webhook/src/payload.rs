//! The body of a hook call.

use std::collections::BTreeMap;

use serde::Serialize;
use vexil_analysis::Millis;

/// The body of a hook call. Its fields are Flagger's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Payload {
    /// Name of the Canary.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its phase, as in the status.
    pub phase: String,
    /// The revision: [`crate::checksum`].
    pub checksum: String,
    /// The hook's own entries; for event hooks also what happened.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Not part of the body: sent as header `Idempotency-Key`, so that a receiver can drop a repeated notice.
    #[serde(skip)]
    pub key: Option<String>,
}

impl Payload {
    /// Adds an event to the metadata of the hook. Entries of the same name are replaced.
    /// `kind` is `Normal` or `Warning`.
    #[must_use]
    pub fn with_event(mut self, message: &str, kind: &str, at: Millis) -> Self {
        self.metadata.insert("eventMessage".to_owned(), message.to_owned());
        self.metadata.insert("eventType".to_owned(), kind.to_owned());
        self.metadata.insert("timestamp".to_owned(), at.0.to_string());
        self
    }

    /// The JSON that is sent.
    pub fn to_json(&self) -> Vec<u8> {
        // A map of strings always serialises.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn podinfo(metadata: &[(&str, &str)]) -> Payload {
        Payload {
            name: "podinfo".to_owned(),
            namespace: "test".to_owned(),
            phase: "Progressing".to_owned(),
            checksum: "7c9d48b65f".to_owned(),
            metadata: metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            key: Some("not in the body".to_owned()),
        }
    }

    fn check(payload: Payload, expect: &str) {
        assert_eq!(String::from_utf8(payload.to_json()).expect("text"), expect);
    }

    #[test]
    fn a_payload_has_the_fields_of_flagger_and_no_empty_metadata() {
        let head = r#"{"name":"podinfo","namespace":"test","phase":"Progressing","checksum":"7c9d48b65f""#;
        check(podinfo(&[]), &format!("{head}}}"));
        check(podinfo(&[("key", "value")]), &format!(r#"{head},"metadata":{{"key":"value"}}}}"#));
    }

    #[test]
    fn an_event_replaces_metadata_of_the_same_name() {
        let payload = podinfo(&[("team", "blue"), ("eventType", "mine")]);
        check(
            payload.with_event("Advance", "Normal", Millis(1_577_232_000_123)),
            concat!(
                r#"{"name":"podinfo","namespace":"test","phase":"Progressing","checksum":"7c9d48b65f","metadata":"#,
                r#"{"eventMessage":"Advance","eventType":"Normal","team":"blue","timestamp":"1577232000123"}}"#
            ),
        );
    }
}
