//! Ports: as wanted, and over live ones of any kind.

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};
use vexil_object::Store;
use vexil_routing::Services;

use super::{key, look, sample, settle, users};
use crate::KubernetesServices;

fn check(service: Value, discovered: &[(&str, u16)], expect: &[&str]) {
    let mut sample = sample(service);
    sample.ports = discovered.iter().map(|(name, port)| ((*name).to_owned(), *port)).collect();
    let mut store = Store::default();
    settle(&sample, &mut store);
    let live = store.get(&key("podinfo-canary")).unwrap()["spec"]["ports"].clone();
    let texts = live.as_array().unwrap().iter().map(|port| {
        let protocol = port.get("appProtocol").map(|text| format!(" {text}")).unwrap_or_default();
        format!("{} {}>{}{protocol}", port["name"], port["port"], port["targetPort"]).replace('"', "")
    });
    assert_eq!(texts.collect::<Vec<_>>(), expect);
}

#[test]
fn the_main_port_is_the_users_and_discovered_ones_follow() {
    check(json!({"port": 9898}), &[], &["http 9898>9898"]);
    check(json!({"port": 9898, "targetPort": 0, "portName": ""}), &[], &["http 9898>9898"]);
    check(json!({"port": 80, "targetPort": 9898, "portName": "grpc"}), &[], &["grpc 80>9898"]);
    check(json!({"port": 80, "targetPort": "web", "appProtocol": "http"}), &[], &["http 80>web http"]);
    check(
        json!({"port": 9898, "appProtocol": "grpc"}),
        &[("http-metrics", 8080), ("tcp-podinfo-2", 8888)],
        &["http 9898>9898 grpc", "http-metrics 8080>8080", "tcp-podinfo-2 8888>8888"],
    );
}

#[test]
fn a_name_or_number_is_published_once() {
    let both = &[("http", 9898), ("http-metrics", 8080)];
    check(json!({"port": 8080, "targetPort": "http"}), both, &["http 8080>http"]);
    check(json!({"port": 80}), &[("a", 1), ("b", 2), ("a", 3)], &["http 80>80", "b 2>2", "a 3>3"]);
}

#[test]
fn the_only_port_of_a_user_keeps_its_node_port_though_it_has_no_name() {
    let live = json!([{"port": 80, "nodePort": 31000}]);
    let mut store = users(json!({}), json!({"type": "NodePort", "ports": live}));
    settle(&sample(json!({"port": 80, "targetPort": 9898})), &mut store);
    let port = json!({"name": "http", "port": 80, "protocol": "TCP", "targetPort": 9898, "nodePort": 31000});
    assert_eq!(store.get(&key("podinfo")).unwrap()["spec"]["ports"], json!([port]));
}

#[test]
fn ports_in_another_order_are_left_so() {
    let mut sample = sample(json!({"port": 80}));
    sample.ports = vec![("admin".to_owned(), 81)];
    let live = json!([{"name": "admin", "port": 81, "protocol": "TCP"}, {"name": "http", "port": 80}]);
    let mut store = users(json!({}), json!({"ports": live}));
    settle(&sample, &mut store);
    assert_eq!(store.get(&key("podinfo")).unwrap()["spec"]["ports"], live);
}

/// The ports of a user's Service after reconciling, and the remarks.
fn kept(service: Value, live: Value, expect: &[&str], remarks: &[&str]) {
    let sample = sample(service);
    let mut store = users(json!({}), json!({"ports": live}));
    settle(&sample, &mut store);
    let ports = store.get(&key("podinfo")).unwrap()["spec"]["ports"].clone();
    let texts = ports.as_array().unwrap().iter().map(|port| {
        let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
        let to = port.get("targetPort").unwrap_or(&port["port"]);
        format!("{} {}>{to}/{protocol}", port["name"], port["port"]).replace('"', "")
    });
    assert_eq!(texts.collect::<Vec<_>>(), expect);
    assert_eq!(KubernetesServices.remarks(&sample.target(), &look(&sample, &store)), remarks);
}

