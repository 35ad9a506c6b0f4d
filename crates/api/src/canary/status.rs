//! What the operator remembers: the reference's status (`operator.md` 8.4, `analysis.md` section 5) and the engine's
//! memory.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use crate::number;

/// The status of a Canary. The fields from `lastStepTime` on are Vexil's own; they are absent under the reference, and
/// a cluster whose CRD does not list them drops them.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CanaryStatus {
    /// Where the rollout stands.
    #[schemars(with = "String")]
    pub phase: CanaryPhase,
    /// Failed checks of this run; kept after a promotion, zero after a rollback.
    #[serde(deserialize_with = "number::int_or_zero")]
    pub failed_checks: i64,
    /// The canary's weight, in percent.
    #[serde(deserialize_with = "number::int_or_zero")]
    pub canary_weight: i64,
    /// Finished checks of A/B testing and Blue/Green.
    #[serde(deserialize_with = "number::int_or_zero")]
    pub iterations: i64,
    /// Checksums of the tracked ConfigMaps and Secrets by `configmap/<name>` or `secret/<name>`; absent when none are
    /// tracked.
    pub tracked_configs: Option<BTreeMap<String, String>>,
    /// Digest of the target that the last run was started for.
    pub last_applied_spec: Option<String>,
    /// Digest of the target that was promoted last.
    pub last_promoted_spec: Option<String>,
    /// Cookie of the current run, `name=value`.
    pub session_affinity_cookie: Option<String>,
    /// Cookie of the primary, `name=value`.
    pub primary_session_affinity_cookie: Option<String>,
    /// Cookie of the run before, still being taken back from clients.
    pub previous_session_affinity_cookie: Option<String>,
    /// When phase, weight, iterations or failed checks last changed.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_transition_time: Option<Time>,
    /// `Promoted`: what became of the last revision. `Ready`: whether the Canary is accepted and nothing is waited for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,

    /// `metadata.generation` of the Canary that the status was written for.
    pub observed_generation: Option<i64>,
    /// What traffic depends on: target, provider, apex and route in force. An edit moves it in a safe order.
    pub binding: Option<Binding>,
    /// Earlier bindings whose objects are still to be released.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub previous_bindings: Vec<Binding>,
    /// Limits of the last valid spec; they hold while the spec is invalid.
    pub limits: Option<Limits>,
    /// Whether the `pre-rollout` hooks have passed in this run.
    pub prepared: Option<bool>,
    /// Time that earlier waits took of this step, in milliseconds; counts towards `spec.progressDeadlineSeconds`.
    pub waited_ms: Option<u64>,
    /// When the last analysis step was decided, in milliseconds since the epoch; the next is due one interval later.
    pub last_step_time: Option<u64>,
    /// Number of the run, counted from the first.
    pub run: Option<u64>,
    /// Digest of the target that the primary was made of.
    pub primary_spec: Option<String>,
    /// The weight that is asked for again when the canary, at 0 because no pod of it was ready, is ready again.
    #[serde(deserialize_with = "number::int")]
    pub withheld_weight: Option<i64>,
    /// The run is ending like this; absent before and after.
    pub ending: Option<Ending>,
    /// Until when requests under way may finish before the scale-down, in milliseconds since the epoch.
    pub drain_until: Option<u64>,
    /// What is waited for, once it has lasted long enough to be told.
    pub wait: Option<Wait>,
    /// The result whose `post-rollout` hooks are still to be asked.
    pub post_rollout: Option<Ending>,
    /// Notices that are still to be delivered.
    pub outbox: Option<Outbox>,
}

/// Where a rollout stands (`analysis.md` section 8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CanaryPhase {
    /// Nothing was done yet.
    #[default]
    #[serde(rename = "")]
    Unset,
    /// The primary is being made.
    Initializing,
    /// The primary runs, nothing was rolled out yet.
    Initialized,
    /// A new revision waits for `confirm-rollout`.
    Waiting,
    /// A new revision is being analysed.
    Progressing,
    /// The analysis is over; `confirm-promotion` is waited for.
    WaitingPromotion,
    /// The primary is being updated.
    Promoting,
    /// Traffic is back on the primary.
    Finalising,
    /// Promoted.
    Succeeded,
    /// Rolled back.
    Failed,
    /// The Canary is being deleted.
    Terminating,
    /// Everything is given back.
    Terminated,
}

/// A condition (`analysis.md` section 6).
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// `Promoted` or `Ready`.
    #[serde(rename = "type")]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The phase, or why the Canary is not accepted.
    pub reason: String,
    /// For the reader.
    pub message: Option<String>,
    /// `metadata.generation` of the Canary that it was decided on; only of `Ready`.
    pub observed_generation: Option<i64>,
    /// When anything of it changed.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_update_time: Option<Time>,
    /// When `status` changed.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_transition_time: Option<Time>,
}

/// How a run ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Ending {
    /// The terminal phase it leads to.
    pub result: String,
    /// Why.
    pub cause: String,
}

/// What is waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Wait {
    /// Its kind; two waits of one kind are the same wait.
    pub kind: String,
    /// Since when, in milliseconds since the epoch.
    pub since: u64,
    /// How much of it was observed until `at`, in milliseconds.
    pub waited_ms: u64,
    /// When `waitedMs` was stored, in milliseconds since the epoch.
    pub at: u64,
    /// What is waited for, in words.
    pub message: String,
}

/// What traffic depends on.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Binding {
    /// Kind of the target.
    pub kind: String,
    /// Name of the target.
    pub target: String,
    /// Name of the primary workload.
    pub primary: String,
    /// Name of the apex Service.
    pub apex: String,
    /// The provider.
    pub provider: String,
    /// Port of the apex Service.
    pub port: Option<i64>,
    /// What else names the route: `routeRef`, `upstreamRef`, annotations of the mesh.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub references: BTreeMap<String, String>,
    /// The route object.
    pub route: Option<RouteObject>,
    /// Labels that select the target's pods.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub selector: BTreeMap<String, String>,
}

/// A route object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteObject {
    /// Its `apiVersion`.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace; empty for one of the whole cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Limits of a rollout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// Time between two steps, in milliseconds.
    pub interval_ms: u64,
    /// How long a wait may last, in milliseconds.
    pub deadline_ms: u64,
    /// Failed checks that end a rollout.
    pub threshold: u32,
}

/// Notices that are still to be delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Outbox {
    /// Number of the next notice.
    pub next: u64,
    /// Notices that were dropped because there were too many.
    pub lost: u64,
    /// The notices, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<OutboxEntry>,
}

/// A notice that is still to be delivered.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OutboxEntry {
    /// Its number.
    pub seq: u64,
    /// Type of the Event.
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub type_: EventType,
    /// Level of the log line.
    pub level: String,
    /// The text.
    pub message: String,
    /// The phase it was told in.
    #[schemars(with = "String")]
    pub phase: CanaryPhase,
    /// When, in milliseconds since the epoch.
    pub time: u64,
    /// The alert that goes with it.
    pub alert: Option<OutboxAlert>,
    /// The receivers that have not got it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
}

/// The alert that goes with a notice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OutboxAlert {
    /// `info`, `warn` or `error`.
    pub severity: String,
    /// Its text.
    pub message: String,
}

/// Type of a Kubernetes Event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EventType {
    /// As planned.
    #[default]
    Normal,
    /// Not as planned.
    Warning,
}
