//! The copy of a scaler: what all kinds of scalers have in common.
//!
//! The copy has the spec of the live source, whole, with the few fields changed that make it the primary's. Fields that
//! others fill in (the API server's defaults, an admission webhook) cause no repeated writes, but a field that the
//! user takes out of the source is removed from the copy too. So the copy remembers, in an annotation, the digest of
//! what was last written to it.

use serde_json::{Map, Value, json};
use vexil_api::canary::ScalerRef;
use vexil_object::{Change, Kind, ObjectKey, Objects, Seen, kinds, meta};

use crate::{
    Subject, WorkloadError,
    metadata::{Pairs, pairs},
    revision::digest,
    subject::{present, primary, within},
};

/// The annotation of the copy: the digest of the spec that was last written to it.
pub(super) const WRITTEN: &str = "flagger.app/written-spec";

/// A user's scaler.
pub(super) fn source_key(subject: &Subject<'_>, kind: Kind, reference: &ScalerRef) -> ObjectKey {
    ObjectKey::new(kind, subject.namespace, reference.name.as_str())
}

/// Its copy.
pub(super) fn copy_key(subject: &Subject<'_>, kind: Kind, reference: &ScalerRef) -> ObjectKey {
    ObjectKey::new(kind, subject.namespace, primary(&reference.name))
}

/// The two scalers, if they were not looked at yet.
pub(super) fn needs(
    subject: &Subject<'_>,
    kind: Kind,
    reference: &ScalerRef,
    have: &Objects,
) -> Vec<ObjectKey> {
    let both = [source_key(subject, kind, reference), copy_key(subject, kind, reference)];
    both.into_iter().filter(|key| !have.has(key)).collect()
}

/// The user's scaler where it need not be there; `None` also for one that scales something else.
pub(super) fn source<'h>(
    subject: &Subject<'_>,
    kind: Kind,
    reference: &ScalerRef,
    have: &'h Objects,
) -> Result<Option<&'h Value>, WorkloadError> {
    let key = source_key(subject, kind, reference);
    match have.get(&key) {
        Seen::Present(object) => Ok(Some(&**object).filter(|it| deployment(it) == Some(subject.target))),
        Seen::Absent => Ok(None),
        Seen::NotKnown => Err(WorkloadError::NotKnown { object: key.to_string() }),
    }
}

/// The minimum of the user's scaler, at least 1.
pub(super) fn least(
    subject: &Subject<'_>,
    kind: Kind,
    reference: &ScalerRef,
    field: &str,
    have: &Objects,
) -> Result<i64, WorkloadError> {
    let source = source(subject, kind, reference, have)?;
    let least = source.and_then(|it| it.get("spec")?.get(field)?.as_i64());
    Ok(least.unwrap_or(1).max(1))
}

/// The Deployment that a scaler scales; `None` when it scales something else. Of the kinds of targets only this one
/// can be scaled. A ScaledObject without a kind means a Deployment, and an HPA always has one.
pub(crate) fn deployment(scaler: &Value) -> Option<&str> {
    let reference = scaler.pointer("/spec/scaleTargetRef")?;
    let (kind, version) = (meta::text(reference, "/kind"), meta::text(reference, "/apiVersion"));
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let is_deployment = matches!(kind, "" | "Deployment") && matches!(group, "" | "apps" | "extensions");
    Some(meta::text(reference, "/name")).filter(|name| is_deployment && !name.is_empty())
}

