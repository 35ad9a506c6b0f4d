//! Labels and annotations of a primary when its target is promoted.

use serde_json::{Value, json};
use vexil_analysis::Revision;
use vexil_object::JsonOp;

use crate::{
    Selector, Settings, Subject, TrackedConfigs,
    configs::{COPIED, copied_kinds},
    metadata::{Pairs, is_managed, pairs, primary_labels, promoted_annotations},
    primary_drift::WRITTEN,
};

/// The operations on the metadata of `primary`. `written` is the digest of the template that is written with them, and
/// what of the target's configuration is tracked.
pub(crate) fn metadata_ops(
    subject: &Subject<'_>,
    target: &Value,
    primary: &Value,
    selector: &Selector,
    written: (&Revision, &TrackedConfigs),
) -> Vec<JsonOp> {
    let settings = subject.settings;
    let labels = primary_labels(target, settings, &selector.key, &selector.primary_value());
    let mut annotations = promoted_annotations(target, settings);
    annotations.insert(WRITTEN.to_owned(), written.0.as_str().to_owned());
    annotations.extend(copied_kinds(written.1, Some(primary)).map(|kinds| (COPIED.to_owned(), kinds)));
    let copied = pairs(target, "/metadata/annotations");
    let labels = converge(primary, "labels", labels, |key| goes(settings, key));
    // The first promotion drops what the creation copied, as Flagger does; what others wrote stays.
    let annotations = converge(primary, "annotations", annotations, |key| {
        goes(settings, key) || copied.contains_key(key) && !is_managed(key)
    });
    labels.into_iter().chain(annotations).collect()
}

/// Whether a key that the target no longer has goes from the primary too.
fn goes(settings: &Settings, key: &str) -> bool {
    settings.includes(key) && !is_managed(key)
}

/// The operation that makes one map of the metadata hold `want`, without the keys that shall go. The map is written
/// whole: removing a key that is gone already would be answered 422, before the resourceVersion is even compared, and
/// could not be distinguished from a bad request.
fn converge(primary: &Value, map: &str, want: Pairs, goes: impl Fn(&str) -> bool) -> Option<JsonOp> {
    let path = format!("/metadata/{map}");
    let live = pairs(primary, &path);
    let mut next = live.clone();
    next.retain(|key, _| !goes(key));
    next.extend(want);
    (next != live).then(|| JsonOp::Add(path, json!(next)))
}
