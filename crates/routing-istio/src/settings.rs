//! The fields of `spec.service` and `analysis.match` in the words of a VirtualService.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use vexil_api::{
    Defect, HttpMatch,
    canary::{CanaryService, CanarySpec, CorsPolicy, Rewrite},
};
use vexil_object::meta;
use vexil_routing::{RouteTarget, covers, escaped, omit, put};

/// The annotation with the fields of our route that the Canary declared when it was written last, separated by commas.
/// One that it declares no longer is removed; one that others wrote is never listed. A route without this annotation
/// was written by Flagger, which declared all of them.
const WRITTEN: &str = "flagger.app/written-fields";

/// The fields of a route that a Canary may declare.
pub(crate) const DECLARED: [&str; 6] = ["match", "rewrite", "timeout", "retries", "corsPolicy", "headers"];

/// The fields of an entry of `match` by which Istio chooses.
const CONDITIONS: [&str; 12] = [
    "uri",
    "scheme",
    "method",
    "authority",
    "headers",
    "port",
    "sourceLabels",
    "gateways",
    "queryParams",
    "ignoreUriCase",
    "withoutHeaders",
    "sourceNamespace",
];

/// What the Canary declares of the [`DECLARED`], in their order.
fn declared(target: &RouteTarget<'_>) -> [Option<Value>; 6] {
    let service = &target.spec.service;
    if is_tcp(service) {
        let ports = service.match_.iter().filter_map(|one| one.port).map(|port| json!({"port": port}));
        let ports: Vec<Value> = ports.collect();
        return [(!ports.is_empty()).then(|| ports.into()), None, None, None, None, None];
    }
    [
        (!service.match_.is_empty()).then(|| conditions(&service.match_).into()),
        service.rewrite.as_ref().map(rewrite),
        service.timeout.as_deref().filter(|text| !text.is_empty()).map(Value::from),
        service.retries.as_ref().map(|retries| json!(retries)),
        service.cors_policy.as_ref().map(cors),
        service.headers.as_ref().map(|headers| json!(headers)),
    ]
}

/// Writes the fields that the Canary declares to one of our routes, and removes those that it declared in `object`
/// before.
pub(crate) fn declare(target: &RouteTarget<'_>, live: &Value, route: &mut Value) {
    let before = meta::annotation(live, WRITTEN);
    let before: BTreeSet<&str> = before.map_or(DECLARED.into(), |text| text.split(',').collect());
    for (field, value) in DECLARED.into_iter().zip(declared(target)) {
        match (value, route.as_object_mut()) {
            (Some(value), _) => put(route, field, value),
            (None, Some(fields)) if before.contains(field) => drop(fields.remove(field)),
            (None, _) => {}
        }
    }
}

/// Records the fields that the Canary declares.
pub(crate) fn record(target: &RouteTarget<'_>, object: &mut Value) {
    let fields = DECLARED.into_iter().zip(declared(target));
    let fields: Vec<&str> = fields.filter_map(|(field, value)| value.map(|_| field)).collect();
    meta::set(object, &["metadata", "annotations", WRITTEN], fields.join(",").into());
}

/// Whether the traffic is TCP, by `appProtocol`.
pub(crate) fn is_tcp(service: &CanaryService) -> bool {
    service.app_protocol.as_deref().is_some_and(|protocol| protocol.eq_ignore_ascii_case("tcp"))
}

/// A delegate has neither hosts nor gateways: those of the VirtualService that names it apply.
pub(crate) fn hosts_and_gateways(target: &RouteTarget<'_>, object: &mut Value) {
    let service = &target.spec.service;
    if service.delegation == Some(true) {
        omit(object, "spec.hosts");
        omit(object, "spec.gateways");
        return;
    }
    let mut hosts = service.hosts.clone();
    if !hosts.iter().any(|host| host == target.apex || host == "*") {
        hosts.push(target.apex.to_owned());
    }
    let mesh = || vec!["mesh".to_owned()];
    let gateways = if service.gateways.is_empty() { mesh() } else { service.gateways.clone() };
    put(object, "spec.hosts", json!(hosts));
    put(object, "spec.gateways", json!(gateways));
}

