//! What the user wants, validated: a Canary's spec in the types of the engine, derived in every reconcile.

use crate::{AlertSeverity, Binding, Notice, Strategy, Weight, limits};

/// Everything a decision may depend on that the user wrote.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// Names that the messages mention.
    pub names: Names,
    /// What traffic should depend on, as the spec says now. A difference to [`crate::Memory::binding`] is a
    /// migration.
    pub binding: Binding,
    /// `spec.suspend`: nothing is decided or done.
    pub suspended: bool,
    /// The spec is invalid; the text says why. No analysis is made, but what is in force is kept safe: traffic leaves
    /// a copy without ready pods, deadlines and endings continue.
    pub spec_error: Option<String>,
    /// `spec.skipAnalysis`, or no analysis at all: promote as soon as the canary is ready.
    pub skip_analysis: bool,
    /// Pace of the analysis, in milliseconds.
    pub interval_ms: u64,
    /// Failed checks that end the rollout; at least 1.
    pub threshold: u32,
    /// How long a wait for pods may last, in milliseconds.
    pub deadline_ms: u64,
    /// How traffic is shifted.
    pub strategy: Strategy,
    /// The share of the requests that is copied to the canary before it gets traffic of users (`mirror`); `None` for
    /// no copies.
    pub mirror: Option<Weight>,
    /// Clients that have reached the canary stay there (`sessionAffinity`).
    pub sticky: bool,
    /// `stepWeightPromotion`: how traffic goes back to the primary; zero for all at once.
    pub promotion_step: Weight,
    /// Whether the router can send traffic to the canary at all; without that, it is judged aside.
    pub routed: bool,
    /// What the user wrote and the provider does not support: reported when an analysis starts.
    pub warnings: Vec<String>,
    /// What the user should know of the spec, although it is valid: each is reported once.
    pub remarks: Vec<String>,
    /// Names of the metric checks, each unique, in the order in which they are asked.
    pub checks: Vec<String>,
    /// The webhooks that decide something, in the order of the spec.
    pub hooks: Vec<Hook>,
    /// Who gets notices.
    pub receivers: Vec<Receiver>,
    /// Who gets the alerts of notices.
    pub alerts: Vec<AlertReceiver>,
}

impl Plan {
    /// A plan with Flagger's defaults: an interval of a minute, one failed check, a deadline of ten minutes, no checks
    /// and no hooks, a router that can split traffic, Events as the only receiver.
    pub fn new(names: Names, binding: Binding, strategy: Strategy) -> Self {
        Plan {
            names,
            binding,
            strategy,
            suspended: false,
            spec_error: None,
            skip_analysis: false,
            interval_ms: 60_000,
            threshold: 1,
            deadline_ms: 600_000,
            mirror: None,
            sticky: false,
            promotion_step: Weight::ZERO,
            routed: true,
            warnings: Vec::new(),
            remarks: Vec::new(),
            checks: Vec::new(),
            hooks: Vec::new(),
            receivers: vec![Receiver::Events],
            alerts: Vec::new(),
        }
    }

    /// The receivers of a notice: all of [`Plan::receivers`], and those of [`Plan::alerts`] that want its alert.
    pub(crate) fn receivers_of(&self, notice: &Notice) -> Vec<Receiver> {
        let wants = |receiver: &&AlertReceiver| {
            notice.alert.as_ref().is_some_and(|alert| alert.severity >= receiver.least)
        };
        let alerts = self.alerts.iter().filter(wants).map(|receiver| Receiver::Alert(receiver.name.clone()));
        self.receivers.iter().cloned().chain(alerts).collect()
    }

    /// The drain, in milliseconds: how long open connections may last after the last change of routes before their pods
    /// are removed. One interval, up to [`limits::MAX_DRAIN_MS`].
    pub fn drain_ms(&self) -> u64 {
        self.interval_ms.min(limits::MAX_DRAIN_MS)
    }

    /// What the status records of it.
    pub(crate) fn limits(&self) -> Limits {
        Limits { interval_ms: self.interval_ms, deadline_ms: self.deadline_ms, threshold: self.threshold }
    }

    /// The most that one look adds to the time waited, in milliseconds: time between two looks beyond that was not
    /// observed and does not count towards a deadline. A wait is stored that often, so a restart loses little.
    pub(crate) fn max_observed_gap_ms(&self) -> u64 {
        (self.deadline_ms / 10).clamp(*limits::OBSERVED_GAP_MS.start(), *limits::OBSERVED_GAP_MS.end())
    }

