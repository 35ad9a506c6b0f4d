//! ConfigMaps and Secrets of targets: what is read of them.
//!
//! The caches have their metadata only. The content of one that a Canary depends on is read once for each of its
//! versions, and reduced to a checksum at once; the content of a Secret is never kept.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use vexil_kube::{Cluster, Mark, ReadError};
use vexil_object::{ObjectKey, Objects, Seen, meta};
use vexil_plan::CanaryContext;
use vexil_workload::{
    ConfigReferences, Side, TrackedConfigs, WorkloadError, config_needs, opted_out, reduced,
};

use crate::Context;

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

/// What is known of the objects that a target names, and of the primary's copies.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Their checksums; `None` if they are not known.
    pub(crate) tracked: Option<TrackedConfigs>,
    /// What the user has to correct.
    pub(crate) problem: Option<String>,
    /// Those whose content was not read, with the version of their metadata: only another version, or the next attempt
    /// to read, changes what is known of them.
    pub(crate) unread: BTreeMap<ObjectKey, Mark>,
}

/// Adds the objects that the target names and the primary's copies to `have`.
pub(crate) fn gather(context: &Context, canary: &CanaryContext, have: &mut Objects) -> Gathered {
    let (subject, workload) = (canary.subject(&context.settings), canary.workload());
    let mut gathered = Gathered::default();
    let Some(target) = have.get(&subject.key(workload.kind(), Side::Canary)).clone().shared() else {
        return gathered;
    };
    for key in config_needs(&subject, &workload.configs(&target), have) {
        // The mark is read first: the object may be newer than its mark, never older.
        let mark = context.cluster.mark(&key);
        let seen = context.configs.look(&context.cluster, &key);
        if !seen.is_known() {
            gathered.unread.insert(key.clone(), mark);
        }
        have.insert(key, seen);
    }
    match workload.tracked(&subject, &target, have) {
        Ok(tracked) => gathered.tracked = Some(tracked),
        Err(WorkloadError::NotKnown { .. }) => {}
        Err(error) => gathered.problem = Some(error.to_string()),
    }
    gathered
}
