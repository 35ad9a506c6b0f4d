//! The contract of a kind of target, and the list of the kinds there are.

use serde_json::Value;
use vexil_analysis::{Known, Readiness, Revision};
use vexil_object::{Change, Kind, ObjectKey, Objects};

use crate::{
    ConfigReferences, CoreServices, DaemonSets, Deployments, KnativeServices, Ownership, PrimaryTemplate,
    Selector, ServicePort, Side, Subject, TrackedConfigs, WorkloadError, configs,
};

/// Every kind of target. A new one is a folder that implements [`Workload`], and a line here.
pub(crate) const KINDS: &[&dyn Workload] = &[&Deployments, &DaemonSets, &CoreServices, &KnativeServices];

/// One kind of target and its primary. `have` may hold projections; a `target` of its own is the whole object, as one
/// GET returned it.
///
/// The defaults are those of a kind without pods of its own. A kind that has some overrides [`Workload::replicas`],
/// [`Workload::scales`], [`Workload::scale_up`], [`Workload::scale_to_zero`] and [`Workload::unpublished`] together.
pub trait Workload: Send + Sync {
    /// The kind of the target, and of a primary that is a copy of it.
    fn kind(&self) -> Kind;

    /// What the binding of a Canary calls it ([`vexil_api::TargetRef::bound_kind`]).
    fn name(&self) -> &'static str {
        self.kind().kind
    }

    /// The object of one side. `Absent` where nothing names one.
    fn object(&self, subject: &Subject<'_>, side: Side, have: &Objects) -> Known<ObjectKey> {
        let _ = have;
        Known::Present(subject.key(self.kind(), side))
    }

    /// Whether the primary is a copy of the target, which is made for the Canary and deleted with it.
    fn copies(&self) -> bool {
        true
    }

    /// The objects it still has to see; empty once `have` holds the target, the primary and, where there is a scaler,
    /// what that needs.
    fn needs(&self, subject: &Subject<'_>, have: &Objects) -> Vec<ObjectKey>;

    /// The label that distinguishes canary pods from primary pods.
    ///
    /// # Errors
    /// When there is none, or the primary is not ours or has another one.
    fn selector(&self, subject: &Subject<'_>, have: &Objects) -> Result<Selector, WorkloadError>;

    /// The target's ports to publish besides `service`, as name and number. A target that is a Service publishes its
    /// own alone, and these are all of them.
    ///
    /// # Errors
    /// When the target is missing or not known.
    fn ports(
        &self,
        subject: &Subject<'_>,
        service: &ServicePort<'_>,
        have: &Objects,
    ) -> Result<Vec<(String, u16)>, WorkloadError>;

    /// What an object of this kind runs apart from its configuration; `None` when it has no pod template.
    fn revision(&self, object: &Value) -> Option<Revision>;

    /// The revision that the primary runs, if the object itself says so; then its owner does not matter.
    fn primary_revision(&self, primary: &Value) -> Option<Revision> {
        let _ = primary;
        None
    }

    /// Ready addresses of one side, where no Service of ours has them: 1 for a side that serves. `analysed`: the
    /// revision that may get traffic. `None`: the EndpointSlices of the Services say.
    fn addresses(
        &self,
        subject: &Subject<'_>,
        side: Side,
        analysed: Option<&Revision>,
        have: &Objects,
    ) -> Option<Known<u32>> {
        let _ = (subject, side, analysed, have);
        None
    }

    /// What the word `route` stands for in metric queries, where it is not what the spec of the Canary names.
    fn query_route<'a>(&self, subject: &Subject<'_>, have: &'a Objects) -> Option<&'a str> {
        let _ = (subject, have);
        None
    }

    /// The ConfigMaps and Secrets that the pods of an object of this kind use.
    fn configs(&self, object: &Value) -> ConfigReferences;

    /// The checksums of those of the target that are tracked.
    ///
    /// # Errors
    /// If one is not known, a required one is missing, or a copy of that name does not belong to a Canary.
    fn tracked(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        have: &Objects,
    ) -> Result<TrackedConfigs, WorkloadError> {
        configs::tracked(subject, &self.configs(target), have)
    }

    /// What the target is: its pod template with its configuration.
    ///
    /// # Errors
    /// As [`Workload::tracked`].
    fn target_revision(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        have: &Objects,
    ) -> Result<Option<Revision>, WorkloadError> {
        let tracked = self.tracked(subject, target, have)?;
        Ok(self.revision(target).map(|template| configs::revision(&template, &tracked)))
    }

    /// Whether `primary` was copied from a target of that revision.
    fn holds(&self, primary: &Value, revision: &Revision) -> bool;

    /// Whether the live `primary` still runs the template that was last written to it, and whether that is a copy of
    /// `held`, the revision that the status remembers for it (`None`: not known which). See [`PrimaryTemplate`].
    fn template(&self, primary: &Value, held: Option<&Revision>) -> PrimaryTemplate;

    /// Whose the object under the primary's name is. Only one that is [`Ownership::Ours`] is ever written, judged ready
    /// or sent traffic by name.
    fn ownership(&self, subject: &Subject<'_>, primary: &Value) -> Ownership {
        subject.ownership(primary)
    }

    /// Pods of an object of this kind that are available, whatever revision they run.
    fn available(&self, object: &Value) -> u32;

    /// How many pods an object of this kind asks for: 0 is asleep (its autoscaler or a person wants none), which is not
    /// the same as none being ready. `None` for a kind that does not count its pods.
    fn replicas(&self, object: &Value) -> Option<u32> {
        let _ = object;
        None
    }

    /// Whether an object of this kind has pods that can be given to it and taken away.
    fn scales(&self) -> bool {
        false
    }

    /// Whether the primary runs what a copy of `target` would run, whichever operator created it: for taking over from
    /// another operator, whose stamps mean nothing to us. `tracked` are the ConfigMaps and Secrets whose copies another
    /// operator has the primary use; where `have` holds the whole primary, these count as what they were copied from.
    ///
    /// # Errors
    /// When the target is not whole, or the primary is missing, not known or not ours.
    fn matches_primary(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        tracked: &TrackedConfigs,
        have: &Objects,
    ) -> Result<bool, WorkloadError>;

    /// Container ports of the target that are published by no Service though the user has asked for port discovery, one
    /// sentence each.
    fn unpublished(&self, subject: &Subject<'_>, service: &ServicePort<'_>, have: &Objects) -> Vec<String> {
        let _ = (subject, service, have);
        Vec::new()
    }

    /// Makes the primary from the target. `expected` is the revision that may be copied; `None` at the first
    /// initialisation, when whatever runs is what users have.
    ///
    /// # Errors
    /// When the target is not whole, a generated name would be too long, or an object of the primary's name is not
    /// ours.
    fn create_primary(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        expected: Option<&Revision>,
        have: &Objects,
    ) -> Result<PrimaryCopy, WorkloadError>;

    /// Copies the target to the existing primary, if it still is the revision that was analysed.
    ///
    /// # Errors
    /// As [`Workload::create_primary`], and when there is no primary.
    fn promote(
        &self,
        subject: &Subject<'_>,
        target: &Value,
        expected: &Revision,
        have: &Objects,
    ) -> Result<PrimaryCopy, WorkloadError>;

    /// Whether the pods of one side are as wanted.
    ///
    /// # Errors
    /// When the object is missing, not known or, for the primary, not ours.
    fn readiness(
        &self,
        subject: &Subject<'_>,
        side: Side,
        demand: &Demand,
        have: &Objects,
    ) -> Result<Readiness, WorkloadError>;

    /// The query for the pods of one side, to name those that do not become ready; `None` when the object does not
    /// exist.
    fn pod_query(&self, subject: &Subject<'_>, side: Side, have: &Objects) -> Option<String>;

    /// Gives the target the pods a rollout needs. `None` when it has them already.
    ///
    /// # Errors
    /// When the target, the primary or the scaler is not known, the target is missing, or the primary is not ours.
    fn scale_up(&self, subject: &Subject<'_>, have: &Objects) -> Result<Option<Scaling>, WorkloadError> {
        let _ = (subject, have);
        Ok(None)
    }

    /// Gives the target the pods that it needs when the Canary is gone: as many as the primary has. `None` when it has
    /// them already.
    ///
    /// # Errors
    /// As [`Workload::scale_up`].
    fn revert(&self, subject: &Subject<'_>, have: &Objects) -> Result<Option<Scaling>, WorkloadError> {
        self.scale_up(subject, have)
    }

    /// Takes the target's pods away. `None` when it has none.
    ///
    /// # Errors
    /// When the target is missing or not known.
    fn scale_to_zero(&self, subject: &Subject<'_>, have: &Objects) -> Result<Option<Change>, WorkloadError> {
        let _ = (subject, have);
        Ok(None)
    }

    /// Flagger's message for a write that the API server refused with `error`.
    fn refused(&self, subject: &Subject<'_>, write: Write, error: &str) -> String;
}

/// What came of the wish to copy the target to the primary.
#[derive(Clone, Debug, PartialEq)]
pub enum PrimaryCopy {
    /// The primary runs the revision already; nothing is to be done.
    Held,
    /// A primary shall be made, but there is one of ours that runs something else; it is not overwritten.
    Exists,
    /// Write this; then the primary holds `revision`.
    Write {
        /// The create or the patch of the primary.
        change: Change,
        /// The revision of the bytes that are copied.
        revision: Revision,
    },
    /// The target has moved on from the expected revision; nothing may be copied.
    Moved {
        /// What the target is now.
        found: Revision,
    },
}

/// The target's way up.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// The number of pods it shall have, 1 or more.
    pub replicas: i64,
    /// The patch of the target.
    pub change: Change,
}

/// A write to a workload, for telling which one was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Making the primary.
    CreatePrimary,
    /// Copying the target to the primary.
    Promote,
    /// Giving the target this many pods.
    ScaleUp(i64),
    /// Taking the target's pods away.
    ScaleToZero,
}

/// What a workload must show to be ready. Time is not part of it: how long pods may be waited for is counted where it
/// is observed, so that no clock but the operator's matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// `analysis.primaryReadyThreshold` or `canaryReadyThreshold`: percent of the updated pods that must be available.
    pub threshold_percent: u32,
    /// Whether a workload that wants no pods is not ready, as for the canary during its analysis. A primary may be
    /// at zero because its scaler says so.
    pub some_pod: bool,
}

impl Default for Demand {
    fn default() -> Self {
        Demand { threshold_percent: 100, some_pod: true }
    }
}
