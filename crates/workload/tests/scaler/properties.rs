//! What holds for every scaler, not only for podinfo's.

use proptest::{collection, prelude::*};
use serde_json::{Value, json};
use vexil_object::merge;

use crate::fixture::{Scene, hpa, keda};

/// Any JSON of bounded depth, as a server stores it: no nulls.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z\"'-]{0,6}|podinfo|podinfo-canary|\"podinfo\"".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            any_map(inner).prop_map(|map| json!(map)),
        ]
    })
}

fn any_map(
    inner: impl Strategy<Value = Value>,
) -> impl Strategy<Value = std::collections::BTreeMap<String, Value>> {
    collection::btree_map("[a-e]{1,2}|name|metadata|query|type|behavior", inner, 0..4)
}

/// Metadata pairs, some of which mean something to a tool.
fn any_pairs() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("kustomize.toolkit.fluxcd.io/name".to_owned()),
        Just("autoscaling.keda.sh/paused".to_owned()),
        Just("autoscaling.keda.sh/paused-replicas".to_owned()),
        Just("flagger.app/written-spec".to_owned()),
        Just("argocd.argoproj.io/tracking-id".to_owned()),
        "[a-z]{1,3}(/[a-z]{1,3})?",
    ];
    collection::btree_map(key, "[0a-z]{0,3}", 0..5).prop_map(|pairs| json!(pairs))
}

prop_compose! {
    /// A scene of either kind whose source has all sorts of fields besides.
    fn any_scene()(
        is_keda in any::<bool>(), more in any_map(any_json()), triggers in collection::vec(any_json(), 0..3),
        advanced in any_json(), labels in any_pairs(), annotations in any_pairs(),
        min in prop::option::of(1..4_i64), max in prop::option::of(4..9_i64),
    ) -> Scene {
        let mut scene = if is_keda { keda() } else { hpa() };
        let mut source = scene.store.get(&scene.source_key()).cloned().unwrap();
        merge(&mut source["spec"], &json!(more));
        source["spec"]["triggers"] = json!(triggers);
        source["spec"]["advanced"] = advanced;
        source["metadata"]["labels"] = labels;
        source["metadata"]["annotations"] = annotations;
        scene.store.put(scene.source_key(), source);
        scene.bounded(min, max)
    }
}

/// The paths of all scalars.
fn leaves(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(name, inner)| leaves(inner, &format!("{path}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, inner)| leaves(inner, &format!("{path}/{at}"), found));
        }
        scalar => found.push((path.to_owned(), scalar.clone())),
    }
}

/// Whether the copy may have something else there.
fn is_ours(path: &str) -> bool {
    path == "/scaleTargetRef/name"
        || path == "/advanced/horizontalPodAutoscalerConfig/name"
        || path.starts_with("/triggers/") && path.ends_with("/metadata/query")
        || ["/minReplicas", "/maxReplicas", "/minReplicaCount", "/maxReplicaCount"].contains(&path)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn a_copy_is_made_once_and_has_every_field_of_its_source(scene in any_scene()) {
        let mut scene = scene;
        let primary = scene.settled();
        let mut found = Vec::new();
        leaves(&scene.store.get(&scene.source_key()).unwrap()["spec"], "", &mut found);
        for (path, value) in found.into_iter().filter(|(path, _)| !is_ours(path)) {
            prop_assert_eq!(primary["spec"].pointer(&path), Some(&value), "{}", path);
        }
        prop_assert_eq!(&primary["spec"]["scaleTargetRef"]["name"], "podinfo-primary");
        for (map, forbidden) in [("labels", "keda.sh/name"), ("annotations", "keda.sh/paused")] {
            let keys: Vec<_> = primary["metadata"][map].as_object().into_iter().flatten().collect();
            let forbidden = ["toolkit.fluxcd.io", "argoproj.io", forbidden];
            prop_assert!(!keys.iter().any(|(key, _)| forbidden.iter().any(|part| key.contains(part))), "{:?}", keys);
        }
    }

    #[test]
    fn the_copy_follows_any_edit_of_the_source_and_keeps_what_is_others(
        scene in any_scene(), later in any_map(any_json()), labels in any_pairs(), status in any_json(),
    ) {
        let mut scene = scene;
        scene.settled();
        let theirs = json!({"metadata": {"labels": labels}, "status": status});
        scene.edit(&scene.primary_key(), theirs);
        let before = scene.primary();
        let fields = ["minReplicas", "maxReplicas", "minReplicaCount", "maxReplicaCount", "scaleTargetRef"];
        let mut source = scene.store.get(&scene.source_key()).cloned().unwrap();
        let kept: Vec<_> =
            fields.iter().filter_map(|field| Some((*field, source["spec"].get(field)?.clone()))).collect();
        source["spec"] = json!(later);
        for (field, value) in kept {
            source["spec"][field] = value;
        }
        scene.store.put(scene.source_key(), source.clone());
        let after = scene.settled();
        prop_assert_eq!(&after["metadata"]["labels"], &before["metadata"]["labels"]);
        prop_assert_eq!(&after["status"], &before["status"]);
        let (mut had, mut has) = (Vec::new(), Vec::new());
        leaves(&source["spec"], "", &mut had);
        leaves(&after["spec"], "", &mut has);
        let paths = |all: Vec<(String, Value)>| {
            let kept = all.into_iter().map(|(path, _)| path).filter(|path| !is_ours(path));
            kept.collect::<std::collections::BTreeSet<_>>()
        };
        prop_assert_eq!(paths(has), paths(had), "nothing of the former source stays");
    }

    #[test]
    fn pausing_and_resuming_touch_one_annotation_and_end_where_they_began(scene in any_scene()) {
        let mut scene = scene;
        let before = scene.store.get(&scene.source_key()).cloned().unwrap();
        let paused = scene.scaler().pause(&scene.subject(), &scene.reference, &scene.have()).unwrap();
        if let Some(change) = &paused {
            scene.store.apply(change).unwrap();
            prop_assert_eq!(scene.scaler().pause(&scene.subject(), &scene.reference, &scene.have()), Ok(None));
            let resume = scene.scaler().resume(&scene.subject(), &scene.reference, &scene.have()).unwrap();
            scene.store.apply(&resume.unwrap()).unwrap();
        }
        let mut after = scene.store.get(&scene.source_key()).cloned().unwrap();
        after["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
        prop_assert_eq!(after, before);
    }
}
