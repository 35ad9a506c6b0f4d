//! Schema rules of the Canary: required fields, enums, patterns, CEL rules, columns. They are those of Flagger's
//! CustomResourceDefinition; `docs/differences.md` lists what is added.

use serde_json::{Value, json};

use super::rule::{CrdError, Rule, apply, at_most_one, cel, exactly_one, keep, one_of, required, set};
use super::schema::object;
use super::{column, stored, version};
use crate::limits::{self, bounded};
use crate::{CanarySpec, CanaryStatus};

/// A DNS label (RFC 1123).
const LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
/// A DNS name (RFC 1123).
const NAME: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/// A DNS name, or the core group.
const GROUP: &str = r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/// A kind.
const KIND: &str = "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$";
/// How a duration begins. As in Flagger's pattern, anything may follow.
const DURATION: &str = "^[0-9]+(m|s)";

/// The versions that are served. Their columns show the analysis under the name that it has in each.
pub(super) fn versions() -> Result<Vec<Value>, CrdError> {
    let schema = schema()?;
    Ok(vec![
        stored(columns("analysis"), schema.clone()),
        version("v1alpha3", false, columns("canaryAnalysis"), schema),
    ])
}

/// The printer columns, in Flagger's order.
fn columns(analysis: &str) -> Value {
    let of_analysis =
        |name: &str, type_: &str, field: &str| column(name, type_, &format!(".spec.{analysis}.{field}"), 1);
    json!([
        column("Status", "string", ".status.phase", 0),
        column("Weight", "string", ".status.canaryWeight", 0),
        column("Suspended", "boolean", ".spec.suspend", 1),
        column("FailedChecks", "string", ".status.failedChecks", 1),
        of_analysis("Interval", "string", "interval"),
        of_analysis("Mirror", "boolean", "mirror"),
        of_analysis("StepWeight", "string", "stepWeight"),
        of_analysis("StepWeights", "string", "stepWeights"),
        of_analysis("MaxWeight", "string", "maxWeight"),
        column("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status", 0),
        column("Message", "string", ".status.conditions[?(@.type==\"Ready\")].message", 1),
        column("LastTransitionTime", "string", ".status.lastTransitionTime", 0),
    ])
}

/// The schema, which both versions have.
fn schema() -> Result<Value, CrdError> {
    let bare = object::<CanarySpec, CanaryStatus>(
        "Canary rolls out new revisions of a workload step by step, analyses each, and promotes it or rolls it back.",
    );
    let rules = [
        spec(),
        service(),
        traffic_policy(),
        vec![strategy("spec.analysis")],
        analysis("spec.analysis"),
        // The old name of `analysis`. Its own CRD asked for no strategy, and what it admitted is admitted.
        analysis("spec.canaryAnalysis"),
        status(),
    ];
    apply(bounded(bare, &limits::canary()), rules.into_iter().flatten().collect())
}

/// Rules of `spec`, except for `service` and the analysis.
fn spec() -> Vec<Rule> {
    let reference = || required(&["apiVersion", "kind", "name"]);
    vec![
        set("spec", required(&["targetRef"])),
        set(
            "spec",
            cel(
                "has(self.analysis) || has(self.canaryAnalysis)",
                "analysis is required; set skipAnalysis beside it to promote without checks",
            ),
        ),
        set("spec.provider", one_of(&PROVIDERS)),
        number("spec.progressDeadlineSeconds"),
        set("spec.targetRef", reference()),
        set("spec.targetRef.kind", one_of(&["DaemonSet", "Deployment", "Service"])),
        set("spec.autoscalerRef", reference()),
        set("spec.autoscalerRef.kind", one_of(&["HorizontalPodAutoscaler", "ScaledObject"])),
        set("spec.autoscalerRef.primaryScalerReplicas.minReplicas", json!({ "minimum": 1 })),
        set("spec.autoscalerRef.primaryScalerReplicas.maxReplicas", json!({ "minimum": 1 })),
        set("spec.ingressRef", reference()),
        set("spec.ingressRef.kind", one_of(&["Ingress"])),
        set("spec.routeRef", reference()),
        set("spec.routeRef.kind", one_of(&["ApisixRoute"])),
        set("spec.upstreamRef", reference()),
        set("spec.upstreamRef.kind", one_of(&["Upstream"])),
    ]
}

