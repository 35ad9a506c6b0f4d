//! HTTPProxies of users: split where they lead to the apex, or refused.

use serde_json::{Value, json};
use vexil_routing::{Routes, laws::Sample};

use super::{sample, split, write};

#[test]
fn a_users_httpproxy_is_split_where_it_leads_to_the_apex() {
    let entry = |name: &str| json!({"name": name, "port": 8080, "protocol": "h2c"});
    let users = json!({"spec": {"virtualhost": {"fqdn": "a.b"}, "routes": [
        {"conditions": [{"prefix": "/docs"}], "services": [entry("docs")]},
        {"services": [entry("podinfo")], "enableWebsockets": true},
    ]}});
    let sample = sample(json!({}), json!({"match": [{"headers": {"x-a": {"exact": "1"}}}]}));
    let live = write(&sample, Some(users.clone()), &split(20)).unwrap();
    let weighted = |name: &str, weight: u32| {
        let mut entry = entry(name);
        entry["weight"] = weight.into();
        entry
    };
    let base = |canary: u32| {
        json!({
            "services": [weighted("podinfo", 100 - canary), weighted("podinfo-canary", canary)],
            "enableWebsockets": true,
        })
    };
    assert_eq!(live["spec"]["virtualhost"], users["spec"]["virtualhost"]);
    assert_eq!(live["spec"]["routes"], json!([users["spec"]["routes"][0], base(20)]));
    assert_eq!(live["metadata"]["ownerReferences"], Value::Null);
    let live = write(&sample, Some(live), &Routes::Matched).unwrap();
    let special = json!({
        "conditions": [{"header": {"name": "x-a", "exact": "1"}}],
        "services": [weighted("podinfo-canary", 100), weighted("podinfo-primary", 0)],
        "enableWebsockets": true,
    });
    assert_eq!(live["spec"]["routes"], json!([users["spec"]["routes"][0], special, base(0)]));
}

#[test]
fn a_users_httpproxy_without_a_place_for_weights_is_refused() {
    let check = |routes: Value, expect: &str| {
        let live = json!({"spec": {"routes": routes}});
        let expect = Err(format!("HTTPProxy podinfo.test: spec.routes{expect}"));
        assert_eq!(write(&Sample::default(), Some(live), &split(0)).map(|_| ()), expect);
    };
    check(json!([]), " has no route to podinfo: add one to the Service podinfo");
    let docs = json!({"name": "docs", "port": 80});
    check(json!([{"services": [docs]}]), " has no route to podinfo: add one to the Service podinfo");
    check(
        json!([{"services": [{"name": "podinfo", "port": 80}, docs]}]),
        "[0].services has other Services beside podinfo: give podinfo a route of its own, or remove them",
    );
}