#[test]
fn ports_that_a_users_service_had_are_kept_with_their_names() {
    let both = json!([{"name": "web", "port": 80}, {"name": "admin", "port": 8080, "targetPort": "adm"}]);
    kept(
        json!({"port": 80, "targetPort": 9898}),
        both.clone(),
        &["web 80>9898/TCP", "admin 8080>adm/TCP"],
        &[],
    );
    // The user of the Canary has chosen a name.
    kept(
        json!({"port": 80, "portName": "grpc"}),
        both.clone(),
        &["grpc 80>80/TCP", "admin 8080>adm/TCP"],
        &[],
    );
    kept(json!({"port": 81}), both, &["http 81>81/TCP", "web 80>80/TCP", "admin 8080>adm/TCP"], &[]);
    kept(json!({"port": 81}), json!([{"port": 80}]), &["http 81>81/TCP", "tcp-80 80>80/TCP"], &[]);
    let dns = json!([{"name": "tcp", "port": 53}, {"name": "udp", "port": 53, "protocol": "UDP"}]);
    kept(json!({"port": 53}), dns, &["tcp 53>53/TCP", "udp 53>53/UDP"], &[]);
}

#[test]
fn a_port_whose_name_is_taken_gets_another_and_is_reported() {
    let live = json!([{"name": "http", "port": 8080}]);
    kept(
        json!({"port": 80}),
        live.clone(),
        &["http-80 80>80/TCP", "http 8080>8080/TCP"],
        &["Service podinfo.test: port 80 is published as http-80, because another port has the name http"],
    );
    kept(
        json!({"port": 80, "portName": "http"}),
        live,
        &["http-80 80>80/TCP", "http 8080>8080/TCP"],
        &["Service podinfo.test: port 80 is published as http-80, because another port has the name http"],
    );
}

#[test]
fn a_port_that_was_added_for_the_canary_is_removed_with_it_and_a_users_is_kept() {
    let mut store = users(json!({}), json!({"ports": [{"name": "web", "port": 80}]}));
    let numbers = |service: Value, discovered: &[(&str, u16)], store: &mut Store| {
        let mut sample = sample(service);
        sample.ports = discovered.iter().map(|(name, port)| ((*name).to_owned(), *port)).collect();
        settle(&sample, store);
        let ports = store.get(&key("podinfo")).unwrap()["spec"]["ports"].as_array().unwrap().clone();
        ports.iter().map(|port| port["port"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(json!({"port": 81}), &[("metrics", 9797)], &mut store), [81, 9797, 80]);
    assert_eq!(numbers(json!({"port": 82}), &[], &mut store), [82, 80]);
    assert_eq!(numbers(json!({"port": 80}), &[], &mut store), [80]);
    assert_eq!(
        store.get(&key("podinfo")).unwrap()["metadata"]["annotations"].get("flagger.app/written-ports"),
        None
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever ports a user had are kept with ours, and no name or node port is used twice.
    #[test]
    fn any_ports_of_a_user_settle(
        live in vec((option::of(select(&["http", "admin", "x"][..])), 80u16..84, option::of(31000u16..31004)), 0..4),
        port in 80u16..84,
        discovered in vec((select(&["http", "admin", "y"][..]), 80u16..84), 0..3),
    ) {
        let live: Vec<Value> = live
            .into_iter()
            .enumerate()
            .map(|(n, (name, port, node))| json!({"name": name, "port": port, "nodePort": node.map(|base| base + 10 * n as u16)}))
            .collect();
        let before: Vec<Value> = live.iter().map(|port| port["port"].clone()).collect();
        let mut sample = sample(json!({"port": port}));
        sample.ports = discovered.into_iter().map(|(name, port)| (name.to_owned(), port)).collect();
        let mut store = users(json!({}), json!({"type": "NodePort", "ports": live}));
        settle(&sample, &mut store);
        let ports = store.get(&key("podinfo")).unwrap()["spec"]["ports"].as_array().unwrap().clone();
        for field in ["name", "port", "nodePort"] {
            let mut values: Vec<_> = ports.iter().map(|p| p[field].to_string()).filter(|v| v != "null").collect();
            let all = values.len();
            values.sort();
            values.dedup();
            prop_assert_eq!(values.len(), all, "{} is given twice in {:?}", field, ports);
        }
        prop_assert!(ports.iter().any(|p| p["port"] == port));
        for number in before {
            prop_assert!(ports.iter().any(|p| p["port"] == number), "{} is gone from {:?}", number, ports);
        }
    }
}
