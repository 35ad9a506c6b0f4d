//! Hooks and what they are answered.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{LoadTester, hey};
use crate::network::{FromFn, Handler as _, Network, lock, plain};
use crate::settings::Wire;

async fn check(metadata: Value, expect: (u16, &str)) {
    let network = Network::new(Wire::InProcess);
    let token = |request: Request<Bytes>| async move {
        match (request.uri().path(), request.body().as_ref()) {
            ("/token", b"test") => plain(StatusCode::OK, "{\"token\": \"abc\"}"),
            _ => plain(StatusCode::INTERNAL_SERVER_ERROR, "oops"),
        }
    };
    network.register("podinfo-canary.test", Arc::new(FromFn(token)));
    let tester = LoadTester::new(network, false);
    let body = json!({"name": "podinfo", "namespace": "test", "phase": "Progressing", "metadata": metadata});
    let request = Request::post("/").body(Bytes::from(body.to_string())).unwrap();
    let response = tester.call(80, request).await.unwrap();
    let got = (response.status().as_u16(), String::from_utf8_lossy(response.body()).into_owned());
    assert_eq!(got, (expect.0, expect.1.to_owned()), "{metadata}");
}

async fn bash(command: &str, expect: (u16, &str)) {
    check(json!({"type": "bash", "cmd": command, "returnCmdOutput": "true"}), expect).await;
}

#[tokio::test(start_paused = true)]
async fn hooks_are_answered_as_the_load_tester_does() {
    check(json!({}), (400, "metadata not found in payload")).await;
    check(json!({"type": "cmd"}), (400, "cmd not found in metadata")).await;
    check(json!({"cmd": "hey -z 10m -q 10 -c 2 -host app.example.com http://traefik.traefik"}), (202, ""))
        .await;
    check(json!({"type": "cmd", "cmd": 1}), (400, "")).await;
    check(json!({"type": "nonsense", "cmd": "true"}), (400, "unknown task type nonsense")).await;
    check(json!({"type": "bash", "cmd": "echo hidden"}), (200, "")).await;
}

#[tokio::test(start_paused = true)]
async fn bash_hooks_are_carried_out() {
    bash("curl -sd 'test' http://podinfo-canary.test/token | grep token", (200, "{\"token\": \"abc\"}\n"))
        .await;
    let wrong = "curl -s http://podinfo-canary.test/token | grep token";
    bash(wrong, (500, &format!("command {wrong} failed: : exit status 1"))).await;
    let gone = "curl -s http://nowhere.test/";
    let stderr = "curl: (7) no such host: nowhere.test\n";
    bash(gone, (500, &format!("command {gone} failed: {stderr}: exit status 7"))).await;
    bash("curl -sf http://podinfo-canary.test/ | grep x || echo none", (200, "none\n")).await;
    bash("false && echo one; echo two", (200, "two\n")).await;
    bash("echo one && echo 'two  2'", (200, "one\ntwo  2\n")).await;
    bash("false", (500, "command false failed: : exit status 1")).await;
    bash(
        "helmfile x",
        (500, "command helmfile x failed: bash: line 1: helmfile: command not found\n: exit status 127"),
    )
    .await;
}

#[test]
fn hey_says_how_much() {
    let load = |line: &str| format!("{:?}", hey::parse(&line.split(' ').skip(1).collect::<Vec<_>>()));
    assert_eq!(
        load("hey -z 10m -q 10 -c 2 -host app.example.com http://traefik.traefik"),
        r#"Some(Load { method: GET, url: "http://traefik.traefik", body: b"", headers: [("host", "app.example.com")], per_second: 20, requests: None, duration: Some(600s) })"#
    );
    assert_eq!(
        load("hey -n 5 -m POST -d x -H a:b -disable-keepalive podinfo:9898/token"),
        r#"Some(Load { method: POST, url: "http://podinfo.test:9898/token", body: b"x", headers: [("a", "b")], per_second: 500, requests: Some(5), duration: None })"#
    );
    assert_eq!(load("hey -n 5"), "None");
    assert_eq!(load("hey -z soon http://x.y"), "None");
}