/// The names of the fields for the bounds, and what counts where they are not set.
pub(super) struct Bounds {
    /// The lower bound, and its default.
    pub(super) min: (&'static str, i64),
    /// The upper bound, and its default.
    pub(super) max: (&'static str, i64),
}

/// A user's scaler and the existing copy.
pub(super) struct Pair<'h> {
    source: &'h Value,
    source_key: ObjectKey,
    live: Option<&'h Value>,
    key: ObjectKey,
}

impl<'h> Pair<'h> {
    /// Both as seen. `noun` is what messages call the source; `limit` is the longest name that the kind can have.
    pub(super) fn seen(
        subject: &Subject<'_>,
        (kind, noun, limit): (Kind, &'static str, usize),
        reference: &ScalerRef,
        have: &'h Objects,
    ) -> Result<Self, WorkloadError> {
        let source_key = source_key(subject, kind, reference);
        let source = present(noun, &source_key, have)?;
        if deployment(source) != Some(subject.target) {
            return Err(WorkloadError::OtherTarget {
                scaler: source_key.to_string(),
                found: described(source),
                target: subject.target.to_owned(),
            });
        }
        let key = copy_key(subject, kind, reference);
        let live = subject.ours(&key, have)?;
        within("name of the primary's scaler", key.name().to_owned(), limit)?;
        Ok(Pair { source, source_key, live, key })
    }

    /// The source's metadata that goes to a new copy, by the name of the map.
    pub(super) fn metadata(&self, map: &str) -> Pairs {
        let mut copied = pairs(self.source, &format!("/metadata/{map}"));
        copied.retain(|key, _| !meta::is_tracking(key));
        copied
    }

    /// The source's spec, for the primary and within the primary's bounds.
    pub(super) fn spec(
        &self,
        subject: &Subject<'_>,
        reference: &ScalerRef,
        bounds: &Bounds,
    ) -> Result<Value, WorkloadError> {
        let mut spec = self.source.get("spec").cloned().unwrap_or_else(|| json!({}));
        meta::set(&mut spec, &["scaleTargetRef", "name"], subject.primary_name()?.into());
        let own = reference.primary_scaler_replicas.clone().unwrap_or_default();
        for ((field, _), own) in [(bounds.min, own.min_replicas), (bounds.max, own.max_replicas)] {
            if let Some(own) = own {
                meta::set(&mut spec, &[field], own.into());
            }
        }
        let of = |(field, default): (&str, i64)| spec.get(field).and_then(Value::as_i64).unwrap_or(default);
        let (min, max) = (of(bounds.min), of(bounds.max));
        if min > max {
            let (scaler, source_name) = (self.key.to_string(), self.source_key.to_string());
            return Err(WorkloadError::Bounds { scaler, source_name, min, max });
        }
        Ok(spec)
    }

    /// What makes the copy have `spec`. Labels and annotations are those of a new copy; `heal` corrects the metadata of
    /// one that is there.
    pub(super) fn converge(
        self,
        subject: &Subject<'_>,
        spec: Value,
        (labels, annotations): (Pairs, Pairs),
        heal: impl Fn(&mut Value),
    ) -> Vec<Change> {
        let written = digest(&spec);
        let Some(live) = self.live else {
            let object = made(subject, &self.key, spec, labels, annotations, written);
            return vec![Change::create(self.key, object)];
        };
        // One that is going is made anew when it is gone.
        if live.pointer("/metadata/deletionTimestamp").is_some() {
            return Vec::new();
        }
        let mut want = live.clone();
        heal(&mut want);
        if !is_settled(live, &spec, &written) {
            meta::set(&mut want, &["spec"], spec);
            meta::set(&mut want, &["metadata", "annotations", WRITTEN], written.into());
        }
        Change::between(self.key, live, &want).into_iter().collect()
    }
}

/// A new copy.
fn made(
    subject: &Subject<'_>,
    key: &ObjectKey,
    spec: Value,
    labels: Pairs,
    mut annotations: Pairs,
    written: String,
) -> Value {
    annotations.insert(WRITTEN.to_owned(), written);
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), key.name().into());
    metadata.insert("namespace".to_owned(), key.namespace().into());
    metadata.insert("annotations".to_owned(), json!(annotations));
    metadata.insert("ownerReferences".to_owned(), json!([subject.owner.reference()]));
    if !labels.is_empty() {
        metadata.insert("labels".to_owned(), json!(labels));
    }
    json!({"apiVersion": key.kind().api_version(), "kind": key.kind().kind, "metadata": metadata, "spec": spec})
}

/// Whether the copy has the spec: exactly, or what was last written to it with fields of others in addition.
fn is_settled(live: &Value, spec: &Value, written: &str) -> bool {
    let Some(own) = live.get("spec") else { return false };
    digest(own) == written || meta::annotation(live, WRITTEN) == Some(written) && covers(own, spec)
}

/// Whether `live` has every field of `want`, at any depth. Lists must have as many items.
fn covers(live: &Value, want: &Value) -> bool {
    match (live, want) {
        (Value::Object(live), Value::Object(want)) => want
            .iter()
            .filter(|(_, want)| !want.is_null())
            .all(|(field, want)| live.get(field).is_some_and(|live| covers(live, want))),
        (Value::Array(live), Value::Array(want)) => {
            live.len() == want.len() && live.iter().zip(want).all(|(live, want)| covers(live, want))
        }
        _ => live == want,
    }
}

/// What a scaler scales, in words.
fn described(scaler: &Value) -> String {
    let of = |field: &str| meta::text(scaler, &format!("/spec/scaleTargetRef/{field}")).to_owned();
    match (of("kind"), of("name")) {
        (_, name) if name.is_empty() => "nothing".to_owned(),
        (kind, name) if kind.is_empty() => format!("{} {name}", kinds::DEPLOYMENT),
        (kind, name) if kind == kinds::DEPLOYMENT.kind && deployment(scaler).is_none() => {
            format!("{kind} {name} of {}", of("apiVersion"))
        }
        (kind, name) => format!("{kind} {name}"),
    }
}
