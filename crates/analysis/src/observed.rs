//! What was observed in the cluster, reduced to what decisions depend on.

use std::collections::BTreeMap;

use crate::{Millis, Readiness, Revision, Route, Routes};

/// What was observed when a reconcile began, or after its last effect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Observed {
    /// The user's workload, which is the canary's during a rollout.
    pub target: Known<Pods>,
    /// The primary.
    pub primary: Known<Pods>,
    /// The `-primary` and `-canary` Services.
    pub backends: SyncState,
    /// The apex Service.
    pub apex: SyncState,
    /// The primary's copies of ConfigMaps and Secrets; fits when there are none to keep.
    pub configs: SyncState,
    /// The primary's autoscaler; fits when the user has none.
    pub scaler: SyncState,
    /// What the target's autoscaler does.
    pub target_scaler: TargetScaler,
    /// The route objects.
    pub routes: LiveRoutes,
    /// Why the route cannot be made or read before something of the user's is put right. Observed only in an
    /// initialisation, before the primary is made.
    pub unroutable: Option<String>,
    /// Whether gateways apply them.
    pub acceptance: Acceptance,
    /// Ready addresses behind the `-primary` Service, as gateways know them.
    pub primary_addresses: Known<u32>,
    /// Ready addresses behind the `-canary` Service.
    pub canary_addresses: Known<u32>,
    /// During a migration: the Services as the binding before this one needs them, when its primary has a ready pod and
    /// they have the same names. `None` without such a primary.
    pub former: Option<SyncState>,
    /// What is left of earlier bindings; fits when nothing is.
    pub leftovers: SyncState,
    /// The object that the router writes; `None` when it needs none, or does not know which yet.
    pub route: Option<Route>,
    /// Labels that select the target's pods; empty when the target is not there.
    pub selector: BTreeMap<String, String>,
    /// The Canary is being deleted, and its target is to take over again (`revertOnDeletion`).
    pub deleted: bool,
    /// Whether the target has the pods and the autoscaler that it needs without a Canary; known during a deletion.
    pub reverted: SyncState,
    /// Whether the apex and the routes of the user lead to the target again; known during a deletion.
    pub traffic: SyncState,
    /// Since when this process observes the Canary. A drain that was over before is not trusted: the time that is
    /// stored may be of another clock.
    pub since: Millis,
}

impl Observed {
    /// The primary can take traffic: a gateway knows a ready address of it.
    pub fn primary_serves(&self) -> bool {
        matches!(self.primary_addresses, Known::Present(n) if n > 0)
    }

    /// The canary can take traffic.
    pub fn canary_serves(&self) -> bool {
        matches!(self.canary_addresses, Known::Present(n) if n > 0)
    }

    /// It is certain that no gateway knows a ready address of the primary, though it should have pods.
    pub fn primary_is_gone(&self) -> bool {
        !self.primary_sleeps() && matches!(self.primary_addresses, Known::Absent | Known::Present(0))
    }

    /// The primary is wanted to have no pods: its autoscaler, or a user, scaled it to zero. Not a failure: it is scaled
    /// up when it is needed.
    pub fn primary_sleeps(&self) -> bool {
        self.primary.present().is_some_and(|pods| pods.replicas == 0)
    }

    /// Traffic may go to the primary: it serves, or it is wanted to have no pods.
    pub fn primary_takes_traffic(&self) -> bool {
        self.primary_serves() || self.primary_sleeps()
    }

    /// No pod of the primary works, although some should: a revision that was pushed is the cure. Pods that work
    /// without a ready address, because their Service was deleted, are none that a revision heals.
    pub(crate) fn primary_is_down(&self) -> bool {
        let works = self.primary.present().is_some_and(|pods| pods.available > 0);
        self.primary == Known::Absent || self.primary_is_gone() && !works
    }

    /// Why the primary is not ours to write, when it is not.
    pub fn primary_owner_conflict(&self) -> Option<&str> {
        self.primary.present().and_then(|pods| pods.owner_conflict.as_deref())
    }

    /// It is certain that no gateway knows a ready address of the canary.
    pub fn canary_is_gone(&self) -> bool {
        matches!(self.canary_addresses, Known::Absent | Known::Present(0))
    }
}

/// Something that exists, does not exist, or is not known yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Known<T> {
    /// Not looked at yet, or the last write has an unknown outcome. Nothing is decided on it.
    #[default]
    NotKnown,
    /// It does not exist.
    Absent,
    /// It exists.
    Present(T),
}

impl<T> Known<T> {
    /// The value when it exists.
    pub fn present(&self) -> Option<&T> {
        match self {
            Known::Present(value) => Some(value),
            Known::NotKnown | Known::Absent => None,
        }
    }
}

/// What was observed of a workload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pods {
    /// For the target: the revision of its template. For the primary: the revision it was copied from; `None` when it
    /// is not recorded.
    pub revision: Option<Revision>,
    /// Replicas that it asks for.
    pub replicas: u32,
    /// Pods that are available, of whatever revision.
    pub available: u32,
    /// Whether they are there.
    pub readiness: Readiness,
    /// Who owns it, when the Canary does not; the text says what the user has to do. Always `None` for the target.
    pub owner_conflict: Option<String>,
    /// Its template is not what was copied last: someone else edited it or rolled it back.
    pub edited: bool,
}

impl Pods {
    /// A workload whose pods are all available.
    pub fn ready(revision: Revision, replicas: u32) -> Self {
        Pods {
            revision: Some(revision),
            replicas,
            available: replicas,
            readiness: Readiness::Ready,
            owner_conflict: None,
            edited: false,
        }
    }
}

/// Whether objects are as wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum SyncState {
    /// Not looked at yet.
    #[default]
    NotKnown,
    /// As wanted.
    InSync,
    /// Something that the operator owns differs.
    OutOfSync,
    /// Something that the operator owns does not exist.
    Missing,
    /// The operator cannot write it as it is; the text says what the user has to do.
    Invalid(String),
}

/// What the target's autoscaler does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TargetScaler {
    /// Nothing that concerns us: there is none, or it leaves a target alone that has no pods.
    #[default]
    None,
    /// It gives the target pods whenever it sees fit.
    Scales,
    /// The operator has paused it.
    Rests,
}

/// What the gateways of a route report about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Acceptance {
    /// They apply it as it is, or the product has no such reports.
    #[default]
    Accepted,
    /// A gateway still applies an earlier version of it; the text says which.
    Outdated(String),
    /// A gateway does not apply it, or never reported on it; the text says which, and why.
    Refused(String),
}

/// What the route objects say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum LiveRoutes {
    /// Not looked at yet.
    #[default]
    NotKnown,
    /// There is no route object.
    Absent,
    /// They can be read.
    Present {
        /// The weights.
        routes: Routes,
        /// Whether everything but the weights is as wanted.
        in_sync: bool,
    },
    /// Their weights cannot be read with certainty, or they have another owner; the text says what the user has to do.
    Invalid(String),
}
