//! Every text that the engine reports, with its Event type and alert: one variant for each, next to its text.
//!
//! Events, webhooks, alerts, conditions and log lines are made from these, so their words never differ. The texts of
//! the first part are Flagger's and stay byte for byte, because alerts and dashboards of users match on them. Those of
//! the second part are about situations that Flagger does not report.

use std::fmt;

use crate::{Alert, AlertSeverity, EventType, Level, Weight};

/// Declares [`Message`]. Each line is: variant, fields, Event type, text, then optionally the severity and text of an
/// alert; `details` before that text adds what [`Alert::details`] lists. `error` after the type logs the
/// message as an error of the operator or of a server that it depends on.
macro_rules! messages {
    ($($(#[doc = $doc:literal])* $name:ident { $($field:ident: $type:ty),* }
        $event:ident $($level:ident)? $text:literal
        $(, alert $severity:ident $($details:ident)? $alert:literal)?;)*) => {
        /// A text for people.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Message {
            $($(#[doc = $doc])* #[allow(missing_docs, reason = "the text next to it shows what a field is")]
            $name { $($field: $type),* },)*
        }

        impl Message {
            /// Type of the Event.
            pub const fn event_type(&self) -> EventType {
                match self { $(Message::$name { .. } => EventType::$event,)* }
            }

            /// Level of the log line.
            pub const fn level(&self) -> Level {
                match self { $(Message::$name { .. } => messages!(@level $($level)?),)* }
            }

            /// The alert that is sent with it.
            #[allow(unused_variables, reason = "not every alert repeats every field")]
            pub fn alert(&self) -> Option<Alert> {
                match self {
                    $(Message::$name { $($field),* } => messages!(@alert $($severity $($details)? $alert)?),)*
                }
            }
        }

        #[allow(unused_variables, reason = "some fields are only part of the alert")]
        impl fmt::Display for Message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Message::$name { $($field),* } => write!(f, $text),)* }
            }
        }

        /// Event type, text, meaning and alert of each message, for the page that lists them.
        #[cfg(test)]
        const REFERENCE: &[(EventType, &str, &str, Option<(AlertSeverity, &str)>)] = &[
            $((EventType::$event, $text, concat!($($doc),*), messages!(@reference $($severity $alert)?)),)*
        ];
    };
    (@reference) => { None };
    (@reference $severity:ident $alert:literal) => { Some((AlertSeverity::$severity, $alert)) };
    (@level) => { Level::Info };
    (@level error) => { Level::Error };
    (@alert) => { None };
    (@alert $severity:ident $alert:literal) => {
        Some(Alert { severity: AlertSeverity::$severity, message: format!($alert), details: false })
    };
    (@alert $severity:ident details $alert:literal) => {
        Some(Alert { severity: AlertSeverity::$severity, message: format!($alert), details: true })
    };
}

