//! What no well-behaved API server sends: silence on an open watch, unreadable events, stale lists, odd answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers outside of #[test] functions are not exempt by clippy.toml"
)]

mod script;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use vexil_kube::{Cluster, ReadError, Scope, WriteError};
use vexil_object::{
    Change, ObjectKey, Seen,
    kinds::{CONFIG_MAP, DEPLOYMENT},
};

use self::script::{Answer, Script};

fn object(name: &str, version: &str) -> Value {
    json!({"metadata": {"namespace": "test", "name": name, "uid": format!("{name}-uid"), "resourceVersion": version}})
}

fn list(version: &str, items: Vec<Value>) -> Answer {
    Answer::Json(200, json!({"kind": "List", "metadata": {"resourceVersion": version}, "items": items}))
}

fn open(lines: Vec<Value>) -> Answer {
    Answer::Lines { lines, ends: false }
}

fn status(code: u16, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message, "reason": ""})
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new(DEPLOYMENT, "test", name)
}

/// Watches Deployments by the script for a time.
async fn watch(script: &Script, for_s: u64) -> Cluster {
    let (cluster, watches) = Cluster::new(script.client(), Scope::All, vec![]);
    cluster.watch(DEPLOYMENT);
    let _ = tokio::time::timeout(Duration::from_secs(for_s), watches.run()).await;
    cluster
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_died_without_a_word_is_found_within_295_s() {
    let script = Script::new(vec![list("5", vec![]), open(vec![]), open(vec![])]);
    watch(&script, 300).await;
    let watches = script.watches();
    assert_eq!((watches.len(), watches[0]), (2, 0));
    assert!((230..=295).contains(&watches[1]), "{watches:?}");
    assert_eq!(script.lists(), 1, "the watch is resumed, not started over");
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_answer_is_given_up() {
    let script = Script::new(vec![]);
    let cluster = watch(&script, 21).await;
    assert_eq!(cluster.trouble(DEPLOYMENT).as_deref(), Some("no answer within 20 s"));
    let start = Instant::now();
    let read = cluster.fetch(&key("a")).await;
    assert_eq!(read, Err(ReadError::Unavailable { message: "no answer within 15 s".into() }));
    let write = cluster.apply(&Change::create(key("a"), json!({}))).await;
    assert_eq!(write, Err(WriteError::Unknown { message: "no answer within 15 s".into() }));
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_write_leaves_the_object_unknown() {
    let script = Script::new(vec![list("5", vec![object("a", "3")]), open(vec![])]);
    let cluster = watch(&script, 1).await;
    let live = cluster.look(&key("a"));
    let delete = Change::delete(key("a"), live.object().unwrap());
    assert!(tokio::time::timeout(Duration::from_secs(2), cluster.apply(&delete)).await.is_err());
    assert_eq!(cluster.look(&key("a")), Seen::NotKnown);
    assert_eq!(cluster.list(DEPLOYMENT, "test"), None);
}

#[tokio::test(start_paused = true)]
async fn events_that_make_no_sense_lead_to_a_new_list() {
    for nonsense in [
        json!("x"),
        json!({"type": "ADDED", "object": {"metadata": {}}}),
        json!({"type": "WHAT", "object": {}}),
    ] {
        let first = list("5", vec![object("a", "3")]);
        let script = Script::new(vec![
            first,
            open(vec![nonsense.clone()]),
            list("9", vec![object("a", "8")]),
            open(vec![]),
        ]);
        let cluster = watch(&script, 5).await;
        assert_eq!(script.lists(), 2, "{nonsense}");
        assert_eq!(cluster.look(&key("a")).object().unwrap()["metadata"]["resourceVersion"], "8");
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_in_the_history_that_is_gone_leads_to_a_new_list() {
    let gone = json!({"type": "ERROR", "object": status(410, "too old resource version")});
    for second in [open(vec![gone]), Answer::Json(410, status(410, "too old resource version"))] {
        let script =
            Script::new(vec![list("5", vec![object("a", "3")]), second, list("9", vec![]), open(vec![])]);
        let cluster = watch(&script, 5).await;
        assert_eq!(cluster.look(&key("a")), Seen::Absent, "deleted in the gap");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_at_once_is_not_hammered() {
    let mut answers = vec![list("5", vec![])];
    answers.extend((0..1000).map(|_| Answer::Lines { lines: vec![], ends: true }));
    let script = Script::new(answers);
    watch(&script, 60).await;
    let count = script.watches().len();
    assert!((5..=15).contains(&count), "{count} watches in a minute");
}

#[tokio::test(start_paused = true)]
async fn a_stale_list_is_refused_and_reported() {
    let gone = json!({"type": "ERROR", "object": status(410, "too old")});
    let first = list("5", vec![object("a", "3"), object("b", "5")]);
    let stale = list("4", vec![object("a", "2")]);
    let script = Script::new(vec![first, open(vec![gone]), stale]);
    let cluster = watch(&script, 15).await;
    assert_eq!(cluster.look(&key("a")).object().unwrap()["metadata"]["resourceVersion"], "3");
    assert!(cluster.look(&key("b")).object().is_some());
    let trouble = cluster.trouble(DEPLOYMENT).unwrap();
    let text = "stale list: Deployment a.test has resourceVersion 2 in it, after 3; restart the operator if etcd was \
                restored";
    assert_eq!(trouble, text);
}

#[tokio::test(start_paused = true)]
async fn pages_are_one_list() {
    let page = json!({"metadata": {"resourceVersion": "5", "continue": "more"}, "items": [object("a", "3")]});
    let script = Script::new(vec![Answer::Json(200, page), list("5", vec![object("b", "4")]), open(vec![])]);
    let cluster = watch(&script, 5).await;
    assert_eq!(cluster.list(DEPLOYMENT, "").unwrap().len(), 2);
    assert!(script.requests()[1].1.ends_with("?&limit=100&continue=more"));
}

#[tokio::test(start_paused = true)]
async fn a_list_settles_what_was_written_before_it_was_requested() {
    let script = Script::new(vec![Answer::Json(201, object("a", "7")), list("9", vec![]), open(vec![])]);
    let (cluster, watches) = Cluster::new(script.client(), Scope::All, vec![]);
    cluster.watch(DEPLOYMENT);
    cluster.apply(&Change::create(key("a"), json!({}))).await.unwrap();
    assert!(cluster.look(&key("a")).object().is_some());
    let _ = tokio::time::timeout(Duration::from_secs(5), watches.run()).await;
    assert_eq!(cluster.look(&key("a")), Seen::Absent, "deleted between our write and the list");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_not_answered_is_given_up_and_resumed() {
    let script = Script::new(vec![list("5", vec![object("a", "3")])]);
    let cluster = watch(&script, 32).await;
    assert_eq!(cluster.trouble(DEPLOYMENT).as_deref(), Some("no answer to a watch"));
    assert_eq!((script.watches(), script.lists()), (vec![0, 30], 1));
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_api_server_asks_for_is_kept() {
    let busy = |code| Answer::Busy(code, 40, status(code, "busy"));
    let answers = vec![busy(429), list("5", vec![]), busy(503), open(vec![])];
    let script = Script::new(answers);
    let cluster = watch(&script, 100).await;
    let asked: Vec<u64> = script.requests().iter().map(|(at, _)| *at).collect();
    assert_eq!(asked, [0, 40, 40, 80]);
    assert_eq!(cluster.trouble(DEPLOYMENT), None);
}

async fn check_write(answer: Answer, expect: WriteError) {
    let script = Script::new(vec![answer]);
    let (cluster, _watches) = Cluster::new(script.client(), Scope::All, vec![]);
    let key = ObjectKey::new(CONFIG_MAP, "test", "a");
    assert_eq!(cluster.apply(&Change::create(key, json!({}))).await, Err(expect));
}

#[tokio::test(start_paused = true)]
async fn errors_differ_by_what_the_caller_can_do() {
    let message = || "why".to_owned();
    let json = |code, reason: &str| {
        Answer::Json(code, json!({"kind": "Status", "code": code, "message": "why", "reason": reason}))
    };
    check_write(json(401, "Unauthorized"), WriteError::Forbidden { message: message() }).await;
    check_write(json(403, "Forbidden"), WriteError::Forbidden { message: message() }).await;
    check_write(json(409, "AlreadyExists"), WriteError::AlreadyExists).await;
    check_write(json(409, "Conflict"), WriteError::Conflict { message: message() }).await;
    check_write(json(413, "RequestEntityTooLarge"), WriteError::Invalid { message: message() }).await;
    check_write(json(422, "Invalid"), WriteError::Invalid { message: message() }).await;
    check_write(json(429, "TooManyRequests"), WriteError::Throttled { retry_after_ms: 1000 }).await;
    check_write(json(500, "InternalError"), WriteError::Unknown { message: "500: why".into() }).await;
    check_write(json(504, "Timeout"), WriteError::Unknown { message: "504: why".into() }).await;
    let not_served = WriteError::NotServed { resource: "v1/configmaps".to_owned() };
    check_write(Answer::Text(404, "404 page not found"), not_served).await;
    check_write(Answer::Text(502, "<html>\n"), WriteError::Unknown { message: "502: <html>".into() }).await;
    let message = "answer is no JSON: expected value at line 1 column 1".into();
    check_write(Answer::Text(200, "<html>"), WriteError::Unknown { message }).await;
    for (asked, retry_after_ms) in [(3, 3_000), (600, 60_000)] {
        let slow =
            json!({"kind": "Status", "code": 429, "message": "why", "details": {"retryAfterSeconds": asked}});
        check_write(Answer::Json(429, slow), WriteError::Throttled { retry_after_ms }).await;
    }
}

/// An admission webhook, or a conversion between versions, makes something else of what is written.
#[tokio::test(start_paused = true)]
async fn a_value_that_a_webhook_changes_is_reported_and_not_fought_over() {
    let answer = |version: &str, data: Value| {
        Answer::Json(200, json!({"metadata": object("a", version)["metadata"], "data": data}))
    };
    let theirs = answer("5", json!({"a": "theirs", "b": "1", "added": "x"}));
    let script = Script::new(vec![theirs, answer("6", json!({"a": "other", "b": "1"}))]);
    let (cluster, _watches) = Cluster::new(script.client(), Scope::All, vec![]);
    cluster.watch(CONFIG_MAP);
    let key = ObjectKey::new(CONFIG_MAP, "test", "a");
    let change = |value: &str| match cluster.look(&key).object() {
        None => Change::create(key.clone(), json!({"data": {"a": value, "b": "1"}})),
        Some(live) => {
            let mut want = live.clone();
            want["data"]["a"] = value.into();
            Change::between(key.clone(), live, &want).unwrap()
        }
    };
    let text = "ConfigMap a.test (v1) is not stored as it was written: the API server changed data.a; look for an \
                admission webhook or policy that changes it; it is written again when the object, its definition or \
                what is wanted changes";
    for _ in 0..9 {
        let refused = cluster.apply(&change("ours")).await.unwrap_err();
        assert_eq!(refused.to_string(), text);
    }
    assert_eq!(script.requests().len(), 1, "no second request");
    assert_eq!(cluster.apply(&change("other")).await, Ok(()));
}
