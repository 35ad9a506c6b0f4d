//! Conflicts between scalers and the target that a person must resolve: they are reported, never written.

use serde_json::Value;
use vexil_api::canary::ScalerRef;
use vexil_object::{Kind, ObjectKey, Objects, meta};

use super::{
    copy::{copy_key, deployment, source_key},
    keda,
};
use crate::{Subject, subject::primary};

/// One clause for each scaler that scales the target or the primary although the Canary does not name it (two writers
/// on `replicas` undo each other's work), and for what the user's own scaler says that the Canary cannot have.
/// `listed` are the scalers of the namespace.
pub fn rivals(
    subject: &Subject<'_>,
    reference: Option<&ScalerRef>,
    listed: &[(ObjectKey, &Value)],
) -> Vec<String> {
    let named = reference
        .and_then(|reference| Some((reference, subject.settings.catalog.scaler(reference).ok()?.kind())));
    let here = listed.iter().filter(|(key, _)| key.namespace() == subject.namespace);
    here.flat_map(|(key, object)| match named {
        Some((reference, kind)) if *key == source_key(subject, kind, reference) => {
            own(subject, reference, key, object)
        }
        _ => foreign(subject, named, key, object).into_iter().collect(),
    })
    .collect()
}

/// Whether a scaler that this Canary has not made scales the primary: an HPA or ScaledObject of its user, which the
/// Canary need not name. `have` holds the scalers of the namespace.
pub(crate) fn scales_primary(subject: &Subject<'_>, have: &Objects) -> bool {
    let primary = primary(subject.target);
    have.iter().any(|(key, seen)| {
        key.namespace() == subject.namespace
            && subject.settings.catalog.scalers().any(|scaler| scaler.kind() == key.kind())
            && seen
                .object()
                .is_some_and(|it| deployment(it) == Some(primary.as_str()) && !subject.owner.controls(it))
    })
}

/// What the user's scaler says that the Canary cannot have.
fn own(subject: &Subject<'_>, reference: &ScalerRef, key: &ObjectKey, object: &Value) -> Vec<String> {
    if key.kind() != keda::KIND {
        return Vec::new();
    }
    let target = subject.target;
    let mut messages: Vec<_> = keda::idle_queries(object, reference)
        .into_iter()
        .map(|name| {
            format!("primaryScalerQueries has a query for {name}, but {key} has no trigger of that name")
        })
        .collect();
    messages.extend(keda::unclear_queries(object, subject, reference).into_iter().map(|trigger| {
        format!(
            "the query of trigger {trigger} of {key} names {target} in a form that cannot be rewritten, so the \
             primary's copy asks the same: give that trigger a name, and the primary's query in \
             spec.autoscalerRef.primaryScalerQueries"
        )
    }));
    messages.extend(keda::held(object).map(|held| {
        format!(
            "{key} holds Deployment {target} at {held} pods (autoscaling.keda.sh/paused-replicas), also between \
             rollouts; take that annotation off to let the target rest"
        )
    }));
    messages
}

/// Another scaler that scales what is ours. Not the copy, and not an HPA that a ScaledObject has made: that one is
/// reported by itself.
fn foreign(
    subject: &Subject<'_>,
    named: Option<(&ScalerRef, Kind)>,
    key: &ObjectKey,
    object: &Value,
) -> Option<String> {
    let is_copy = named.is_some_and(|(reference, kind)| *key == copy_key(subject, kind, reference));
    let is_made = meta::controller(object).is_some_and(|by| meta::text(by, "/kind") == keda::KIND.kind);
    let is_ours = is_copy || subject.owner.controls(object);
    let scaled = deployment(object).filter(|_| !is_ours && !is_made)?;
    let cure = match named {
        None if scaled == subject.target => "name it in spec.autoscalerRef or delete it".to_owned(),
        Some((reference, kind)) if scaled == subject.target => {
            format!("delete it, or name it in spec.autoscalerRef in place of {kind} {}", reference.name)
        }
        // The replicas of the primary are left to its scaler: a promotion does not write them.
        None if scaled == primary(subject.target) => {
            return Some(format!(
                "{key} scales Deployment {scaled}, whose replicas are left to it; to have the primary's scaler made \
                 from the target's, name that in spec.autoscalerRef and delete this one"
            ));
        }
        _ if scaled == primary(subject.target) => {
            "delete it; the primary's scaler is made from the one in spec.autoscalerRef".to_owned()
        }
        _ => return None,
    };
    Some(format!("{key} scales Deployment {scaled}, whose replicas this Canary writes too: {cure}"))
}
