//! Prints what the router writes, one JSON object per line: every request with several Canaries, over new and existing
//! VirtualServices. `tools/istio-validation` reads it and validates each object as Istio does.

use serde_json::{Value, json};
use vexil_object::{Action, Kind, Objects, Store};
use vexil_routing::{RouteError, RouteTarget, Router, Routes, SessionCookies, Weight, laws::Sample, put};
use vexil_routing_istio::Istio;

const GROUP: &str = "networking.istio.io";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (service, analysis) in canaries() {
        let mut sample = Sample::default();
        sample.spec.service = serde_json::from_value(service)?;
        sample.spec.analysis = Some(serde_json::from_value(analysis)?);
        let cookies =
            SessionCookies { canary: Some("c=new"), primary: Some("p=here"), previous: Some("c=old") };
        let target = RouteTarget { cookies, ..sample.target() };
        let is_tcp = sample.spec.service.app_protocol.as_deref() == Some("tcp");
        for want in requests().into_iter().filter(|want| !is_tcp || matches!(want, Routes::Weighted { .. })) {
            print(&target, None, want)?;
            if !is_tcp {
                print(&target, Some(users()), want)?;
            }
        }
    }
    Ok(())
}

/// `service` and `analysis` of Canaries that declare different things.
fn canaries() -> Vec<(Value, Value)> {
    let matches = json!([
        {"headers": {"x-canary": {"exact": "insider"}, "user": {"suffix": "@example.com"}}},
        {"uri": {"prefix": "/beta"}, "queryParams": {"beta": {"exact": "1"}}, "sourceLabels": {"app": "a"}},
    ]);
    let analysis = json!({
        "interval": "30s", "match": matches,
        "sessionAffinity": {"cookieName": "c", "primaryCookieName": "p", "domain": "example.com", "secure": true},
    });
    let everything = json!({
        "port": 80, "portDiscovery": true, "hosts": ["app.example.com"], "gateways": ["istio-system/public", "mesh"],
        "match": [{"uri": {"prefix": "/"}, "method": {"regex": "GET|POST"}}, {"withoutHeaders": {"x": {"exact": "1"}}}],
        "rewrite": {"uri": "/v1", "authority": "app"}, "timeout": "15s",
        "retries": {"attempts": 3, "perTryTimeout": "1s", "retryOn": "5xx,connect-failure"},
        "headers": {"request": {"set": {"x-a": "1"}}, "response": {"remove": ["x-b"]}},
        "corsPolicy": {"allowOrigin": ["https://example.com"], "allowMethods": ["GET"], "maxAge": "24h"},
        "trafficPolicy": {
            "tls": {"mode": "ISTIO_MUTUAL"},
            "connectionPool": {"http": {"maxRequestsPerConnection": 10, "idleTimeout": "30s"}},
            "loadBalancer": {"consistentHash": {"httpCookie": {"name": "user", "ttl": "0s"}}},
            "outlierDetection": {"consecutive5xxErrors": 5, "interval": "10s", "baseEjectionTime": "30s"},
        },
    });
    vec![
        (json!({"port": 80}), analysis.clone()),
        (everything, analysis.clone()),
        (json!({"port": 80, "delegation": true}), analysis.clone()),
        (json!({"port": 5432, "appProtocol": "tcp", "match": [{"port": 5432}]}), json!({"interval": "30s"})),
    ]
}

fn requests() -> Vec<Routes> {
    let share = Weight::clamped;
    let mut all: Vec<Routes> = [0, 10, 100].map(|canary| Routes::split(share(canary))).into();
    all.extend([1, 100].map(|percent| Routes::Mirrored { percent: share(percent) }));
    all.extend([10, 100].map(|canary| Routes::Sticky { canary: share(canary) }));
    all.push(Routes::Matched);
    all
}

/// A VirtualService that a user wrote.
fn users() -> Value {
    let apex = json!({"destination": {"host": "podinfo"}});
    json!({"spec": {"hosts": ["app.example.com"], "gateways": ["istio-system/public"], "http": [
        {"match": [{"uri": {"prefix": "/old"}}], "redirect": {"uri": "/new"}},
        {"name": "api", "match": [{"uri": {"prefix": "/api"}}], "timeout": "5s", "route": [apex],
         "fault": {"delay": {"fixedDelay": "1s", "percentage": {"value": 1}}}},
        {"route": [apex]},
    ]}})
}

fn print(target: &RouteTarget<'_>, live: Option<Value>, want: Routes) -> Result<(), RouteError> {
    let mut store = Store::default();
    for (kind, plural) in [("VirtualService", "virtualservices"), ("DestinationRule", "destinationrules")] {
        store.put(Kind::namespaced(GROUP, "v1beta1", kind, plural).definition(), json!({}));
    }
    let mut have = Objects::default();
    loop {
        let needs = Istio.needs(target, &have);
        if needs.is_empty() {
            break;
        }
        for key in needs {
            if let (Some(live), "VirtualService") = (&live, key.kind().kind) {
                let mut live = live.clone();
                put(&mut live, "kind", key.kind().kind.into());
                put(&mut live, "metadata", json!({"name": key.name(), "namespace": key.namespace()}));
                store.put(key.clone(), live);
            }
            have.insert(key.clone(), store.look(&key));
        }
    }
    for change in Istio.render(target, &want, &have)? {
        if store.apply(&change).is_ok()
            && let Some(object) =
                store.get(&change.key).filter(|_| !matches!(change.action, Action::Delete(_)))
        {
            println!("{object}");
        }
    }
    Ok(())
}
