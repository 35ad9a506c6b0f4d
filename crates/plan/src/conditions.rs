//! The conditions of a Canary: `Promoted` reports what became of the last revision, `Ready` whether the Canary is
//! accepted and makes progress. Both follow from the memory, so that they never contradict the phase.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use vexil_analysis::{Memory, Millis, Phase, WaitKind, Weight};
use vexil_api::{CanaryStatus, Condition, SessionAffinity};
use vexil_workload::TrackedConfigs;

use crate::status::{timestamp, wait_name};

/// What a status depends on besides the memory.
pub struct StatusContext<'a> {
    /// Kind of the target, for messages.
    pub kind: &'a str,
    /// `metadata.generation` of the Canary that was decided on.
    pub generation: Option<i64>,
    /// Why the Canary is refused, when it is.
    pub refused: Option<&'a str>,
    /// What `trackedConfigs` becomes.
    pub tracked: Tracked<'a>,
    /// The time.
    pub now: Millis,
    /// `metadata.uid` of the Canary.
    pub uid: &'a str,
    /// The session affinity that the plan asks for.
    pub affinity: Option<&'a SessionAffinity>,
}

impl<'a> StatusContext<'a> {
    /// The status at this time of a Canary whose target is of this kind. Its generation and uid are not known, it is
    /// not refused, and nothing about tracked ConfigMaps or session affinity changes.
    pub fn new(kind: &'a str, now: Millis) -> Self {
        StatusContext {
            kind,
            generation: None,
            refused: None,
            tracked: Tracked::Unchanged,
            now,
            uid: "",
            affinity: None,
        }
    }
}

/// What `status.trackedConfigs` becomes.
#[derive(Clone, Copy, Debug, Default)]
pub enum Tracked<'a> {
    /// As it is.
    #[default]
    Unchanged,
    /// Absent: nothing is tracked for a target of this kind, or tracking is disabled.
    Off,
    /// These checksums.
    Are(&'a TrackedConfigs),
}

impl Tracked<'_> {
    pub(crate) fn after(self, before: &CanaryStatus) -> Option<TrackedConfigs> {
        match self {
            Tracked::Unchanged => before.tracked_configs.clone(),
            Tracked::Off => None,
            Tracked::Are(checksums) => Some(checksums.clone()),
        }
    }
}

/// Reason of the conditions of a Canary that is refused.
const REFUSED: &str = "InvalidSpec";

/// Both conditions; one that did not change keeps the times of `before`.
pub(crate) fn conditions(
    memory: &Memory,
    context: &StatusContext<'_>,
    before: &CanaryStatus,
) -> Vec<Condition> {
    [promoted(memory, context), ready(memory, context)]
        .into_iter()
        .map(|condition| timed(condition, context, before))
        .collect()
}

/// Whether the condition `Ready` is not False.
pub fn is_ready(memory: &Memory, context: &StatusContext<'_>) -> bool {
    ready(memory, context).status != "False"
}

fn timed(wanted: Condition, context: &StatusContext<'_>, before: &CanaryStatus) -> Condition {
    let old = before.conditions.iter().find(|old| old.type_ == wanted.type_);
    let same = |old: &&Condition| {
        (&old.status, &old.reason, &old.message, old.observed_generation)
            == (&wanted.status, &wanted.reason, &wanted.message, wanted.observed_generation)
    };
    if let Some(old) = old.filter(same) {
        return old.clone();
    }
    let time = Some(Time(timestamp(context.now)));
    let turned =
        old.filter(|old| old.status == wanted.status).and_then(|old| old.last_transition_time.clone());
    Condition { last_update_time: time.clone(), last_transition_time: turned.or(time), ..wanted }
}

/// The texts are Flagger's. `kubectl wait --for=condition=promoted` returns for a revision that is rolled out only: not
/// for a Canary that is refused, nor while a new revision is not processed yet.
fn promoted(memory: &Memory, context: &StatusContext<'_>) -> Condition {
    let (kind, phase) = (context.kind, memory.phase);
    if let Some(text) = context.refused {
        return condition("Promoted", "False", REFUSED, text.to_owned());
    }
    if let Some((reason, text)) = held_up(memory).filter(|_| memory.at_rest()) {
        return condition("Promoted", "Unknown", &reason, text);
    }
    let (status, message) = match phase {
        Phase::Initialized => ("True", format!("{kind} initialization completed.")),
        Phase::Waiting | Phase::WaitingPromotion => ("Unknown", "Waiting for approval.".to_owned()),
        Phase::Progressing => ("Unknown", "New revision detected, progressing canary analysis.".to_owned()),
        Phase::Promoting => {
            ("Unknown", "Canary analysis completed, starting primary rolling update.".to_owned())
        }
        Phase::Finalising => {
            ("Unknown", "Canary analysis completed, routing all traffic to primary.".to_owned())
        }
        Phase::Succeeded => {
            ("True", "Canary analysis completed successfully, promotion finished.".to_owned())
        }
        Phase::Failed if memory.weight == Weight::FULL => {
            ("False", format!("Canary promotion failed, {kind} serves all traffic."))
        }
        Phase::Failed => ("False", format!("Canary analysis failed, {kind} scaled to zero.")),
        Phase::New | Phase::Initializing => {
            ("Unknown", format!("New {kind} detected, starting initialization."))
        }
        Phase::Terminating | Phase::Terminated => {
            ("Unknown", format!("The Canary is being deleted, {kind} takes all traffic again."))
        }
    };
    condition("Promoted", status, phase.as_str(), message)
}

/// True if the Canary is accepted and its last revision is rolled out; False if the user has to act; Unknown otherwise.
fn ready(memory: &Memory, context: &StatusContext<'_>) -> Condition {
    let wanted = if let Some(text) = context.refused {
        condition("Ready", "False", REFUSED, text.to_owned())
    } else if let Some((reason, text)) = held_up(memory) {
        condition("Ready", "False", &reason, text)
    } else if memory.wait.as_ref().is_some_and(|wait| wait.kind == WaitKind::Suspended) {
        condition("Ready", "Unknown", "Suspended", "The Canary is suspended.".to_owned())
    } else if let Some(gate) = memory.wait.as_ref().filter(|wait| wait.kind == WaitKind::Approval) {
        condition("Ready", "Unknown", "WaitingForApproval", gate.text.clone())
    } else {
        let of_phase = promoted(memory, context);
        Condition { type_: "Ready".to_owned(), ..of_phase }
    };
    Condition { observed_generation: context.generation, ..wanted }
}

/// What the Canary waits for and the user should know: reason and message.
fn held_up(memory: &Memory) -> Option<(String, String)> {
    let wait = memory.wait.as_ref()?;
    if matches!(wait.kind, WaitKind::Suspended | WaitKind::ScaledUp | WaitKind::Approval) {
        return None;
    }
    let reason = match wait.kind {
        WaitKind::InvalidObject(_) => "Broken".to_owned(),
        kind => wait_name(kind).split('-').map(capitalized).collect(),
    };
    Some((reason, wait.text.clone()))
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

fn condition(type_: &str, status: &str, reason: &str, message: String) -> Condition {
    Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: Some(message),
        ..Condition::default()
    }
}

#[cfg(test)]
mod tests;
