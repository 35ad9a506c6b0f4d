//! What a router is told about the Canary whose traffic it splits.

use std::collections::BTreeMap;

use vexil_api::canary::CanarySpec;
use vexil_object::{Kind, Owner};

use crate::RouteError;

/// The Canary, seen by a router: names, owner and the user's own blocks.
#[derive(Clone, Debug)]
pub struct RouteTarget<'a> {
    /// Namespace of the Canary and of everything generated for it.
    pub namespace: &'a str,
    /// The apex: `spec.service.name`, else the target's name.
    pub apex: &'a str,
    /// The Canary as the owner of generated objects.
    pub owner: &'a Owner,
    /// Annotations of the Canary itself (some meshes are named there).
    pub annotations: &'a BTreeMap<String, String>,
    /// The user's spec.
    pub spec: &'a CanarySpec,
    /// The labels by which primary and canary pods are selected.
    pub selector: PodLabels<'a>,
    /// Container ports that port discovery found: name and number.
    pub discovered_ports: &'a [(String, u16)],
    /// The kind of the route object that the status records as in force. A router of several kinds stays with it as
    /// long as the cluster serves it: a kind that is served later does not move traffic.
    pub bound: Option<&'a BoundKind>,
}

/// The kind of the route object that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundKind {
    /// Its `apiVersion`.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
}

/// The labels by which the pods of a Canary are selected: all labels of the target's selector, one of them with another
/// value for the primary. One label alone would also select the pods of another release of the same chart.
#[derive(Clone, Copy, Debug)]
pub struct PodLabels<'a> {
    /// The key of the label that tells primary and canary pods apart.
    pub key: &'a str,
    /// What selects canary pods.
    pub canary: &'a BTreeMap<String, String>,
    /// What selects primary pods.
    pub primary: &'a BTreeMap<String, String>,
    /// The part of `primary` that every pod of the primary has in any case, also while its rollout is under way.
    pub always: &'a BTreeMap<String, String>,
    /// Whether every pod of the primary has all of `primary` by now.
    pub settled: bool,
}

impl RouteTarget<'_> {
    /// The kinds that a router can write, with the one in force first.
    pub fn preferred<T>(&self, mut kinds: Vec<T>, kind: impl Fn(&T) -> Kind) -> Vec<T> {
        if let Some(bound) = self.bound {
            kinds.sort_by_key(|of| {
                let of = kind(of);
                !(of.kind == bound.kind && of.api_version() == bound.api_version)
            });
        }
        kinds
    }

    /// Name of the Service of the primary pods.
    pub fn primary(&self) -> String {
        format!("{}-primary", self.apex)
    }

    /// Name of the Service of the canary pods.
    pub fn canary(&self) -> String {
        format!("{}-canary", self.apex)
    }

    /// `spec.service.port`.
    ///
    /// # Errors
    /// [`RouteError::Malformed`] when the Canary has none; one that was validated does.
    pub fn port(&self) -> Result<i64, RouteError> {
        self.spec.service.port.ok_or_else(|| RouteError::Malformed {
            object: format!("Canary {}.{}", self.owner.name, self.namespace),
            path: "spec.service.port".to_owned(),
            problem: "is missing".to_owned(),
        })
    }
}
