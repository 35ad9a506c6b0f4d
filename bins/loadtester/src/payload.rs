//! The body of a webhook's call.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};

/// The entries of a hook.
pub type Metadata = BTreeMap<String, String>;

/// The longest name that Kubernetes knows, in bytes (RFC 1123 subdomain).
const LONGEST_NAME: usize = 253;

/// The body of a call. Whatever is missing or null is empty; what is not known is left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Payload {
    /// Name of the Canary.
    #[serde(deserialize_with = "or_empty")]
    pub name: String,
    /// Its namespace. A caller may write anything here.
    #[serde(deserialize_with = "or_empty")]
    pub namespace: String,
    /// Its phase.
    #[serde(deserialize_with = "or_empty")]
    pub phase: String,
    /// Which revision the call is about.
    #[serde(deserialize_with = "or_empty")]
    pub checksum: String,
    /// The hook's entries.
    #[serde(deserialize_with = "entries")]
    pub metadata: Metadata,
}

impl Payload {
    /// Reads a body.
    ///
    /// # Errors
    /// Says which field is wrong, and how.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        // A list would be taken for the fields in their order.
        if body.trim_ascii_start().starts_with(b"[") {
            return Err("payload: it is a list, not an object".to_owned());
        }
        let mut json = serde_json::Deserializer::from_slice(body);
        let payload: Payload = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            match path.as_str() {
                "." => format!("payload: {}", error.inner()),
                _ => format!("payload: {path}: {}", error.inner()),
            }
        })?;
        json.end().map_err(|error| format!("payload: {error}"))?;
        for (field, text) in [("name", &payload.name), ("namespace", &payload.namespace)] {
            if text.len() > LONGEST_NAME {
                return Err(format!("payload: {field}: longer than {LONGEST_NAME} bytes"));
            }
        }
        Ok(payload)
    }

    /// `podinfo.test`, as logs name a Canary.
    pub fn canary(&self) -> String {
        format!("{}.{}", self.name, self.namespace)
    }
}

fn or_empty<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

fn entries<'de, D: Deserializer<'de>>(from: D) -> Result<Metadata, D::Error> {
    let entries: BTreeMap<String, Option<String>> = or_empty(from)?;
    Ok(entries.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect())
}

/// A switch among the entries, in the words of Go's `strconv.ParseBool`; anything else is off.
pub fn is_on(metadata: &Metadata, key: &str) -> bool {
    metadata.get(key).is_some_and(|text| matches!(text.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, canary: &str, metadata: &[(&str, &str)]) {
        let payload = Payload::parse(body.as_bytes()).unwrap();
        let expect = metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!((payload.canary(), payload.metadata), (canary.to_owned(), expect), "{body}");
    }

    fn check_defect(body: &str, expect: &str) {
        assert_eq!(Payload::parse(body.as_bytes()).unwrap_err(), expect, "{body}");
    }

    #[test]
    fn what_is_missing_null_or_unknown_does_no_harm() {
        check(
            r#"{"name":"podinfo","namespace":"test","phase":"Progressing","checksum":"1","metadata":{"a":"b"}}"#,
            "podinfo.test",
            &[("a", "b")],
        );
        check("{}", ".", &[]);
        check(r#"{"name":null,"metadata":null,"more":[1]}"#, ".", &[]);
        check(r#"{"metadata":{"a":null}}"#, ".", &[("a", "")]);
    }

    #[test]
    fn a_wrong_field_is_named() {
        check_defect("", "payload: EOF while parsing a value at line 1 column 0");
        check_defect("hello", "payload: expected value at line 1 column 1");
        check_defect(r#" ["podinfo","test"]"#, "payload: it is a list, not an object");
        check_defect("null", "payload: invalid type: null, expected struct Payload at line 1 column 4");
        check_defect("{} {}", "payload: trailing characters at line 1 column 4");
        check_defect(
            r#"{"name":1}"#,
            "payload: name: invalid type: integer `1`, expected a string at line 1 column 9",
        );
        check_defect(
            r#"{"metadata":{"a":1}}"#,
            "payload: metadata.a: invalid type: integer `1`, expected a string at line 1 column 18",
        );
        let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(254));
        check_defect(&long, "payload: name: longer than 253 bytes");
    }

    #[test]
    fn a_switch_is_on_when_it_says_so() {
        for (text, expect) in [("true", true), ("1", true), ("T", true), ("yes", false), ("", false)] {
            let metadata = Metadata::from([("logCmdOutput".to_owned(), text.to_owned())]);
            assert_eq!(is_on(&metadata, "logCmdOutput"), expect, "{text}");
        }
        assert!(!is_on(&Metadata::new(), "logCmdOutput"));
    }
}
