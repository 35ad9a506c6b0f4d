//! The table of mistakes, and what they are made of.

use serde_json::{Value, json};

use super::{Answer, Case, Wrong};

/// Merged into the specification.
fn spec(change: Value) -> Wrong {
    Wrong { canary: json!({"spec": change}), ..Wrong::default() }
}

/// A mesh that no Mesh can be named as.
fn no_mesh() -> Wrong {
    let annotations = json!({"kuma.io/mesh": "two meshes"});
    Wrong {
        canary: json!({"metadata": {"annotations": annotations}, "spec": {"provider": "kuma"}}),
        ..Wrong::default()
    }
}

/// One metric instead of the usual ones.
fn metric(metric: Value, also: &'static str) -> Wrong {
    Wrong { also, ..spec(json!({"analysis": {"metrics": [metric], "webhooks": []}})) }
}

/// A metric of the template `mine`.
fn template(also: &'static str) -> Wrong {
    metric(
        json!({
            "name": "mine", "templateRef": {"name": "podinfo-mine"}, "thresholdRange": {"max": 1}, "interval": "1m",
        }),
        also,
    )
}

pub const MINE: &str = "{apiVersion: flagger.app/v1beta1, kind: MetricTemplate, \
     metadata: {name: podinfo-mine, namespace: test}, \
     spec: {provider: {type: prometheus, address: 'http://podinfo.broken'}, query: 'up'}}";

/// The server of the template `mine` answers like this.
fn server(answer: Answer) -> Wrong {
    Wrong { answer: Some(answer), ..template(MINE) }
}

/// A hook of that kind answers like this.
fn hook(kind: &str, answer: Answer) -> Wrong {
    let hook = json!({"name": "gate", "type": kind, "url": "http://podinfo.broken/gate", "timeout": "5s"});
    Wrong { answer: Some(answer), ..spec(json!({"analysis": {"webhooks": [hook]}})) }
}

