//! The pods that the Services select, and the metadata that the Canary declares.

use std::collections::BTreeMap;

use serde_json::json;
use vexil_object::Store;
use vexil_routing::{RouteError, Services, laws::Sample};

use super::{key, look, sample, settle, users};
use crate::KubernetesServices;

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn every_label_of_the_targets_selector_selects_with_one_value_replaced() {
    let mut sample = sample(json!({"port": 80}));
    sample.canary = labels(&[("app", "podinfo"), ("instance", "a")]);
    sample.primary = labels(&[("app", "podinfo-primary"), ("instance", "a")]);
    sample.always = sample.primary.clone();
    let mut store = users(json!({}), json!({"selector": {"app": "podinfo"}}));
    settle(&sample, &mut store);
    for (name, pods) in [
        ("podinfo", &sample.primary),
        ("podinfo-primary", &sample.primary),
        ("podinfo-canary", &sample.canary),
    ] {
        assert_eq!(store.get(&key(name)).unwrap()["spec"]["selector"], json!(pods), "{name}");
    }
}

/// A primary that was created for a target with fewer labels gets the others by a promotion: while its pods are
/// replaced, those without them are selected too.
#[test]
fn labels_that_not_all_pods_have_yet_are_not_selected_by() {
    let mut sample = sample(json!({"port": 80}));
    sample.primary = labels(&[("app", "podinfo-primary"), ("instance", "a")]);
    let mut store = Store::default();
    let check = |sample: &Sample, store: &mut Store, expect: &BTreeMap<String, String>| {
        settle(sample, store);
        for name in ["podinfo", "podinfo-primary"] {
            assert_eq!(store.get(&key(name)).unwrap()["spec"]["selector"], json!(expect));
        }
    };
    sample.settled = false;
    check(&sample, &mut store, &sample.always);
    sample.settled = true;
    check(&sample, &mut store, &sample.primary);
    // The next promotion changes nothing about that.
    sample.settled = false;
    check(&sample, &mut store, &sample.primary);
}

#[test]
fn a_service_that_would_select_nothing_is_not_written() {
    let mut sample = sample(json!({"port": 80}));
    (sample.canary, sample.primary, sample.always) = <_>::default();
    let have = look(&sample, &Store::default());
    let error = KubernetesServices.backends(&sample.target(), &have).unwrap_err();
    assert_eq!(
        error,
        RouteError::NotKnown { object: "which pods Service podinfo-canary selects".to_owned() }
    );
}

#[test]
fn metadata_that_is_declared_no_longer_is_removed_from_each_service() {
    let block = json!({"labels": {"team": "a", "app": "x"}, "annotations": {"note": "b"}});
    let mut store = Store::default();
    settle(&sample(json!({"port": 80})), &mut store);
    let metadata = |store: &Store, name: &str| {
        let live = store.get(&key(name)).unwrap()["metadata"].clone();
        (live["labels"].clone(), live["annotations"].clone())
    };
    let before = store.clone();
    settle(&sample(json!({"port": 80, "apex": block, "primary": block, "canary": block})), &mut store);
    for name in ["podinfo", "podinfo-primary", "podinfo-canary"] {
        assert_eq!(metadata(&store, name).0, json!({"team": "a", "app": name}));
        assert_eq!(metadata(&store, name).1["note"], "b");
    }
    settle(&sample(json!({"port": 80, "apex": {"annotations": {}}})), &mut store);
    for name in ["podinfo", "podinfo-primary", "podinfo-canary"] {
        assert_eq!(metadata(&store, name), metadata(&before, name));
    }
}
