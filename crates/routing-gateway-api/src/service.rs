//! What `spec.service` of a Canary says about a route that was created for it.

use serde_json::{Map, Value, json};
use vexil_api::{
    canary::{CorsPolicy, GatewayRef, HeaderOperations, MirrorBackend},
    parse_duration_ms,
};
use vexil_routing::{RouteContext, covers, omit, put};

use crate::{conditions::condition, kinds::GRPC};

/// Writes parents and hostnames.
pub(crate) fn place(route: &RouteContext<'_>, object: &mut Value) {
    let service = &route.target.spec.service;
    let parents: Vec<Value> = service.gateway_refs.iter().map(parent).collect();
    if !parents.is_empty() {
        settle(object, "spec.parentRefs", Some(parents.into()));
    }
    let hosts = (!service.hosts.is_empty()).then(|| json!(service.hosts));
    settle(object, "spec.hostnames", hosts);
}

fn parent(of: &GatewayRef) -> Value {
    let mut parent = json!({
        "group": of.group.as_deref().unwrap_or("gateway.networking.k8s.io"),
        "kind": of.kind.as_deref().unwrap_or("Gateway"),
        "name": of.name,
    });
    let fields = [
        ("namespace", of.namespace.clone().map(Value::from)),
        ("sectionName", of.section_name.clone().map(Value::from)),
        ("port", of.port.map(Value::from)),
    ];
    for (field, value) in fields {
        settle(&mut parent, field, value);
    }
    // The core group is written as an empty text.
    if parent.get("group").and_then(Value::as_str) == Some("core") {
        put(&mut parent, "group", "".into());
    }
    parent
}

/// Writes a field unless it says this already; `None` removes it.
pub(crate) fn settle(object: &mut Value, path: &str, wanted: Option<Value>) {
    let live = object.pointer(&vexil_routing::pointer(path));
    match wanted {
        Some(wanted) if live.is_some_and(|live| covers(live, &wanted)) => {}
        Some(wanted) => put(object, path, wanted),
        None => match path.rsplit_once('.') {
            Some(_) => omit(object, path),
            None => drop(object.as_object_mut().and_then(|fields| fields.remove(path))),
        },
    }
}

/// The matches of the rule for our Services.
pub(crate) fn matches(route: &RouteContext<'_>) -> Value {
    let of = &route.target.spec.service.match_;
    let mut list: Vec<Value> = of.iter().map(|of| condition(route.kind(), of).0).collect();
    list.retain(|made| made.as_object().is_some_and(|made| !made.is_empty()));
    if list.is_empty() && route.kind() != GRPC {
        list.push(json!({"path": {"type": "PathPrefix", "value": "/"}}));
    }
    list.into()
}

/// The timeouts of that rule.
pub(crate) fn timeouts(route: &RouteContext<'_>) -> Option<Value> {
    let service = &route.target.spec.service;
    let mut made = json!({});
    for (field, text) in [("request", &service.timeout), ("backendRequest", &service.backend_timeout)] {
        settle(&mut made, field, text.as_deref().filter(|text| !text.is_empty()).map(Value::from));
    }
    (route.kind() != GRPC && made != json!({})).then_some(made)
}

/// The filters of that rule, in Flagger's order.
pub(crate) fn filters(route: &RouteContext<'_>) -> Vec<Value> {
    let service = &route.target.spec.service;
    let headers = service.headers.clone().unwrap_or_default();
    let is_http = route.kind() != GRPC;
    let filter = |kind: &str, field: &str, body: Value| json!({"type": kind, field: body});
    let mut filters = Vec::new();
    for (kind, field, operations) in [
        ("RequestHeaderModifier", "requestHeaderModifier", &headers.request),
        ("ResponseHeaderModifier", "responseHeaderModifier", &headers.response),
    ] {
        let body = operations.as_ref().map(operate).filter(|body| *body != json!({}));
        filters.extend(body.map(|body| filter(kind, field, body)));
    }
    if let Some(of) = service.rewrite.as_ref().filter(|_| is_http) {
        let mut body = json!({});
        settle(&mut body, "hostname", of.authority.clone().map(Value::from));
        let prefix = of.type_.as_deref() == Some("ReplacePrefixMatch");
        let (kind, field) = if prefix {
            ("ReplacePrefixMatch", "replacePrefixMatch")
        } else {
            ("ReplaceFullPath", "replaceFullPath")
        };
        settle(&mut body, "path", of.uri.as_deref().map(|uri| json!({"type": kind, field: uri})));
        filters.extend((body != json!({})).then(|| filter("URLRewrite", "urlRewrite", body)));
    }
    let copies = service.mirror.iter().filter_map(|mirror| mirror.backend_ref.as_ref());
    filters.extend(
        copies.map(|of| filter("RequestMirror", "requestMirror", json!({"backendRef": backend(of)}))),
    );
    if let Some(of) = service.cors_policy.as_ref().filter(|_| is_http) {
        filters.push(filter("CORS", "cors", cors(of)));
    }
    filters
}

fn operate(of: &HeaderOperations) -> Value {
    let mut body = Map::new();
    for (field, headers) in [("add", &of.add), ("set", &of.set)] {
        let list: Vec<Value> =
            headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        if !list.is_empty() {
            body.insert(field.to_owned(), list.into());
        }
    }
    if !of.remove.is_empty() {
        body.insert("remove".to_owned(), json!(of.remove));
    }
    body.into()
}

fn backend(of: &MirrorBackend) -> Value {
    let mut made = json!({
        "group": of.group.as_deref().unwrap_or_default(),
        "kind": of.kind.as_deref().unwrap_or("Service"),
        "name": of.name,
    });
    settle(&mut made, "namespace", of.namespace.clone().map(Value::from));
    settle(&mut made, "port", of.port.map(Value::from));
    made
}

/// Conditions on origins other than exact ones do not exist here.
fn cors(of: &CorsPolicy) -> Value {
    let mut body = json!({});
    let exact = of.allow_origins.iter().filter_map(|origin| origin.exact.clone());
    let origins: Vec<String> = of.allow_origin.iter().cloned().chain(exact).collect();
    for (field, list) in [
        ("allowOrigins", &origins),
        ("allowMethods", &of.allow_methods),
        ("allowHeaders", &of.allow_headers),
        ("exposeHeaders", &of.expose_headers),
    ] {
        settle(&mut body, field, (!list.is_empty()).then(|| json!(list)));
    }
    settle(&mut body, "allowCredentials", of.allow_credentials.filter(|allows| *allows).map(Value::from));
    let seconds = of.max_age.as_deref().and_then(|age| parse_duration_ms(age).ok()).map(|ms| ms / 1_000);
    settle(&mut body, "maxAge", seconds.filter(|seconds| *seconds > 0).map(Value::from));
    body
}
