//! The Canary as a router sees it.

use std::{collections::BTreeMap, ops::Deref};

use vexil_api::CanaryView;
use vexil_object::Kind;

use crate::{RouteError, Side};

/// The Canary as a router sees it, and what was observed of it. It has the fields of the [`CanaryView`].
#[derive(Clone, Debug)]
pub struct RouteTarget<'a> {
    /// The Canary.
    pub view: CanaryView<'a>,
    /// The cookies of session affinity that the status records.
    pub cookies: SessionCookies<'a>,
    /// The labels by which primary and canary pods are selected.
    pub selector: PodLabels<'a>,
    /// Container ports that port discovery found, or all ports of a target that is a Service: name and number.
    pub discovered_ports: &'a [(String, u16)],
    /// The kind of the route object that the status records as in use. A router of several kinds keeps it as long as
    /// the cluster serves it, so that installing the CRD of another kind does not move traffic.
    pub bound: Option<&'a BoundKind>,
}

impl<'a> Deref for RouteTarget<'a> {
    type Target = CanaryView<'a>;

    fn deref(&self) -> &Self::Target {
        &self.view
    }
}

/// The cookies of session affinity that the status records, each as `name=value`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionCookies<'a> {
    /// The cookie of clients that reached the canary in this rollout.
    pub canary: Option<&'a str>,
    /// The cookie of clients that reached the primary.
    pub primary: Option<&'a str>,
    /// The canary's cookie of the rollout before, which is being deleted from clients.
    pub previous: Option<&'a str>,
}

/// The kind of the route object that is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundKind {
    /// Its `apiVersion`.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
}

/// The labels that select the pods of a Canary: all labels of the target's selector, one of them with another value for
/// the primary. A single label would also select the pods of another release of the same chart.
#[derive(Clone, Copy, Debug)]
pub struct PodLabels<'a> {
    /// The key of the label that distinguishes primary and canary pods.
    pub key: &'a str,
    /// Selects canary pods.
    pub canary: &'a BTreeMap<String, String>,
    /// Selects primary pods.
    pub primary: &'a BTreeMap<String, String>,
    /// The part of `primary` that every pod of the primary has at any time, also during its rollout.
    pub always: &'a BTreeMap<String, String>,
    /// Whether every pod of the primary has all of `primary`.
    pub settled: bool,
}

impl RouteTarget<'_> {
    /// The kinds that a router can write, with the one in use first.
    pub fn preferred(&self, mut kinds: Vec<Kind>) -> Vec<Kind> {
        if let Some(bound) = self.bound {
            kinds.sort_by_key(|of| !(of.kind == bound.kind && of.api_version() == bound.api_version));
        }
        kinds
    }

    /// Whether the target is a Service, of which the `-primary` and `-canary` Services are copies.
    pub fn copies_service(&self) -> bool {
        self.spec.target_ref.kind == "Service" && !self.spec.target_ref.is_knative()
    }

    /// Whether there are Services of ours. Knative makes those of its Revisions itself.
    pub fn has_services(&self) -> bool {
        !self.spec.target_ref.is_knative()
    }

    /// Name of the Service of a side's pods.
    pub fn service(&self, side: Side) -> String {
        match side {
            Side::Primary => self.primary(),
            Side::Canary => self.canary(),
        }
    }

    /// The side whose Service has this name.
    pub fn side(&self, service: &str) -> Option<Side> {
        [Side::Primary, Side::Canary].into_iter().find(|side| self.service(*side) == service)
    }

    /// Name of the main port of the Services: `spec.service.portName`, else `http`.
    pub fn port_name(&self) -> &str {
        self.spec.service.port_name.as_deref().filter(|name| !name.is_empty()).unwrap_or("http")
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
