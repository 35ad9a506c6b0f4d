//! What a workload runs, as one opaque text: equal templates have equal revisions, whichever client wrote them.
//!
//! The digest is taken over what the API server returned, unknown fields included, so that neither an upgrade of
//! Vexil nor one of a client library changes it: a changed digest would start a rollout of every Canary.

use std::fmt::{self, Write};

use serde_json::Value;
use sha2::{Digest, Sha256};
use vexil_analysis::Revision;

/// The pod annotation that says which revision was copied to the primary.
pub(crate) const FLAGGER_ID: &str = "flagger-id";

/// The prefix of every digest; another prefix means another way to compute it.
const SCHEME: &str = "v1-";

/// Bytes of the SHA-256 that are kept: 160 bits, so that the text (43 characters) fits a label value or a DNS label.
const KEPT: usize = 20;

/// The revision of a pod template as a whole.
pub(crate) fn of_template(template: &Value) -> Revision {
    Revision::new(digest(template))
}

/// Whether [`plain`] is the digest of the template as it is.
pub(crate) fn is_plain(template: &Value) -> bool {
    let has_any = |field: &Value| field.as_object().is_none_or(|members| !members.is_empty());
    let metadata = template.get("metadata");
    metadata.and_then(|metadata| metadata.get("annotations")?.get(FLAGGER_ID)).is_none()
        && ["annotations", "labels"]
            .iter()
            .all(|name| metadata.and_then(|all| all.get(name)).is_none_or(has_any))
}

/// The digest of a pod template as if it had never been stamped with a `flagger-id`, for comparing a primary with what
/// would be copied to it.
pub(crate) fn plain(template: &Value) -> String {
    let mut template = template.clone();
    if let Some(metadata) = template.get_mut("metadata").and_then(Value::as_object_mut) {
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(FLAGGER_ID);
        }
        for field in ["annotations", "labels"] {
            if metadata.get(field).and_then(Value::as_object).is_some_and(serde_json::Map::is_empty) {
                metadata.remove(field);
            }
        }
    }
    digest(&template)
}

/// Whether a revision was computed by us. A revision of another operator is always taken to be
/// different.
pub fn is_our_revision(revision: &Revision) -> bool {
    revision.as_str().starts_with(SCHEME)
}

/// The value of `flagger-id` for a revision: shaped like a UUID of version 4 (RFC 9562 5.4) as Flagger's are, but
/// derived, so that promoting the same revision again changes nothing.
pub fn flagger_id(revision: &Revision) -> String {
    let mut bytes: Vec<u8> =
        Sha256::digest(format!("flagger-id {revision}")).iter().copied().take(16).collect();
    for (at, byte) in bytes.iter_mut().enumerate() {
        match at {
            6 => *byte = (*byte & 0x0f) | 0x40,
            8 => *byte = (*byte & 0x3f) | 0x80,
            _ => {}
        }
    }
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The digest of a JSON document, in the current scheme. Each event of a Deployment computes it.
pub(crate) fn digest(value: &Value) -> String {
    let mut text = String::with_capacity(2048);
    // Writing into a String cannot fail.
    let _written = canonical(value, &mut text);
    let mut digest = SCHEME.to_owned();
    for byte in Sha256::digest(text).iter().take(KEPT) {
        let _written = write!(digest, "{byte:02x}");
    }
    digest
}

/// Canonical JSON: keys sorted by byte order, no spaces, members that are `null` left out.
fn canonical(value: &Value, text: &mut String) -> fmt::Result {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().filter(|(_, member)| !member.is_null()).collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            text.push('{');
            for (at, (key, member)) in members.into_iter().enumerate() {
                text.push_str(if at == 0 { "" } else { "," });
                quoted(key, text)?;
                text.push(':');
                canonical(member, text)?;
            }
            text.push('}');
            Ok(())
        }
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { "," });
                canonical(item, text)?;
            }
            text.push(']');
            Ok(())
        }
        Value::String(string) => quoted(string, text),
        scalar => write!(text, "{scalar}"),
    }
}

/// A text as JSON writes it.
fn quoted(string: &str, text: &mut String) -> fmt::Result {
    let plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if string.bytes().all(plain) {
        text.push('"');
        text.push_str(string);
        text.push('"');
        return Ok(());
    }
    write!(text, "{}", Value::from(string))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_content_makes_a_revision() {
        let check = |a: Value, b: Value, same: bool| {
            assert_eq!(of_template(&a) == of_template(&b), same, "{a} and {b}");
        };
        check(json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1}), true);
        check(json!({"a": 1, "b": null}), json!({"a": 1}), true);
        check(json!({"a": {"b": null}}), json!({"a": {}}), true);
        check(json!({"a": [1, 2]}), json!({"a": [2, 1]}), false);
        check(json!({"a": "1"}), json!({"a": 1}), false);
        check(json!({"a": {"b": 1}}), json!({"a": "{\"b\":1}"}), false);
        check(json!({"known": 1}), json!({"known": 1, "unknown": 1}), false);
    }

    #[test]
    fn the_plain_digest_ignores_the_stamp_and_nothing_else() {
        let check = |a: Value, b: Value, same: bool| assert_eq!(plain(&a) == plain(&b), same, "{a} and {b}");
        let stamped = json!({"metadata": {"annotations": {FLAGGER_ID: "x"}, "creationTimestamp": null}});
        check(stamped.clone(), json!({"metadata": {}}), true);
        check(stamped.clone(), json!({"metadata": {"annotations": {FLAGGER_ID: "y"}}}), true);
        check(stamped, json!({"metadata": {"annotations": {"a": "x"}}}), false);
    }

    #[test]
    fn a_template_is_plain_where_its_plain_digest_is_that_of_its_own() {
        for (metadata, is) in [
            (json!(null), true),
            (json!({}), true),
            (json!({"annotations": {"a": "x"}, "labels": {"app": "podinfo"}}), true),
            (json!({"annotations": {FLAGGER_ID: "x"}}), false),
            (json!({"annotations": {}}), false),
            (json!({"labels": {}}), false),
        ] {
            let template = json!({"metadata": metadata, "spec": {}});
            assert_eq!(is_plain(&template), is, "{template}");
            assert_eq!(plain(&template) == digest(&template), is, "{template}");
        }
    }

    #[test]
    fn a_revision_never_changes_between_releases_of_vexil() {
        let template =
            json!({"spec": {"containers": [{"name": "app", "image": "app:1", "command": ["\u{e9}\n"]}]}});
        let revision = of_template(&template);
        assert_eq!(revision.as_str(), "v1-3005763919c0c18aedc7cd36e65a2d7ff24ec33f");
        assert_eq!(flagger_id(&revision), "d6e7336a-f5d2-4150-88e4-2d807d250ffc");
    }

    #[test]
    fn a_revision_fits_a_label_value_and_a_dns_label() {
        let revision = of_template(&json!({}));
        assert!(revision.as_str().len() <= 63);
        assert!(revision.as_str().chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
    }
}
