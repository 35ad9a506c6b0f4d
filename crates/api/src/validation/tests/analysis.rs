//! The pace, the weights, the metrics and the webhooks.

use serde_json::{Value, json};

use super::{analysis, check, check_remarks, context, good, hook, metric, parse, validate};

#[test]
fn interval_weights_and_strategy() {
    check(
        analysis(json!({ "interval": "10" })),
        &["analysis.interval: duration `10` lacks a unit (ms, s, m or h)"],
    );
    check(
        analysis(json!({ "interval": "10sec" })),
        &["analysis.interval: duration `10sec` has the unknown unit `sec` (ms, s, m or h)"],
    );
    check(analysis(json!({ "threshold": -1 })), &["analysis.threshold: must not be negative"]);
    check(analysis(json!({ "iterations": -1 })), &["analysis.iterations: must not be negative"]);
    check(analysis(json!({ "maxWeight": 101 })), &["analysis.maxWeight: 101 is not between 0 and 100"]);
    check(analysis(json!({ "stepWeight": -5 })), &["analysis.stepWeight: -5 is not between 0 and 100"]);
    check(
        analysis(json!({ "stepWeightPromotion": 200, "mirrorWeight": -1 })),
        &[
            "analysis.stepWeightPromotion: 200 is not between 0 and 100",
            "analysis.mirrorWeight: -1 is not between 0 and 100",
        ],
    );
    check(
        analysis(json!({ "primaryReadyThreshold": 101, "canaryReadyThreshold": -1 })),
        &[
            "analysis.primaryReadyThreshold: 101 is not between 0 and 100",
            "analysis.canaryReadyThreshold: -1 is not between 0 and 100",
        ],
    );
    check(
        analysis(json!({ "stepWeights": [5, 10] })),
        &["analysis.stepWeights: excludes stepWeight; keep one of the two"],
    );
    let never = "analysis.stepWeight: the weight would never advance: set stepWeight or stepWeights";
    check(analysis(json!({ "stepWeight": 0 })), &[never]);
    check(analysis(json!({ "stepWeight": null })), &[never]);
    check(
        analysis(json!({ "stepWeight": null, "stepWeights": [0, 50] })),
        &["analysis.stepWeights[0]: the weight would never advance past 0: 0 must be more than that"],
    );
    check(
        analysis(json!({ "stepWeight": null, "stepWeights": [10, 10, 50, 20] })),
        &[
            "analysis.stepWeights[1]: the weight would never advance past 10: 10 must be more than that",
            "analysis.stepWeights[3]: the weight would never advance past 50: 20 must be more than that",
        ],
    );
    check(
        analysis(json!({ "stepWeight": null, "stepWeights": [-1, 50] })),
        &["analysis.stepWeights[0]: -1 is not between 0 and 100"],
    );
    check(
        json!({ "analysis": null, "canaryAnalysis": { "stepWeight": 101 } }),
        &["canaryAnalysis.stepWeight: 101 is not between 0 and 100"],
    );
}

#[test]
fn metrics() {
    check(metric(json!({})), &["analysis.metrics[0].name: is required"]);
    for (name, query) in [("404s", Value::Null), ("own", " ".into())] {
        let text = format!(
            "analysis.metrics[0]: `{name}` is not built in (request-success-rate, request-duration) and has neither \
             templateRef nor query; this check fails, so that no new version passes"
        );
        check_remarks(metric(json!({ "name": name, "query": query })), &[&text]);
    }
    check(
        metric(json!({ "name": "own", "templateRef": {} })),
        &["analysis.metrics[0].templateRef.name: is required"],
    );
    check(
        metric(json!({ "name": "request-duration", "interval": "1 m" })),
        &["analysis.metrics[0].interval: duration `1 m` has the unknown unit ` m` (ms, s, m or h)"],
    );
    check(
        metric(json!({ "name": "request-duration", "interval": "0s" })),
        &["analysis.metrics[0].interval: must be longer than zero"],
    );
    check(
        metric(json!({ "name": "request-success-rate", "thresholdRange": { "min": 99.5, "max": 1 } })),
        &["analysis.metrics[0].thresholdRange: min 99.5 is more than max 1; no value would pass"],
    );
    let mut canary = parse(&good()).unwrap();
    let metric = &mut canary.spec.analysis.as_mut().unwrap().metrics[1];
    (metric.threshold, metric.threshold_range.as_mut().unwrap().max) = (Some(f64::NAN), Some(f64::INFINITY));
    let found: Vec<String> = validate(&canary, &context()).defects.iter().map(ToString::to_string).collect();
    let expect = [
        "spec.analysis.metrics[1].threshold: must be a finite number",
        "spec.analysis.metrics[1].thresholdRange.max: must be a finite number",
    ];
    assert_eq!(found, expect);
}

#[test]
fn webhooks() {
    check(hook(json!({ "name": null })), &["analysis.webhooks[0].name: is required"]);
    check(hook(json!({ "url": null })), &["analysis.webhooks[0].url: must not be empty"]);
    check(
        hook(json!({ "type": "smoke" })),
        &[
            "analysis.webhooks[0].type: unknown type `smoke`; there are confirm-rollout, pre-rollout, rollout, \
           confirm-traffic-increase, confirm-promotion, post-rollout, rollback, event",
        ],
    );
    check(
        hook(json!({ "url": "flagger-loadtester.test" })),
        &["analysis.webhooks[0].url: `flagger-loadtester.test` must begin with http:// or https://"],
    );
    check(
        hook(json!({ "url": "ftp://hooks/" })),
        &["analysis.webhooks[0].url: `ftp://hooks/` has the scheme ftp; only http and https will do"],
    );
    check(
        hook(json!({ "url": "http://ho oks/" })),
        &["analysis.webhooks[0].url: `http://ho oks/` is no URL: invalid uri character"],
    );
    check(
        hook(json!({ "url": "http:///gate" })),
        &["analysis.webhooks[0].url: `http:///gate` is no URL: invalid format"],
    );
    check(
        hook(json!({ "timeout": "5x" })),
        &["analysis.webhooks[0].timeout: duration `5x` has the unknown unit `x` (ms, s, m or h)"],
    );
    check(hook(json!({ "timeout": "0s" })), &["analysis.webhooks[0].timeout: must be longer than zero"]);
    check(hook(json!({ "retries": -1 })), &["analysis.webhooks[0].retries: must not be negative"]);
}
