//! Objects are written back as they were read, and absent fields have Flagger's defaults.

use serde_json::{Value, json};

use super::{Analysis, Canary, CanaryPhase, CanarySpec, CanaryStatus, HookType, Webhook};

#[track_caller]
fn check_unchanged(spec: Value, status: Value) {
    let object = json!({
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": { "name": "podinfo", "namespace": "test" },
        "spec": spec,
        "status": status,
    });
    let canary: Canary = serde_json::from_value(object.clone()).unwrap();
    assert_eq!(serde_json::to_value(canary).unwrap(), object);
}

/// A status as Flagger writes it.
fn reference_status() -> Value {
    json!({
        "phase": "Succeeded",
        "canaryWeight": 0,
        "failedChecks": 0,
        "iterations": 0,
        "lastAppliedSpec": "7c9d48b65f",
        "lastPromotedSpec": "7c9d48b65f",
        "trackedConfigs": {},
        "lastTransitionTime": "2024-05-01T10:00:00Z",
        "conditions": [{
            "type": "Promoted",
            "status": "True",
            "reason": "Succeeded",
            "message": "Canary analysis completed successfully, promotion finished.",
            "lastUpdateTime": "2024-05-01T10:00:00Z",
            "lastTransitionTime": "2024-05-01T10:00:00Z",
        }],
    })
}

#[test]
fn an_object_of_flagger_is_written_back_unchanged() {
    let target = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo" });
    check_unchanged(json!({ "targetRef": target }), reference_status());
    check_unchanged(
        json!({
            "targetRef": target,
            "autoscalerRef": {
                "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "podinfo-so",
                "primaryScalerQueries": { "requests": "sum(x)" },
                "primaryScalerReplicas": { "minReplicas": 2, "maxReplicas": 15 },
            },
            "service": { "port": 9898, "targetPort": 9898, "portName": "" },
            "analysis": {
                "interval": "",
                "stepWeights": [1, 2],
                "metrics": [{ "name": "a", "threshold": 99, "thresholdRange": { "min": 99.5, "max": -0.25 } }],
                "webhooks": [{ "name": "", "type": "", "url": "" }, { "name": "x", "type": "later", "url": "y" }],
                "alerts": [{ "name": "a", "severity": "", "providerRef": { "name": "b" } }],
            },
        }),
        reference_status(),
    );
}

#[test]
fn no_queries_for_the_primarys_scaler_are_not_the_same_as_none() {
    for rest in [json!({}), json!({ "primaryScalerQueries": {} })] {
        let mut scaler = json!({ "kind": "ScaledObject", "name": "podinfo-so" });
        scaler.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        let target = json!({ "kind": "Deployment", "name": "podinfo" });
        check_unchanged(json!({ "targetRef": target, "autoscalerRef": scaler }), reference_status());
    }
}

/// The Canary of the guide for SMI Istio, as it is written there.
fn legacy() -> Value {
    json!({
        "apiVersion": "flagger.app/v1alpha3",
        "kind": "Canary",
        "metadata": { "name": "podinfo", "namespace": "test" },
        "spec": {
            "targetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo" },
            "progressDeadlineSeconds": 60,
            "autoscalerRef": {
                "apiVersion": "autoscaling/v2beta1", "kind": "HorizontalPodAutoscaler", "name": "podinfo",
            },
            "service": {
                "port": 9898,
                "gateways": ["public-gateway.istio-system.svc.cluster.local"],
                "hosts": ["app.example.com"],
            },
            "canaryAnalysis": {
                "interval": "10s",
                "threshold": 5,
                "maxWeight": 50,
                "stepWeight": 10,
                "metrics": [
                    { "name": "request-success-rate", "threshold": 99, "interval": "1m" },
                    { "name": "request-duration", "threshold": 500, "interval": "30s" },
                ],
                "webhooks": [{
                    "name": "load-test",
                    "url": "http://flagger-loadtester.test/",
                    "timeout": "5s",
                    "metadata": { "cmd": "hey -z 1m -q 10 -c 2 http://podinfo.test:9898/" },
                }],
            },
        },
    })
}

