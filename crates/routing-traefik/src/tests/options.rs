//! Options that others set on a TraefikService, and ports by number or name.

use serde_json::{Value, json};
use vexil_routing::laws::Sample;

use super::{services, write};

/// Every field that an entry can have beside name, port and weight, and an unknown one.
fn with_options(mut entry: Value) -> Value {
    let options = json!({
        "kind": "Service",
        "scheme": "h2c",
        "passHostHeader": false,
        "responseForwarding": {"flushInterval": "1ms"},
        "serversTransport": "mutual-tls",
        "strategy": "RoundRobin",
        "nativeLB": true,
        "nodePortLB": false,
        "sticky": {"cookie": {"name": "level-2", "httpOnly": true}},
        "healthCheck": {"path": "/healthz", "interval": "5s", "headers": {"x": "y"}},
        "passiveHealthCheck": {"maxFailedAttempts": 3},
        "x-unknown": {"deep": [1, {"er": null}]},
    });
    entry.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    entry
}

fn entry(name: &str, port: Value, weight: u32) -> Value {
    json!({"name": name, "namespace": "test", "port": port, "weight": weight})
}

#[test]
fn options_of_others_survive_a_whole_rollout() {
    let legacy = with_options(entry("legacy", json!("web"), 3));
    let primary = with_options(entry("podinfo-primary", json!(80), 100));
    let around = json!({
        "weighted": {
            "services": [legacy, primary],
            "sticky": {"cookie": {"name": "level-1", "secure": true, "sameSite": "strict", "maxAge": 42}},
            "healthCheck": {},
        },
        "mirroring": {
            "name": "podinfo-primary", "port": 80, "maxBodySize": 1024,
            "mirrors": [{"name": "shadow", "port": 80, "percent": 20}],
        },
        "x-unknown": {"deep": [{"er": true}]},
    });
    let metadata = json!({"labels": {"team": "blue"}, "annotations": {"note": "kept"}});
    let mut live = json!({"metadata": metadata, "spec": around});
    for canary in [0, 25, 60, 100, 40, 0] {
        live = write(&Sample::default(), Some(live), canary);
        let ours = [("podinfo-primary", 100 - canary), ("podinfo-canary", canary)];
        let ours = ours.into_iter().filter(|(_, weight)| *weight > 0);
        let ours = ours.map(|(name, weight)| with_options(entry(name, json!(80), weight)));
        // An entry that is added again precedes the canary's, wherever that was moved.
        let mut expect = around.clone();
        expect["weighted"]["services"] = sorted([legacy.clone()].into_iter().chain(ours));
        let mut spec = live["spec"].clone();
        spec["weighted"]["services"] = sorted(services(&live).as_array().unwrap().iter().cloned());
        assert_eq!(spec, expect, "at {canary}");
        assert_eq!(live["metadata"]["labels"], metadata["labels"]);
        assert_eq!(live["metadata"]["annotations"]["note"], "kept");
    }
}

fn sorted(entries: impl Iterator<Item = Value>) -> Value {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(|entry| entry["name"].as_str().map(str::to_owned));
    entries.into()
}

#[test]
fn the_right_port_is_kept_as_it_is_written() {
    let check = |port_name: Option<&str>, written: Value, expect: Value| {
        let mut sample = Sample::default();
        sample.spec.service.port_name = port_name.map(str::to_owned);
        let mut entry = entry("podinfo-primary", written.clone(), 100);
        if written.is_null() {
            entry.as_object_mut().unwrap().remove("port");
        }
        let live = json!({"spec": {"weighted": {"services": [entry]}}});
        let written = write(&sample, Some(live), 10);
        let ports: Vec<_> =
            services(&written).as_array().unwrap().iter().map(|entry| entry["port"].clone()).collect();
        assert_eq!(ports, [expect.clone(), expect], "{port_name:?}");
    };
    check(None, json!(80), json!(80));
    check(None, json!("http"), json!("http"));
    check(Some("web"), json!("web"), json!("web"));
    // Another port is drift, and the Service has none of that name.
    check(None, json!(8080), json!(80));
    check(None, json!("web"), json!(80));
    check(Some("web"), json!("http"), json!(80));
    check(None, json!("80"), json!(80));
    check(None, Value::Null, json!(80));
}
