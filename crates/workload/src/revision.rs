//! What a workload runs, as one opaque text: equal templates have equal revisions, whichever client wrote them.
//!
//! The digest is taken over what the API server returned, unknown fields included, so that neither an upgrade of
//! Vexil nor one of a client library changes it: a changed digest would start a rollout of every Canary.

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

/// The digest of a JSON document, in the current scheme.
pub(crate) fn digest(value: &Value) -> String {
    let mut hash = Sha256::new();
    canonical(value, &mut hash);
    hash.finalize().iter().take(KEPT).fold(SCHEME.to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// Canonical JSON: keys sorted by byte order, no spaces, members that are `null` left out.
fn canonical(value: &Value, hash: &mut Sha256) {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().filter(|(_, member)| !member.is_null()).collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            hash.update("{");
            for (at, (key, member)) in members.into_iter().enumerate() {
                hash.update(if at == 0 { "" } else { "," });
                hash.update(Value::from(key.as_str()).to_string());
                hash.update(":");
                canonical(member, hash);
            }
            hash.update("}");
        }
        Value::Array(items) => {
            hash.update("[");
            for (at, item) in items.iter().enumerate() {
                hash.update(if at == 0 { "" } else { "," });
                canonical(item, hash);
            }
            hash.update("]");
        }
        scalar => hash.update(scalar.to_string()),
    }
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
