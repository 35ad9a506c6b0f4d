//! Words of the status for values of the engine, and back.

use vexil_analysis::{AlertSeverity, Cause, Level, Outcome, Phase, WaitKind};
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

/// Words of the status for values of the engine.
pub(super) type Words<T> = &'static [(&'static str, T)];

pub(super) const OUTCOMES: Words<Outcome> = &[
    ("promoted", Outcome::Promoted),
    ("rolled-back", Outcome::RolledBack),
    ("reverted", Outcome::Reverted),
    ("recovered", Outcome::Recovered),
    ("rebound", Outcome::Rebound),
];
pub(super) const CAUSES: Words<Cause> = &[
    ("passed", Cause::Passed),
    ("skipped", Cause::Skipped),
    ("threshold", Cause::Threshold),
    ("deadline", Cause::Deadline),
    ("blocked", Cause::Blocked),
    ("reverted", Cause::Reverted),
    ("promotion", Cause::Promotion),
    ("target-deleted", Cause::TargetDeleted),
    ("rebound", Cause::Rebound),
];
pub(super) const WAITS: Words<WaitKind> = &[
    ("suspended", WaitKind::Suspended),
    ("target-missing", WaitKind::TargetMissing),
    ("scaled-up", WaitKind::ScaledUp),
    ("primary-missing", WaitKind::PrimaryMissing),
    ("primary", WaitKind::Primary),
    ("primary-foreign", WaitKind::PrimaryNotOwned),
    ("primary-edited", WaitKind::PrimaryEdited),
    ("invalid", WaitKind::InvalidSpec),
    ("canary", WaitKind::Canary),
    ("refused", WaitKind::Refused),
];
pub(super) const SEVERITIES: Words<AlertSeverity> =
    &[("info", AlertSeverity::Info), ("warn", AlertSeverity::Warn), ("error", AlertSeverity::Error)];
pub(super) const LEVELS: Words<Level> = &[("info", Level::Info), ("error", Level::Error)];

pub(super) fn name<T: PartialEq + Copy>(words: Words<T>, value: T) -> &'static str {
    words.iter().find(|(_, of)| *of == value).map_or("", |(word, _)| word)
}

pub(super) fn value<T: PartialEq + Copy>(words: Words<T>, name: &str) -> Option<T> {
    words.iter().find(|(word, _)| *word == name).map(|(_, value)| *value)
}
