//! The definitions have every field of Flagger's API, and the types have every field of the definitions.

use serde_json::{Value, json};

use super::{CrdError, crds};
use crate::{AlertProvider, Canary, MetricTemplate};

fn schema(plural: &str) -> Value {
    let crd = crds().unwrap().into_iter().find(|crd| crd.plural == plural).unwrap();
    crd.manifest["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

/// An object with every field that the schema has.
fn sample(schema: &Value) -> Value {
    if schema.get("x-kubernetes-int-or-string").is_some() {
        return json!("http");
    }
    if let Some(texts) = schema.get("enum").and_then(Value::as_array) {
        return texts.last().unwrap().clone();
    }
    match schema["type"].as_str().unwrap() {
        "string" if schema["format"] == "date-time" => json!("2024-05-01T10:00:00Z"),
        "string" => json!("text"),
        "boolean" => json!(false),
        "array" => json!([sample(&schema["items"])]),
        "object" => match schema.get("additionalProperties") {
            Some(value) => json!({ "some.key/name": sample(value) }),
            None => {
                let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
                fields.map(|(name, field)| (name.clone(), sample(field))).collect()
            }
        },
        _ => json!(99),
    }
}

/// The largest object of a kind.
pub(crate) fn largest(plural: &str, kind: &str) -> Value {
    let mut object = sample(&schema(plural));
    object["apiVersion"] = json!("flagger.app/v1beta1");
    object["kind"] = json!(kind);
    object["metadata"] = json!({ "name": "x", "namespace": "test" });
    if plural == "canaries" {
        object["status"]["outbox"]["entries"][0]["type"] = json!("Warning");
        object["status"]["outbox"]["entries"][0]["phase"] = json!("Progressing");
    }
    object
}

#[test]
fn another_kind_is_admitted_in_every_version() {
    let check = |path: &str, field: &str, expect: Result<Value, CrdError>| {
        let mut crd = crds().unwrap().remove(0);
        let admitted = crd.admit(path, "Timetable").and_then(|()| crd.admit(path, "Timetable"));
        assert_eq!(admitted, expect.as_ref().map(|_| ()).map_err(Clone::clone), "{path}");
        for version in crd.manifest["spec"]["versions"].as_array().unwrap() {
            let texts = version["schema"]["openAPIV3Schema"]["properties"]["spec"].pointer(field).cloned();
            assert_eq!(texts, expect.clone().ok(), "{path} in {}", version["name"]);
        }
    };
    let kind = |reference: &str| format!("/properties/{reference}/properties/kind/enum");
    let autoscalers = json!(["HorizontalPodAutoscaler", "ScaledObject", "Timetable"]);
    check("spec.autoscalerRef.kind", &kind("autoscalerRef"), Ok(autoscalers));
    let targets = json!(["DaemonSet", "Deployment", "Service", "Timetable"]);
    check("spec.targetRef.kind", &kind("targetRef"), Ok(targets));
    let path = "spec.targetRef.name".to_owned();
    check(&path, "/none", Err(CrdError::NoList { path: path.clone() }));
    let path = "spec.target.kind".to_owned();
    check(&path, "/none", Err(CrdError::NoSuchField { path: path.clone() }));
}

#[test]
fn an_object_with_every_field_comes_back_unchanged() {
    let object = largest("canaries", "Canary");
    let canary: Canary = serde_json::from_value(object.clone()).unwrap();
    assert_eq!(serde_json::to_value(canary).unwrap(), object);
    let object = largest("metrictemplates", "MetricTemplate");
    let template: MetricTemplate = serde_json::from_value(object.clone()).unwrap();
    assert_eq!(serde_json::to_value(template).unwrap(), object);
    let object = largest("alertproviders", "AlertProvider");
    let provider: AlertProvider = serde_json::from_value(object.clone()).unwrap();
    assert_eq!(serde_json::to_value(provider).unwrap(), object);
}

/// The object at `path` has exactly these fields.
#[track_caller]
fn check(schema: &Value, path: &str, fields: &str) {
    let mut node = schema;
    for step in path.split('.') {
        let (name, suffix) = step.split_once(['[', '{']).unwrap_or((step, ""));
        node = &node["properties"][name];
        match suffix {
            "]" => node = &node["items"],
            "}" => node = &node["additionalProperties"],
            _ => {}
        }
    }
    let mut expect: Vec<&str> = fields.split_whitespace().collect();
    expect.sort_unstable();
    let found = node["properties"].as_object().unwrap_or_else(|| panic!("{path} is no object"));
    let mut found: Vec<&str> = found.keys().map(String::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, expect, "{path}");
}

#[test]
fn the_spec_has_the_fields_of_the_contract() {
    let crd = schema("canaries");
    let check = |path: &str, fields: &str| check(&crd, path, fields);
    check(
        "spec",
        "provider metricsServer progressDeadlineSeconds targetRef autoscalerRef ingressRef routeRef upstreamRef \
         service analysis canaryAnalysis skipAnalysis revertOnDeletion suspend",
    );
    check("spec.targetRef", "apiVersion kind name");
    check("spec.autoscalerRef", "apiVersion kind name primaryScalerQueries primaryScalerReplicas");
    check("spec.autoscalerRef.primaryScalerReplicas", "minReplicas maxReplicas");
    check("spec.upstreamRef", "apiVersion kind name namespace");
    check(
        "spec.service",
        "name port portName targetPort appProtocol trafficDistribution portDiscovery headless timeout \
         backendTimeout meshName backends hosts gateways gatewayRefs delegation match rewrite retries headers mirror \
         corsPolicy trafficPolicy apex primary canary unmanagedMetadata",
    );
    check("spec.service.gatewayRefs[]", "group kind name namespace sectionName port");
    check(
        "spec.service.match[]",
        "uri scheme method authority headers queryParams withoutHeaders gateways port name sourceNamespace \
         sourceLabels ignoreUriCase",
    );
    check("spec.service.match[].uri", "exact prefix regex");
    check("spec.service.rewrite", "uri authority type");
    check("spec.service.retries", "attempts perTryTimeout retryOn");
    check("spec.service.headers", "request response");
    check("spec.service.headers.request", "add set remove");
    check("spec.service.mirror[].backendRef", "group kind name namespace port");
    check(
        "spec.service.corsPolicy",
        "allowCredentials allowHeaders allowMethods allowOrigin exposeHeaders allowOrigins maxAge",
    );
    check("spec.service.trafficPolicy", "connectionPool loadBalancer outlierDetection tls");
    check(
        "spec.service.trafficPolicy.connectionPool.http",
        "h2UpgradePolicy http1MaxPendingRequests http2MaxRequests maxRequestsPerConnection maxRetries idleTimeout",
    );
    let balancer = "spec.service.trafficPolicy.loadBalancer";
    check(balancer, "simple consistentHash localityLbSetting warmupDurationSecs");
    check(
        &format!("{balancer}.consistentHash"),
        "httpHeaderName httpCookie useSourceIp httpQueryParameterName minimumRingSize",
    );
    check(&format!("{balancer}.consistentHash.httpCookie"), "name path ttl");
    check(&format!("{balancer}.localityLbSetting"), "distribute failover enabled");
    check(
        "spec.service.trafficPolicy.outlierDetection",
        "baseEjectionTime interval consecutive5xxErrors consecutiveErrors consecutiveGatewayErrors \
         consecutiveLocalOriginFailures maxEjectionPercent minHealthPercent splitExternalLocalOriginErrors",
    );
    check(
        "spec.service.trafficPolicy.tls",
        "mode caCertificates clientCertificate privateKey sni subjectAltNames",
    );
    check("spec.service.apex", "labels annotations");
    check("spec.service.unmanagedMetadata", "labels annotations");
}

#[test]
fn the_analysis_under_both_names_and_the_status_have_the_fields_of_the_contract() {
    let crd = schema("canaries");
    for root in ["spec.analysis", "spec.canaryAnalysis"] {
        let check = |path: &str, fields: &str| check(&crd, &format!("{root}{path}"), fields);
        check(
            "",
            "interval threshold iterations maxWeight stepWeight stepWeightPromotion stepWeights mirror mirrorWeight \
             primaryReadyThreshold canaryReadyThreshold match metrics alerts webhooks sessionAffinity",
        );
        check(".match[]", "headers queryParams sourceLabels");
        check(".match[].headers{}", "exact prefix suffix regex");
        check(".match[].queryParams{}", "exact prefix regex");
        check(".metrics[]", "name interval threshold thresholdRange query templateRef templateVariables");
        check(".alerts[]", "name severity providerRef");
        check(".webhooks[]", "name type url timeout retries disableTLS muteAlert metadata");
        check(
            ".sessionAffinity",
            "cookieName primaryCookieName domain path maxAge httpOnly partitioned secure sameSite",
        );
    }
    check(
        &crd,
        "status",
        "phase failedChecks canaryWeight iterations trackedConfigs lastAppliedSpec lastPromotedSpec \
         sessionAffinityCookie primarySessionAffinityCookie previousSessionAffinityCookie lastTransitionTime \
         conditions observedGeneration binding previousBindings exposure limits prepared waitedMs lastStepTime run primarySpec withheldWeight ending drainUntil drainRestarts trafficReleased wait postRollout outbox reportedWarnings",
    );
    check(
        &crd,
        "status.conditions[]",
        "type status reason message observedGeneration lastUpdateTime lastTransitionTime",
    );
    check(&crd, "status.reportedWarnings", "spec cluster");
    check(&crd, "status.outbox.entries[]", "seq type level message phase time alert to");
}

#[test]
fn the_other_kinds_have_the_fields_of_the_contract() {
    let template = schema("metrictemplates");
    check(&template, "spec", "provider query");
    check(&template, "spec.provider", "type address headers secretRef region insecureSkipVerify");
    check(&schema("alertproviders"), "spec", "type channel username address proxy secretRef");
}

#[test]
fn kubectl_shows_the_columns_in_the_contracts_order() {
    let crd = crds().unwrap().into_iter().next().unwrap().manifest;
    for (at, interval) in [".spec.analysis.interval", ".spec.canaryAnalysis.interval"].iter().enumerate() {
        let columns = crd["spec"]["versions"][at]["additionalPrinterColumns"].as_array().unwrap().clone();
        let names: Vec<_> = columns.iter().map(|c| c["name"].as_str().unwrap()).collect();
        let expect = "Status Weight Suspended FailedChecks Interval Mirror StepWeight StepWeights MaxWeight \
                      Ready Message LastTransitionTime";
        assert_eq!(names.join(" "), expect);
        assert_eq!(columns[4]["jsonPath"], *interval);
    }
}

/// With the conversion None, a field that one version lacks would be lost through it, and an object that one version
/// refuses could not be written through it.
#[test]
fn the_versions_of_a_canary_differ_in_name_and_columns_alone() {
    let canaries = crds().unwrap().into_iter().next().unwrap().manifest;
    assert_eq!(canaries["spec"].get("conversion"), None, "None is the default");
    let shown = |at: usize| {
        let mut version = canaries["spec"]["versions"][at].clone();
        let name = version["name"].as_str().unwrap().to_owned();
        let storage = version["storage"].as_bool().unwrap();
        for field in ["name", "storage", "additionalPrinterColumns"] {
            version.as_object_mut().unwrap().remove(field);
        }
        (name, storage, version)
    };
    let ((stored, stores, beta), (old, keeps, alpha)) = (shown(0), shown(1));
    assert_eq!((stored.as_str(), stores), ("v1beta1", true));
    assert_eq!((old.as_str(), keeps), ("v1alpha3", false));
    assert_eq!(beta, alpha);
    assert_eq!(alpha["served"], true);
    assert_eq!(alpha["subresources"], json!({ "status": {} }));
}

/// The definition of v1alpha3 required no field of `canaryAnalysis`; Flagger's current one requires a strategy.
#[test]
fn no_rule_refuses_what_flagger_admitted_under_the_old_name() {
    let crd = schema("canaries");
    let rules = |field: &str| crd["properties"]["spec"]["properties"][field].get("x-kubernetes-validations");
    assert!(rules("analysis").is_some());
    assert_eq!(rules("canaryAnalysis"), None);
}
