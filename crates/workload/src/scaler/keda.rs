//! KEDA's ScaledObjects. KEDA scales up from zero by itself, so it is paused while the target
//! has no pods.
//!
//! Pausing is `autoscaling.keda.sh/paused-replicas: "0"`, as Flagger writes it. Nothing remembers whose `"0"` it
//! is, and nothing has to: between rollouts it is there, during one it is not, whichever client wrote it first. Other
//! settings of the user stay: `paused-replicas` with another number holds the target at that number and is never
//! touched, and `paused: "true"` may be set besides ours, has precedence in KEDA, and stays after it.

use serde_json::Value;
use vexil_api::canary::ScalerRef;
use vexil_object::{Change, Kind, MAX_LABEL_BYTES, MAX_NAME_BYTES, ObjectKey, Objects, Seen, meta};

use super::{
    Scaler,
    copy::{self, Bounds, Pair},
    query::{Named, Values, for_primary, mentions},
};
use crate::{
    Subject, WorkloadError,
    subject::{primary, within},
};

/// `keda.sh/v1alpha1` ScaledObject.
pub(super) const KIND: Kind = Kind::namespaced("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects");

/// What messages call it.
const NOUN: &str = "Keda ScaledObject";

/// KEDA's defaults (KEDA, "ScaledObject specification").
const BOUNDS: Bounds = Bounds { min: ("minReplicaCount", 0), max: ("maxReplicaCount", 100) };

/// The annotation that holds a target at a number of pods.
const PAUSED_REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";
/// What all annotations about pausing begin with.
const PAUSED: &str = "autoscaling.keda.sh/paused";
/// The value that means "no pods".
const REST: &str = "0";
/// The label by which KEDA finds its objects; on a copy it would name the source.
const NAME_LABEL: &str = "scaledobject.keda.sh/name";

/// Triggers whose queries have no quotes (KEDA, "Scalers": Datadog, Graphite).
const BARE: [&str; 2] = ["datadog", "graphite"];

/// Scalers of kind ScaledObject.
#[derive(Clone, Copy, Debug)]
pub struct ScaledObjects;

impl Scaler for ScaledObjects {
    fn kind(&self) -> Kind {
        KIND
    }

    fn needs(&self, subject: &Subject<'_>, reference: &ScalerRef, have: &Objects) -> Vec<ObjectKey> {
        match have.get(&KIND.definition()) {
            Seen::Present(_) => copy::needs(subject, KIND, reference, have),
            _ if have.has(&KIND.definition()) => Vec::new(),
            _ => vec![KIND.definition()],
        }
    }

    fn primary(
        &self,
        subject: &Subject<'_>,
        reference: &ScalerRef,
        have: &Objects,
    ) -> Result<Vec<Change>, WorkloadError> {
        if !is_served(have)? {
            return Err(WorkloadError::NotServed { kind: KIND.kind, group: KIND.group, by: "KEDA" });
        }
        // KEDA writes the name into a label of its own, `scaledobject.keda.sh/name`.
        let pair = Pair::seen(subject, (KIND, NOUN, MAX_LABEL_BYTES), reference, have)?;
        let mut spec = pair.spec(subject, reference, &BOUNDS)?;
        rename_hpa(&mut spec)?;
        for trigger in spec.get_mut("triggers").and_then(Value::as_array_mut).into_iter().flatten() {
            ask_primary(trigger, subject, reference);
        }
        let mut labels = pair.metadata("labels");
        labels.remove(NAME_LABEL);
        let mut annotations = pair.metadata("annotations");
        annotations.retain(|key, _| !key.starts_with(PAUSED));
        Ok(pair.converge(subject, spec, (labels, annotations), heal))
    }

    fn pause(
        &self,
        subject: &Subject<'_>,
        reference: &ScalerRef,
        have: &Objects,
    ) -> Result<Option<Change>, WorkloadError> {
        let Some(source) = source(subject, reference, have)? else { return Ok(None) };
        if meta::annotation(source, PAUSED_REPLICAS).is_some() {
            return Ok(None);
        }
        let mut want = source.clone();
        meta::set(&mut want, &["metadata", "annotations", PAUSED_REPLICAS], REST.into());
        Ok(Change::between(copy::source_key(subject, KIND, reference), source, &want))
    }

    fn resume(
        &self,
        subject: &Subject<'_>,
        reference: &ScalerRef,
        have: &Objects,
    ) -> Result<Option<Change>, WorkloadError> {
        let Some(source) = source(subject, reference, have)? else { return Ok(None) };
        let mut want = source.clone();
        heal(&mut want);
        Ok(Change::between(copy::source_key(subject, KIND, reference), source, &want))
    }

