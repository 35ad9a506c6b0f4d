//! ConfigMaps and Secrets of targets: what is read of them, and the primary's copies.
//!
//! The caches have their metadata only. The content of one that a Canary depends on is read once for each of its
//! versions, and reduced to a checksum at once; the content of a Secret is never kept.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use vexil_analysis::{Memory, Phase, Readiness, SyncState};
use vexil_kube::{Cluster, Listed, ReadError};
use vexil_object::{Change, Kind, ObjectKey, Objects, Seen, kinds, meta};
use vexil_plan::CanaryContext;
use vexil_workload::{
    BY_OWNER, ConfigName, ConfigReferences, Side, TrackedConfigs, WorkloadError, config_needs, has_copies,
    opted_out, outdated_copies, reduced, unused_copies, write_copy,
};

use crate::{
    Context,
    effects::{EffectResult, apply, fetch},
    observe::Observation,
};

/// Contents that are read at once. Each may have 1 MiB.
const READS: usize = 8;

/// The checksums of the objects that Canaries depend on, each for one version.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConfigReads(Arc<Mutex<BTreeMap<ObjectKey, Arc<Value>>>>);

impl ConfigReads {
    /// What is known of an object: its metadata and checksum. Not known before its present version was read.
    fn look(&self, cluster: &Cluster, key: &ObjectKey) -> Seen {
        let live = match cluster.look(key) {
            Seen::Present(live) => live,
            other => {
                self.reads().remove(key);
                return other;
            }
        };
        let version =
            |object: &Value| (meta::uid(object).to_owned(), meta::resource_version(object).to_owned());
        match self.reads().get(key) {
            Some(read) if version(read) == version(&live) => Seen::Present(Arc::clone(read)),
            _ if opted_out(&live) => Seen::Present(Arc::new(reduced(&live))),
            _ => Seen::NotKnown,
        }
    }

    fn keep(&self, key: ObjectKey, object: &Value) -> Seen {
        let kept = Arc::new(reduced(object));
        self.reads().insert(key, Arc::clone(&kept));
        Seen::Present(kept)
    }

    fn reads(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Arc<Value>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the objects that the target names and the primary's copies, as far as their present versions were not read
/// yet.
///
/// # Errors
/// If the API server did not answer: the pause that it asks for, in milliseconds, if any.
pub(crate) async fn read(context: &Context, canary: &CanaryContext) -> Result<(), Option<u64>> {
    let subject = canary.subject(&context.settings);
    let key = subject.key(canary.workload().kind(), Side::Canary);
    let Some(target) = context.cluster.look(&key).shared() else { return Ok(()) };
    let keys = config_needs(&subject, &canary.workload().configs(&target), &Objects::default());
    let unread = keys.into_iter().filter(|key| {
        let known = context.configs.look(&context.cluster, key).is_known();
        !known && matches!(context.cluster.look(key), Seen::Present(_))
    });
    stream::iter(unread.collect::<Vec<_>>())
        .map(|key| async move { read_one(context, &key).await.map(drop) })
        .buffer_unordered(READS)
        .try_collect::<()>()
        .await
}

/// Reads all of them, known or not, into `have`.
///
/// # Errors
/// As [`read`].
pub(crate) async fn read_all(
    context: &Context,
    canary: &CanaryContext,
    references: &ConfigReferences,
    have: &mut Objects,
) -> Result<(), Option<u64>> {
    let needs = config_needs(&canary.subject(&context.settings), references, have);
    let read: Vec<(ObjectKey, Seen)> = stream::iter(needs)
        .map(|key| async move { Ok::<_, Option<u64>>((key.clone(), read_one(context, &key).await?)) })
        .buffered(READS)
        .try_collect()
        .await?;
    read.into_iter().for_each(|(key, seen)| have.insert(key, seen));
    Ok(())
}

async fn read_one(context: &Context, key: &ObjectKey) -> Result<Seen, Option<u64>> {
    match context.cluster.fetch(key).await {
        Ok(Seen::Present(object)) => Ok(context.configs.keep(key.clone(), &object)),
        Ok(seen) => Ok(seen),
        Err(ReadError::Throttled { retry_after_ms }) => Err(Some(retry_after_ms)),
        Err(error) => {
            tracing::warn!("{key} could not be read: {error}");
            Err(None)
        }
    }
}

/// Adds the objects that the target names and the primary's copies to `have`. Returns their checksums, `None` if they
/// are not known, and what the user has to correct.
pub(crate) fn gather(
    context: &Context,
    canary: &CanaryContext,
    have: &mut Objects,
) -> (Option<TrackedConfigs>, Option<String>) {
    let (subject, workload) = (canary.subject(&context.settings), canary.workload());
    let Some(target) = have.get(&subject.key(workload.kind(), Side::Canary)).clone().shared() else {
        return (None, None);
    };
    for key in config_needs(&subject, &workload.configs(&target), have) {
        let seen = context.configs.look(&context.cluster, &key);
        have.insert(key, seen);
    }
    match workload.tracked(&subject, &target, have) {
        Ok(tracked) => (Some(tracked), None),
        Err(WorkloadError::NotKnown { .. }) => (None, None),
        Err(error) => (None, Some(error.to_string())),
    }
}

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