#[test]
fn an_object_of_the_old_version_loses_nothing_but_its_version() {
    let mut object = legacy();
    let canary = crate::parse(&object).unwrap();
    let analysis = canary.spec.analysis().unwrap();
    assert_eq!(canary.spec.analysis_field(), "canaryAnalysis");
    assert_eq!((analysis.interval_ms(0), analysis.threshold()), (10_000, 5));
    assert_eq!((analysis.max_weight(), analysis.step_weight()), (50, 10));
    assert_eq!(analysis.metrics[1].threshold, Some(500.0));
    assert_eq!(analysis.webhooks[0].hook_type(), HookType::Rollout);
    object["apiVersion"] = json!("flagger.app/v1beta1");
    assert_eq!(serde_json::to_value(canary).unwrap(), object);
}

#[test]
fn a_status_has_flaggers_fields_even_when_they_are_zero() {
    let empty = serde_json::to_value(CanaryStatus::default()).unwrap();
    assert_eq!(empty, json!({ "phase": "", "failedChecks": 0, "canaryWeight": 0, "iterations": 0 }));
    assert_eq!(serde_json::from_value::<CanaryPhase>(json!("")).unwrap(), CanaryPhase::Unset);
}

#[test]
fn unknown_fields_are_ignored() {
    let spec: CanarySpec = serde_json::from_value(json!({ "new": 1, "service": { "other": {} } })).unwrap();
    assert_eq!(spec, CanarySpec::default());
}

fn analysis(written: Value) -> Analysis {
    serde_json::from_value(written).unwrap()
}

#[test]
fn the_interval_is_a_minute_unless_a_longer_one_than_the_least_is_written() {
    let check = |interval: &str, expect| {
        assert_eq!(analysis(json!({ "interval": interval })).interval_ms(10_000), expect, "{interval}");
    };
    assert_eq!(Analysis::default().interval_ms(10_000), 60_000);
    check("", 60_000);
    check("soon", 60_000);
    check("1s", 10_000);
    check("30s", 30_000);
    check("1m30s", 90_000);
}

#[test]
fn weights_and_thresholds_mean_what_the_contract_says() {
    let check = |written: Value, max: u32, threshold: u32| {
        let analysis = analysis(written.clone());
        assert_eq!((analysis.max_weight(), analysis.threshold()), (max, threshold), "{written}");
    };
    check(json!({}), 100, 1);
    check(json!({ "maxWeight": 0, "threshold": 0 }), 100, 1);
    check(json!({ "maxWeight": 50, "threshold": 5 }), 50, 5);
    check(json!({ "maxWeight": 50, "stepWeights": [1, 80] }), 80, 1);
    check(json!({ "stepWeights": [1, 200] }), 100, 1);
    check(json!({ "maxWeight": i64::MAX, "threshold": i64::MAX }), 100, u32::MAX);
    let ready = |written| analysis(written).canary_ready_threshold();
    assert_eq!([ready(json!({})), ready(json!({ "canaryReadyThreshold": 0 }))], [100, 0]);
}

#[test]
fn the_spec_means_what_the_contract_says() {
    let spec = |written: Value| -> CanarySpec { serde_json::from_value(written).unwrap() };
    let target = json!({ "name": "podinfo" });
    assert_eq!(spec(json!({ "targetRef": target })).apex_name(), "podinfo");
    assert_eq!(spec(json!({ "targetRef": target, "service": { "name": "web" } })).apex_name(), "web");
    assert_eq!(spec(json!({})).progress_deadline_ms(), 600_000);
    assert_eq!(spec(json!({ "progressDeadlineSeconds": 60 })).progress_deadline_ms(), 60_000);
    assert!(spec(json!({})).skip_analysis());
    assert!(!spec(json!({ "canaryAnalysis": {} })).skip_analysis());
    let both = spec(json!({ "analysis": { "threshold": 1 }, "canaryAnalysis": { "threshold": 2 } }));
    assert_eq!((both.analysis().unwrap().threshold(), both.analysis_field()), (1, "analysis"));
}

#[test]
fn a_webhook_without_type_is_a_rollout_hook_with_ten_seconds() {
    let hook: Webhook = serde_json::from_value(json!({ "type": "", "timeout": "" })).unwrap();
    assert_eq!((hook.hook_type(), hook.timeout_ms(), hook.retries()), (HookType::Rollout, Ok(10_000), 0));
    assert_eq!(Webhook::default().hook_type(), HookType::Rollout);
    for kind in HookType::ALL {
        assert_eq!(serde_json::to_value(&kind).unwrap(), json!(kind.as_str()));
    }
}