/// The port of our destinations, where Istio cannot know it: a gateway listens on another port than the Services, which
/// have several.
pub(crate) fn port(target: &RouteTarget<'_>) -> Option<i64> {
    let service = &target.spec.service;
    let outside = service.gateways.first().is_some_and(|gateway| gateway != "mesh");
    let is_needed = outside || service.delegation == Some(true);
    service.port.filter(|_| is_needed && service.port_discovery == Some(true))
}

/// What in the Canary contradicts a VirtualService.
pub(crate) fn defects(spec: &CanarySpec) -> Vec<Defect> {
    let (service, analysis) = (&spec.service, spec.analysis());
    let mut found = Vec::new();
    let mut add = |path: &str, message: &str| {
        found.push(Defect { path: path.to_owned(), message: message.to_owned() });
    };
    if service.delegation == Some(true) {
        let text =
            "must be empty with service.delegation: a delegate has those of the VirtualService that names it";
        if !service.hosts.is_empty() {
            add("spec.service.hosts", text);
        }
        if !service.gateways.is_empty() {
            add("spec.service.gateways", text);
        }
    }
    if let Some(analysis) = analysis.filter(|_| is_tcp(service)) {
        let field = spec.analysis_field();
        let text = "needs HTTP: with service.appProtocol tcp traffic can only be split by weight";
        if !analysis.match_.is_empty() {
            add(&format!("spec.{field}.match"), text);
        }
        if analysis.mirror() {
            add(&format!("spec.{field}.mirror"), text);
        }
        if analysis.session_affinity.is_some() {
            add(&format!("spec.{field}.sessionAffinity"), text);
        }
    }
    found
}

/// Conditions as Istio has them: a text that must end with something is a regular expression.
pub(crate) fn conditions(matches: &[HttpMatch]) -> Vec<Value> {
    let mut conditions: Vec<Value> = matches.iter().map(|one| json!(one)).collect();
    for fields in conditions.iter_mut().filter_map(Value::as_object_mut) {
        for (field, value) in fields.iter_mut() {
            match field.as_str() {
                "headers" | "withoutHeaders" | "queryParams" => {
                    value.as_object_mut().into_iter().flatten().for_each(|(_, text)| ending(text));
                }
                _ => ending(value),
            }
        }
    }
    conditions
}

fn ending(condition: &mut Value) {
    if let Some(suffix) = condition.get("suffix").and_then(Value::as_str) {
        *condition = json!({"regex": format!(".*{}", escaped(suffix))});
    }
}

/// Each of `ours` together with each condition of the route. Where both have a text for the same field, ours is taken:
/// Istio has no way to require both.
pub(crate) fn merged(route: Option<&Value>, ours: &[Value]) -> Vec<Value> {
    let all = json!({});
    let route = route.and_then(Value::as_array).filter(|list| !list.is_empty());
    let route = route.map_or_else(|| vec![&all], |list| list.iter().collect());
    let join = |ours: &Value| route.iter().map(|theirs| joined(theirs, ours)).collect::<Vec<Value>>();
    ours.iter().flat_map(join).collect()
}

fn joined(theirs: &Value, ours: &Value) -> Value {
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut both: Map<String, Value> = fields(theirs);
    for (field, value) in fields(ours) {
        match (field.as_str(), both.get_mut(&field)) {
            ("headers" | "withoutHeaders" | "queryParams" | "sourceLabels", Some(Value::Object(map))) => {
                map.extend(fields(&value));
            }
            _ => drop(both.insert(field, value)),
        }
    }
    both.into()
}

/// Whether the conditions of a live route are these and no others. Fields that are no conditions are others'.
pub(crate) fn says(live: &Value, wanted: &Value) -> bool {
    let (Some(live), Some(wanted)) = (live.as_array(), wanted.as_array()) else { return false };
    live.len() == wanted.len()
        && live.iter().zip(wanted).all(|(live, wanted)| {
            covers(live, wanted) && CONDITIONS.iter().all(|field| live.get(field) == wanted.get(field))
        })
}

fn rewrite(rewrite: &Rewrite) -> Value {
    json!(Rewrite { type_: None, ..rewrite.clone() })
}

/// `allowOrigin` is what older versions of Istio had instead of exact `allowOrigins`.
fn cors(policy: &CorsPolicy) -> Value {
    let mut policy = policy.clone();
    let exact = |origin: String| vexil_api::canary::StringMatch { exact: Some(origin), ..Default::default() };
    policy.allow_origins.extend(std::mem::take(&mut policy.allow_origin).into_iter().map(exact));
    json!(policy)
}
