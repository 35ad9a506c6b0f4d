//! The Canary's `status`: Flagger's fields and those in which the engine's memory is stored.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with_macros::skip_serializing_none;

use super::Binding;
use crate::number;

/// Observed state of a Canary.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CanaryStatus {
    /// Phase of the rollout.
    #[schemars(with = "String")]
    pub phase: CanaryPhase,
    /// Number of failed checks in this run. Kept after a promotion, zero after a rollback.
    #[serde(deserialize_with = "number::int_or_zero")]
    pub failed_checks: i64,
    /// Traffic weight of the canary, in percent.
    #[serde(deserialize_with = "number::int_or_zero")]
    pub canary_weight: i64,
    /// Number of finished analysis steps of A/B testing and Blue/Green.
    #[serde(deserialize_with = "number::int_or_zero")]
    pub iterations: i64,
    /// Checksums of the tracked ConfigMaps and Secrets, by `configmap/<name>` or `secret/<name>`.
    pub tracked_configs: Option<BTreeMap<String, String>>,
    /// Checksum of the target's pod template that the last run was started for.
    pub last_applied_spec: Option<String>,
    /// Checksum of the target's pod template that was promoted last.
    pub last_promoted_spec: Option<String>,
    /// Cookie of the current run, as `name=value`.
    pub session_affinity_cookie: Option<String>,
    /// Cookie of the primary, as `name=value`.
    pub primary_session_affinity_cookie: Option<String>,
    /// Cookie of the previous run, which is being deleted from clients.
    pub previous_session_affinity_cookie: Option<String>,
    /// Last time the phase, weight, iterations or failed checks changed.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_transition_time: Option<Time>,
    /// Conditions of the Canary. `Promoted` is the result of the last revision; `Ready` is whether the spec
    /// is valid and nothing is pending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,

    // The fields from here on are Vexil's own. Flagger does not write them, and the API server drops them unless
    // Vexil's definition is installed.
    /// The `metadata.generation` that this status was written for.
    pub observed_generation: Option<i64>,
    /// Objects that traffic depends on: target, provider, apex Service and route. If the spec is edited, they
    /// are replaced in an order that keeps traffic flowing.
    pub binding: Option<Binding>,
    /// Earlier bindings whose generated objects are still to be deleted or restored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub previous_bindings: Vec<Binding>,
    /// Limits of the last valid spec, in force while the spec is invalid.
    pub limits: Option<Limits>,
    /// Which requests reach the canary besides its traffic weight: `matched` for those that meet the conditions
    /// of A/B testing, `mirrored` for copies.
    pub exposure: Option<String>,
    /// Whether the `pre-rollout` webhooks of this run have passed.
    pub prepared: Option<bool>,
    /// Duration of earlier waits of this step, in milliseconds. Counts towards
    /// `spec.progressDeadlineSeconds`.
    pub waited_ms: Option<u64>,
    /// Time of the last analysis step, in milliseconds since the epoch. The next is due one interval later.
    pub last_step_time: Option<u64>,
    /// Number of the current run, starting from 1.
    pub run: Option<u64>,
    /// Checksum of the target's pod template that the primary was copied from.
    pub primary_spec: Option<String>,
    /// Weight to restore once the canary has a ready pod again. Set while its weight is 0 because no pod was
    /// ready.
    #[serde(deserialize_with = "number::int")]
    pub withheld_weight: Option<i64>,
    /// How the run ends. Set from the decision until the terminal phase.
    pub ending: Option<Ending>,
    /// Time until which requests in flight may finish before the canary is scaled down, in milliseconds since
    /// the epoch.
    pub drain_until: Option<u64>,
    /// How often that time was set anew because it had passed while no operator observed the Canary.
    pub drain_restarts: Option<u8>,
    /// Whether the Canary is being deleted and its target has taken the traffic again: apex and routes are given back.
    pub traffic_released: Option<bool>,
    /// What the rollout is waiting for. Set when the wait has lasted long enough to be reported.
    pub wait: Option<Wait>,
    /// Result whose `post-rollout` webhooks are still to be called.
    pub post_rollout: Option<Ending>,
    /// Events and alerts that are still to be delivered.
    pub outbox: Option<Outbox>,
    /// Digests of the warnings that were reported and are not repeated.
    pub reported_warnings: Option<ReportedWarnings>,
}

