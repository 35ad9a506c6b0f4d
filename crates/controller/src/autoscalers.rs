//! The autoscalers of a Canary: the user's, its copy for the primary, and what is left of earlier ones.

use vexil_analysis::{SyncState, TargetScaler};
use vexil_api::canary::ScalerRef;
use vexil_kube::{Cluster, Listed};
use vexil_object::{Change, Kind, ObjectKey, Objects, Seen, kinds, meta};
use vexil_workload::{
    BY_CONTROLLER, BY_SCALED, Scaler, Settings, Side, Subject, WorkloadError, abandoned, rivals,
};

/// The autoscalers of one Canary.
pub(crate) struct Autoscalers<'a> {
    subject: Subject<'a>,
    named: Option<(&'static dyn Scaler, &'a ScalerRef)>,
}

impl<'a> Autoscalers<'a> {
    /// Those of the Canary of `subject`, which is valid.
    pub(crate) fn of(subject: Subject<'a>) -> Self {
        let named = subject
            .scaler()
            .and_then(|reference| Some((subject.settings.catalog.scaler(reference).ok()?, reference)));
        Autoscalers { named, subject }
    }

    /// The lists of autoscalers that concern this Canary: those of its target, of its primary, and its own copies. One
    /// that the Canary does not name may be a second writer of replicas. Kinds that the cluster does not serve are not
    /// watched.
    pub(crate) fn lists(&self, cluster: &Cluster) -> Vec<Listed> {
        let (namespace, target) = (self.subject.namespace, self.subject.target);
        let primary = self.subject.key(kinds::DEPLOYMENT, Side::Primary).name().to_owned();
        let by = [
            (BY_SCALED, target.to_owned()),
            (BY_SCALED, primary),
            (BY_CONTROLLER, self.subject.owner.uid.clone()),
        ];
        // Kinds of a group with a dot have a definition, which not every cluster has.
        let is_defined = |kind: &Kind| {
            !kind.group.contains('.') || matches!(cluster.look(&kind.definition()), Seen::Present(_))
        };
        let kinds = self.subject.settings.catalog.scalers().map(|scaler| scaler.kind()).filter(is_defined);
        kinds
            .flat_map(|kind| {
                by.iter().map(move |(index, value)| Listed {
                    kind,
                    namespace: namespace.to_owned(),
                    index,
                    value: value.clone(),
                })
            })
            .collect()
    }

    /// The definitions of the kinds that not every cluster serves.
    pub(crate) fn definitions(settings: &Settings) -> impl Iterator<Item = ObjectKey> {
        let kinds =
            settings.catalog.scalers().map(|scaler| scaler.kind()).filter(|kind| kind.group.contains('.'));
        kinds.map(|kind| kind.definition())
    }

    /// Adds every autoscaler of these lists to `have`. Returns whether all are known: kinds that cannot be watched
    /// count as absent.
    pub(crate) fn gather(&self, cluster: &Cluster, lists: &[Listed], have: &mut Objects) -> bool {
        let mut known = Self::definitions(self.subject.settings).all(|definition| {
            cluster.look(&definition).is_known() || cluster.trouble(definition.kind()).is_some()
        });
        for Listed { kind, namespace, index, value } in lists {
            let listed = cluster.list_by(*kind, namespace, index, value);
            known &= listed.is_some() || cluster.trouble(*kind).is_some();
            for live in listed.unwrap_or_default() {
                let key = ObjectKey::new(*kind, namespace, meta::text(&live, "/metadata/name"));
                have.insert(key, Seen::Present(live));
            }
        }
        known
    }

    /// What makes the primary's scaler as wanted, and removes those that the Canary no longer names.
    ///
    /// # Errors
    /// When the user's scaler is missing, not known, or not the user's; the text says what to do.
    pub(crate) fn primary(&self, have: &Objects) -> Result<Vec<Change>, WorkloadError> {
        let mut changes =
            abandoned(&self.subject, self.subject.scaler(), &listed(self.subject.settings, have));
        if let Some((scaler, reference)) = self.named {
            changes.extend(scaler.primary(&self.subject, reference, have)?);
        }
        Ok(changes)
    }

    /// The same as a state.
    pub(crate) fn sync_state(&self, have: &Objects) -> SyncState {
        match self.primary(have) {
            Ok(changes) if changes.is_empty() => SyncState::InSync,
            Ok(_) => SyncState::OutOfSync,
            Err(WorkloadError::NotKnown { .. }) => SyncState::NotKnown,
            Err(error) => SyncState::Invalid(error.to_string()),
        }
    }

    /// The state of the target's autoscaler.
    pub(crate) fn of_target(&self, have: &Objects) -> TargetScaler {
        match (self.pause(have), self.resume(have)) {
            (Ok(Some(_)), _) => TargetScaler::Scales,
            (_, Ok(Some(_))) => TargetScaler::Rests,
            _ => TargetScaler::None,
        }
    }

    /// Pauses the target's autoscaler; `None` if it is paused.
    ///
    /// # Errors
    /// When it is not known.
    pub(crate) fn pause(&self, have: &Objects) -> Result<Option<Change>, WorkloadError> {
        self.named.map_or(Ok(None), |(scaler, reference)| scaler.pause(&self.subject, reference, have))
    }

    /// Resumes the target's autoscaler; `None` if Vexil did not pause it.
    ///
    /// # Errors
    /// When it is not known.
    pub(crate) fn resume(&self, have: &Objects) -> Result<Option<Change>, WorkloadError> {
        self.named.map_or(Ok(None), |(scaler, reference)| scaler.resume(&self.subject, reference, have))
    }

    /// Autoscalers of target or primary that the Canary does not name, in words.
    pub(crate) fn rivals(&self, have: &Objects) -> Vec<String> {
        rivals(&self.subject, self.subject.scaler(), &listed(self.subject.settings, have))
    }
}

fn listed<'h>(settings: &Settings, have: &'h Objects) -> Vec<(ObjectKey, &'h serde_json::Value)> {
    let kinds: Vec<_> = settings.catalog.scalers().map(|scaler| scaler.kind()).collect();
    let scalers = have.iter().filter(|(key, _)| kinds.contains(&key.kind()));
    scalers.filter_map(|(key, seen)| Some((key.clone(), seen.object()?))).collect()
}
