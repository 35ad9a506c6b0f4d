//! Objects as Flagger and Kuma write them, ownership, and the correction of drift.

mod laws;
mod ownership;

use serde_json::{Value, json};
use vexil_api::canary::MetadataBlock;
use vexil_object::{ObjectKey, Objects, Seen, Store, meta};
use vexil_routing::{Feature, Provider, RouteError, Router, Routes, Weight, laws::Sample};

use self::laws::by_label;
use crate::{Api, CANARY, Kuma, UID};

const MIRRORED: Routes = Routes::Mirrored { percent: Weight::FULL };

const BOTH: [Api; 2] = [Api::TrafficRoute, Api::MeshHttpRoute];

/// A cluster that serves these kinds.
fn cluster(apis: &[Api]) -> Store {
    let mut store = Store::default();
    for api in apis {
        store.put(api.kind().definition(), json!({"kind": "CustomResourceDefinition"}));
    }
    store
}

fn key(api: Api) -> ObjectKey {
    match api {
        Api::TrafficRoute => ObjectKey::cluster(api.kind(), "podinfo"),
        Api::MeshHttpRoute => ObjectKey::new(api.kind(), "kuma-system", "podinfo.test"),
    }
}

fn split(canary: u32) -> Routes {
    Routes::split(Weight::clamped(canary))
}

fn look(api: Api, store: &Store) -> Objects {
    let mut have: Objects = BOTH.iter().map(|api| (api.kind().definition(), Seen::Absent)).collect();
    have.insert(api.kind().definition(), store.look(&api.kind().definition()));
    have.insert(key(api), store.look(&key(api)));
    have
}

/// Writes `want` over `live`, or a new object, and returns it.
fn write(api: Api, sample: &Sample, live: Option<Value>, want: u32) -> Value {
    let mut store = cluster(&[api]);
    if let Some(live) = live {
        store.put(key(api), live);
    }
    let changes = Kuma::new(None).render(&sample.target(), &split(want), &look(api, &store)).unwrap();
    changes.iter().for_each(|change| store.apply(change).unwrap());
    store.get(&key(api)).unwrap().clone()
}

#[test]
fn writes_the_traffic_route_that_was_recorded() {
    let mut sample = Sample::default();
    let entry = |service: &str, weight: u32| {
        let destination = json!({"kuma.io/service": format!("{service}_test_svc_80")});
        json!({"weight": weight, "destination": destination})
    };
    let spec = |canary: u32| {
        json!({
            "sources": [{"match": {"kuma.io/service": "*"}}],
            "destinations": [{"match": {"kuma.io/service": "podinfo_test_svc_80"}}],
            "conf": {"split": [entry("podinfo-primary", 100 - canary), entry("podinfo-canary", canary)]},
        })
    };
    let created = write(Api::TrafficRoute, &sample, None, 0);
    assert_eq!(created["spec"], spec(0));
    assert_eq!(created["mesh"], "default");
    assert_eq!(created["metadata"]["labels"], json!({UID: "canary-uid"}));
    assert_eq!(
        created["metadata"]["annotations"],
        json!({
            "helm.toolkit.fluxcd.io/driftDetection": "disabled",
            "kustomize.toolkit.fluxcd.io/reconcile": "disabled",
            CANARY: "test/podinfo",
        })
    );
    for canary in [25, 100, 0] {
        assert_eq!(write(Api::TrafficRoute, &sample, Some(created.clone()), canary)["spec"], spec(canary));
    }

    sample.annotations.insert("kuma.io/mesh".to_owned(), "prod".to_owned());
    sample.spec.service.port = Some(81);
    let annotations = [("81.service.kuma.io/protocol".to_owned(), "http".to_owned())].into();
    sample.spec.service.apex = Some(MetadataBlock { annotations, ..MetadataBlock::default() });
    let moved = write(Api::TrafficRoute, &sample, Some(created), 0);
    assert_eq!(moved["mesh"], "prod");
    assert_eq!(moved["metadata"]["annotations"]["81.service.kuma.io/protocol"], "http");
    assert_eq!(moved["spec"].to_string(), spec(0).to_string().replace("svc_80", "svc_81"));
}

