//! What the Canary declares, in the words of Istio.

use serde_json::{Value, json};
use vexil_api::Canary;
use vexil_object::ObjectKey;
use vexil_routing::{Provider as _, RouteTarget};

use super::{Istio, apply, both, cluster, key, read, rules, sample, split, write};

#[test]
fn every_field_arrives_in_the_route() {
    let given = sample(
        json!({
            "match": [{"uri": {"prefix": "/"}, "method": {"exact": "GET"}, "sourceLabels": {"app": "a"}, "port": 80,
                       "withoutHeaders": {"x": {"exact": "1"}}, "ignoreUriCase": true, "gateways": ["mesh"]}],
            "rewrite": {"uri": "/v1", "authority": "b", "type": "ReplacePrefixMatch"},
            "timeout": "15s",
            "retries": {"attempts": 3, "perTryTimeout": "1s", "retryOn": "5xx"},
            "headers": {"request": {"add": {"x-a": "1"}, "remove": ["x-b"]}, "response": {"set": {"x-c": "2"}}},
            "corsPolicy": {"allowOrigin": ["example.com"], "allowOrigins": [{"prefix": "a"}], "allowMethods": ["GET"],
                           "allowCredentials": false, "allowHeaders": ["x"], "maxAge": "24h"},
        }),
        json!({}),
    );
    let live = write(&given.target(), None, split(0));
    assert_eq!(
        live["spec"]["http"],
        json!([{
            "match": [{"uri": {"prefix": "/"}, "method": {"exact": "GET"}, "sourceLabels": {"app": "a"}, "port": 80,
                       "withoutHeaders": {"x": {"exact": "1"}}, "ignoreUriCase": true, "gateways": ["mesh"]}],
            "rewrite": {"uri": "/v1", "authority": "b"},
            "timeout": "15s",
            "retries": {"attempts": 3, "perTryTimeout": "1s", "retryOn": "5xx"},
            "headers": {"request": {"add": {"x-a": "1"}, "remove": ["x-b"]}, "response": {"set": {"x-c": "2"}}},
            "corsPolicy": {"allowOrigins": [{"prefix": "a"}, {"exact": "example.com"}], "allowMethods": ["GET"],
                           "allowCredentials": false, "allowHeaders": ["x"], "maxAge": "24h"},
            "route": both(0),
        }])
    );
    let fields = "match,rewrite,timeout,retries,corsPolicy,headers";
    assert_eq!(live["metadata"]["annotations"]["flagger.app/written-fields"], fields);
}

#[track_caller]
fn hosts(service: Value, expect: [Value; 2]) {
    let given = sample(service, json!({}));
    let live = write(&given.target(), None, split(0));
    assert_eq!([live["spec"]["hosts"].clone(), live["spec"]["gateways"].clone()], expect);
}

#[test]
fn hosts_and_gateways_are_as_in_flagger() {
    hosts(json!({}), [json!(["podinfo"]), json!(["mesh"])]);
    hosts(json!({"hosts": ["*"], "gateways": ["public"]}), [json!(["*"]), json!(["public"])]);
    hosts(json!({"hosts": ["podinfo", "a"]}), [json!(["podinfo", "a"]), json!(["mesh"])]);
    hosts(json!({"delegation": true}), [Value::Null, Value::Null]);
}

#[track_caller]
fn port(service: Value, expect: Option<i64>) {
    let given = sample(service, json!({}));
    let live = write(&given.target(), None, split(0));
    for entry in live["spec"]["http"][0]["route"].as_array().unwrap() {
        assert_eq!(entry["destination"]["port"]["number"].as_i64(), expect);
    }
}

#[test]
fn destinations_have_a_port_where_istio_cannot_know_it() {
    port(json!({"portDiscovery": true, "gateways": ["public"]}), Some(80));
    port(json!({"portDiscovery": true, "delegation": true}), Some(80));
    port(json!({"portDiscovery": true, "gateways": ["mesh"]}), None);
    port(json!({"portDiscovery": true}), None);
    port(json!({"gateways": ["public"]}), None);
}

#[test]
fn tcp_is_split_in_its_own_list() {
    let given = sample(json!({"appProtocol": "TCP", "match": [{"port": 5432}]}), json!({}));
    let live = write(&given.target(), None, split(40));
    assert_eq!(live["spec"]["tcp"], json!([{"match": [{"port": 5432}], "route": both(40)}]));
    assert_eq!(live["spec"]["http"], Value::Null);
    assert_eq!(read(&given.target(), &live), Ok(split(40)));
    let http = sample(json!({}), json!({}));
    let after = write(&http.target(), Some(live), split(40));
    assert_eq!(after["spec"]["tcp"], Value::Null);
    assert_eq!(after["spec"]["http"], json!([{"route": both(40)}]));
}

