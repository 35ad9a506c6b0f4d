//! The autoscalers of a Canary: the user's, its copy for the primary, and what is left of earlier ones.

use vexil_analysis::{Fit, TargetScaler};
use vexil_api::canary::ScalerRef;
use vexil_kube::Cluster;
use vexil_object::{Change, ObjectKey, Objects, Seen, meta};
use vexil_workload::{SCALERS, Scaler, Subject, WorkloadError, abandoned, rivals, scaler};

/// What a tick knows of the autoscalers around one Canary.
pub(crate) struct Scalers<'a> {
    subject: Subject<'a>,
    named: Option<(&'static dyn Scaler, &'a ScalerRef)>,
}

impl<'a> Scalers<'a> {
    /// Those around the Canary of `subject`, which has been checked to name none of an unknown kind.
    pub(crate) fn of(subject: Subject<'a>) -> Self {
        let named = subject.scaler.and_then(|reference| Some((scaler(reference).ok()?, reference)));
        Scalers { named, subject }
    }

    /// Adds every scaler of the namespace to `have`: one that the Canary does not name may be a second writer of
    /// replicas. Kinds that the cluster does not serve are not watched. Answers whether all are known: what cannot be
    /// watched at all counts as none.
    pub(crate) fn gather(&self, cluster: &Cluster, have: &mut Objects) -> bool {
        let mut known = true;
        for kind in SCALERS.iter().map(|scaler| scaler.kind()) {
            // Groups with a dot come with a definition, which not every cluster has.
            let definition = kind.definition();
            match cluster.look(&definition) {
                Seen::Absent if kind.group.contains('.') => continue,
                Seen::NotKnown if kind.group.contains('.') => {
                    known &= cluster.trouble(definition.kind()).is_some();
                    continue;
                }
                _ => {}
            }
            let listed = cluster.list(kind, self.subject.namespace);
            known &= listed.is_some() || cluster.trouble(kind).is_some();
            for live in listed.unwrap_or_default() {
                let key = ObjectKey::new(kind, self.subject.namespace, meta::text(&live, "/metadata/name"));
                have.insert(key, Seen::Present(live));
            }
        }
        known
    }

    /// What makes the primary's scaler as wanted, and removes those that the Canary no longer names.
    ///
    /// # Errors
    /// When the user's scaler is missing, not known, or somebody else's; the text says what to do.
    pub(crate) fn primary(&self, have: &Objects) -> Result<Vec<Change>, WorkloadError> {
        let mut changes = abandoned(&self.subject, self.subject.scaler, &listed(have));
        if let Some((scaler, reference)) = self.named {
            changes.extend(scaler.primary(&self.subject, reference, have)?);
        }
        Ok(changes)
    }

    /// The same as the engine is told it.
    pub(crate) fn fit(&self, have: &Objects) -> Fit {
        match self.primary(have) {
            Ok(changes) if changes.is_empty() => Fit::Fits,
            Ok(_) => Fit::Differs,
            Err(WorkloadError::NotKnown { .. }) => Fit::NotKnown,
            Err(error) => Fit::Broken(error.to_string()),
        }
    }

    /// What the target's scaler does.
    pub(crate) fn of_target(&self, have: &Objects) -> TargetScaler {
        match (self.pause(have), self.resume(have)) {
            (Ok(Some(_)), _) => TargetScaler::Scales,
            (_, Ok(Some(_))) => TargetScaler::Rests,
            _ => TargetScaler::None,
        }
    }

    /// Tells the target's scaler to rest, if it does not.
    ///
    /// # Errors
    /// When it is not known.
    pub(crate) fn pause(&self, have: &Objects) -> Result<Option<Change>, WorkloadError> {
        self.named.map_or(Ok(None), |(scaler, reference)| scaler.pause(&self.subject, reference, have))
    }

    /// Lets the target's scaler scale it again, if we told it to rest.
    ///
    /// # Errors
    /// When it is not known.
    pub(crate) fn resume(&self, have: &Objects) -> Result<Option<Change>, WorkloadError> {
        self.named.map_or(Ok(None), |(scaler, reference)| scaler.resume(&self.subject, reference, have))
    }

    /// Scalers of target or primary that the Canary does not name, in words.
    pub(crate) fn rivals(&self, have: &Objects) -> Vec<String> {
        rivals(&self.subject, self.subject.scaler, &listed(have))
    }
}

fn listed(have: &Objects) -> Vec<(ObjectKey, &serde_json::Value)> {
    let kinds: Vec<_> = SCALERS.iter().map(|scaler| scaler.kind()).collect();
    let scalers = have.iter().filter(|(key, _)| kinds.contains(&key.kind()));
    scalers.filter_map(|(key, seen)| Some((key.clone(), seen.object()?))).collect()
}
