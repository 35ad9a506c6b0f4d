//! Flagger's own rules.

use serde_json::json;

use super::{Capabilities, ValidationContext, WEIGHTS, analysis, check, check_in, context, metric};

#[test]
fn flaggers_rules_have_flaggers_texts() {
    let strict = || ValidationContext { no_cross_namespace_refs: true, ..context() };
    let reference = |namespace: &str| json!({ "name": "x", "namespace": namespace });
    check_in(
        strict(),
        json!({ "upstreamRef": reference("other") }),
        &[
            "upstreamRef.namespace: can't access gloo upstream x.other, cross-namespace references are blocked",
        ],
    );
    check_in(
        strict(),
        metric(json!({ "name": "own", "templateRef": reference("other") })),
        &[
            "analysis.metrics[0].templateRef.namespace: can't access metric template x.other, cross-namespace \
           references are blocked",
        ],
    );
    check_in(
        strict(),
        analysis(json!({ "alerts": [{ "name": "a", "providerRef": reference("other") }] })),
        &["analysis.alerts[0].providerRef.namespace: can't access alert provider x.other, cross-namespace \
           references are blocked"],
    );
    check_in(strict(), metric(json!({ "name": "own", "templateRef": reference("test") })), &[]);
    check_in(strict(), metric(json!({ "name": "own", "templateRef": reference("") })), &[]);
    let service = json!({ "apiVersion": "serving.knative.dev/v1", "kind": "Service" });
    check(
        json!({ "targetRef": service }),
        &["provider: can't use traefik provider with Knative Service as target"],
    );
    let scaler = json!({ "kind": "ScaledObject", "name": "x" });
    let knative = Capabilities { knative: true, ..WEIGHTS };
    let for_knative = || ValidationContext { router: Some(knative), ..context() };
    check_in(
        for_knative(),
        json!({ "provider": "knative" }),
        &["targetRef: can't use apps/v1/Deployment as target if provider is set to knative"],
    );
    check_in(
        for_knative(),
        json!({ "provider": "knative", "targetRef": service, "autoscalerRef": scaler }),
        &["autoscalerRef: can't use autoscaler with Knative Service"],
    );
    check_in(
        for_knative(),
        json!({ "provider": "", "targetRef": service }),
        &[
            "provider: must be knative: with a Knative Service as target, the operator's default does not count",
        ],
    );
    check_in(for_knative(), json!({ "provider": "knative", "targetRef": service, "service": {} }), &[]);
    check(
        analysis(json!({ "sessionAffinity": { "cookieName": "c", "primaryCookieName": "c" } })),
        &[
            "analysis.sessionAffinity.primaryCookieName: can't use the same cookie name for both primary and cookie \
           name; please update them to be different",
        ],
    );
    check(analysis(json!({ "sessionAffinity": {} })), &["analysis.sessionAffinity.cookieName: is required"]);
    check(
        analysis(json!({ "alerts": [{ "name": "a", "severity": "bad", "providerRef": {} }] })),
        &[
            "analysis.alerts[0].providerRef.name: is required",
            "analysis.alerts[0].severity: unknown severity `bad`; there are info, warn, error",
        ],
    );
}

/// Names become parts of paths of the API server.
#[test]
fn a_reference_names_an_object_and_no_path() {
    let template = |name: &str, namespace: &str| {
        metric(json!({ "name": "own", "templateRef": { "name": name, "namespace": namespace } }))
    };
    check(template("t", "shared"), &[]);
    for name in ["../secrets/x", "a/b", "T", "a b", "%2e%2e"] {
        let reported = format!(
            "analysis.metrics[0].templateRef.name: `{name}` is no name of a Kubernetes object: lower-case letters, digits, `-` and `.`"
        );
        check(template(name, ""), &[reported.as_str()]);
        let reported = format!(
            "analysis.metrics[0].templateRef.namespace: `{name}` is no name of a namespace: lower-case letters, digits and `-`"
        );
        check(template("t", name), &[reported.as_str()]);
    }
}
