//! From a validated Canary to the engine's plan.

use vexil_analysis::{Hook, HookKind, Names, Plan, Receiver, Steps, Strategy, Weight};
use vexil_api::{Analysis, Canary, HookType, Webhook};
use vexil_metrics::checks;

use crate::Settings;

/// The receiver name of the operator's own event webhook.
pub(crate) const GLOBAL_HOOK: &str = "-event-webhook";

/// The plan of a Canary.
pub(crate) fn plan(canary: &Canary, namespace: &str, settings: &Settings) -> Plan {
    let spec = &canary.spec;
    let default = Analysis::default();
    let analysis = spec.analysis().unwrap_or(&default);
    Plan {
        names: Names {
            canary: canary.metadata.name.clone().unwrap_or_default(),
            namespace: namespace.to_owned(),
            target: spec.target_ref.name.clone(),
            kind: spec.target_ref.kind.clone(),
        },
        suspended: spec.suspend(),
        skip_analysis: spec.skip_analysis(),
        interval_ms: analysis.interval_ms(settings.min_interval_ms),
        threshold: analysis.threshold(),
        deadline_ms: spec.progress_deadline_ms(),
        strategy: Strategy::Progressive(steps(analysis)),
        checks: checks(&analysis.metrics).iter().map(|check| check.name().to_owned()).collect(),
        hooks: analysis.webhooks.iter().filter_map(hook).collect(),
        receivers: receivers(analysis, settings),
    }
}

fn steps(analysis: &Analysis) -> Steps {
    let listed = |percent: &i64| Weight::clamped(u32::try_from(*percent).unwrap_or(0));
    Steps {
        list: analysis.step_weights.iter().map(listed).collect(),
        by: Weight::clamped(analysis.step_weight()),
        max: Weight::clamped(analysis.max_weight()),
        back: Weight::clamped(analysis.step_weight_promotion()),
    }
}

/// The hooks that decide something, in the order of the spec.
pub(crate) fn deciding(analysis: &Analysis) -> impl Iterator<Item = (&Webhook, HookKind)> {
    analysis.webhooks.iter().filter_map(|webhook| Some((webhook, kind(webhook)?)))
}

fn kind(webhook: &Webhook) -> Option<HookKind> {
    match webhook.hook_type() {
        HookType::PreRollout => Some(HookKind::PreRollout),
        HookType::Rollout => Some(HookKind::Rollout),
        HookType::PostRollout => Some(HookKind::PostRollout),
        _ => None,
    }
}

fn hook(webhook: &Webhook) -> Option<Hook> {
    Some(Hook { name: webhook.name.clone(), kind: kind(webhook)? })
}

/// Events always; the Canary's own `event` hooks, or else the operator's (`analysis.md` 11.5).
fn receivers(analysis: &Analysis, settings: &Settings) -> Vec<Receiver> {
    let own = analysis.webhooks.iter().filter(|webhook| webhook.hook_type() == HookType::Event);
    let mut receivers: Vec<Receiver> = own.map(|webhook| Receiver::Hook(webhook.name.clone())).collect();
    if receivers.is_empty() && settings.event_webhook.is_some() {
        receivers.push(Receiver::Hook(GLOBAL_HOOK.to_owned()));
    }
    receivers.insert(0, Receiver::Events);
    receivers
}
