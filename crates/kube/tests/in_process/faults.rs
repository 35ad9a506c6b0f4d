//! A good API server on a bad day: lost answers, outages, dropped watches, forgotten history, forbidden reads.

use std::time::Duration;

use crate::scenarios::{self, Stage, deployment};
use serde_json::{Value, json};
use vexil_kube::{ReadError, WriteError};
use vexil_object::{
    Action, Change, ObjectKey, Precondition, Seen,
    kinds::{CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, ENDPOINT_SLICE, SERVICE},
    meta,
};
use vexil_testbed_apiserver::{ApiServer, Clock, Fault, FaultAction, Loss, Matcher};

/// Runs a story in namespace `test` with a Deployment `podinfo` that was made before.
async fn story<F: Future<Output = ()>>(tell: impl FnOnce(Stage, ApiServer, ObjectKey, Value) -> F) {
    let server = ApiServer::new(Clock::default());
    let client = server.client();
    scenarios::run(client, "test", |stage| {
        let server = server.clone();
        async move {
            stage.create("/apis/apps/v1/namespaces/test/deployments", deployment("podinfo")).await;
            let key = stage.key(DEPLOYMENT, "podinfo");
            let seen = stage.until_seen(&key, |seen| seen.object().is_some()).await;
            let live = seen.object().unwrap().clone();
            tell(stage, server, key, live).await;
        }
    })
    .await;
}

fn label(key: &ObjectKey, live: &Value, value: &str) -> Change {
    let body = json!({"metadata": {"labels": {"step": value}}});
    Change { key: key.clone(), action: Action::Merge { body, on: Precondition::of(live) } }
}

fn labelled(seen: &Seen) -> Option<&str> {
    seen.object().and_then(|object| meta::label(object, "step"))
}

fn ours(verb: &str, resource: &str) -> Matcher {
    Matcher { user_agent: Some("vexil/".into()), ..Matcher::new(verb, resource) }
}

fn answer(code: u16) -> FaultAction {
    FaultAction::Answer { code, retry_after: None }
}

