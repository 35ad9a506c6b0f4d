//! A dry run behaves as an API server that takes writes, and makes none.

use serde_json::{Value, json};
use vexil_kube::{DryRun, DryWrite, WriteError};
use vexil_object::{Action, Change, JsonOp, ObjectKey, Precondition, Seen, kinds::DEPLOYMENT};
use vexil_testbed_apiserver::{ApiServer, Clock};

use crate::scenarios::{self, Stage, deployment};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/test/deployments";

/// A Deployment that is there, and the cluster by a client that does not write.
async fn story<F: Future<Output = ()>>(tell: impl FnOnce(Stage, DryRun, ObjectKey, Value) -> F) {
    let server = ApiServer::new(Clock::default());
    let other = server.client_as("other");
    for (path, body) in [
        (
            "/api/v1/namespaces",
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "test"}}),
        ),
        (DEPLOYMENTS, deployment("podinfo")),
    ] {
        let request = http::Request::post(path).header("content-type", "application/json");
        other.request::<Value>(request.body(body.to_string().into_bytes()).unwrap()).await.unwrap();
    }
    let (client, dry_run) = DryRun::over(server.client());
    // The namespace that the scenario makes is made in the dry run alone.
    scenarios::run(client, "made", |stage| async move {
        dry_run.take_writes();
        let key = ObjectKey::new(DEPLOYMENT, "test", "podinfo");
        let seen = stage.until_seen(&key, |seen| seen.object().is_some()).await;
        let live = seen.object().unwrap().clone();
        tell(stage, dry_run, key, live).await;
    })
    .await;
    let wrote = server.audit().of("vexil/").into_iter().filter(|entry| entry.is_write()).count();
    assert_eq!(wrote, 0, "a dry run writes nothing");
    let left =
        other.request::<Value>(http::Request::get(DEPLOYMENTS).body(Vec::new()).unwrap()).await.unwrap();
    assert_eq!(left["items"].as_array().map(Vec::len), Some(1));
}

fn merge(key: &ObjectKey, live: &Value, body: Value) -> Change {
    Change { key: key.clone(), action: Action::Merge { body, on: Precondition::of(live) } }
}

fn replicas(seen: &Seen) -> Option<u64> {
    seen.object()?.pointer("/spec/replicas")?.as_u64()
}

#[tokio::test(start_paused = true)]
async fn what_was_written_is_seen_and_read_and_built_upon() {
    story(|stage, dry_run, key, live| async move {
        let cluster = &stage.cluster;
        cluster.apply(&merge(&key, &live, json!({"spec": {"replicas": 7}}))).await.unwrap();
        assert_eq!(replicas(&cluster.look(&key)), Some(7));
        let read = cluster.fetch(&key).await.unwrap();
        assert_eq!(replicas(&read), Some(7));
        let ops = vec![JsonOp::Add("/spec/replicas".into(), 9.into())];
        let on = Precondition::of(read.object().unwrap());
        cluster.apply(&Change { key: key.clone(), action: Action::Json { ops, on } }).await.unwrap();
        let seen = cluster.look(&key);
        assert_eq!(replicas(&seen), Some(9));
        cluster.apply(&Change::delete(key.clone(), seen.object().unwrap())).await.unwrap();
        assert_eq!(cluster.look(&key), Seen::Absent);
        let name = || ("Deployment".to_owned(), "test".to_owned(), "podinfo".to_owned());
        let want = |verb, body| {
            let (kind, namespace, name) = name();
            DryWrite { verb, kind, namespace, name, body }
        };
        assert_eq!(
            dry_run.take_writes(),
            [
                want("patch", json!({"spec": {"replicas": 7}})),
                want("patch", json!([{"op": "add", "path": "/spec/replicas", "value": 9}])),
                want("delete", Value::Null),
            ]
        );
        assert_eq!(dry_run.take_writes(), []);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_an_api_server_refuses_is_refused() {
    story(|stage, dry_run, key, live| async move {
        let cluster = &stage.cluster;
        let exists = cluster.apply(&Change::create(key.clone(), deployment("podinfo"))).await;
        assert!(matches!(exists, Err(WriteError::AlreadyExists)), "{exists:?}");
        let mut old = live.clone();
        old["metadata"]["resourceVersion"] = "1".into();
        let conflict = cluster.apply(&merge(&key, &old, json!({"spec": {"replicas": 7}}))).await;
        assert!(matches!(conflict, Err(WriteError::Conflict { .. })), "{conflict:?}");
        let other = ObjectKey::new(DEPLOYMENT, "test", "other");
        let missing = cluster.apply(&merge(&other, &live, json!({"spec": {"replicas": 7}}))).await;
        assert!(matches!(missing, Err(WriteError::NotFound { .. })), "{missing:?}");
        cluster.apply(&Change::create(other.clone(), deployment("other"))).await.unwrap();
        assert!(cluster.look(&other).object().is_some());
        let verbs: Vec<_> = dry_run.take_writes().into_iter().map(|write| (write.verb, write.name)).collect();
        assert_eq!(verbs, [("create", "other".to_owned())]);
    })
    .await;
}