#[test]
fn writes_the_mesh_http_route_of_kuma_3() {
    let mut sample = Sample::default();
    sample.spec.service.port_name = Some("web".to_owned());
    let labels = |name: &str| json!({"kuma.io/display-name": name, "k8s.kuma.io/namespace": "test"});
    let entry = |name: &str, weight: u32| {
        let labels = labels(name);
        json!({"kind": "MeshService", "labels": labels, "port": 80, "weight": weight})
    };
    let created = write(Api::MeshHttpRoute, &sample, None, 30);
    assert_eq!(created["metadata"]["labels"], json!({UID: "canary-uid", "kuma.io/mesh": "default"}));
    assert_eq!(created["mesh"], Value::Null);
    assert_eq!(
        created["spec"],
        json!({
            "targetRef": {"kind": "Mesh"},
            "to": [{
                "targetRef": {"kind": "MeshService", "labels": labels("podinfo"), "sectionName": "web"},
                "rules": [{
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "default": {"backendRefs": [entry("podinfo-primary", 70), entry("podinfo-canary", 30)]},
                }],
            }],
        })
    );
}

/// The routes that are read after an edit of one field, and whether rendering 90/10 corrects it.
fn check(api: Api, pointer: &str, edit: Value, read: Result<u32, &str>, is_corrected: bool) {
    let sample = Sample::default();
    let mut live = write(api, &sample, None, 10);
    let untouched = live.clone();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    match live.pointer_mut(parent).unwrap() {
        Value::Array(list) => list[field.parse::<usize>().unwrap()] = edit.clone(),
        place => meta::set(place, &[field], edit.clone()),
    }
    let mut store = cluster(&[api]);
    store.put(key(api), live.clone());
    let routes =
        Kuma::new(None).read(&sample.target(), &look(api, &store)).map_err(|error| error.to_string());
    let kind = api.kind();
    let name = key(api);
    let expected = read
        .map(split)
        .map_err(|how| format!("{kind} {}: {how}", name.to_string().split_once(' ').unwrap().1));
    assert_eq!(routes, expected, "{pointer} {edit}");
    let rendered = Kuma::new(None).render(&sample.target(), &split(10), &look(api, &store));
    assert_eq!(rendered.is_ok(), is_corrected, "{pointer} {edit}: {rendered:?}");
    if is_corrected {
        assert_eq!(write(api, &sample, Some(live), 10)["spec"], untouched["spec"], "{pointer} {edit}");
    }
}

#[test]
fn drift_is_reported_and_corrected() {
    let traffic = |pointer: &str, edit: Value, read, is_corrected| {
        check(Api::TrafficRoute, pointer, edit, read, is_corrected)
    };
    traffic("/spec/conf/split", json!([]), Err("spec.conf.split has no entry for the primary"), true);
    traffic("/spec/conf", json!(7), Err("spec.conf is not an object"), false);
    let all = json!([{"match": {"kuma.io/service": "web_test_svc_80"}}]);
    traffic("/spec/sources", all, Err("spec.sources do not name all proxies, and only them"), true);
    traffic(
        "/spec/destinations",
        json!([]),
        Err("spec.destinations do not name the apex, and only that"),
        true,
    );
    traffic(
        "/spec/conf/destination",
        json!({"kuma.io/service": "podinfo-canary_test_svc_80"}),
        Err("spec.conf.destination is set beside a split, which Kuma does not allow"),
        true,
    );

    let mesh = |pointer: &str, edit: Value, read, is_corrected| {
        check(Api::MeshHttpRoute, pointer, edit, read, is_corrected)
    };
    mesh(
        "/spec/targetRef",
        json!({"kind": "Dataplane"}),
        Err("spec.targetRef does not name all proxies"),
        true,
    );
    let none = "spec.to has no rule that sends traffic to our Services";
    mesh("/spec/to", json!([]), Err(none), true);
    mesh("/spec/to/0/rules", json!([]), Err(none), true);
    mesh("/spec/to/0/rules/0/default", json!(1), Err("spec.to[0].rules[0].default is not an object"), false);
}