/// Phase of a rollout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CanaryPhase {
    /// Not processed yet.
    #[default]
    #[serde(rename = "")]
    Unset,
    /// The primary is being created.
    Initializing,
    /// The primary receives all traffic; no revision was rolled out yet.
    Initialized,
    /// A new revision waits for `confirm-rollout`.
    Waiting,
    /// A new revision is being analysed.
    Progressing,
    /// The analysis succeeded; the promotion waits for `confirm-promotion`.
    WaitingPromotion,
    /// The primary is being updated to the new revision.
    Promoting,
    /// All traffic is routed to the primary; the canary is being scaled down.
    Finalising,
    /// The last revision was promoted.
    Succeeded,
    /// The last revision was rolled back.
    Failed,
    /// The Canary is being deleted; the target is being restored.
    Terminating,
    /// The target is restored.
    Terminated,
}

/// Condition of a Canary.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// Type of the condition, `Promoted` or `Ready`.
    #[serde(rename = "type")]
    pub type_: String,
    /// Status of the condition: `True`, `False` or `Unknown`.
    pub status: String,
    /// Programmatic reason for the status: a phase, or why the Canary is not ready.
    pub reason: String,
    /// Human readable details about the status.
    pub message: Option<String>,
    /// The `metadata.generation` that the condition was set for. Only set for `Ready`.
    pub observed_generation: Option<i64>,
    /// Last time any field of the condition changed.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_update_time: Option<Time>,
    /// Last time `status` changed.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_transition_time: Option<Time>,
}

/// How a run ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Ending {
    /// Terminal phase of the run, `Succeeded` or `Failed`.
    pub result: String,
    /// Why the run ends.
    pub cause: String,
}

/// What a rollout is waiting for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Wait {
    /// Kind of the wait. Consecutive waits of one kind count as one.
    pub kind: String,
    /// Start of the wait, in milliseconds since the epoch.
    pub since: u64,
    /// Duration of the wait observed until `at`, in milliseconds.
    pub waited_ms: u64,
    /// Time at which `waitedMs` was written, in milliseconds since the epoch.
    pub at: u64,
    /// Human readable details about the wait.
    pub message: String,
}

/// Limits of a rollout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// Time between two analysis steps, in milliseconds.
    pub interval_ms: u64,
    /// Maximum duration of a wait, in milliseconds.
    pub deadline_ms: u64,
    /// Number of failed checks after which the rollout is rolled back.
    pub threshold: u32,
}

/// Events and alerts that are still to be delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Outbox {
    /// Sequence number of the next entry.
    pub next: u64,
    /// Number of entries that were dropped because the outbox was full.
    pub lost: u64,
    /// Entries, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<OutboxEntry>,
}

/// Event or alert that is still to be delivered.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OutboxEntry {
    /// Sequence number of the entry.
    pub seq: u64,
    /// Type of the Event, `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub type_: String,
    /// Level of the log line.
    pub level: String,
    /// Text of the Event.
    pub message: String,
    /// Phase of the Canary when the entry was added.
    #[schemars(with = "String")]
    pub phase: CanaryPhase,
    /// Time at which the entry was added, in milliseconds since the epoch.
    pub time: u64,
    /// Alert to send with the Event.
    pub alert: Option<OutboxAlert>,
    /// Receivers that are still to be notified.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
}

/// Digests of the warnings that were reported and are not repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ReportedWarnings {
    /// Warnings about the spec.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spec: Vec<u32>,
    /// Warnings about the cluster, the latest last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cluster: Vec<u32>,
}

/// Alert to send with an Event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OutboxAlert {
    /// Severity of the alert: `info`, `warn` or `error`.
    pub severity: String,
    /// Text of the alert.
    pub message: String,
    /// Whether the alert lists target, threshold, deadline and how traffic is shifted.
    pub details: Option<bool>,
}
