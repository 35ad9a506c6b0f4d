//! Fields that a definition does not have: reported with it, not written again, and written when it has them.

use std::time::Duration;

use serde_json::{Value, json};
use vexil_kube::{Altered, WriteError};
use vexil_object::{Action, Change, Kind, ObjectKey, Precondition, Seen, kinds, meta};

use super::{CRDS, Stage, define_as, definition};

/// A definition of routes whose references have labels, or have none.
fn routes(kind: Kind, labels: bool) -> Value {
    let mut reference = json!({"type": "object", "properties": {"kind": {"type": "string"}}});
    if labels {
        let map = json!({"type": "object", "additionalProperties": {"type": "string"}});
        meta::set(&mut reference, &["properties", "labels"], map);
    }
    let weight = json!({"type": "integer", "default": 1});
    let spec = json!({"type": "object", "properties": {
        "to": {"type": "array", "items": reference}, "weight": weight,
    }});
    let mut definition = definition(kind, &["v1"]);
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = spec;
    definition
}

fn spec(weight: u32) -> Value {
    json!({"spec": {"to": [{"kind": "Service", "labels": {"name": "podinfo"}}], "weight": weight}})
}

async fn write(stage: &Stage, key: &ObjectKey, weight: u32) -> Result<(), WriteError> {
    let change = match stage.cluster.look(key).object() {
        None => Change::create(key.clone(), spec(weight)),
        Some(live) => Change {
            key: key.clone(),
            action: Action::Merge { body: spec(weight), on: Precondition::of(live) },
        },
    };
    stage.cluster.apply(&change).await
}

fn version(stage: &Stage, key: &ObjectKey) -> String {
    meta::resource_version(stage.cluster.look(key).object().unwrap()).to_owned()
}

fn dropped(kind: Kind, repeated: bool) -> Result<(), WriteError> {
    Err(WriteError::Altered(Box::new(Altered {
        object: String::new(),
        api: kind.api_version(),
        definition: kind.definition().name().to_owned(),
        versions: vec!["v1".to_owned()],
        dropped: vec!["spec.to[0].labels".to_owned()],
        unknown_to_definition: Some(true),
        changed: vec![],
        repeated,
    })))
}

/// Without the object's name, which has that of the namespace in it.
fn nameless(written: Result<(), WriteError>) -> Result<(), WriteError> {
    written.map_err(|error| match error {
        WriteError::Altered(altered) => {
            WriteError::Altered(Box::new(Altered { object: String::new(), ..*altered }))
        }
        error => error,
    })
}

/// Brings the definition to another one, and waits until the API server goes by it.
async fn redefine(stage: &Stage, kind: Kind, labels: bool) {
    let versions = json!({"spec": {"versions": routes(kind, labels)["spec"]["versions"]}});
    let path = format!("{CRDS}/{}", kind.definition().name());
    let generation = stage.merge(&path, versions).await["metadata"]["generation"].clone();
    stage
        .until_seen(&kind.definition(), |seen| {
            seen.object().is_some_and(|live| live["metadata"]["generation"] == generation)
        })
        .await;
}

