//! Bad input, one line per case: what is changed on a good Canary, and every defect it must bring.

mod abilities;
mod analysis;
mod limits;
mod names;
mod references;
mod scaler;
mod types;

use serde_json::{Value, json};

use super::{ValidationContext, parse, validate};
use crate::Capabilities;

/// The Canary of the Traefik guide, without its scaler.
fn good() -> Value {
    json!({
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": { "name": "podinfo", "namespace": "test" },
        "spec": {
            "provider": "traefik",
            "targetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo" },
            "progressDeadlineSeconds": 60,
            "service": { "port": 80, "targetPort": 9898 },
            "analysis": {
                "interval": "10s",
                "threshold": 10,
                "maxWeight": 50,
                "stepWeight": 5,
                "metrics": [
                    { "name": "request-success-rate", "interval": "1m", "thresholdRange": { "min": 99 } },
                    { "name": "request-duration", "interval": "1m", "thresholdRange": { "max": 500 } },
                ],
                "webhooks": [
                    { "name": "acceptance-test", "type": "pre-rollout", "url": "http://flagger-loadtester.test/" },
                    { "name": "load-test", "url": "http://flagger-loadtester.test/", "timeout": "5s" },
                ],
            },
        },
    })
}

/// A provider that cannot route.
const NOTHING: Capabilities = Capabilities {
    weights: false,
    matches: false,
    mirror: false,
    affinity: false,
    knative: false,
    needs_port: false,
};

/// A provider that shifts weights and nothing else.
const WEIGHTS: Capabilities = Capabilities {
    weights: true,
    matches: false,
    mirror: false,
    affinity: false,
    knative: false,
    needs_port: false,
};

fn context() -> ValidationContext<'static> {
    ValidationContext {
        default_provider: "traefik",
        known_providers: &[("kubernetes", NOTHING), ("traefik", WEIGHTS)],
        router: Some(WEIGHTS),
        no_cross_namespace_refs: false,
        target_kinds: &[],
        scaler_kinds: &[],
    }
}