messages! {
    // Flagger's own texts.

    /// The initialisation is complete.
    Initialized { canary: String, kind: String }
        Normal "Initialization done! {canary}",
        alert Info details "New {kind} detected, initialization completed.";
    /// A metric server could be reached, or all of them.
    ProvidersAvailable {} Normal "all the metrics providers are available!";
    /// A metric server could not be reached.
    ProvidersUnavailable { error: String } Warning error "Error checking metric providers: {error}";
    /// A rollout begins.
    NewRevision { target: String }
        Normal "New revision detected! Scaling up {target}",
        alert Info details "New revision detected, progressing canary analysis.";
    /// Another revision was pushed during a rollout.
    AnalysisRestarted { target: String } Normal "New revision detected! Restarting analysis for {target}";
    /// The first step of the analysis begins.
    AnalysisStarted { target: String } Normal "Starting canary analysis for {target}";
    /// A remark of the plan about what the provider does not support.
    PlanWarning { text: String } Warning "{text}";
    /// A hook before the rollout passed.
    PreRolloutPassed { hook: String } Normal "Pre-rollout check {hook} passed";
    /// A hook before the rollout failed.
    PreRolloutFailed { canary: String, hook: String, error: String }
        Warning "Halt {canary} advancement pre-rollout check {hook} failed {error}";
    /// A hook of the analysis failed.
    RolloutHookFailed { canary: String, hook: String, error: String }
        Warning "Halt {canary} advancement external check {hook} failed {error}";
    /// A metric check failed; the text has the value and the threshold.
    CheckFailed { text: String } Warning "{text}";
    /// A metric check could not be made.
    CheckUnavailable { text: String } Warning error "{text}";
    /// The canary's weight was raised, or is given back to it.
    CanaryWeight { canary: String, weight: Weight } Normal "Advance {canary} canary weight {weight}";
    /// The primary's weight was raised during a promotion.
    PrimaryWeight { canary: String, weight: Weight } Normal "Advance {canary} primary weight {weight}";
    /// An iteration of a blue/green analysis passed.
    Iteration { canary: String, done: u32, wanted: u32 }
        Normal "Advance {canary} canary iteration {done}/{wanted}";
    /// The canary gets all traffic.
    AllTrafficToCanary {} Normal "Routing all traffic to canary";
    /// The canary gets all traffic, and no copies any more.
    MirroringEnds {} Normal "Stop traffic mirroring and route all traffic to canary";
    /// The primary gets all traffic.
    AllTrafficToPrimary {} Normal "Routing all traffic to primary";
    /// The analysis passed: the primary takes over the revision.
    Promoting { target: String, primary: String } Normal "Copying {target} template spec to {primary}";
    /// The promotion is complete.
    Promoted { target: String }
        Normal "Promotion completed! Scaling down {target}",
        alert Info "Canary analysis completed successfully, promotion finished.";
    /// The promotion without an analysis is complete.
    PromotedWithoutAnalysis { target: String }
        Normal "Promotion completed! Canary analysis was skipped for {target}",
        alert Info "Canary analysis was skipped, promotion finished.";
    /// Too many checks failed.
    ThresholdReached { canary: String, failed: u32 }
        Warning "Rolling back {canary} failed checks threshold reached {failed}",
        alert Error "Failed checks threshold reached {failed}";
    /// The pods were not ready in time.
    ReadyTooLate { canary: String, readiness: String }
        Warning "Rolling back {canary} progress deadline exceeded {readiness}",
        alert Error "Progress deadline exceeded {readiness}";
    /// The rollback begins.
    RolledBack { canary: String } Warning "Canary failed! Scaling down {canary}";
    /// A hook after the rollout passed.
    PostRolloutPassed { hook: String } Normal "Post-rollout check {hook} passed";
    /// A hook after the rollout failed.
    PostRolloutFailed { hook: String, error: String } Warning "Post-rollout hook {hook} failed {error}";
    /// A gate before the rollout is open.
    RolloutGateOpen { hook: String } Normal "Confirm-rollout check {hook} passed";
    /// A gate before the rollout is closed.
    RolloutGateClosed { canary: String, hook: String }
        Warning "Halt {canary} advancement waiting for approval {hook}",
        alert Warn "Canary is waiting for approval.";
    /// A gate before more traffic is open.
    TrafficGateOpen { hook: String } Normal "Confirm-traffic-increase check {hook} passed";
    /// A gate before more traffic is closed.
    TrafficGateClosed { canary: String, hook: String }
        Warning "Halt {canary} advancement waiting for traffic increase approval {hook}",
        alert Warn "Canary traffic increase is waiting for approval.";
    /// A gate before the promotion is open.
    PromotionGateOpen { hook: String } Normal "Confirm-promotion check {hook} passed";
    /// A gate before the promotion is closed.
    PromotionGateClosed { canary: String, hook: String }
        Warning "Halt {canary} advancement waiting for promotion approval {hook}",
        alert Warn "Canary promotion is waiting for approval.";
    /// A `rollback` hook asks for nothing.
    RollbackNotRequested { hook: String } Normal "Rollback hook {hook} not signaling a rollback";
    /// A `rollback` hook asks for a rollback.
    RollbackRequested { hook: String } Warning "Rollback check {hook} passed";
    /// The rollback that a hook asked for begins.
    ManualRollback { canary: String }
        Warning "Rolling back {canary} manual webhook invoked",
        alert Warn "Rolling back manual webhook invoked";
    /// The Canary is being deleted, and what it did is taken back.
    Terminating { canary: String } Normal "Terminating canary {canary}";
    /// What the Canary did is taken back.
    Terminated { canary: String } Normal "Terminated canary {canary}";
    /// The user suspended the Canary.
    Suspended {} Normal "skipping canary run as object is suspended";
    /// The pods of a workload are not ready; `readiness` is the text of its workload kind.
    NotReady { readiness: String } Warning "{readiness}";
    /// The workload of the target does not exist; `kind` is in lower case.
    TargetMissing { kind: String, target: String } Warning "{kind} {target} get query error: not found";

    // Texts of situations that Flagger does not report.

    /// As `NotReady`, with the reason that the pods show.
    NotReadyBecause { readiness: String, reason: String } Warning "{readiness}: {reason}";
    /// The workload is ready, and no Service knows a ready address of its pods.
    NoReadyAddress { workload: String } Warning "{workload} not ready: no pod is ready to take traffic";
    /// Pods were waited for until the deadline, and there is no text about their readiness.
    NotReadyInTime { workload: String } Warning "{workload} not ready in time";
    /// A step waited until the deadline for something else than pods.
    Blocked { canary: String, reason: String }
        Warning "Rolling back {canary} progress deadline exceeded: {reason}",
        alert Error "Progress deadline exceeded: {reason}";
    /// The target was deleted during a rollout.
    TargetDeleted { canary: String, missing: String }
        Warning "Rolling back {canary} {missing}",
        alert Error "Target deleted: {missing}";
    /// The primary did not become ready with the new revision.
    PromotionFailed { target: String, readiness: String }
        Warning "Promotion of {target} failed, primary not ready: {readiness}",
        alert Error "Promotion failed, primary not ready: {readiness}";
    /// A primary whose promotion had failed became ready after all.
    PrimaryRecovered { primary: String, target: String }
        Normal "{primary} has recovered and serves again, {target} was scaled down";
    /// The target is at the revision of the primary again.
    Reverted { target: String }
        Normal "{target} is back at the revision of the primary, ending the rollout";
    /// The target is at a revision that needs no approval, because a rollout of it has ended before.
    Withdrawn { target: String }
        Normal "{target} is back at the revision of the last rollout, no approval is needed";
    /// A revision was pushed before the first primary had a ready pod.
    InitializationRestarted { target: String }
        Normal "New revision detected! Restarting initialization with {target}";
    /// One copy has lost its last ready pod, and the other one takes all traffic.
    FailedOver { lost: String, canary: String, to: &'static str }
        Warning "No pod of {lost} is ready, routing all traffic of {canary} to {to}";
    /// The canary has lost its last ready pod, and there is no other copy for its traffic.
    NoCopyServes { lost: String, primary: String }
        Warning "No pod of {lost} is ready, and none of {primary} to take its traffic";
    /// The routes were edited; they say what the rollout needs again.
    RoutesRestored { canary: String, what: String }
        Warning "Routes of {canary} were changed by someone else ({what}) and have been put back";
    /// The primary does not exist and cannot be created again.
    PrimaryMissing { primary: String, target: String }
        Warning "{primary} is gone and {target} is not at the promoted revision: nothing is created from a revision \
            that was not analysed; push the promoted revision to have it rebuilt";
    /// The primary was edited between rollouts.
    PrimaryEdited { primary: String }
        Warning "{primary} was changed by someone else and does not run what was promoted; push a new revision, or \
            take the change back";
    /// The target was given pods between rollouts.
    ScaledUp { target: String }
        Warning "{target} was scaled up between rollouts; it gets no traffic and is left alone";
    /// The target is to be scaled up while its controller still has to delete the pods of the last rollout.
    StillScalingDown { target: String }
        Warning "{target} is scaled to zero but still has available pods; it is scaled up when they have been deleted";
    /// An object cannot be read or written; the text is about the object.
    Object { text: String } Warning "{text}";
    /// The spec became invalid during an initialisation.
    InitializationHalted { error: String } Warning "The initialization stands still: {error}";
    /// The spec became invalid during an analysis.
    AnalysisHalted { error: String } Warning "The analysis stands still: {error}";
    /// The spec became invalid during a promotion.
    PromotionHalted { error: String } Warning "The promotion stands still: {error}";
    /// The binding was edited while the canary had traffic between rollouts.
    MigrationWaits { change: String, primary: String, target: String }
        Warning "{change}: waits until {primary} is ready and has the traffic of {target} again";
    /// The binding was edited during a rollout.
    MigrationEndsRollout { change: String, canary: String }
        Warning "{change}: ending the rollout of {canary} first";
    /// The binding was edited: the new one is initialised.
    MigrationStarts { change: String, canary: String } Normal "{change}: initializing {canary} anew";

    /// The Canary is being deleted, and its target can take the traffic.
    TrafficReleased { target: String } Normal "{target} takes all traffic again, without a canary";
    /// The Canary is being deleted, and an object that this needs cannot be observed.
    NotObserved {} Warning "waiting until the target, its Services and its routes can be read";
    /// The Canary is being deleted, and something was waited for in vain.
    TerminationForced { canary: String, reason: String }
        Warning "Terminating {canary} does not wait any longer: {reason}",
        alert Error "Canary deleted, its target may not serve: {reason}";

    // Texts of the controller.

    /// Something about the spec or the cluster that holds nothing up.
    Remark { text: String } Warning error "{text}";
    /// The spec is invalid; one text for all defects.
    InvalidSpec { defects: String } Warning error "invalid canary spec: {defects}";
    /// The status could not be written.
    StatusNotWritten { canary: String, error: String } Warning error "updating canary {canary} status failed: {error}";
    /// The finalizer of a deleted Canary cannot be removed.
    FinalizerKept { name: &'static str, error: String }
        Warning error "the Canary stays although it was deleted, because its finalizer {name} could not be removed: \
            {error}";
    /// The CRD of the cluster is older than the operator.
    StatusPruned { canary: String, fields: String }
        Warning error "updating canary {canary} status failed: the CRD canaries.flagger.app of this cluster drops \
            {fields}; nothing is done until the one of this release is applied";
    /// Another controller writes the same fields.
    WriteConflict { what: &'static str }
        Warning "conflicting controller: {what} keeps being reverted, because another controller or an admission \
            webhook writes the same fields; exclude them there";
    /// A decision or an effect breaks a law.
    Unlawful { law: &'static str }
        Warning error "internal error, nothing was written: {law}; please report it with the status of this Canary";
    /// Another Canary has the same target or apex, and is older.
    DuplicateTarget { what: &'static str, older: String }
        Warning error "is the {what} of Canary {older} as well, which is older and manages it; delete one of the \
            two, or give this one a {what} of its own";
    /// An object cannot be read, because the operator watches one namespace.
    OutsideNamespace { object: String }
        Warning error "{object} is outside of the namespace that this operator watches; run one that watches all of \
            them";
    /// A kind cannot be watched.
    NotWatched { kind: String, error: String } Warning error "{kind} cannot be watched: {error}";
}

#[cfg(test)]
mod tests;