pub async fn a_dropped_field_is_reported_and_written_when_it_can_be(stage: Stage) {
    const ROUTE: Kind = Kind::namespaced("narrow.example", "v1", "Route", "routes");
    define_as(&stage, ROUTE, routes(ROUTE, false)).await;
    stage.cluster.watch(kinds::CUSTOM_RESOURCE_DEFINITION);
    stage.until_synced(ROUTE).await;
    let key = stage.key(ROUTE, "podinfo");
    assert_eq!(nameless(write(&stage, &key, 10).await), dropped(ROUTE, false));
    let at = version(&stage, &key);
    for _ in 0..5 {
        assert_eq!(nameless(write(&stage, &key, 10).await), dropped(ROUTE, true));
    }
    assert_eq!(version(&stage, &key), at, "it is not written again");
    // What can be stored is.
    assert_eq!(nameless(write(&stage, &key, 20).await), dropped(ROUTE, false));
    assert_eq!(stage.cluster.look(&key).object().unwrap()["spec"]["weight"], 20);

    redefine(&stage, ROUTE, true).await;
    for _ in 0..600 {
        if write(&stage, &key, 20).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(stage.cluster.look(&key).object().unwrap()["spec"], spec(20)["spec"]);
}

pub async fn a_definition_that_is_replaced_by_an_older_one_is_gone_by(stage: Stage) {
    const ROUTE: Kind = Kind::namespaced("older.example", "v1", "Route", "routes");
    define_as(&stage, ROUTE, routes(ROUTE, true)).await;
    stage.cluster.watch(kinds::CUSTOM_RESOURCE_DEFINITION);
    stage.until_synced(ROUTE).await;
    let key = stage.key(ROUTE, "podinfo");
    write(&stage, &key, 10).await.unwrap();
    redefine(&stage, ROUTE, false).await;
    let pruned = |seen: &Seen| {
        seen.object().is_some_and(|object| object["spec"]["to"] == json!([{"kind": "Service"}]))
    };
    // The next write loses it, once the API server goes by the new definition.
    let object = format!("/apis/older.example/v1/namespaces/{}/routes/podinfo", stage.namespace);
    for touch in 0.. {
        let labels = json!({"metadata": {"labels": {"touch": touch.to_string()}}});
        let live = stage.merge(&object, labels).await;
        if pruned(&Seen::present(live)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stage.until_seen(&key, pruned).await;
    assert_eq!(nameless(write(&stage, &key, 10).await), dropped(ROUTE, false));
    assert_eq!(nameless(write(&stage, &key, 10).await), dropped(ROUTE, true));
}

/// Two versions of one kind, of which the stored one has fewer fields. Whatever the API server makes of a write in the
/// other: it is stored, or it is reported.
pub async fn what_a_conversion_loses_is_reported(stage: Stage) {
    const OLD: Kind = Kind::namespaced("convert.example", "v1", "Route", "routes");
    const NEW: Kind = Kind { version: "v2", ..OLD };
    let mut both = routes(OLD, false);
    let mut newer = routes(OLD, true)["spec"]["versions"][0].clone();
    meta::set(&mut newer, &["name"], "v2".into());
    meta::set(&mut newer, &["storage"], false.into());
    both["spec"]["versions"].as_array_mut().unwrap().push(newer);
    define_as(&stage, OLD, both).await;
    for kind in [OLD, NEW] {
        stage.until_synced(kind).await;
    }
    assert!(matches!(write(&stage, &stage.key(OLD, "old"), 10).await, Err(WriteError::Altered(_))));
    let key = stage.key(NEW, "new");
    let written = write(&stage, &key, 10).await;
    let live = stage.cluster.fetch(&key).await.unwrap();
    let whole = live.object().unwrap()["spec"]["to"] == spec(10)["spec"]["to"];
    assert_eq!(written.is_ok(), whole, "{written:?} {live:?}");
    let (at, again) = (version(&stage, &key), write(&stage, &key, 10).await);
    assert_eq!((again.is_ok(), version(&stage, &key)), (whole, at), "{again:?}");
}

/// Defaults, quantities, empty fields, and lists that the API server completes.
pub async fn what_the_api_server_fills_in_is_not_reported(stage: Stage) {
    const ROUTE: Kind = Kind::namespaced("defaults.example", "v1", "Route", "routes");
    define_as(&stage, ROUTE, routes(ROUTE, true)).await;
    stage.until_synced(ROUTE).await;
    let key = stage.key(ROUTE, "podinfo");
    stage.cluster.apply(&Change::create(key, json!({"spec": {"to": []}}))).await.unwrap();

    let mut deployment = super::deployment("podinfo");
    deployment["metadata"]["creationTimestamp"] = Value::Null;
    deployment["spec"]["strategy"] = json!({});
    let pod = &mut deployment["spec"]["template"]["spec"];
    pod["serviceAccountName"] = "".into();
    pod["hostNetwork"] = false.into();
    pod["securityContext"] = json!({});
    pod["volumes"] = json!([]);
    pod["containers"][0]["resources"] =
        json!({"requests": {"cpu": "0.5", "memory": "1024Mi"}, "limits": {"cpu": 1}});
    pod["containers"][0]["ports"] = json!([{"containerPort": 9898, "name": "http"}]);
    pod["containers"][0]["env"] = json!([{"name": "A", "value": ""}]);
    let key = stage.key(kinds::DEPLOYMENT, "podinfo");
    stage.cluster.apply(&Change::create(key, deployment)).await.unwrap();

    let service = json!({"spec": {
        "type": "ClusterIP", "clusterIP": "", "selector": {"app": "podinfo"},
        "ports": [{"name": "http", "port": 80}, {"name": "grpc", "port": 81, "targetPort": "grpc"}],
    }});
    let key = stage.key(kinds::SERVICE, "podinfo");
    stage.cluster.apply(&Change::create(key, service)).await.unwrap();
}
