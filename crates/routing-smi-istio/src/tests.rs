//! The laws, objects as Flagger wrote them, the names of providers, and the correction of drift.

use serde_json::{Value, json};
use vexil_object::{ObjectKey, Objects, Store, meta};
use vexil_routing::{
    Feature, Provider, RouteError, RouteObject, Router, Routes, Weight,
    laws::{self, Case, Sample, Shared},
};

use crate::{Smi, Version};

const GATEWAYS: &str = "VirtualService.v1alpha3.networking.istio.io/spec.gateways";

fn smi(provider: &str) -> Smi {
    Smi::for_provider(provider).unwrap()
}

fn key(version: Version) -> ObjectKey {
    ObjectKey::new(version.kind(), "test", "podinfo")
}

/// A cluster that serves the API, with the split `live`.
fn cluster(version: Version, live: Option<Value>) -> Store {
    let mut store = Store::default();
    store.put(version.kind().definition(), json!({"kind": "CustomResourceDefinition"}));
    live.into_iter().for_each(|live| store.put(key(version), live));
    store
}

fn split(canary: u32) -> Routes {
    Routes::split(Weight::clamped(canary))
}

fn sum(live: &Value, weight: impl Fn(&Value) -> Option<i64>) -> Option<(i64, i64)> {
    let mut sums = (None, None);
    for entry in live["spec"]["backends"].as_array()? {
        let sum = match entry["service"].as_str() {
            Some("podinfo-primary") => &mut sums.0,
            Some("podinfo-canary") => &mut sums.1,
            _ => continue,
        };
        *sum = Some(sum.unwrap_or(0) + weight(&entry["weight"])?);
    }
    Some((sums.0?, sums.1?))
}

/// The weights as a mesh applies them, when they are quantities.
fn quantities(live: &Value) -> Option<(i64, i64)> {
    sum(live, |weight| weight.as_str().map_or_else(|| weight.as_i64(), |text| text.parse().ok()))
}

/// The same for numbers.
fn numbers(live: &Value) -> Option<(i64, i64)> {
    sum(live, Value::as_i64)
}

#[test]
fn keeps_the_laws_of_routers() {
    let mut sample = Sample::default();
    sample.spec.service.gateways = vec!["public-gateway".to_owned()];
    for (provider, version, weights) in [
        ("smi:istio", Version::V1Alpha1, quantities as fn(&Value) -> Option<(i64, i64)>),
        ("smi:v1alpha2", Version::V1Alpha2, numbers),
        ("smi:v1alpha3:istio", Version::V1Alpha3, numbers),
        ("linkerd", Version::V1Alpha1, quantities),
    ] {
        let legacy = json!({"service": "legacy", "weight": 5});
        let matches = json!([{"kind": "HTTPRouteGroup", "name": "beta"}]);
        laws::all(&Case {
            router: &smi(provider),
            target: sample.target(),
            cluster: cluster(version, None),
            route: key(version),
            owned: true,
            weights,
            other_routes: None,
            split: Some("/spec/backends"),
            lists: &[Shared {
                pointer: "/spec/backends",
                entry: || json!({"service": "legacy", "weight": 5}),
            }],
            adoptable: &[
                json!({"spec": {"service": "podinfo", "backends": [legacy], "matches": matches}}),
                json!({"metadata": {"annotations": {"a": "b"}}, "spec": {"service": "app.example.com"}}),
            ],
            foreign: &[],
            source: None,
        })
        .unwrap();
    }
}

/// Writes `want` over `live`, or a new object, and returns it.
fn write(provider: &str, sample: &Sample, live: Option<Value>, want: u32) -> Value {
    let router = smi(provider);
    let kind = RouteObject::kinds(&router)[0];
    let version = Version::ALL.into_iter().find(|version| version.kind() == kind).unwrap();
    let mut store = cluster(version, live);
    let mut have = Objects::from(&store);
    have.insert(key(version), store.look(&key(version)));
    let changes = router.render(&sample.target(), &split(want), &have).unwrap();
    changes.iter().for_each(|change| store.apply(change).unwrap());
    store.get(&key(version)).unwrap().clone()
}