    /// The canary's weight after one step of traffic back to the primary (`stepWeightPromotion`).
    pub fn after_promotion_step(&self, current: Weight) -> Weight {
        if self.promotion_step.is_zero() {
            return Weight::ZERO;
        }
        Weight::clamped(u32::from(current.percent().saturating_sub(self.promotion_step.percent())))
    }

    /// The hooks of one kind, in the order of the spec.
    pub fn hooks_of(&self, kind: HookKind) -> impl Iterator<Item = &Hook> {
        self.hooks.iter().filter(move |hook| hook.kind == kind)
    }
}

/// What of a plan the safety of a rollout depends on. The status records it, so that an edit that makes the spec
/// invalid takes none of it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Limits {
    /// Pace of the analysis, in milliseconds; bounds the drain.
    pub interval_ms: u64,
    /// How long a wait may last, in milliseconds.
    pub deadline_ms: u64,
    /// Failed checks that end the rollout.
    pub threshold: u32,
}

/// Names that the messages mention.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Names {
    /// `metadata.name` of the Canary.
    pub canary: String,
    /// Its namespace.
    pub namespace: String,
    /// `spec.targetRef.name`.
    pub target: String,
    /// `spec.targetRef.kind`.
    pub kind: String,
}

/// A webhook that decides something. What it is sent and where is not the engine's business.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hook {
    /// Identifies it in questions: unique among the hooks of a plan, and the same after an edit of other hooks.
    pub id: String,
    /// Its name, for messages.
    pub name: String,
    /// When it is asked.
    pub kind: HookKind,
    /// `muteAlert`: what it reports carries no alert.
    pub muted: bool,
}

impl Hook {
    /// A hook whose name no other hook of its plan has.
    pub fn new(name: impl Into<String>, kind: HookKind) -> Self {
        let name = name.into();
        Hook { id: name.clone(), name, kind, muted: false }
    }
}

/// When a webhook is called. See docs/how-a-rollout-works.md for the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookKind {
    /// Gate before the target is scaled up.
    ConfirmRollout,
    /// Before the canary gets its first traffic.
    PreRollout,
    /// In each analysis, before the metrics.
    Rollout,
    /// Gate before each increase of the canary's weight.
    ConfirmTrafficIncrease,
    /// Gate before the promotion.
    ConfirmPromotion,
    /// Ends the rollout as soon as it passes.
    Rollback,
    /// After the rollout has ended either way.
    PostRollout,
}

/// A receiver of notices.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Receiver {
    /// The Kubernetes Events of the Canary.
    Events,
    /// An `event` webhook, by a name that is its own among those of the Canary.
    Hook(String),
    /// A receiver of alerts, by a name that is its own among those of the Canary.
    Alert(String),
}

/// A receiver of alerts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlertReceiver {
    /// Its name, unique within the Canary.
    pub name: String,
    /// Alerts below this severity are not sent to it.
    pub least: AlertSeverity,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The receivers of a notice whose alert has this severity.
    #[track_caller]
    fn check_alerts(severity: Option<AlertSeverity>, expect: &[&str]) {
        use AlertSeverity::{Error, Info, Warn};
        let names = Names { canary: "p".into(), namespace: "t".into(), target: "p".into(), kind: "D".into() };
        let mut plan = Plan::new(names, Binding::default(), Strategy::BlueGreen { iterations: 1 });
        plan.alerts = [("info", Info), ("warn", Warn), ("error", Error)]
            .map(|(name, least)| AlertReceiver { name: name.to_owned(), least })
            .into();
        let notice = Notice {
            event_type: crate::EventType::Normal,
            level: crate::Level::Info,
            message: "text".to_owned(),
            phase: crate::Phase::Progressing,
            time: crate::Millis(0),
            alert: severity.map(|severity| crate::Alert {
                severity,
                message: "text".to_owned(),
                details: false,
            }),
        };
        let mut wanted = vec![Receiver::Events];
        wanted.extend(expect.iter().map(|name| Receiver::Alert((*name).to_owned())));
        assert_eq!(plan.receivers_of(&notice), wanted, "{severity:?}");
    }

    #[test]
    fn an_alert_goes_to_those_who_want_its_severity() {
        check_alerts(None, &[]);
        check_alerts(Some(AlertSeverity::Info), &["info"]);
        check_alerts(Some(AlertSeverity::Warn), &["info", "warn"]);
        check_alerts(Some(AlertSeverity::Error), &["info", "warn", "error"]);
    }
}