/// Lays a merge patch (RFC 7396) over a value.
fn patch(value: &mut Value, change: &Value) {
    let Value::Object(fields) = change else {
        *value = change.clone();
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    for (name, change) in fields {
        if change.is_null() {
            value.as_object_mut().unwrap().remove(name);
        } else {
            patch(&mut value[name], change);
        }
    }
}

/// The guide's Canary with this change has these defects and remarks, reported as `path: message`, under `spec`.
#[track_caller]
fn reported(context: &ValidationContext<'_>, change: Value) -> (Vec<String>, Vec<String>) {
    let mut object = good();
    patch(&mut object["spec"], &change);
    let found = match parse(&object) {
        Ok(canary) => validate(&canary, context),
        Err(defects) => super::Validation { defects, remarks: Vec::new() },
    };
    let short = |text: String| text.strip_prefix("spec.").map(str::to_owned).unwrap_or(text);
    let defects = found.defects.iter().map(|d| short(d.to_string())).collect();
    (defects, found.remarks.iter().map(|r| short(r.to_string())).collect())
}

#[track_caller]
fn check(change: Value, defects: &[&str]) {
    assert_eq!(reported(&context(), change).0, defects);
}

#[track_caller]
fn check_in(context: ValidationContext<'_>, change: Value, defects: &[&str]) {
    assert_eq!(reported(&context, change).0, defects);
}

#[track_caller]
fn check_remarks(change: Value, remarks: &[&str]) {
    assert_eq!(reported(&context(), change), (vec![], remarks.iter().map(|r| (*r).to_owned()).collect()));
}

/// A change of the analysis.
fn analysis(change: Value) -> Value {
    json!({ "analysis": change })
}

/// One metric.
fn metric(metric: Value) -> Value {
    analysis(json!({ "metrics": [metric] }))
}

/// One webhook.
fn hook(change: Value) -> Value {
    let mut hook = json!({ "name": "h", "url": "http://hooks/" });
    patch(&mut hook, &change);
    analysis(json!({ "webhooks": [hook] }))
}

#[test]
fn a_canary_of_the_guide_has_no_defect() {
    check_remarks(json!({}), &[]);
}

#[test]
fn what_flagger_runs_is_accepted() {
    check_remarks(json!({ "provider": null }), &[]);
    check_remarks(json!({ "service": { "targetPort": "http", "portName": "grpc" } }), &[]);
    check_remarks(json!({ "service": { "targetPort": 0 } }), &[]);
    check_remarks(analysis(json!({ "interval": null, "threshold": null, "maxWeight": 0 })), &[]);
    check_remarks(analysis(json!({ "stepWeight": null, "stepWeights": [1, 2, 10, 80] })), &[]);
    check_remarks(json!({ "analysis": { "stepWeight": 10.0, "threshold": 5.0 } }), &[]);
    check_remarks(metric(json!({ "name": "request-success-rate", "threshold": 99 })), &[]);
    check_remarks(metric(json!({ "name": "own", "query": "sum(x)" })), &[]);
    check_remarks(
        metric(json!({ "name": "own", "templateRef": { "name": "t", "namespace": "other" } })),
        &[],
    );
    check_remarks(
        metric(json!({ "name": "request-duration", "interval": "1m30s", "thresholdRange": {} })),
        &[],
    );
    check_remarks(hook(json!({ "type": "", "timeout": "5", "retries": 3 })), &[]);
    check_remarks(hook(json!({ "url": "https://user:secret@gate.example:8443/x?y=z" })), &[]);
    check_remarks(hook(json!({ "url": "http://[::1]:8080/" })), &[]);
    check_remarks(json!({ "skipAnalysis": true, "analysis": { "stepWeight": 0 } }), &[]);
    let twice = json!([{ "name": "h", "url": "http://a/" }, { "name": "h", "url": "http://b/" }]);
    check_remarks(analysis(json!({ "webhooks": twice })), &[]);
    let old = json!({ "analysis": null, "canaryAnalysis": { "interval": "10s", "stepWeight": 10 } });
    check_remarks(old, &[]);
    check_remarks(json!({ "analysis": null }), &[]);
}

#[test]
fn provider_target_and_service() {
    let unknown = || ValidationContext { router: None, ..context() };
    check_in(
        unknown(),
        json!({ "provider": "traefk" }),
        &["provider: unknown provider `traefk`; there are kubernetes, traefik"],
    );
    check_in(
        ValidationContext { default_provider: "smi", ..unknown() },
        json!({ "provider": null }),
        &[
            "provider: names none, and the operator's default `smi` (flag -mesh-provider) is not among those that there \
           are: kubernetes, traefik; set one here or there",
        ],
    );
    // Nothing else is said against what a router would have to be able to do.
    for strategy in [
        json!({ "iterations": 5, "stepWeight": null, "match": [{ "headers": { "x": { "exact": "y" } } }] }),
        json!({ "mirror": true }),
        json!({ "sessionAffinity": { "cookieName": "x" } }),
    ] {
        check_in(
            ValidationContext { default_provider: "istio", ..unknown() },
            json!({ "provider": null, "analysis": strategy }),
            &[
                "provider: names none, and the operator's default `istio` (flag -mesh-provider) is not among those that \
               there are: kubernetes, traefik; set one here or there",
            ],
        );
    }
    check(json!({ "targetRef": { "kind": null } }), &["targetRef.kind: is required"]);
    check(
        json!({ "targetRef": { "kind": "StatefulSet" } }),
        &["targetRef.kind: unknown kind `StatefulSet`; there are Deployment, DaemonSet, Service"],
    );
    check(json!({ "targetRef": { "name": null } }), &["targetRef.name: is required"]);
    check(json!({ "targetRef": null }), &["targetRef.kind: is required", "targetRef.name: is required"]);
    check(json!({ "service": null }), &["service.port: is required"]);
    check(json!({ "service": { "port": null } }), &["service.port: is required"]);
    check(json!({ "service": { "port": 0 } }), &["service.port: 0 is not between 1 and 65535"]);
    check(json!({ "service": { "port": 65536 } }), &["service.port: 65536 is not between 1 and 65535"]);
    check(json!({ "service": { "targetPort": -1 } }), &["service.targetPort: -1 is not between 1 and 65535"]);
    check(
        json!({ "service": { "targetPort": "9898" } }),
        &["service.targetPort: \"9898\" is a name; write the number without quotes"],
    );
    check(
        json!({ "service": { "targetPort": "HTTP" } }),
        &[
            "service.targetPort: `HTTP` is no name of a container's port: at most 15 lower-case letters, digits and `-`",
        ],
    );
    check(
        json!({ "service": { "portName": "my_port" } }),
        &[
            "service.portName: `my_port` is no name of a Service's port: at most 63 lower-case letters, digits and `-`",
        ],
    );
    check(json!({ "progressDeadlineSeconds": -1 }), &["progressDeadlineSeconds: must not be negative"]);
    check(
        json!({ "metricsServer": "prometheus:9090" }),
        &["metricsServer: `prometheus:9090` must begin with http:// or https://"],
    );
}
