//! What a cache keeps of a workload in place of its pod template, in a field that no API server returns: the digests of
//! the template, and the ConfigMaps and Secrets that it names.

use serde_json::Value;
use vexil_analysis::Revision;
use vexil_object::meta;

use crate::{ConfigReferences, revision};

/// The field that a reduced workload has.
const FIELD: &str = "digests";

/// Whether `object` is only what a cache keeps. Its pod template must not be copied.
pub(crate) fn is_reduced(object: &Value) -> bool {
    object.get(FIELD).is_some()
}

/// Reduces: writes to `kept` what is kept of a pod template, whose references are `configs`.
pub(crate) fn keep(kept: &mut Value, template: &Value, configs: &ConfigReferences) {
    let revision = revision::of_template(template);
    // Only the template of a primary has a `flagger-id`; for all others both digests are the same.
    let plain = (!revision::is_plain(template)).then(|| revision::plain(template));
    if let Some(plain) = plain.filter(|plain| plain != revision.as_str()) {
        meta::set(kept, &[FIELD, "plain"], plain.into());
    }
    meta::set(kept, &[FIELD, "revision"], revision.as_str().into());
    if let Some(configs) = configs.kept() {
        meta::set(kept, &[FIELD, "configs"], configs);
    }
}

/// The digest of the whole pod template; `None` for an object without one.
pub(crate) fn revision(object: &Value) -> Option<Revision> {
    match object.get(FIELD) {
        Some(digests) => text(digests, "revision").map(Revision::new),
        None => object.pointer("/spec/template").map(revision::of_template),
    }
}

/// The digest of the pod template without its `flagger-id`; `None` for an object without one.
pub(crate) fn plain(object: &Value) -> Option<String> {
    match object.get(FIELD) {
        Some(digests) => text(digests, "plain").or_else(|| text(digests, "revision")).map(str::to_owned),
        None => object.pointer("/spec/template").map(revision::plain),
    }
}

/// The ConfigMaps and Secrets that the pods use.
pub(crate) fn configs(object: &Value) -> ConfigReferences {
    match object.get(FIELD) {
        Some(digests) => digests.get("configs").map(ConfigReferences::from_kept).unwrap_or_default(),
        None => {
            let mut spec = object.pointer("/spec/template/spec").cloned().unwrap_or_default();
            ConfigReferences::of(&mut spec)
        }
    }
}

fn text<'a>(digests: &'a Value, digest: &str) -> Option<&'a str> {
    digests.get(digest)?.as_str()
}
