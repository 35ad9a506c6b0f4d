//! A Deployment seen narrowly: the same reads over the whole object and over what the cache keeps of it.

use serde_json::Value;
use vexil_analysis::Revision;
use vexil_object::meta;

use crate::{
    ConfigReferences, digests,
    metadata::{Pairs, pairs},
    revision::{FLAGGER_ID, flagger_id},
};

/// A Deployment, whole or projected.
#[derive(Clone, Copy, Debug)]
pub struct DeploymentView<'a>(&'a Value);

impl<'a> DeploymentView<'a> {
    /// Sees `object` as a Deployment.
    pub fn new(object: &'a Value) -> Self {
        DeploymentView(object)
    }

    /// The object that is seen.
    pub(crate) fn object(&self) -> &'a Value {
        self.0
    }

    /// `metadata.name`.
    pub fn name(&self) -> &'a str {
        meta::text(self.0, "/metadata/name")
    }

    /// `metadata.namespace`.
    pub fn namespace(&self) -> &'a str {
        meta::text(self.0, "/metadata/namespace")
    }

    /// How many pods are wanted; the API server's default is 1.
    pub fn desired(&self) -> i64 {
        self.0.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1)
    }

    /// The digest of the whole pod template; `None` for an object without one.
    pub fn revision(&self) -> Option<Revision> {
        digests::revision(self.0)
    }

    /// The digest of the pod template without its `flagger-id`.
    pub(crate) fn plain(&self) -> Option<String> {
        digests::plain(self.0)
    }

    /// The ConfigMaps and Secrets that its pods use.
    pub(crate) fn configs(&self) -> ConfigReferences {
        digests::configs(self.0)
    }

    /// The pod annotation that says which revision a primary was copied from.
    pub fn flagger_id(&self) -> Option<&'a str> {
        self.0.pointer("/spec/template/metadata/annotations")?.get(FLAGGER_ID)?.as_str()
    }

    /// Whether this primary was copied from a target of that revision.
    pub fn holds(&self, revision: &Revision) -> bool {
        self.flagger_id() == Some(flagger_id(revision).as_str())
    }

    /// Whether the Deployment controller has not yet looked at the latest spec.
    pub(crate) fn lags(&self) -> bool {
        let number = |pointer| self.0.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
        number("/metadata/generation") > number("/status/observedGeneration")
    }

    /// Whether every pod is of the latest template.
    pub(crate) fn is_rolled_out(&self) -> bool {
        let same = |one, other| self.counted(one) == self.counted(other);
        !self.lags()
            && same("updatedReplicas", "replicas")
            && same("updatedNumberScheduled", "desiredNumberScheduled")
    }

    /// A counter of the status; zero when unset.
    pub(crate) fn counted(&self, field: &str) -> i64 {
        self.0.pointer("/status").and_then(|status| status.get(field)?.as_i64()).unwrap_or(0)
    }

    /// A condition of the status.
    pub(crate) fn condition(&self, kind: &str) -> Option<Condition<'a>> {
        let conditions = self.0.pointer("/status/conditions")?.as_array()?;
        conditions.iter().find(|condition| meta::text(condition, "/type") == kind).map(Condition)
    }

    /// The containers of the pod template, init containers excluded.
    pub(crate) fn containers(&self) -> impl Iterator<Item = &'a Value> {
        self.0.pointer("/spec/template/spec/containers").and_then(Value::as_array).into_iter().flatten()
    }

    /// The label selector query that lists its pods, in the syntax of the API's `labelSelector` parameter
    /// (Kubernetes "Labels and Selectors").
    pub fn pod_query(&self) -> String {
        let labels: Pairs = pairs(self.0, "/spec/selector/matchLabels");
        let mut terms: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let expressions = self.0.pointer("/spec/selector/matchExpressions").and_then(Value::as_array);
        for expression in expressions.into_iter().flatten() {
            let key = meta::text(expression, "/key");
            let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
            let values: Vec<_> = values.filter_map(Value::as_str).collect();
            terms.extend(match meta::text(expression, "/operator") {
                "In" => Some(format!("{key} in ({})", values.join(","))),
                "NotIn" => Some(format!("{key} notin ({})", values.join(","))),
                "Exists" => Some(key.to_owned()),
                "DoesNotExist" => Some(format!("!{key}")),
                _ => None,
            });
        }
        terms.join(",")
    }
}

/// One condition of a Deployment's status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Condition<'a>(&'a Value);

impl<'a> Condition<'a> {
    /// `True`, `False` or `Unknown`.
    pub(crate) fn status(&self) -> &'a str {
        meta::text(self.0, "/status")
    }

    /// One word for programs.
    pub(crate) fn reason(&self) -> &'a str {
        meta::text(self.0, "/reason")
    }

    /// A sentence for people.
    pub(crate) fn message(&self) -> &'a str {
        meta::text(self.0, "/message")
    }
}