#[test]
fn each_rule_for_the_apex_that_names_our_services_is_split_alike() {
    let sample = Sample::default();
    let mut live = write(Api::MeshHttpRoute, &sample, None, 10);
    let mut rule = live["spec"]["to"][0]["rules"][0].clone();
    rule["matches"] = json!([{"path": {"type": "PathPrefix", "value": "/slow"}}]);
    rule["default"]["filters"] = json!([{"type": "RequestHeaderModifier"}]);
    live["spec"]["to"][0]["rules"].as_array_mut().unwrap().insert(0, rule.clone());
    let written = write(Api::MeshHttpRoute, &sample, Some(live), 55);
    assert_eq!(by_label(&written), Some((45, 55)));
    assert_eq!(written["spec"]["to"][0]["rules"][0]["default"]["filters"], rule["default"]["filters"]);
}

#[test]
fn an_invalid_name_of_a_mesh_is_a_defect_of_the_canary() {
    let check = |mesh: &str, is: bool| {
        let metadata = json!({"annotations": {"kuma.io/mesh": mesh}});
        let canary = vexil_api::parse(&json!({"metadata": metadata, "spec": {}})).unwrap();
        let text: Vec<_> = Kuma::new(None).defects(&canary).iter().map(ToString::to_string).collect();
        let defect = format!("metadata.annotations[kuma.io/mesh]: `{mesh}` is not a valid name of a mesh");
        assert_eq!(text, if is { vec![] } else { vec![defect] });
    };
    check("", true);
    check("default", true);
    check("mesh-1.prod", true);
    check("Prod", false);
    check("two meshes", false);
    check(&"m".repeat(63), true);
    check(&"m".repeat(64), false);
}

#[test]
fn follows_what_the_cluster_serves() {
    let check = |forced, served: &[Api], expect: Result<Api, &str>| {
        let sample = Sample::default();
        let (router, store) = (Kuma::new(forced), cluster(served));
        let mut have = Objects::default();
        loop {
            let needs = router.needs(&sample.target(), &have);
            if needs.is_empty() {
                break;
            }
            needs.into_iter().for_each(|key| have.insert(key.clone(), store.look(&key)));
        }
        let changes = router.render(&sample.target(), &Routes::PRIMARY, &have);
        let made = changes.map(|changes| changes[0].key.clone()).map_err(|error| error.to_string());
        let missing = |kinds| {
            format!(
                "the cluster does not serve {kinds} of kuma.io/v1alpha1; install the CRDs of Kuma, or choose \
                 another provider"
            )
        };
        assert_eq!(made, expect.map(key).map_err(missing));
    };
    check(None, &BOTH, Ok(Api::TrafficRoute));
    check(None, &[Api::TrafficRoute], Ok(Api::TrafficRoute));
    check(None, &[Api::MeshHttpRoute], Ok(Api::MeshHttpRoute));
    check(None, &[], Err("TrafficRoute or MeshHTTPRoute"));
    check(Some(Api::MeshHttpRoute), &BOTH, Ok(Api::MeshHttpRoute));
    check(Some(Api::TrafficRoute), &[Api::MeshHttpRoute], Err("TrafficRoute"));
}

#[test]
fn refuses_to_mirror() {
    let error = Kuma::new(None).render(&Sample::default().target(), &MIRRORED, &Objects::default());
    assert_eq!(error, Err(RouteError::Unsupported { provider: "kuma", feature: Feature::Mirroring }));
}
