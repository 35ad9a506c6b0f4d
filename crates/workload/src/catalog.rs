//! The kinds of targets and autoscalers that an operator supports. Both lists are open: an operator adds its own to
//! those of this crate.

use std::{collections::BTreeSet, fmt};

use vexil_api::canary::ScalerRef;

use crate::{Scaler, Workload, WorkloadError, scaler::SCALERS, workload::KINDS};

/// The kinds of targets and autoscalers that an operator supports.
#[derive(Clone)]
pub struct WorkloadCatalog {
    workloads: Vec<&'static dyn Workload>,
    scalers: Vec<&'static dyn Scaler>,
}

/// Every kind of this crate.
impl Default for WorkloadCatalog {
    fn default() -> Self {
        WorkloadCatalog { workloads: KINDS.to_vec(), scalers: SCALERS.to_vec() }
    }
}

impl WorkloadCatalog {
    /// Adds a kind of target. It replaces one of the same kind.
    #[must_use]
    pub fn with_workload(mut self, workload: &'static dyn Workload) -> Self {
        self.workloads.retain(|known| known.name() != workload.name());
        self.workloads.push(workload);
        self
    }

    /// Adds a kind of autoscaler. It replaces one of the same kind.
    #[must_use]
    pub fn with_scaler(mut self, scaler: &'static dyn Scaler) -> Self {
        self.scalers.retain(|known| known.kind().kind != scaler.kind().kind);
        self.scalers.push(scaler);
        self
    }

    /// The workload behind [`vexil_api::TargetRef::bound_kind`].
    ///
    /// # Errors
    /// If there is no such kind; Flagger would take it for a Deployment.
    pub fn workload(&self, kind: &str) -> Result<&'static dyn Workload, WorkloadError> {
        self.workloads.iter().copied().find(|workload| workload.name() == kind).ok_or_else(|| {
            WorkloadError::UnknownKind { kind: kind.to_owned(), known: self.names().0.join(", ") }
        })
    }

    /// The autoscaler behind `spec.autoscalerRef.kind`. Its `apiVersion` decides nothing: the versions of old guides
    /// are not served any more, and mean the current one.
    ///
    /// # Errors
    /// If there is no such kind; Flagger would go on without an autoscaler.
    pub fn scaler(&self, reference: &ScalerRef) -> Result<&'static dyn Scaler, WorkloadError> {
        self.scalers.iter().copied().find(|scaler| scaler.kind().kind == reference.kind).ok_or_else(|| {
            let known: Vec<_> = self.scalers.iter().map(|scaler| scaler.kind().kind).collect();
            WorkloadError::UnknownScaler { kind: reference.kind.clone(), known: known.join(", ") }
        })
    }

    /// Every kind of autoscaler.
    pub fn scalers(&self) -> impl Iterator<Item = &'static dyn Scaler> {
        self.scalers.iter().copied()
    }

    /// The names of the kinds of targets and of autoscalers.
    pub fn names(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        let mut workloads: Vec<_> = self.workloads.iter().map(|workload| workload.kind().kind).collect();
        // A Service of Knative is one, too.
        let mut seen = BTreeSet::new();
        workloads.retain(|kind| seen.insert(*kind));
        (workloads, self.scalers.iter().map(|scaler| scaler.kind().kind).collect())
    }
}

impl fmt::Debug for WorkloadCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WorkloadCatalog").field(&self.names()).finish()
    }
}

/// Two catalogs are equal if they have the same kinds.
impl PartialEq for WorkloadCatalog {
    fn eq(&self, other: &Self) -> bool {
        self.names() == other.names()
    }
}

impl Eq for WorkloadCatalog {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Deployments, scaler::SCALERS};

    #[test]
    fn a_kind_that_is_added_replaces_one_of_the_same_kind() {
        let catalog = WorkloadCatalog::default();
        let own = catalog.clone().with_workload(&Deployments).with_scaler(SCALERS[0]);
        let sorted = |catalog: &WorkloadCatalog| {
            let (mut workloads, mut scalers) = catalog.names();
            workloads.sort_unstable();
            scalers.sort_unstable();
            (workloads, scalers)
        };
        assert_eq!(sorted(&own), sorted(&catalog));
        assert_eq!(own.workload("Deployment").unwrap().kind(), Deployments.kind());
    }
}
