//! Hooks and what they are answered.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{LoadTester, hey};
use crate::world::network::{FromFn, Handler as _, Network, plain};
use crate::world::settings::Wire;

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
    let told = "curl: (7) no such host: nowhere.test\n";
    bash(gone, (500, &format!("command {gone} failed: {told}: exit status 7"))).await;
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
    let load = |line: &str| format!("{:?}", hey::parse(line));
    let guide = load("hey -z 10m -q 10 -c 2 -host app.example.com http://traefik.traefik");
    assert_eq!(
        guide,
        r#"Some(Load { url: "http://traefik.traefik", headers: [("host", "app.example.com")], per_second: 20, requests: None, duration: Some(600s) })"#
    );
    assert_eq!(load("hey -n 5"), "None");
    assert_eq!(load("curl http://x.y"), "None");
}
