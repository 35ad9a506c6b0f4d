//! From a validated Canary to the engine's plan.

use std::collections::{BTreeMap, BTreeSet};

use vexil_analysis::{Hook, HookKind, Names, Plan, Receiver, Steps, Strategy, Weight};
use vexil_api::{Analysis, Canary, HookType, Webhook};
use vexil_metrics::checks;
use vexil_routing::Capabilities;

use crate::Settings;

/// The receiver name of the operator's own event webhook.
pub(crate) const GLOBAL_HOOK: &str = "-event-webhook";

/// Iterations of a provider that cannot route, when the user names none (`analysis.md` 3.1).
const ITERATIONS: u32 = 10;

/// The plan of a Canary whose provider can do `can`.
pub(crate) fn plan(canary: &Canary, namespace: &str, settings: &Settings, can: Capabilities) -> Plan {
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
        binding: vexil_analysis::Binding::default(),
        spec_error: None,
        suspended: spec.suspend(),
        skip_analysis: spec.skip_analysis(),
        interval_ms: analysis.interval_ms(settings.min_interval_ms),
        threshold: analysis.threshold(),
        deadline_ms: spec.progress_deadline_ms(),
        strategy: strategy(analysis, can),
        promotion_step: Weight::clamped(analysis.step_weight_promotion()),
        routed: can.weights,
        warnings: warnings(analysis, spec.provider().unwrap_or(&settings.provider), can),
        checks: checks(&analysis.metrics).iter().map(|check| check.name().to_owned()).collect(),
        hooks: analysis.webhooks.iter().filter_map(hook).collect(),
        receivers: receivers(analysis, settings),
    }
}

/// Iterations make it blue/green, and so does a provider that cannot route (`analysis.md` 3.1).
fn strategy(analysis: &Analysis, can: Capabilities) -> Strategy {
    match analysis.iterations() {
        0 if can.weights => Strategy::Progressive(steps(analysis)),
        0 => Strategy::BlueGreen { iterations: ITERATIONS },
        iterations => Strategy::BlueGreen { iterations },
    }
}

fn steps(analysis: &Analysis) -> Steps {
    let listed = |percent: &i64| Weight::clamped(u32::try_from(*percent).unwrap_or(0));
    Steps {
        list: analysis.step_weights.iter().map(listed).collect(),
        by: Weight::clamped(analysis.step_weight()),
        max: Weight::clamped(analysis.max_weight()),
    }
}

/// What the user wrote and a provider that cannot route leaves out, in the contract's words.
fn warnings(analysis: &Analysis, provider: &str, can: Capabilities) -> Vec<String> {
    if can.weights {
        return Vec::new();
    }
    let mut warnings = Vec::new();
    if !analysis.match_.is_empty() {
        warnings.push(format!("A/B testing is not supported when using the {provider} provider"));
    }
    if analysis.iterations() == 0 {
        warnings.push(format!("Progressive traffic is not supported when using the {provider} provider"));
        warnings.push(format!("Setting canaryAnalysis.iterations: {ITERATIONS}"));
    }
    warnings
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

/// The `event` hooks with the names of their receivers: the hook's own name, and for further ones of that name
/// `name#2`, `name#3`. The status remembers receivers by these names, so they depend on the spec alone.
pub(crate) fn event_hooks(analysis: &Analysis) -> Vec<(String, &Webhook)> {
    let events = analysis.webhooks.iter().filter(|webhook| webhook.hook_type() == HookType::Event);
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut taken = BTreeSet::from([GLOBAL_HOOK.to_owned()]);
    let mut hooks = Vec::new();
    for webhook in events {
        let count = seen.entry(&webhook.name).or_default();
        // A hook that is itself called `name#2`, or like the operator's, may be in the way.
        let name = loop {
            *count += 1;
            let name = if *count == 1 { webhook.name.clone() } else { format!("{}#{count}", webhook.name) };
            if taken.insert(name.clone()) {
                break name;
            }
        };
        hooks.push((name, webhook));
    }
    hooks
}

/// Events always; the Canary's own `event` hooks, or else the operator's (`analysis.md` 11.5).
fn receivers(analysis: &Analysis, settings: &Settings) -> Vec<Receiver> {
    let own = event_hooks(analysis).into_iter();
    let mut receivers: Vec<Receiver> = own.map(|(name, _)| Receiver::Hook(name)).collect();
    if receivers.is_empty() && settings.event_webhook.is_some() {
        receivers.push(Receiver::Hook(GLOBAL_HOOK.to_owned()));
    }
    receivers.insert(0, Receiver::Events);
    receivers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hooks: &[(&str, &str)], expect: &[&str]) {
        let webhooks = hooks.iter().map(|(kind, name)| Webhook {
            name: (*name).to_owned(),
            type_: Some(if *kind == "event" { HookType::Event } else { HookType::Rollout }),
            ..Webhook::default()
        });
        let analysis = Analysis { webhooks: webhooks.collect(), ..Analysis::default() };
        let names: Vec<String> = event_hooks(&analysis).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, expect);
    }

    #[test]
    fn each_event_hook_is_a_receiver_of_its_own() {
        check(&[], &[]);
        check(&[("event", "a"), ("event", "b")], &["a", "b"]);
        check(&[("event", "a"), ("event", "b"), ("event", "a"), ("event", "a")], &["a", "b", "a#2", "a#3"]);
        check(&[("rollout", "a"), ("event", "a")], &["a"]);
        check(&[("event", "a"), ("event", "a"), ("event", "a#2")], &["a", "a#2", "a#2#2"]);
        check(&[("event", "a#2"), ("event", "a"), ("event", "a")], &["a#2", "a", "a#3"]);
        check(&[("event", ""), ("event", "")], &["", "#2"]);
        check(&[("event", GLOBAL_HOOK)], &["-event-webhook#2"]);
    }
}
