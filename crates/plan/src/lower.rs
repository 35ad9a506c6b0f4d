//! From a valid spec to the engine's plan.

use vexil_analysis::{Names, Plan, Receiver, Steps, Strategy, Weight};
use vexil_api::{Analysis, CanarySpec};
use vexil_routing::Capabilities;

use crate::{
    Settings,
    alerts::alert_receivers,
    checks::named,
    hooks::{GLOBAL_HOOK, deciding, event_hooks},
};

/// Iterations of a blue/green analysis if the user names none, as in Flagger.
const ITERATIONS: u32 = 10;

/// The plan of the Canary of this name and namespace, whose router can do `can`. Its binding is empty.
pub(crate) fn lower(
    spec: &CanarySpec,
    (name, namespace): (&str, &str),
    settings: &Settings,
    can: Capabilities,
) -> Plan {
    let default = Analysis::default();
    let analysis = spec.analysis().unwrap_or(&default);
    Plan {
        names: Names {
            canary: name.to_owned(),
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
        mirror: mirror(analysis, can),
        sticky: can.affinity && analysis.session_affinity.is_some(),
        promotion_step: Weight::clamped(analysis.step_weight_promotion()),
        routed: can.weights,
        remarks: Vec::new(),
        warnings: warnings(analysis, spec.provider().unwrap_or(&settings.provider), can),
        checks: named(analysis).map(|(name, _)| name).collect(),
        hooks: deciding(analysis).map(|(hook, _)| hook).collect(),
        receivers: receivers(analysis, settings),
        alerts: alert_receivers(analysis, settings),
    }
}

/// A number of iterations asks for blue/green, with conditions for A/B testing. A provider that cannot split traffic
/// always gets blue/green.
fn strategy(analysis: &Analysis, can: Capabilities) -> Strategy {
    match analysis.iterations() {
        0 if can.weights => Strategy::Progressive(steps(analysis)),
        0 => Strategy::BlueGreen { iterations: ITERATIONS },
        iterations if can.matches && !analysis.match_.is_empty() => Strategy::AbTesting { iterations },
        iterations => Strategy::BlueGreen { iterations },
    }
}

/// The share of the requests that is copied; a `mirrorWeight` of zero means all.
fn mirror(analysis: &Analysis, can: Capabilities) -> Option<Weight> {
    let percent = analysis.mirror_weight.and_then(|percent| u32::try_from(percent).ok());
    let percent = percent.filter(|percent| *percent > 0).unwrap_or(100);
    (analysis.mirror() && can.mirror).then_some(Weight::clamped(percent))
}

fn steps(analysis: &Analysis) -> Steps {
    let listed = |percent: &i64| Weight::clamped(u32::try_from(*percent).unwrap_or(0));
    Steps {
        list: analysis.step_weights.iter().map(listed).collect(),
        by: Weight::clamped(analysis.step_weight()),
        max: Weight::clamped(analysis.max_weight()),
    }
}

/// What the user wrote and a provider that cannot split traffic leaves out, in Flagger's words.
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

/// Kubernetes Events always; the Canary's own `event` hooks, or else the operator's.
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
    use serde_json::{Value, json};

    use super::*;

    const ALL: Capabilities = Capabilities {
        weights: true,
        matches: true,
        mirror: true,
        affinity: true,
        knative: false,
        needs_port: false,
    };
    const WEIGHTS: Capabilities = Capabilities {
        weights: true,
        matches: false,
        mirror: false,
        affinity: false,
        knative: false,
        needs_port: false,
    };

    /// Strategy, mirrored percentage and session affinity of an analysis with a provider.
    #[track_caller]
    fn check(can: Capabilities, analysis: Value, expect: (Strategy, Option<u32>, bool)) {
        let spec: CanarySpec = serde_json::from_value(json!({ "analysis": analysis })).unwrap();
        let plan = lower(&spec, ("podinfo", "test"), &Settings::default(), can);
        let mirror = expect.1.map(Weight::clamped);
        assert_eq!((plan.strategy, plan.mirror, plan.sticky), (expect.0, mirror, expect.2), "{analysis}");
    }

    #[test]
    fn a_strategy_needs_its_fields_and_a_provider_that_has_it() {
        let blue_green = |iterations| Strategy::BlueGreen { iterations };
        let ab = |iterations| Strategy::AbTesting { iterations };
        let weights = || {
            let by = Weight::clamped(10);
            Strategy::Progressive(Steps { list: Vec::new(), by, max: Weight::clamped(50) })
        };
        let steps = |more: Value| {
            let mut analysis = json!({ "stepWeight": 10, "maxWeight": 50 });
            analysis.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            analysis
        };
        let matches = json!([{ "headers": { "x-canary": { "exact": "1" } } }]);
        check(ALL, steps(json!({})), (weights(), None, false));
        check(ALL, json!({ "iterations": 3 }), (blue_green(3), None, false));
        check(ALL, json!({ "iterations": 3, "match": matches }), (ab(3), None, false));
        check(WEIGHTS, json!({ "iterations": 3, "match": matches }), (blue_green(3), None, false));
        check(Capabilities::default(), json!({ "match": matches }), (blue_green(ITERATIONS), None, false));
        check(ALL, steps(json!({ "match": matches })), (weights(), None, false));
        check(ALL, steps(json!({ "mirror": true })), (weights(), Some(100), false));
        check(ALL, steps(json!({ "mirror": true, "mirrorWeight": 30 })), (weights(), Some(30), false));
        check(ALL, steps(json!({ "mirrorWeight": 30 })), (weights(), None, false));
        check(WEIGHTS, steps(json!({ "mirror": true })), (weights(), None, false));
        let affinity = json!({ "sessionAffinity": { "cookieName": "c" } });
        check(ALL, steps(affinity.clone()), (weights(), None, true));
        check(WEIGHTS, steps(affinity), (weights(), None, false));
    }
}