    fn least(
        &self,
        subject: &Subject<'_>,
        reference: &ScalerRef,
        have: &Objects,
    ) -> Result<i64, WorkloadError> {
        if !is_served(have)? {
            return Ok(1);
        }
        copy::least(subject, KIND, reference, BOUNDS.min.0, have)
    }
}

/// The number of pods at which a user holds what a ScaledObject scales, as he wrote it.
pub(super) fn held(scaler: &Value) -> Option<&str> {
    meta::annotation(scaler, PAUSED_REPLICAS).filter(|held| *held != REST)
}

/// The keys of `spec.autoscalerRef.primaryScalerQueries` that no trigger of the scaler has for a name.
pub(super) fn idle_queries<'r>(scaler: &Value, reference: &'r ScalerRef) -> Vec<&'r str> {
    let triggers = scaler.pointer("/spec/triggers").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<_> = triggers.map(|trigger| meta::text(trigger, "/name")).collect();
    let queries = reference.primary_scaler_queries.iter().flatten();
    queries.map(|(name, _)| name.as_str()).filter(|name| !names.contains(name)).collect()
}

/// Whether KEDA is there.
fn is_served(have: &Objects) -> Result<bool, WorkloadError> {
    match have.get(&KIND.definition()) {
        Seen::Present(_) => Ok(true),
        Seen::Absent => Ok(false),
        Seen::NotKnown => Err(WorkloadError::NotKnown { object: KIND.definition().to_string() }),
    }
}

/// The user's ScaledObject, where there is one that scales the target.
fn source<'h>(
    subject: &Subject<'_>,
    reference: &ScalerRef,
    have: &'h Objects,
) -> Result<Option<&'h Value>, WorkloadError> {
    if is_served(have)? { copy::source(subject, KIND, reference, have) } else { Ok(None) }
}

/// Removes what pauses a scaler. On a primary's copy it was copied from a resting source, and the primary would
/// stay at zero.
fn heal(scaler: &mut Value) {
    if meta::annotation(scaler, PAUSED_REPLICAS) == Some(REST)
        && let Some(annotations) = scaler.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut)
    {
        annotations.remove(PAUSED_REPLICAS);
    }
}

/// The HPA that KEDA makes for the primary gets a name of its own, where the user has chosen one.
fn rename_hpa(spec: &mut Value) -> Result<(), WorkloadError> {
    const NAME: &str = "/advanced/horizontalPodAutoscalerConfig/name";
    if let Some(name) = spec.pointer_mut(NAME)
        && let Some(own) = name.as_str().filter(|own| !own.is_empty())
    {
        *name = within("name of the primary's HorizontalPodAutoscaler", primary(own), MAX_NAME_BYTES)?.into();
    }
    Ok(())
}

/// Points the query of a trigger at the primary: by the Canary's own query for that trigger, or, where it has none for
/// any, by the names in it.
fn ask_primary(trigger: &mut Value, subject: &Subject<'_>, reference: &ScalerRef) {
    let query = match &reference.primary_scaler_queries {
        Some(queries) => queries.get(meta::text(trigger, "/name")).cloned(),
        None => asked(trigger, subject).map(|(_, derived)| derived),
    };
    if let Some(query) = query {
        meta::set(trigger, &["metadata", "query"], query.into());
    }
}

/// The query of a trigger, and what is derived from it for the primary.
fn asked<'t>(trigger: &'t Value, subject: &Subject<'_>) -> Option<(&'t str, String)> {
    let is_bare = BARE.contains(&meta::text(trigger, "/type"));
    let values = if is_bare { Values::Bare } else { Values::Quoted };
    let own = trigger.pointer("/metadata/query").and_then(Value::as_str)?;
    Some((own, for_primary(own, named(subject), values)))
}

fn named<'a>(subject: &Subject<'a>) -> Named<'a> {
    Named { target: subject.target, apex: subject.apex, namespace: subject.namespace }
}

/// The triggers whose query has the target's name in it in a form that is not known, so that the primary's copy would
/// ask about the target's pods: each by its name, or else by its place and type.
pub(super) fn unclear_queries(scaler: &Value, subject: &Subject<'_>, reference: &ScalerRef) -> Vec<String> {
    if reference.primary_scaler_queries.is_some() {
        return Vec::new();
    }
    let triggers = scaler.pointer("/spec/triggers").and_then(Value::as_array).into_iter().flatten();
    let unclear = triggers.enumerate().filter(|(_, trigger)| {
        asked(trigger, subject).is_some_and(|(own, derived)| own == derived && mentions(own, named(subject)))
    });
    unclear
        .map(|(at, trigger)| match meta::text(trigger, "/name") {
            "" => format!("{at} ({})", meta::text(trigger, "/type")),
            name => name.to_owned(),
        })
        .collect()
}