async fn check_unknown(action: FaultAction, written: bool) {
    story(|stage, server, key, live| async move {
        // The watch is silent meanwhile: only a read can settle it.
        server.faults().push(Fault::once(ours("watch", "deployments"), FaultAction::Hang).times(9));
        server.drop_watches();
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.faults().push(Fault::once(ours("patch", "deployments"), action.clone()));
        let lost = stage.cluster.apply(&label(&key, &live, "new")).await;
        assert!(matches!(lost, Err(WriteError::Unknown { .. })), "{action:?}: {lost:?}");
        assert_eq!(stage.cluster.look(&key), Seen::NotKnown, "{action:?}");
        let read = stage.cluster.fetch(&key).await.unwrap();
        assert_eq!(labelled(&read), written.then_some("new"), "{action:?}");
        assert_eq!(labelled(&stage.cluster.look(&key)), written.then_some("new"), "{action:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_lost_is_not_known_until_it_is_read() {
    check_unknown(FaultAction::LoseAnswer(Loss::Reset), true).await;
    check_unknown(FaultAction::LoseAnswer(Loss::Timeout), true).await;
    check_unknown(FaultAction::LoseAnswer(Loss::Silence), true).await;
    check_unknown(answer(500), false).await;
    check_unknown(answer(503), false).await;
    check_unknown(FaultAction::Hang, false).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_write_leaves_what_is_known() {
    story(|stage, server, key, live| async move {
        let slow = FaultAction::Answer { code: 429, retry_after: Some(7) };
        server.faults().push(Fault::once(ours("patch", "deployments"), slow));
        let refused = stage.cluster.apply(&label(&key, &live, "new")).await;
        assert_eq!(refused, Err(WriteError::Throttled { retry_after_ms: 7000 }));
        tokio::time::sleep(Duration::from_secs(7)).await;
        server.faults().push(Fault::once(ours("patch", "deployments"), answer(403)));
        let refused = stage.cluster.apply(&label(&key, &live, "new")).await;
        assert!(matches!(refused, Err(WriteError::Forbidden { .. })), "{refused:?}");
        assert_eq!(stage.cluster.look(&key).object(), Some(&live));
        server.faults().push(Fault::once(ours("get", "deployments"), answer(503)));
        assert!(matches!(stage.cluster.fetch(&key).await, Err(ReadError::Unavailable { .. })));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_watch_is_resumed_without_a_list() {
    story(|stage, server, key, _| async move {
        server.audit().clear();
        for step in ["1", "2", "3"] {
            server.drop_watches();
            let body = json!({"metadata": {"labels": {"step": step}}});
            stage.merge("/apis/apps/v1/namespaces/test/deployments/podinfo", body).await;
            stage.until_seen(&key, |seen| labelled(seen) == Some(step)).await;
        }
        let lists = server.audit().of("vexil/").iter().filter(|entry| entry.verb == "list").count();
        assert_eq!(lists, 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_while_the_history_was_lost_is_gone() {
    story(|stage, server, key, _| async move {
        server.faults().push(Fault::once(ours("watch", "deployments"), answer(503)).times(3));
        server.drop_watches();
        stage.delete("/apis/apps/v1/namespaces/test/deployments/podinfo").await;
        server.compact();
        stage.until_seen(&key, |seen| *seen == Seen::Absent).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_reported_and_ends() {
    story(|stage, server, key, _| async move {
        let down = Matcher { user_agent: Some("vexil/".into()), ..Matcher::default() };
        server.faults().push(Fault::once(down, answer(503)).times(100_000));
        server.drop_watches();
        stage.until("trouble", |cluster| cluster.trouble(DEPLOYMENT).is_some()).await;
        assert!(stage.cluster.look(&key).object().is_some(), "what was known stays");
        server.audit().clear();
        tokio::time::sleep(Duration::from_secs(600)).await;
        let tries = server.audit().of("vexil/").len();
        assert!((60..=90).contains(&tries), "{tries} requests in 10 minutes of outage");
        server.faults().clear();
        stage.until("the end of trouble", |cluster| cluster.trouble(DEPLOYMENT).is_none()).await;
        let body = json!({"metadata": {"labels": {"step": "after"}}});
        stage.merge("/apis/apps/v1/namespaces/test/deployments/podinfo", body).await;
        stage.until_seen(&key, |seen| labelled(seen) == Some("after")).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_kind_is_reported_and_the_others_work() {
    story(|stage, server, _, _| async move {
        server.faults().push(Fault::once(ours("list", "configmaps"), answer(403)).times(5));
        stage.cluster.watch(CONFIG_MAP);
        stage.until_synced(SERVICE).await;
        stage.until("trouble", |cluster| cluster.trouble(CONFIG_MAP).is_some()).await;
        assert_eq!(stage.cluster.look(&stage.key(CONFIG_MAP, "x")), Seen::NotKnown);
        stage.until_synced(CONFIG_MAP).await;
        assert_eq!(stage.cluster.trouble(CONFIG_MAP), None);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_hour_costs_only_the_renewal_of_watches() {
    story(|stage, server, _, _| async move {
        for kind in [SERVICE, ENDPOINT_SLICE, CUSTOM_RESOURCE_DEFINITION] {
            stage.until_synced(kind).await;
        }
        server.audit().clear();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let sent = server.audit().of("vexil/");
        assert!(
            sent.iter().all(|entry| entry.verb == "watch"),
            "{:?}",
            sent.iter().map(|e| e.line()).collect::<Vec<_>>()
        );
        assert!((4 * 12..=4 * 16).contains(&sent.len()), "{} renewals of 4 watches", sent.len());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_not_served_is_not_asked_for_again_and_again() {
    story(|stage, server, _, _| async move {
        let nothing = vexil_object::Kind::namespaced("unserved.example", "v1", "Nothing", "nothings");
        stage.until_seen(&stage.key(nothing, "x"), |seen| *seen == Seen::Absent).await;
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let asked = server.audit().of("vexil/").iter().filter(|entry| entry.resource == "nothings").count();
        assert!(asked <= 15, "{asked} requests in an hour");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_to_be_left_alone_is_neither_read_nor_written() {
    let check = |code: u16, asked: u32, pause_s: u64| async move {
        story(|stage, server, key, live| async move {
            let slow = FaultAction::Answer { code, retry_after: Some(asked) };
            server.faults().push(Fault::once(ours("patch", "deployments"), slow));
            stage.cluster.apply(&label(&key, &live, "new")).await.unwrap_err();
            server.audit().clear();
            let rest = Err(ReadError::Throttled { retry_after_ms: pause_s * 1000 });
            assert_eq!(stage.cluster.fetch(&key).await, rest, "{code}");
            tokio::time::sleep(Duration::from_secs(pause_s) - Duration::from_millis(500)).await;
            let refused = stage.cluster.apply(&label(&key, &live, "new")).await;
            assert_eq!(refused, Err(WriteError::Throttled { retry_after_ms: 500 }), "{code}");
            let status = json!({"replicas": 1});
            let refused =
                stage.cluster.write_status(&key, &Precondition::of(&live), &json!({}), &status).await;
            assert_eq!(refused, Err(WriteError::Throttled { retry_after_ms: 500 }), "{code}");
            let asked = server.audit().of("vexil/").iter().filter(|entry| entry.verb != "watch").count();
            assert_eq!(asked, 0, "{code}: nothing is sent meanwhile");
            tokio::time::sleep(Duration::from_millis(500)).await;
            stage.cluster.fetch(&key).await.unwrap();
            stage.cluster.apply(&label(&key, &live, "new")).await.unwrap();
        })
        .await;
    };
    check(429, 7, 7).await;
    check(503, 7, 7).await;
    check(429, 86_400, 60).await;
    check(503, 86_400, 60).await;
}

#[tokio::test(start_paused = true)]
async fn a_404_on_a_built_in_kind_is_trouble_and_never_absence() {
    story(|stage, server, key, _| async move {
        // Before the first list, and while it is watched.
        server.faults().push(Fault::once(ours("list", "services"), answer(404)).times(3));
        server.faults().push(Fault::once(ours("watch", "deployments"), answer(404)).times(3));
        let service = stage.key(SERVICE, "podinfo");
        assert_eq!(stage.cluster.look(&service), Seen::NotKnown);
        server.drop_watches();
        stage.until("trouble", |cluster| cluster.trouble(SERVICE).is_some()).await;
        stage.until("trouble", |cluster| cluster.trouble(DEPLOYMENT).is_some()).await;
        assert_eq!(stage.cluster.look(&service), Seen::NotKnown);
        assert!(stage.cluster.look(&key).object().is_some(), "what was known stays");
        assert_eq!(stage.cluster.list(SERVICE, ""), None);
        let begun = tokio::time::Instant::now();
        stage.until("the end of trouble", |cluster| cluster.trouble(SERVICE).is_none()).await;
        stage.until("the end of trouble", |cluster| cluster.trouble(DEPLOYMENT).is_none()).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(stage.cluster.look(&service), Seen::Absent);

        server.faults().push(Fault::once(ours("get", "deployments"), answer(404)));
        let read = stage.cluster.fetch(&key).await;
        assert!(matches!(read, Err(ReadError::Unavailable { .. })), "a 404 that names no object: {read:?}");
        assert!(stage.cluster.look(&key).object().is_some());
    })
    .await;
}