/// Carries out a `cmd` hook for 10 seconds: how many requests there were, and what each of them was.
async fn carried_out(command: &str) -> (usize, String) {
    let network = Network::new(Wire::InProcess);
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    for name in
        ["podinfo.test", "podinfo-canary.test", "app.example.com", "traefik.traefik", "apisix-gateway.apisix"]
    {
        let seen = Arc::clone(&seen);
        let answer = move |request: Request<Bytes>| {
            let header = request.headers().get("host").map_or("-", |host| host.to_str().unwrap());
            lock(&seen).push(format!("{} {} {header}", request.method(), request.uri()));
            async { plain(StatusCode::OK, "") }
        };
        network.register(name, Arc::new(FromFn(answer)));
    }
    let tester = LoadTester::new(network, true);
    let payload =
        json!({"name": "podinfo", "namespace": "test", "phase": "Progressing", "metadata": {"cmd": command}});
    // The second one is the same task, which is running already.
    for _ in 0..2 {
        let request = Request::post("/").body(Bytes::from(payload.to_string())).unwrap();
        assert_eq!(tester.call(80, request).await.unwrap().status(), StatusCode::ACCEPTED);
    }
    tokio::time::sleep(Duration::from_millis(9990)).await;
    let seen = lock(&seen);
    assert!(seen.iter().all(|one| *one == seen[0]), "{command}: {seen:?}");
    (seen.len(), seen.first().cloned().unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn every_load_of_the_guides_is_sent() {
    let check = async |command: &str, count: usize, request: &str| {
        assert_eq!(carried_out(command).await, (count, request.to_owned()), "{command}");
    };
    // Kuma.
    check(
        "hey -z 2m -q 10 -c 2 http://podinfo-canary.test:9898/",
        200,
        "GET http://podinfo-canary.test:9898/ -",
    )
    .await;
    check(
        "watch -n 1 curl http://podinfo-canary.test:9898/status/500",
        10,
        "GET http://podinfo-canary.test:9898/status/500 -",
    )
    .await;
    check(
        "watch -n 1 curl http://podinfo-canary.test:9898/delay/1",
        10,
        "GET http://podinfo-canary.test:9898/delay/1 -",
    )
    .await;
    // SMI Istio.
    check("hey -z 1m -q 10 -c 2 http://podinfo.test:9898/", 200, "GET http://podinfo.test:9898/ -").await;
    check(
        "watch curl http://podinfo-canary:9898/status/500",
        5,
        "GET http://podinfo-canary.test:9898/status/500 -",
    )
    .await;
    check(
        "watch curl http://podinfo-canary:9898/delay/1",
        5,
        "GET http://podinfo-canary.test:9898/delay/1 -",
    )
    .await;
    // Traefik.
    check(
        "hey -z 10m -q 10 -c 2 -host app.example.com http://traefik.traefik",
        200,
        "GET http://traefik.traefik/ app.example.com",
    )
    .await;
    check(
        "hey -z 1m -c 5 -q 5 http://app.example.com/status/500",
        250,
        "GET http://app.example.com/status/500 -",
    )
    .await;
    check("watch -n 1 curl http://app.example.com/delay/1", 10, "GET http://app.example.com/delay/1 -").await;
    check("watch curl http://app.example.com/status/400", 5, "GET http://app.example.com/status/400 -").await;
    // APISIX, where the quotes are for the shell that `watch` starts.
    check(
        "hey -z 1m -q 10 -c 2 -h2 -host app.example.com http://apisix-gateway.apisix/api/info",
        200,
        "GET http://apisix-gateway.apisix/api/info app.example.com",
    )
    .await;
    check(
        "hey -z 1m -c 5 -q 5 -host app.example.com http://apisix-gateway.apisix/status/500",
        250,
        "GET http://apisix-gateway.apisix/status/500 app.example.com",
    )
    .await;
    check(
        r#"watch -n 1 curl -H \"host: app.example.com\" http://apisix-gateway.apisix/delay/1"#,
        10,
        "GET http://apisix-gateway.apisix/delay/1 app.example.com",
    )
    .await;
    // One that ends.
    check("hey -n 3 -c 1 -q 1 http://podinfo.test/", 3, "GET http://podinfo.test/ -").await;
    check("hey -n 3", 0, "").await;
}

#[tokio::test(start_paused = true)]
async fn every_acceptance_test_of_the_guides_is_carried_out() {
    for command in [
        "curl -sd 'test' http://podinfo-canary.test:9898/token | grep token",
        "curl -sd 'test' http://podinfo-canary.test/token | grep token",
    ] {
        check(json!({"type": "bash", "cmd": command}), (200, "")).await;
    }
    bash("curl -sd test podinfo-canary/token | grep -o token | grep -c token", (200, "1\n")).await;
    let answered = "Status code distribution:\n  [500]\t2 responses\n";
    bash("hey -n 2 -c 1 -q 1 http://podinfo-canary.test/", (200, answered)).await;
    let endless = "watch curl http://podinfo-canary.test/";
    bash(endless, (500, &format!("command {endless} failed: : signal: killed"))).await;
    bash("sleep 1 && echo slept", (200, "slept\n")).await;
}
