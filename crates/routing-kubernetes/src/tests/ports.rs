//! Ports: as wanted, and over live ones of any kind.

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};
use vexil_object::Store;

use super::{key, sample, settle, users};

fn check(service: Value, discovered: &[(&str, u16)], expect: &[&str]) {
    let mut sample = sample(service);
    sample.ports = discovered.iter().map(|(name, port)| ((*name).to_owned(), *port)).collect();
    let mut store = Store::default();
    settle(&sample, &mut store);
    let live = store.get(&key("podinfo-canary")).unwrap()["spec"]["ports"].clone();
    let told = live.as_array().unwrap().iter().map(|port| {
        let protocol = port.get("appProtocol").map(|text| format!(" {text}")).unwrap_or_default();
        format!("{} {}>{}{protocol}", port["name"], port["port"], port["targetPort"]).replace('"', "")
    });
    assert_eq!(told.collect::<Vec<_>>(), expect);
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever ports a user had, ours replace them, and no node port is given out twice.
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
        prop_assert!(ports.iter().any(|p| p["name"] == "http" && p["port"] == port));
    }
}
