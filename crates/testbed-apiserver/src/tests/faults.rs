//! Faults, and the record of requests.

use std::time::Duration;

use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{WatchEvent, WatchParams},
};

use super::*;

#[tokio::test(start_paused = true)]
async fn requests_are_recorded_with_what_came_of_them() {
    let bench = Bench::new();
    let action = FaultAction::Answer { code: 503, retry_after: None };
    bench.server.faults().push(Fault::once(Matcher::new("create", "configmaps"), action).after(1).times(1));
    for code in [201, 503, 409] {
        assert_eq!(bench.send(("POST", MAPS, map("a", "1"))).await.0, code);
    }
    bench.send(("PATCH", &format!("{DEPLOYMENTS}/x/status"), json!({}))).await;
    let entries = bench.server.audit().of("bench/");
    let lines: Vec<String> = entries.iter().map(AuditEntry::line).collect();
    let expect = [
        "create configmaps default/ 201",
        "create configmaps default/ 503",
        "create configmaps default/ 409",
        "patch apps/deployments/status default/x 404",
    ];
    assert_eq!(lines, expect);
    assert_eq!(entries.iter().map(|entry| entry.changed).collect::<Vec<_>>(), [true, false, false, false]);
    assert_eq!(bench.server.faults().pending(), 0);
}

/// Sends a create that a fault hits; whether an answer came, its code, and whether the object is there afterwards.
async fn check(action: FaultAction, answer: Option<u16>, there: bool) {
    let bench = Bench::new();
    bench.server.faults().push(Fault::once(Matcher::writes(), action.clone()));
    let request = http::Request::post(MAPS).header("content-type", "application/json");
    let request = request.body(kube::client::Body::from(map("a", "1").to_string().into_bytes())).unwrap();
    let sent = tokio::time::timeout(Duration::from_secs(60), bench.client.send(request)).await;
    let code = sent.ok().and_then(Result::ok).map(|response| response.status().as_u16());
    assert_eq!(code, answer, "{action:?}");
    let (found, _) = bench.send(("GET", &format!("{MAPS}/a"), Value::Null)).await;
    assert_eq!(found == 200, there, "{action:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fault_answers_instead_or_loses_the_answer() {
    check(FaultAction::Answer { code: 429, retry_after: Some(3) }, Some(429), false).await;
    check(FaultAction::Answer { code: 504, retry_after: None }, Some(504), false).await;
    check(FaultAction::LoseAnswer(Loss::Reset), None, true).await;
    check(FaultAction::LoseAnswer(Loss::Timeout), Some(504), true).await;
    check(FaultAction::LoseAnswer(Loss::Silence), None, true).await;
    check(FaultAction::Hang, None, false).await;
    check(FaultAction::DropWatches, Some(201), true).await;
    check(FaultAction::Compact, Some(201), true).await;
    check(FaultAction::Replay, Some(201), true).await;
    check(FaultAction::DelayWatch(Duration::from_secs(3)), Some(201), true).await;
}

#[tokio::test(start_paused = true)]
async fn a_delayed_watch_sends_everything_too_late() {
    for late in [0, 3] {
        let bench = Bench::new();
        let action = FaultAction::DelayWatch(Duration::from_secs(late));
        bench.server.faults().push(Fault::once(Matcher::new("watch", "configmaps"), action));
        let api: Api<ConfigMap> = Api::default_namespaced(bench.client.clone());
        let params = WatchParams::default().timeout(30).disable_bookmarks();
        let mut events = std::pin::pin!(api.watch(&params, "0").await.unwrap());
        bench.send(("POST", MAPS, map("a", "1"))).await;
        let sent = tokio::time::Instant::now();
        assert!(matches!(events.try_next().await.unwrap(), Some(WatchEvent::Added(_))));
        assert_eq!(sent.elapsed().as_secs(), late);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delayed_request_finds_what_was_written_meanwhile() {
    let bench = Bench::new();
    let (_, created) = bench.send(("POST", MAPS, map("a", "1"))).await;
    let action = FaultAction::Delay(Duration::from_secs(2));
    bench.server.faults().push(Fault::once(Matcher::writes(), action));
    let version = &created["metadata"]["resourceVersion"];
    let change = |value: &str| json!({"metadata": {"resourceVersion": version}, "data": {"k": value}});
    let (path, sent) = (format!("{MAPS}/a"), tokio::time::Instant::now());
    let late = bench.send(("PATCH", &path, change("late")));
    let first = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        bench.send(("PATCH", &path, change("first"))).await
    };
    let ((late, _), (first, _)) = tokio::join!(late, first);
    assert_eq!((first, late, sent.elapsed().as_secs()), (200, 409, 2));
}

/// A follower sees what no watch sees: what happened while the history was forgotten.
#[tokio::test(start_paused = true)]
async fn no_fault_reaches_who_follows() {
    let bench = Bench::new();
    let mut following = bench.server.follow();
    bench.server.faults().push(Fault::once(Matcher::writes(), FaultAction::LoseAnswer(Loss::Timeout)));
    bench.send(("POST", MAPS, map("a", "1"))).await;
    bench.send(("DELETE", &format!("{MAPS}/a"), Value::Null)).await;
    bench.server.compact();
    let events: Vec<_> =
        std::iter::from_fn(|| following.take()).map(|one| (one.resource, one.gone)).collect();
    assert_eq!(events, [("configmaps".to_owned(), false), ("configmaps".to_owned(), true)]);
}
