//! Names of the engine's values in the status.

use k8s_openapi::jiff::Timestamp;
use vexil_analysis::{AlertSeverity, Cause, EventType, Exposure, Level, Millis, Outcome, Phase, WaitKind};
use vexil_api::CanaryPhase;

const PHASES: [(CanaryPhase, Phase); 12] = [
    (CanaryPhase::Unset, Phase::New),
    (CanaryPhase::Initializing, Phase::Initializing),
    (CanaryPhase::Initialized, Phase::Initialized),
    (CanaryPhase::Waiting, Phase::Waiting),
    (CanaryPhase::Progressing, Phase::Progressing),
    (CanaryPhase::WaitingPromotion, Phase::WaitingPromotion),
    (CanaryPhase::Promoting, Phase::Promoting),
    (CanaryPhase::Finalising, Phase::Finalising),
    (CanaryPhase::Succeeded, Phase::Succeeded),
    (CanaryPhase::Failed, Phase::Failed),
    (CanaryPhase::Terminating, Phase::Terminating),
    (CanaryPhase::Terminated, Phase::Terminated),
];

pub(super) fn phase(phase: CanaryPhase) -> Phase {
    PHASES.iter().find(|(api, _)| *api == phase).map_or(Phase::New, |(_, engine)| *engine)
}

pub(super) fn api_phase(phase: Phase) -> CanaryPhase {
    PHASES.iter().find(|(_, engine)| *engine == phase).map_or(CanaryPhase::Unset, |(api, _)| *api)
}

/// Names of values.
pub(super) type Names<T> = &'static [(&'static str, T)];

pub(super) const OUTCOMES: Names<Outcome> = &[
    ("promoted", Outcome::Promoted),
    ("rolled-back", Outcome::RolledBack),
    ("reverted", Outcome::Reverted),
    ("recovered", Outcome::Recovered),
    ("rebound", Outcome::Rebound),
];
pub(super) const CAUSES: Names<Cause> = &[
    ("passed", Cause::Passed),
    ("skipped", Cause::Skipped),
    ("threshold", Cause::Threshold),
    ("deadline", Cause::Deadline),
    ("blocked", Cause::Blocked),
    ("reverted", Cause::Reverted),
    ("promotion", Cause::Promotion),
    ("target-deleted", Cause::TargetDeleted),
    ("manual", Cause::Manual),
    ("rebound", Cause::Rebound),
];
pub(super) const EXPOSURES: Names<Exposure> =
    &[("matched", Exposure::Matched), ("mirrored", Exposure::Mirrored)];
pub(super) const WAITS: Names<WaitKind> = &[
    ("suspended", WaitKind::Suspended),
    ("target-missing", WaitKind::TargetMissing),
    ("scaled-up", WaitKind::ScaledUp),
    ("primary-missing", WaitKind::PrimaryMissing),
    ("primary", WaitKind::Primary),
    ("primary-foreign", WaitKind::PrimaryNotOwned),
    ("primary-edited", WaitKind::PrimaryEdited),
    ("invalid", WaitKind::InvalidSpec),
    ("approval", WaitKind::Approval),
    ("canary", WaitKind::Canary),
    ("refused", WaitKind::Refused),
    ("not-observed", WaitKind::NotObserved),
];
pub(super) const SEVERITIES: Names<AlertSeverity> =
    &[("info", AlertSeverity::Info), ("warn", AlertSeverity::Warn), ("error", AlertSeverity::Error)];
pub(super) const EVENT_TYPES: Names<EventType> =
    &[(EventType::Normal.as_str(), EventType::Normal), (EventType::Warning.as_str(), EventType::Warning)];
pub(super) const LEVELS: Names<Level> = &[("info", Level::Info), ("error", Level::Error)];

pub(super) fn name<T: PartialEq + Copy>(names: Names<T>, value: T) -> &'static str {
    names.iter().find(|(_, of)| *of == value).map_or("", |(name, _)| name)
}

pub(super) fn value<T: PartialEq + Copy>(names: Names<T>, name: &str) -> Option<T> {
    names.iter().find(|(of, _)| *of == name).map(|(_, value)| *value)
}

/// A time of the API.
pub(crate) fn timestamp(time: Millis) -> Timestamp {
    let seconds = i64::try_from(time.0 / 1000).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

/// Prefix of the name of a wait for an invalid object; the digest of the error follows.
pub(super) const BROKEN: &str = "broken-";

/// The name of a wait in the status.
pub(crate) fn wait_name(kind: WaitKind) -> String {
    match kind {
        WaitKind::InvalidObject(what) => format!("{BROKEN}{what:08x}"),
        kind => name(WAITS, kind).to_owned(),
    }
}
