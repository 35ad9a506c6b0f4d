//! The data of a Secret, decoded once and never shown.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use vexil_egress::Secret;

/// What a Secret object holds: its `data`, base64 undone. Entries that are no base64 or no text count as absent.
#[derive(Clone, Debug, Default)]
pub struct Credentials(BTreeMap<String, Secret>);

impl Credentials {
    /// Reads a Secret as the API server stores it. White space around a value is dropped: no credential begins or ends
    /// with the line break that `echo` leaves there.
    pub fn of(secret: &Value) -> Self {
        let data = secret.get("data").and_then(Value::as_object).into_iter().flatten();
        let decoded = data.filter_map(|(key, value)| {
            let text = String::from_utf8(STANDARD.decode(value.as_str()?).ok()?).ok()?;
            Some((key.clone(), Secret::new(text.trim())))
        });
        Credentials(decoded.collect())
    }

    /// One entry.
    pub fn get(&self, key: &str) -> Option<&Secret> {
        self.0.get(key)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_is_decoded_and_hidden() {
        let secret = json!({"data": {"token": "TUFSS0VSCg==", "bad": "%%%", "binary": "/w=="}});
        let credentials = Credentials::of(&secret);
        assert_eq!(credentials.get("token").map(Secret::expose), Some("MARKER"));
        assert!(credentials.get("bad").is_none() && credentials.get("binary").is_none());
        assert!(!format!("{credentials:?}").contains("MARKER"));
        assert!(Credentials::of(&json!({})).get("token").is_none());
        assert!(Credentials::of(&json!({"data": []})).get("token").is_none());
    }
}
