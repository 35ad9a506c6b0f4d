//! Watches and lists: what is sent, in which order, and when history is gone.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{WatchEvent, WatchParams},
};

use super::*;

fn summary(event: &WatchEvent<ConfigMap>) -> String {
    let name = |object: &ConfigMap| object.metadata.name.clone().unwrap_or_default();
    match event {
        WatchEvent::Added(object) => format!("added {}", name(object)),
        WatchEvent::Modified(object) => format!("modified {}", name(object)),
        WatchEvent::Deleted(object) => format!("deleted {}", name(object)),
        WatchEvent::Bookmark(mark) => format!("bookmark {}", mark.metadata.resource_version),
        WatchEvent::Error(status) => format!("error {}", status.code),
    }
}

/// What a watch sends while the requests are sent, one a second.
async fn check(bench: &Bench, params: WatchParams, from: &str, asks: Vec<Ask<'static>>, expect: &[&str]) {
    let api: Api<ConfigMap> = Api::default_namespaced(bench.client.clone());
    let stream = api.watch(&params, from).await.unwrap();
    let other = Bench { server: bench.server.clone(), client: bench.server.client() };
    tokio::spawn(async move {
        for ask in asks {
            tokio::time::sleep(Duration::from_secs(1)).await;
            other.send(ask).await;
        }
    });
    let events: Vec<String> = stream.map_ok(|event| summary(&event)).map(Result::unwrap).collect().await;
    assert_eq!(events, expect);
}

#[tokio::test(start_paused = true)]
async fn a_watch_sends_what_happens_and_ends_when_its_time_is_up() {
    let bench = Bench::new();
    bench.all(vec![("POST", MAPS, map("a", "1"))]).await;
    let asks = vec![
        ("POST", MAPS, map("b", "1")),
        ("PATCH", "/api/v1/namespaces/default/configmaps/b", json!({"data": {"key": "2"}})),
        ("PATCH", "/api/v1/namespaces/default/configmaps/b", json!({"data": {"key": "2"}})),
        ("DELETE", "/api/v1/namespaces/default/configmaps/a", Value::Null),
    ];
    let expect = ["added a", "added b", "modified b", "deleted a"];
    check(&bench, WatchParams::default().timeout(30).disable_bookmarks(), "0", asks, &expect).await;
}

#[tokio::test(start_paused = true)]
async fn objects_come_and_go_with_their_labels() {
    let bench = Bench::new();
    let relabel = |value: &str| json!({"metadata": {"labels": {"app": value}}});
    let asks = vec![
        ("POST", MAPS, map("a", "1")),
        ("PATCH", "/api/v1/namespaces/default/configmaps/a", relabel("b")),
        ("PATCH", "/api/v1/namespaces/default/configmaps/a", relabel("a")),
    ];
    let params = WatchParams::default().timeout(30).disable_bookmarks().labels("app=a");
    check(&bench, params, "0", asks, &["added a", "deleted a", "added a"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watch_sends_bookmarks() {
    let bench = Bench::new();
    let from = bench.server.revision().to_string();
    let expect = format!("bookmark {from}");
    check(&bench, WatchParams::default().timeout(90), &from, vec![], &[&expect]).await;
    let initial = WatchParams::default().timeout(5).initial_events();
    check(&bench, initial, "0", vec![], &[&expect]).await;
}

#[tokio::test(start_paused = true)]
async fn history_that_is_gone_is_answered_with_410() {
    let server = ApiServer::builder(Clock::default()).history(2).build();
    let bench = Bench { client: server.client(), server };
    bench.all((0..5).map(|n| ("POST", MAPS, map(&format!("m{n}"), "1"))).collect()).await;
    check(&bench, WatchParams::default(), "2", vec![], &["error 410"]).await;
    let page = format!("{MAPS}?limit=2");
    let first =
        bench.check(("GET", &page, Value::Null), 200, json!({"/metadata/remainingItemCount": 3})).await;
    let next = format!("{page}&continue={}", first["metadata"]["continue"].as_str().unwrap());
    bench.all(vec![("POST", MAPS, map("late", "1"))]).await;
    let second = bench.check(("GET", &next, Value::Null), 200, json!({"/items/0/metadata/name": "m2"})).await;
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    bench.server.compact();
    bench.check(("GET", &next, Value::Null), 410, json!({"/reason": "Expired"})).await;
}

#[tokio::test(start_paused = true)]
async fn lists_are_selected_by_labels_and_fields() {
    let bench = Bench::new();
    bench.all(vec![("POST", MAPS, map("a", "1")), ("POST", MAPS, map("b", "1"))]).await;
    for (query, names) in [
        ("", vec!["a", "b"]),
        ("labelSelector=app%3Da", vec!["a"]),
        ("labelSelector=app!%3Da", vec!["b"]),
        ("labelSelector=app%20in%20(a,b),x", vec![]),
        ("labelSelector=app%20notin%20(a)", vec!["b"]),
        ("labelSelector=!app", vec![]),
        ("fieldSelector=metadata.name%3Db", vec!["b"]),
        ("fieldSelector=metadata.name!%3Db,metadata.namespace%3Ddefault", vec!["a"]),
    ] {
        let (_, list) = bench.send(("GET", &format!("{MAPS}?{query}"), Value::Null)).await;
        let found: Vec<&str> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| o["metadata"]["name"].as_str().unwrap())
            .collect();
        assert_eq!(found, names, "{query}");
    }
    let (code, _) = bench.send(("GET", &format!("{MAPS}?fieldSelector=data.x%3D1"), Value::Null)).await;
    assert_eq!(code, 400);
}