/// The providers that Flagger's definition admits, `gatewayapi` in the newest version, `smi:istio` of the guide for
/// SMI, and the later versions of SMI for Istio and Linkerd: every provider that an Event lists can be set.
const PROVIDERS: [&str; 25] = [
    "apisix",
    "appmesh",
    "appmesh:v1beta2",
    "contour",
    "gatewayapi",
    "gatewayapi:v1",
    "gatewayapi:v1beta1",
    "gloo",
    "istio",
    "knative",
    "kubernetes",
    "kuma",
    "linkerd",
    "nginx",
    "osm",
    "skipper",
    "smi:istio",
    "smi:v1alpha1",
    "smi:v1alpha2",
    "smi:v1alpha2:istio",
    "smi:v1alpha2:linkerd",
    "smi:v1alpha3",
    "smi:v1alpha3:istio",
    "smi:v1alpha3:linkerd",
    "traefik",
];

/// Rules of `spec.service`, except for `trafficPolicy`.
fn service() -> Vec<Rule> {
    let at = |rest: &str| format!("spec.service.{rest}");
    let text = ["exact", "prefix", "regex"];
    let mut rules = vec![
        set("spec.service", required(&["port"])),
        number("spec.service.port"),
        set(at("trafficDistribution"), one_of(&["PreferClose", "PreferSameZone", "PreferSameNode"])),
        set(at("gatewayRefs[]"), required(&["name"])),
        set(at("gatewayRefs[].group"), json!({ "default": "gateway.networking.k8s.io", "pattern": GROUP })),
        set(at("gatewayRefs[].kind"), json!({ "default": "Gateway", "minLength": 1, "pattern": KIND })),
        set(at("gatewayRefs[].name"), json!({ "minLength": 1 })),
        set(at("gatewayRefs[].namespace"), json!({ "minLength": 1, "pattern": LABEL })),
        set(at("gatewayRefs[].sectionName"), json!({ "minLength": 1, "pattern": NAME })),
        set(at("gatewayRefs[].port"), json!({ "format": "int32", "minimum": 1, "maximum": 65535 })),
        set(at("retries.attempts"), json!({ "format": "int32" })),
        set(at("mirror[].backendRef"), required(&["name"])),
        set(at("mirror[].backendRef.group"), json!({ "default": "" })),
        set(at("mirror[].backendRef.kind"), json!({ "default": "Service" })),
        set(at("mirror[].backendRef.port"), json!({ "format": "int32", "minimum": 1, "maximum": 65535 })),
        set(
            at("mirror[].backendRef"),
            cel(
                "self.group == '' && self.kind == 'Service' ? has(self.port) : true",
                "a mirror to a Service needs its port",
            ),
        ),
        keep(at("corsPolicy.allowOrigins[]"), &text),
        set(at("corsPolicy.allowOrigins[]"), exactly_one(&text)),
    ];
    for field in ["uri", "scheme", "method", "authority", "headers{}", "queryParams{}", "withoutHeaders{}"] {
        rules.push(keep(at(&format!("match[].{field}")), &text));
        rules.push(set(at(&format!("match[].{field}")), at_most_one(&text)));
    }
    rules
}

/// Rules of `spec.service.trafficPolicy`.
fn traffic_policy() -> Vec<Rule> {
    let at = |rest: &str| format!("spec.service.trafficPolicy.{rest}");
    let mut rules = vec![
        set(at("connectionPool.http.h2UpgradePolicy"), one_of(&["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"])),
        set(at("loadBalancer"), at_most_one(&["simple", "consistentHash"])),
        set(
            at("loadBalancer.simple"),
            one_of(&["ROUND_ROBIN", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "LEAST_REQUEST"]),
        ),
        set(
            at("loadBalancer.consistentHash"),
            exactly_one(&["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"]),
        ),
        set(at("tls.mode"), one_of(&["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"])),
    ];
    for field in ["http1MaxPendingRequests", "http2MaxRequests", "maxRequestsPerConnection", "maxRetries"] {
        rules.push(set(at(&format!("connectionPool.http.{field}")), json!({ "format": "int32" })));
    }
    rules
}