#[test]
fn writes_what_flagger_wrote() {
    let sample = Sample::default();
    let check = |provider: &str, api_version: &str, weight: fn(u32) -> Value| {
        let mut live = None;
        for canary in [0, 25, 50, 100, 0] {
            let written = write(provider, &sample, live, canary);
            let backends = json!([
                {"service": "podinfo-canary", "weight": weight(canary)},
                {"service": "podinfo-primary", "weight": weight(100 - canary)},
            ]);
            assert_eq!(written["spec"], json!({"service": "podinfo", "backends": backends}));
            assert_eq!(written["apiVersion"], api_version);
            assert_eq!(written["metadata"]["ownerReferences"], json!([sample.owner.reference()]));
            assert_eq!(
                (&written["metadata"]["labels"], &written["metadata"]["annotations"]),
                (&Value::Null, &Value::Null)
            );
            live = Some(written);
        }
    };
    let text = |weight: u32| weight.to_string().into();
    check("smi:v1alpha1", "split.smi-spec.io/v1alpha1", text);
    check("linkerd", "split.smi-spec.io/v1alpha1", text);
    check("smi:istio", "split.smi-spec.io/v1alpha1", text);
    check("smi:v1alpha2", "split.smi-spec.io/v1alpha2", Value::from);
    check("smi:v1alpha3:istio", "split.smi-spec.io/v1alpha3", Value::from);
}

#[test]
fn istios_adapter_gets_the_gateways_in_an_annotation() {
    let mut sample = Sample::default();
    sample.spec.service.hosts = vec!["app.example.com".to_owned(), "other.example.com".to_owned()];
    sample.spec.service.gateways = vec!["public-gateway.istio-system.svc.cluster.local".to_owned()];
    let annotation = |live: &Value| meta::annotation(live, GATEWAYS).map(str::to_owned);
    let created = write("smi:istio", &sample, None, 0);
    assert_eq!(created["spec"]["service"], "app.example.com");
    assert_eq!(annotation(&created).as_deref(), Some("[\"public-gateway.istio-system.svc.cluster.local\"]"));
    assert_eq!(annotation(&write("smi:linkerd", &sample, None, 0)), None);
    assert_eq!(annotation(&write("smi:v1alpha1", &sample, None, 0)), None);

    sample.spec.service.gateways.push("mesh".to_owned());
    sample.spec.service.hosts.clear();
    let followed = write("smi:istio", &sample, Some(created), 0);
    assert_eq!(followed["spec"]["service"], "podinfo");
    let both = "[\"public-gateway.istio-system.svc.cluster.local\",\"mesh\"]";
    assert_eq!(annotation(&followed).as_deref(), Some(both));
    sample.spec.service.gateways.clear();
    assert_eq!(annotation(&write("smi:istio", &sample, Some(followed), 0)), None);

    let users = json!({"spec": {"service": "mine", "backends": []}});
    let adopted = write("smi:istio", &sample, Some(users), 0);
    assert_eq!(adopted["spec"]["service"], "mine", "a user's own keeps its host");
    assert_eq!(adopted["metadata"]["ownerReferences"], Value::Null);
}

#[test]
fn linkerd_measures_every_canary_of_its_operator() {
    for smi in Smi::all() {
        let is_linkerds = smi.queries().is_some_and(|set| set.success_rate.contains("response_total"));
        let expect = smi.name().contains("linkerd");
        assert_eq!((is_linkerds, smi.measures_all()), (expect, expect), "{}", smi.name());
    }
}

#[test]
fn a_split_of_linkerd_is_deleted_when_it_is_released() {
    let check = |provider: &str, expect: usize| {
        let (sample, router) = (Sample::default(), smi(provider));
        let kind = RouteObject::kinds(&router)[0];
        let version = Version::ALL.into_iter().find(|version| version.kind() == kind).unwrap();
        let live = write(provider, &sample, None, 0);
        let have = Objects::from(&cluster(version, Some(live)));
        let changes = router.release(&sample.target(), &have).unwrap();
        assert_eq!(changes.len(), expect, "{provider}: {changes:?}");
    };
    check("linkerd", 1);
    check("smi:v1alpha2:linkerd", 1);
    check("smi:istio", 0);
    check("smi:v1alpha2", 0);
}

