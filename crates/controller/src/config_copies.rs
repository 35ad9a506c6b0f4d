//! The primary's copies of ConfigMaps and Secrets: written with what was analysed, restored, and deleted when nothing
//! uses them.

use serde_json::Value;
use vexil_analysis::{Memory, Phase, Readiness, SyncState};
use vexil_kube::Listed;
use vexil_object::{Change, Kind, ObjectKey, Objects, Seen, kinds, meta};
use vexil_plan::CanaryContext;
use vexil_workload::{
    BY_OWNER, ConfigName, ConfigReferences, Side, TrackedConfigs, WorkloadError, has_copies, outdated_copies,
    unused_copies, write_copy,
};

use crate::{
    Context,
    apply::{EffectResult, apply, fetch},
    observe::Observation,
};

/// The lists of the copies that belong to a Canary. Only kinds that its target or primary uses are listed, so that
/// others are not watched.
pub(crate) fn lists(context: &Context, canary: &CanaryContext, have: &Objects) -> Vec<Listed> {
    if !context.settings.workloads.config_tracking {
        return Vec::new();
    }
    let sides =
        [references(context, canary, Side::Canary, have), references(context, canary, Side::Primary, have)];
    let primary = canary.subject(&context.settings).key(canary.workload().kind(), Side::Primary);
    let copied = |kind: Kind| have.get(&primary).object().is_some_and(|primary| has_copies(primary, kind));
    let uses = |kind: &Kind| {
        copied(*kind) || sides.iter().any(|side| side.iter().any(|(name, _)| name.kind() == *kind))
    };
    let list = |kind| Listed {
        kind,
        namespace: canary.key().namespace().to_owned(),
        index: BY_OWNER,
        value: canary.owner().uid.clone(),
    };
    [kinds::CONFIG_MAP, kinds::SECRET].into_iter().filter(uses).map(list).collect()
}

fn references(context: &Context, canary: &CanaryContext, side: Side, have: &Objects) -> ConfigReferences {
    let key = canary.subject(&context.settings).key(canary.workload().kind(), side);
    have.get(&key).object().map(|live| canary.workload().configs(live)).unwrap_or_default()
}

/// Whether the primary's copies are as wanted. They are only judged while the primary holds what the target is: what
/// was not promoted is not copied.
pub(crate) fn sync_state(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    observation: &Observation,
) -> SyncState {
    let (Some(tracked), Some(target), Some(primary)) = (
        observation.configs(),
        observation.observed.target.present(),
        observation.observed.primary.present(),
    ) else {
        return SyncState::InSync;
    };
    let holds = target.revision.is_some() && target.revision == primary.revision;
    let settles = matches!(memory.phase, Phase::Initializing | Phase::Promoting);
    if !context.settings.workloads.config_tracking || !holds || settles || primary.owner_conflict.is_some() {
        return SyncState::InSync;
    }
    let subject = canary.subject(&context.settings);
    match outdated_copies(&subject, tracked, &observation.objects) {
        Ok(outdated) if !outdated.is_empty() => SyncState::OutOfSync,
        Ok(_) if memory.at_rest() && primary.readiness == Readiness::Ready => {
            match unused(context, canary, observation) {
                None => SyncState::NotKnown,
                Some(changes) if changes.is_empty() => SyncState::InSync,
                Some(_) => SyncState::OutOfSync,
            }
        }
        Ok(_) => SyncState::InSync,
        Err(WorkloadError::NotKnown { .. }) => SyncState::NotKnown,
        Err(error) => SyncState::Invalid(error.to_string()),
    }
}

/// What deletes the copies that nothing uses any more; `None` if not all copies are known.
fn unused(context: &Context, canary: &CanaryContext, observation: &Observation) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    let primary = references(context, canary, Side::Primary, &observation.objects);
    for Listed { kind, namespace, index, value } in lists(context, canary, &observation.objects) {
        let live = context.cluster.list_by(kind, &namespace, index, &value)?;
        let key = |live: &Value| ObjectKey::new(kind, &namespace, meta::text(live, "/metadata/name"));
        let listed: Vec<_> = live.iter().map(|live| (key(live), live.as_ref())).collect();
        let subject = canary.subject(&context.settings);
        changes.extend(unused_copies(&subject, observation.configs()?, &primary, &listed));
    }
    Some(changes)
}

/// Restores the copies that are not as wanted, and deletes those that nothing uses.
pub(crate) async fn restore(
    context: &Context,
    canary: &CanaryContext,
    observation: &Observation,
) -> EffectResult {
    match write_copies(context, canary, observation).await {
        EffectResult::Done => {
            apply(context, canary, &unused(context, canary, observation).unwrap_or_default(), None).await
        }
        failed => failed,
    }
}

/// Copies the ConfigMaps and Secrets that differ from the primary's copies, one after the other. What is copied is what
/// was analysed: a source that has changed meanwhile is not copied.
pub(crate) async fn write_copies(
    context: &Context,
    canary: &CanaryContext,
    observation: &Observation,
) -> EffectResult {
    let subject = canary.subject(&context.settings);
    let Some(tracked) = observation.configs() else { return EffectResult::Requeue };
    let outdated = match outdated_copies(&subject, tracked, &observation.objects) {
        Ok(outdated) => outdated,
        Err(error) => return EffectResult::Refused(error.to_string()),
    };
    for name in outdated {
        match write_one(context, canary, observation, &name, tracked).await {
            EffectResult::Done => {}
            failed => return failed,
        }
    }
    EffectResult::Done
}

async fn write_one(
    context: &Context,
    canary: &CanaryContext,
    observation: &Observation,
    name: &ConfigName,
    tracked: &TrackedConfigs,
) -> EffectResult {
    let subject = canary.subject(&context.settings);
    let key = name.source(subject.namespace);
    let source = match fetch(context, &key).await {
        Ok(Some(source)) => source,
        Ok(None) => return EffectResult::TargetMoved,
        Err(result) => return result,
    };
    if vexil_workload::checksum(&source).as_ref() != tracked.get(&name.to_string()) {
        return EffectResult::TargetMoved;
    }
    let copy = observation.objects.get(&name.copy(subject.namespace)).object();
    match write_copy(&subject, name, &source, copy) {
        Ok(changes) => apply(context, canary, &changes, None).await,
        Err(error) => EffectResult::Refused(error.to_string()),
    }
}

/// Copies that the primary uses and that are missing, though they cannot be restored now: their sources have changed.
pub(crate) fn missing_copies(
    context: &Context,
    canary: &CanaryContext,
    observation: &Observation,
) -> Option<String> {
    if !context.settings.workloads.config_tracking {
        return None;
    }
    let namespace = canary.key().namespace();
    let primary = references(context, canary, Side::Primary, &observation.objects);
    let target = references(context, canary, Side::Canary, &observation.objects);
    let used =
        primary.iter().filter(|(name, required)| *required && target.iter().all(|(own, _)| own != *name));
    let missing: Vec<String> = used
        .map(|(name, _)| name.source(namespace))
        .filter(|key| context.cluster.look(key) == Seen::Absent)
        .map(|key| key.to_string())
        .collect();
    (!missing.is_empty() && observation.observed.configs == SyncState::InSync).then(|| {
        format!(
            "the primary uses {}, which does not exist; its pods cannot be started again until the next promotion, or \
             until the sources are as they were promoted",
            missing.join(", ")
        )
    })
}