/// The fields of an analysis that are required together.
fn strategy(root: &str) -> Rule {
    set(
        root,
        cel(
            "has(self.interval) && has(self.threshold) && \
             [has(self.iterations), has(self.stepWeight), has(self.stepWeights)].exists_one(x, x)",
            "an analysis needs interval, threshold and exactly one of iterations, stepWeight and stepWeights",
        ),
    )
}

/// Rules of an analysis. `root` is `spec.analysis` or its old name.
fn analysis(root: &str) -> Vec<Rule> {
    let at = |rest: &str| format!("{root}.{rest}");
    let text = ["exact", "prefix", "regex"];
    let mut rules = vec![
        set(at("interval"), json!({ "pattern": DURATION })),
        keep(at("match[]"), &["headers", "queryParams", "sourceLabels"]),
        set(at("match[].headers{}"), exactly_one(&["exact", "prefix", "suffix", "regex"])),
        keep(at("match[].queryParams{}"), &text),
        set(at("match[].queryParams{}"), at_most_one(&text)),
        set(at("metrics[]"), required(&["name"])),
        set(at("metrics[].interval"), json!({ "pattern": DURATION })),
        set(at("metrics[].templateRef"), required(&["name"])),
        set(at("alerts[]"), required(&["name", "providerRef"])),
        set(at("alerts[].severity"), one_of(&["", "info", "warn", "error"])),
        set(at("alerts[].providerRef"), required(&["name"])),
        set(at("webhooks[]"), required(&["name", "url"])),
        set(at("webhooks[].type"), one_of(&HOOK_TYPES)),
        set(at("webhooks[].timeout"), json!({ "pattern": DURATION })),
        number(at("webhooks[].retries")),
        set(at("sessionAffinity"), required(&["cookieName"])),
        number(at("sessionAffinity.maxAge")),
        set(at("sessionAffinity.maxAge"), json!({ "default": 86400 })),
        set(at("sessionAffinity.sameSite"), one_of(&["Strict", "Lax", "None"])),
    ];
    for field in [
        "threshold",
        "iterations",
        "maxWeight",
        "stepWeight",
        "stepWeightPromotion",
        "stepWeights[]",
        "mirrorWeight",
        "primaryReadyThreshold",
        "canaryReadyThreshold",
    ] {
        rules.push(number(at(field)));
    }
    rules
}

/// The webhook types that Flagger's definition admits.
const HOOK_TYPES: [&str; 9] = [
    "",
    "confirm-rollout",
    "pre-rollout",
    "rollout",
    "confirm-promotion",
    "post-rollout",
    "event",
    "rollback",
    "confirm-traffic-increase",
];

/// Rules of `status`.
fn status() -> Vec<Rule> {
    vec![
        set("status.phase", one_of(&PHASES)),
        number("status.failedChecks"),
        number("status.canaryWeight"),
        number("status.iterations"),
        set("status.conditions[]", required(&["type", "status", "reason"])),
        // Far above what the operator writes, which keeps the whole status below 64 KiB.
        set("status.conditions", json!({ "maxItems": 64 })),
        set("status.conditions[].message", json!({ "maxLength": 32_768 })),
        set("status.outbox.entries", json!({ "maxItems": 4_096 })),
        set("status.outbox.entries[].message", json!({ "maxLength": 65_536 })),
        set("status.outbox.entries[].alert.message", json!({ "maxLength": 65_536 })),
        set("status.outbox.entries[].to", json!({ "maxItems": 1_024 })),
    ]
}

/// The phases; the empty one is that of a Canary that was not processed yet.
const PHASES: [&str; 12] = [
    "",
    "Initializing",
    "Initialized",
    "Waiting",
    "Progressing",
    "WaitingPromotion",
    "Promoting",
    "Finalising",
    "Succeeded",
    "Failed",
    "Terminating",
    "Terminated",
];

/// Flagger's schema says `number` where its types say integer.
fn number(path: impl Into<String>) -> Rule {
    set(path, json!({ "type": "number", "format": null }))
}