pub fn cases() -> Vec<Case> {
    vec![
        // The Canary.
        (
            "missing-target",
            spec(json!({"targetRef": {"name": "nobody"}})),
            "deployment nobody.test get query error: not found",
            "Initializing",
        ),
        ("port-out-of-range", spec(json!({"service": {"port": 70000}})), "spec.service.port", "none"),
        (
            "hook-without-url",
            spec(json!({"analysis": {"webhooks": [{"name": "x", "type": "rollout", "url": "nowhere"}]}})),
            "webhooks[0].url",
            "none",
        ),
        (
            "apex-of-another",
            spec(json!({"service": {"name": "other"}})),
            "spec.service.name: is the apex of Canary other as well",
            "none",
        ),
        (
            "target-of-another",
            spec(json!({"targetRef": {"name": "other"}})),
            "spec.targetRef.name: is the target of Canary other as well",
            "none",
        ),
        ("route-that-is-not-named", spec(json!({"provider": "apisix"})), "spec.routeRef", "none"),
        ("mesh-that-cannot-be", no_mesh(), "kuma.io/mesh", "none"),
        ("missing-service", spec(json!({"service": null})), "spec.service.port: is required", "none"),
        // Metrics and their templates.
        (
            "unknown-metric",
            metric(json!({"name": "happiness", "thresholdRange": {"min": 1}, "interval": "1m"}), ""),
            "Warning spec.analysis.metrics[0]: `happiness` is not built in",
            "Failed",
        ),
        ("missing-template", template(""), "Metric template podinfo-mine.test", "Failed"),
        (
            "missing-secret",
            template(SECRETIVE),
            "Warning Metric template podinfo-mine.test secret gone error",
            "Failed",
        ),
        (
            "template-that-does-not-parse",
            template(UNCLOSED),
            "Warning Metric template podinfo-mine.test query render error",
            "Failed",
        ),
        (
            "template-with-an-unknown-variable",
            template(UNKNOWN_VARIABLE),
            "Warning Metric template podinfo-mine.test query render error",
            "Failed",
        ),
        // Metric servers.
        ("server-that-is-not-there", template(MINE), "Metric query failed for mine", "Failed"),
        (
            "server-that-fails",
            server(Answer::Status(500, "boom")),
            "500 Internal Server Error: boom",
            "Failed",
        ),
        ("server-that-wants-a-login", server(Answer::Status(401, "")), "401", "Failed"),
        (
            "server-that-answers-html",
            server(Answer::Status(200, "<html>hello</html>")),
            "error unmarshaling result",
            "Failed",
        ),
        (
            "server-that-answers-nothing",
            server(Answer::Status(200, "")),
            "error unmarshaling result",
            "Failed",
        ),
        ("server-that-answers-nan", server(Answer::Status(200, NAN)), "no values found", "Failed"),
        ("server-that-answers-infinity", server(Answer::Status(200, INFINITY)), "no values found", "Failed"),
        ("server-with-no-series", server(Answer::Status(200, NONE)), "no values found", "Failed"),
        ("server-with-several-series", server(Answer::Status(200, SEVERAL)), "2 series", "Failed"),
        ("server-with-half-a-series", server(Answer::Status(200, HALF)), "series has no value", "Failed"),
        (
            "server-that-sends-too-much",
            server(Answer::Bytes(TOO_MUCH)),
            "larger than 1048576 bytes",
            "Failed",
        ),
        (
            "server-that-hangs",
            server(Answer::Hang),
            "no answer from podinfo.broken:80 within 5000ms",
            "Failed",
        ),
        // Hooks.
        (
            "hook-that-is-not-there",
            spec(json!({"analysis": {"webhooks": [
            {"name": "x", "type": "rollout", "url": "http://nobody.test/"}]}})),
            "external check x failed no answer from nobody.test:80",
            "Failed",
        ),
        (
            "hook-that-refuses",
            hook("rollout", Answer::Status(403, "not today")),
            "external check gate failed not today",
            "Failed",
        ),
        (
            "hook-that-hangs",
            hook("rollout", Answer::Hang),
            "external check gate failed no answer from podinfo.broken:80 within 5000ms",
            "Failed",
        ),
        ("hook-that-redirects", hook("rollout", Answer::Redirect), "which is not followed", "Failed"),
        (
            "first-hook-that-hangs",
            hook("pre-rollout", Answer::Hang),
            "pre-rollout check gate failed no answer",
            "Failed",
        ),
        (
            "hook-that-sends-too-much",
            hook("pre-rollout", Answer::Bytes(TOO_MUCH)),
            "Pre-rollout check gate passed",
            "Succeeded",
        ),
        (
            "last-hook-that-hangs",
            hook("post-rollout", Answer::Hang),
            "Post-rollout hook gate failed no answer",
            "Succeeded",
        ),
        ("event-hook-that-hangs", hook("event", Answer::Hang), "Promotion completed!", "Succeeded"),
    ]
}

/// More than is read; a gigabyte would be no more.
const TOO_MUCH: usize = 64 << 20;
const SECRETIVE: &str = "{apiVersion: flagger.app/v1beta1, kind: MetricTemplate, \
     metadata: {name: podinfo-mine, namespace: test}, \
     spec: {provider: {type: prometheus, address: 'http://metrics.test', secretRef: {name: gone}}, query: 'up'}}";
const UNCLOSED: &str = "{apiVersion: flagger.app/v1beta1, kind: MetricTemplate, \
     metadata: {name: podinfo-mine, namespace: test}, \
     spec: {provider: {type: prometheus, address: 'http://metrics.test'}, query: 'up{{ target'}}";
const UNKNOWN_VARIABLE: &str = "{apiVersion: flagger.app/v1beta1, kind: MetricTemplate, \
     metadata: {name: podinfo-mine, namespace: test}, \
     spec: {provider: {type: prometheus, address: 'http://metrics.test'}, query: 'up{{ moon }}'}}";
const NONE: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
const HALF: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"value":[]}]}}"#;
const NAN: &str =
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[0,"NaN"]}]}}"#;
const INFINITY: &str =
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[0,"+Inf"]}]}}"#;
const SEVERAL: &str = r#"{"status":"success","data":{"resultType":"vector",
    "result":[{"metric":{"a":"1"},"value":[0,"1"]},{"metric":{"a":"2"},"value":[0,"2"]}]}}"#;
