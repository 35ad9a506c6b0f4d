//! What routers cannot do, and what this version does not do yet.

use serde_json::json;

use super::{
    RouterAbilities, ValidationContext, WEIGHTS, analysis, check, check_in, check_remarks, context, hook,
    metric,
};

fn does(router: RouterAbilities) -> ValidationContext<'static> {
    ValidationContext { router: Some(router), ..context() }
}

#[test]
fn a_strategy_that_the_router_cannot_do_is_refused() {
    let ab = || json!({ "iterations": 10, "stepWeight": null, "match": [{ "headers": { "x": { "exact": "y" } } }] });
    let not_yet = ["analysis.match: this version does not send only matching requests to the canary yet"];
    check(
        analysis(ab()),
        &[
            "analysis.match: provider traefik cannot send only matching requests to the canary (A/B testing)",
            not_yet[0],
        ],
    );
    check_in(does(RouterAbilities { matches: true, ..WEIGHTS }), analysis(ab()), &not_yet);
    check(
        analysis(json!({ "mirror": true })),
        &[
            "analysis.mirror: provider traefik cannot mirror requests",
            "analysis.mirror: this version does not mirror requests yet",
        ],
    );
    check_in(
        does(RouterAbilities { mirror: true, ..WEIGHTS }),
        analysis(json!({ "mirror": true })),
        &["analysis.mirror: this version does not mirror requests yet"],
    );
    check_in(does(RouterAbilities { weights: false, ..WEIGHTS }), json!({ "provider": "kubernetes" }), &[]);
    let skipped = json!({ "provider": "kubernetes", "skipAnalysis": true });
    check_in(does(RouterAbilities { weights: false, ..WEIGHTS }), skipped, &[]);
}

#[test]
fn what_this_version_does_not_do_yet_is_said_plainly() {
    check(analysis(json!({ "iterations": 2, "stepWeight": null })), &[]);
    check(
        analysis(json!({ "iterations": 2 })),
        &["analysis.iterations: excludes stepWeight; keep one of the two"],
    );
    for kind in ["confirm-rollout", "confirm-promotion", "confirm-traffic-increase", "rollback"] {
        let text = format!("analysis.webhooks[0].type: this version does not ask {kind} hooks yet");
        check(hook(json!({ "type": kind })), &[&text]);
    }
    for kind in ["pre-rollout", "rollout", "post-rollout", "event"] {
        check(hook(json!({ "type": kind })), &[]);
    }
    for kind in ["DaemonSet", "Service"] {
        let text = format!("targetRef.kind: this version does not roll out a {kind} yet");
        check(json!({ "targetRef": { "kind": kind } }), &[&text]);
    }
}

#[test]
fn what_changes_nothing_for_traffic_is_a_remark() {
    check_remarks(
        json!({ "revertOnDeletion": true }),
        &[
            "revertOnDeletion: this version does not give the target back its replicas when the Canary is deleted yet",
        ],
    );
    check_remarks(
        analysis(json!({ "alerts": [{ "name": "a", "providerRef": { "name": "slack" } }] })),
        &["analysis.alerts: this version does not send alerts yet"],
    );
    check_remarks(
        analysis(json!({ "sessionAffinity": { "cookieName": "c" } })),
        &["analysis.sessionAffinity: provider traefik does not keep clients on one side; it is ignored"],
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
        &["canaryAnalysis: is ignored beside analysis, whose old name it is"],
    );
    let both = json!({ "name": "request-duration", "threshold": 1, "thresholdRange": { "max": 2 } });
    check_remarks(metric(both), &["analysis.metrics[0].threshold: is ignored beside thresholdRange"]);
}