#[track_caller]
fn defects(service: Value, analysis: Value, expect: &[&str]) {
    let spec = json!({"targetRef": {"kind": "Deployment", "name": "podinfo"}, "service": service, "analysis": analysis});
    let canary = json!({"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": "a"}, "spec": spec});
    let canary: Canary = serde_json::from_value(canary).unwrap();
    let found: Vec<String> =
        Istio.defects(&canary).iter().map(|one| format!("{}: {}", one.path, one.message)).collect();
    assert_eq!(found, expect);
}

#[test]
fn a_canary_that_contradicts_a_virtual_service_is_refused() {
    defects(json!({"delegation": true}), json!({}), &[]);
    let delegate =
        "must be empty with service.delegation: a delegate has those of the VirtualService that names it";
    defects(
        json!({"delegation": true, "hosts": ["a"], "gateways": ["b"]}),
        json!({}),
        &[&format!("spec.service.hosts: {delegate}"), &format!("spec.service.gateways: {delegate}")],
    );
    let http = "needs HTTP: with service.appProtocol tcp traffic can only be split by weight";
    defects(
        json!({"appProtocol": "tcp"}),
        json!({"match": [{"port": 1}], "mirror": true, "sessionAffinity": {"cookieName": "a"}}),
        &[
            &format!("spec.analysis.match: {http}"),
            &format!("spec.analysis.mirror: {http}"),
            &format!("spec.analysis.sessionAffinity: {http}"),
        ],
    );
    defects(json!({"appProtocol": "http"}), json!({"match": [{"port": 1}]}), &[]);
}

#[test]
fn a_traffic_policy_is_a_destination_rule_for_each_side() {
    let policy = json!({"tls": {"mode": "ISTIO_MUTUAL"}});
    let rule = |side: &str| ObjectKey::new(rules(), "test", format!("podinfo-{side}"));
    let given = sample(json!({"trafficPolicy": policy}), json!({}));
    let mut store = cluster();
    apply(&given.target(), &mut store, split(0)).unwrap();
    for side in ["primary", "canary"] {
        let live = store.get(&rule(side)).unwrap();
        assert_eq!(live["spec"], json!({"host": format!("podinfo-{side}"), "trafficPolicy": policy}));
        assert_eq!(live["metadata"]["ownerReferences"], json!([given.owner.reference()]));
    }
    let mut edited = store.get(&rule("canary")).unwrap().clone();
    edited["spec"]["subsets"] = json!([{"name": "v1"}]);
    edited["spec"]["trafficPolicy"] = json!({});
    store.put(rule("canary"), edited);
    apply(&given.target(), &mut store, split(0)).unwrap();
    let live = store.get(&rule("canary")).unwrap();
    assert_eq!(live["spec"]["trafficPolicy"], policy, "an edit is corrected");
    assert_eq!(live["spec"]["subsets"], json!([{"name": "v1"}]), "what others added stays");

    let without = sample(json!({}), json!({}));
    apply(&without.target(), &mut store, split(0)).unwrap();
    assert_eq!(
        (store.get(&rule("primary")), store.get(&rule("canary"))),
        (None, None),
        "not declared any more"
    );
    assert!(store.get(&key()).is_some());

    store.put(rule("canary"), json!({"spec": {"host": "podinfo-canary"}}));
    apply(&without.target(), &mut store, split(0)).unwrap();
    assert!(store.get(&rule("canary")).is_some(), "one of the user is left alone");
    let error = apply(&RouteTarget { ..given.target() }, &mut store, split(0)).unwrap_err().to_string();
    assert!(error.starts_with("DestinationRule podinfo-canary.test belongs to someone else"), "{error}");
}

#[test]
fn a_traffic_policy_needs_the_definition_of_destination_rules() {
    let given = sample(json!({"trafficPolicy": {}}), json!({}));
    let mut store = cluster();
    store.remove(&rules().definition());
    let error = apply(&given.target(), &mut store, split(0)).unwrap_err().to_string();
    assert!(
        error.starts_with("the cluster does not serve DestinationRule of networking.istio.io/v1beta1"),
        "{error}"
    );
    apply(&sample(json!({}), json!({})).target(), &mut store, split(0)).unwrap();
}