#[test]
fn each_provider_has_one_router() {
    let check = |provider: &str, name: Option<&str>| {
        let serving: Vec<_> =
            Smi::all().iter().filter(|smi| smi.serves(provider)).map(Provider::name).collect();
        assert_eq!(serving, Vec::from_iter(name), "{provider}");
    };
    check("smi:istio", Some("smi:istio"));
    check("linkerd", Some("linkerd"));
    check("smi:linkerd", Some("linkerd"));
    check("smi:consul", Some("smi:v1alpha1"));
    for version in ["v1alpha1", "v1alpha2", "v1alpha3"] {
        let plain = format!("smi:{version}");
        check(&plain, Some(&plain));
        check(&format!("{plain}:consul"), Some(&plain));
        let linkerd = if version == "v1alpha1" { "linkerd".to_owned() } else { format!("{plain}:linkerd") };
        check(&format!("{plain}:linkerd"), Some(&linkerd));
        let istio = if version == "v1alpha1" { "smi:istio".to_owned() } else { format!("{plain}:istio") };
        check(&format!("{plain}:istio"), Some(&istio));
    }
    for unknown in
        ["", "smi", "smi:", "smi:v1alpha4", "smi:v1alpha1x", "smi:v1alpha1:", "smi:a:b", "istio", "SMI:istio"]
    {
        check(unknown, None);
    }
}

/// The routes that are read from the backends, and whether rendering 90/10 corrects them.
fn check(provider: &str, backends: Value, read: Result<u32, &str>, is_corrected: bool) {
    let (sample, router) = (Sample::default(), smi(provider));
    let version = if provider == "smi:istio" { Version::V1Alpha1 } else { Version::V1Alpha2 };
    let live = json!({"spec": {"service": "podinfo", "backends": backends}});
    let have = Objects::from(&cluster(version, Some(live.clone())));
    let routes = router.read(&sample.target(), &have).map_err(|error| error.to_string());
    let expect = read.map(split).map_err(|how| format!("TrafficSplit podinfo.test: spec.backends{how}"));
    assert_eq!(routes, expect, "{backends}");
    assert_eq!(router.render(&sample.target(), &split(10), &have).is_ok(), is_corrected, "{backends}");
    if is_corrected {
        let written = write(provider, &sample, Some(live), 10);
        let weights = if provider == "smi:istio" { quantities(&written) } else { numbers(&written) };
        assert_eq!(weights, Some((90, 10)), "{backends}");
    }
}

#[test]
fn drift_is_reported_and_corrected() {
    let entry = |service: &str, weight: Value| json!({"service": service, "weight": weight});
    let list = |primary: Value, canary: Value| {
        json!([entry("podinfo-primary", primary), entry("podinfo-canary", canary)])
    };
    let no_percent = |at: usize, what: &str| format!("[{at}].weight is {what}, not an integer from 0 to 100");
    let (istio, newer) = ("smi:istio", "smi:v1alpha2");
    check(istio, list(json!("90"), json!("10")), Ok(10), true);
    check(istio, list(json!(90), json!(10)), Ok(10), true);
    check(istio, list(json!("90"), json!("100m")), Err(&no_percent(1, "\"100m\"")), true);
    check(istio, list(json!("0.9"), json!("0.1")), Err(&no_percent(0, "\"0.9\"")), true);
    check(istio, list(json!("-1"), json!("101")), Err(&no_percent(0, "\"-1\"")), true);
    check(newer, list(json!(90), json!(10)), Ok(10), true);
    check(newer, list(json!("90"), json!(10)), Err(&no_percent(0, "\"90\"")), true);
    check(
        newer,
        json!([{"service": "podinfo-primary", "weight": 100}]),
        Err(" has no entry for the canary"),
        true,
    );
    check(newer, json!([]), Err(" has no entry for the primary"), true);
}

#[test]
fn a_kind_that_is_not_served_and_mirroring_are_refused() {
    let sample = Sample::default();
    let have: Objects =
        [(Version::V1Alpha1.kind().definition(), vexil_object::Seen::Absent)].into_iter().collect();
    assert_eq!(
        smi("smi:istio").read(&sample.target(), &have).unwrap_err().to_string(),
        "the cluster does not serve TrafficSplit of split.smi-spec.io/v1alpha1; install the CRDs of the Service Mesh \
         Interface, or choose another provider"
    );
    let error = smi("smi:istio").render(&sample.target(), &Routes::Mirrored { percent: Weight::FULL }, &have);
    assert_eq!(error, Err(RouteError::Unsupported { provider: "smi:istio", feature: Feature::Mirroring }));
}
