//! Features that a provider does not support, and what this version does not do yet.

use serde_json::json;

use super::{
    Capabilities, ValidationContext, WEIGHTS, analysis, check, check_in, check_remarks, context, hook, metric,
};

fn does(router: Capabilities) -> ValidationContext<'static> {
    ValidationContext { router: Some(router), ..context() }
}

#[test]
fn a_strategy_that_the_provider_does_not_support_is_refused_and_the_providers_that_do_are_named() {
    let ab = || json!({ "iterations": 10, "stepWeight": null, "match": [{ "headers": { "x": { "exact": "y" } } }] });
    let mirror = || json!({ "mirror": true });
    let none = "no provider of this version does";
    let ab_none = format!("analysis.match: provider traefik does not support A/B testing; {none}");
    let mirror_none = format!("analysis.mirror: provider traefik does not support traffic mirroring; {none}");
    check(analysis(ab()), &[&ab_none]);
    check(analysis(mirror()), &[&mirror_none]);

    const AB: Capabilities = Capabilities { matches: true, ..WEIGHTS };
    const ALL: Capabilities = Capabilities { mirror: true, affinity: true, ..AB };
    let known = [("traefik", WEIGHTS), ("nginx", AB), ("istio", ALL)];
    let several = || ValidationContext { known_providers: &known, ..context() };
    check_in(
        several(),
        analysis(ab()),
        &["analysis.match: provider traefik does not support A/B testing; providers nginx, istio do"],
    );
    check_in(
        several(),
        analysis(mirror()),
        &["analysis.mirror: provider traefik does not support traffic mirroring; provider istio does"],
    );
    check_in(does(AB), analysis(ab()), &[]);
    check_in(does(ALL), analysis(mirror()), &[]);
    check_in(does(Capabilities { weights: false, ..WEIGHTS }), json!({ "provider": "kubernetes" }), &[]);
    let skipped = json!({ "provider": "kubernetes", "skipAnalysis": true });
    check_in(does(Capabilities { weights: false, ..WEIGHTS }), skipped, &[]);
}

#[test]
fn what_this_version_does_not_do_yet_is_said_plainly() {
    check(analysis(json!({ "iterations": 2, "stepWeight": null })), &[]);
    check(
        analysis(json!({ "iterations": 2 })),
        &["analysis.iterations: excludes stepWeight; keep one of the two"],
    );
    for kind in crate::HookType::ALL {
        check(hook(json!({ "type": kind })), &[]);
    }
    check(json!({ "targetRef": { "kind": "Service" } }), &[]);
    let own_ports = || json!({ "targetRef": { "kind": "Service" }, "service": null });
    check(own_ports(), &[]);
    check_in(
        does(Capabilities { needs_port: true, ..WEIGHTS }),
        own_ports(),
        &["service.port: is required: provider traefik routes to a port"],
    );
    let scaler =
        json!({ "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "podinfo" });
    for kind in ["Service", "DaemonSet"] {
        check(
            json!({ "targetRef": { "kind": kind }, "autoscalerRef": scaler }),
            &[&format!("autoscalerRef: a {kind} has no replicas; remove it")],
        );
    }
    check(json!({ "targetRef": { "kind": "DaemonSet" } }), &[]);
}

#[test]
fn what_changes_nothing_for_traffic_is_a_remark() {
    check_remarks(json!({ "revertOnDeletion": true }), &[]);
    check_remarks(
        analysis(json!({ "sessionAffinity": { "cookieName": "c" } })),
        &[
            "analysis.sessionAffinity: is ignored: provider traefik does not support session affinity; no provider of this \
             version does",
        ],
    );
    check_remarks(
        analysis(json!({ "match": [{ "headers": {} }] })),
        &["analysis.match: counts only together with iterations and is ignored"],
    );
    check_remarks(
        analysis(json!({ "stepWeight": null, "stepWeights": [1, 2, 10, 200] })),
        &["analysis.stepWeights[3]: 200 is cut to 100"],
    );
    check_remarks(
        json!({ "canaryAnalysis": { "interval": "1m", "stepWeight": 50 } }),
        &["canaryAnalysis: is the old name of analysis, and ignored beside it"],
    );
    let both = json!({ "name": "request-duration", "threshold": 1, "thresholdRange": { "max": 2 } });
    check_remarks(metric(both), &["analysis.metrics[0].threshold: is ignored beside thresholdRange"]);
}
