//! Calls and their exact answers, with real commands behind them.

use std::{
    pin::Pin,
    sync::Mutex,
    task::{Context as TaskContext, Poll},
};

use axum::{
    body::{Bytes, HttpBody},
    http::Request,
};
use hyper::body::Frame;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use vexil_egress::{CallError, Reply as Answer, Transport};

use super::*;
use crate::{
    gates::Gates, kinds::Kinds, metrics::Metrics, namespaces::Namespaces, process::Limits, run::work,
    tasks::Places, work::Tools,
};

/// A load tester without a socket.
struct Tester {
    handlers: Arc<Handlers>,
    working: JoinHandle<()>,
}

/// No address is called here.
struct Nowhere;

#[async_trait::async_trait]
impl Transport for Nowhere {
    async fn call(&self, _: vexil_egress::Request) -> Result<Answer, CallError> {
        std::future::pending().await
    }
}

/// A body that does not come.
struct Never;

impl HttpBody for Never {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Pending
    }
}

impl Tester {
    fn new(namespaces: &str, max_tasks: usize) -> Self {
        crate::process::adopt_orphans().unwrap();
        let kinds = Kinds::parse("cmd,bash").unwrap();
        let (metrics, stop) = (Metrics::new(&kinds), CancellationToken::new());
        let (jobs, received) = mpsc::channel(max_tasks);
        let timeout = Duration::from_secs(60);
        let limits = Limits { timeout, grace: Duration::from_millis(200), output_bytes: 1000 };
        let (out, metrics_too) = (Arc::new(Nowhere), metrics.clone());
        let tools = Tools { limits, timeout: "1m".to_owned(), out, metrics: metrics_too };
        let working = tokio::spawn(work(received, tools, stop.clone(), || {}));
        let handlers = Arc::new(Handlers {
            namespaces: Namespaces::parse(namespaces).unwrap(),
            kinds,
            max_tasks,
            gates: Mutex::new(Gates::default()),
            places: Places::new(max_tasks),
            jobs,
            stop,
            metrics,
        });
        Tester { handlers, working }
    }

    async fn call(&self, path: &str, body: impl Into<Body>) -> (u16, String) {
        let request = Request::post(path).body(body.into()).unwrap();
        let response = router(Arc::clone(&self.handlers)).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn check(&self, path: &str, body: &str, status: u16, text: &str) {
        assert_eq!(self.call(path, body.to_owned()).await, (status, text.to_owned()), "{path} {body}");
    }

    /// Waits until no task runs.
    async fn rest(&self) {
        while !self.metric(r#"tasks_running{task_type="cmd"} 0"#)
            || !self.metric(r#"tasks_running{task_type="bash"} 0"#)
        {
            tokio::task::yield_now().await;
        }
    }

    fn metric(&self, line: &str) -> bool {
        self.handlers.metrics.text().contains(&format!("vexil_loadtester_{line}\n"))
    }
}

fn task(metadata: &[(&str, &str)]) -> String {
    let metadata: crate::payload::Metadata =
        metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    serde_json::json!({ "name": "podinfo", "namespace": "test", "metadata": metadata }).to_string()
}

const PODINFO: &str = r#"{"name":"podinfo","namespace":"test"}"#;
const OTHER: &str = r#"{"name":"other","namespace":"test"}"#;

#[tokio::test]
async fn a_gate_is_closed_until_it_is_opened_and_can_be_closed_again() {
    let tester = Tester::new("", 8);
    for (gate, other) in [("gate", "rollback"), ("rollback", "gate")] {
        let path = |act: &str| format!("/{gate}/{act}");
        tester.check(&path("check"), PODINFO, 403, "Forbidden").await;
        tester.check(&path("open"), PODINFO, 202, "").await;
        tester.check(&path("check"), PODINFO, 200, "Approved").await;
        tester.check(&path("check"), OTHER, 403, "Forbidden").await;
        tester.check(&format!("/{other}/check"), PODINFO, 403, "Forbidden").await;
        assert!(tester.metric("gates_open 1"));
        tester.check(&path("close"), PODINFO, 202, "").await;
        tester.check(&path("check"), PODINFO, 403, "Forbidden").await;
    }
    tester.check("/gate/approve", "", 200, "OK").await;
    tester.check("/gate/halt", "", 403, "Forbidden").await;
    tester.check("/healthz", "", 200, "OK").await;
}

#[tokio::test]
async fn bad_input_is_answered_in_words() {
    let tester = Tester::new("", 8);
    let empty = "payload: EOF while parsing a value at line 1 column 0";
    for path in ["/", "/anything/else", "/gate/check", "/gate/open", "/rollback/close", "/gate/open/"] {
        tester.check(path, "", 400, empty).await;
        tester.check(path, "<html>", 400, "payload: expected value at line 1 column 1").await;
    }
    let missing = "payload: name and namespace say which gate is meant";
    tester.check("/gate/open", "{}", 400, missing).await;
    tester.check("/rollback/check", r#"{"name":"podinfo"}"#, 400, missing).await;
    tester.check("/", "{}", 400, "metadata not found in payload").await;
    tester.check("/", PODINFO, 400, "metadata not found in payload").await;
    tester.check("/", &task(&[("type", "k6")]), 400, "unknown task type k6").await;
    tester.check("/", &task(&[("type", "bash")]), 400, "cmd not found in metadata").await;
    tester.check("/", &task(&[("a", "b")]), 400, "cmd not found in metadata").await;
    let off = "task type helm is switched off: start the load tester with it in -task-types";
    tester.check("/", &task(&[("type", "helm"), ("cmd", "x")]), 400, off).await;
    tester
        .check(
            "/",
            r#"{"metadata":{"cmd":["hey"]}}"#,
            400,
            "payload: metadata.cmd: invalid type: sequence, expected a string at line 1 column 19",
        )
        .await;
    assert!(
        tester.metric(r#"tasks_refused_total{reason="invalid"} 13"#),
        "{}",
        tester.handlers.metrics.text()
    );
    assert!(tester.metric(r#"tasks_started_total{task_type="cmd"} 0"#));
}

#[tokio::test]
async fn a_body_is_bounded_in_size_and_in_time() {
    let tester = Tester::new("", 8);
    let large = "x".repeat(LARGEST_BODY + 1);
    tester.check("/", &large, 413, "payload: larger than 262144 bytes").await;
    tester.check("/gate/open", &large, 413, "payload: larger than 262144 bytes").await;
    tokio::time::pause();
    assert_eq!(tester.call("/", Body::new(Never)).await, (408, "payload: it took too long".to_owned()));
}

#[tokio::test]
async fn a_namespace_that_may_not_ask_is_refused_everywhere_but_at_what_reads_no_payload() {
    let tester = Tester::new("^test$", 8);
    let prod = r#"{"name":"podinfo","namespace":"prod","metadata":{"cmd":"true"}}"#;
    for path in [
        "/",
        "/gate/check",
        "/gate/open",
        "/gate/close",
        "/rollback/check",
        "/rollback/open",
        "/rollback/close",
    ] {
        tester.check(path, prod, 403, "Forbidden").await;
    }
    tester.check("/", "{}", 403, "Forbidden").await;
    tester.check("/gate/approve", prod, 200, "OK").await;
    tester.check("/gate/open", PODINFO, 202, "").await;
    tester.check("/", &task(&[("type", "bash"), ("cmd", "true")]), 200, "").await;
    assert!(tester.metric(r#"tasks_refused_total{reason="forbidden"} 2"#));
}

#[tokio::test]
async fn a_blocking_task_answers_with_its_result() {
    let tester = Tester::new("", 8);
    let bash = |cmd: &str, more: &[(&str, &str)]| task(&[&[("type", "bash"), ("cmd", cmd)], more].concat());
    tester.check("/", &bash("echo hello", &[]), 200, "").await;
    tester.check("/", &bash("echo hello", &[("returnCmdOutput", "true")]), 200, "hello\n").await;
    tester.check("/some/path", &bash("echo hello", &[("returnCmdOutput", "yes")]), 200, "").await;
    tester.check("/", &bash("false", &[]), 500, "command false failed: : exit status 1").await;
    let failing = "echo out; exit 3";
    tester
        .check("/", &bash(failing, &[]), 500, "command echo out; exit 3 failed: out\n: exit status 3")
        .await;
    tester.rest().await;
    assert!(tester.metric(r#"tasks_ended_total{task_type="bash",result="succeeded"} 3"#));
    assert!(tester.metric(r#"tasks_ended_total{task_type="bash",result="failed"} 2"#));
}

#[tokio::test]
async fn the_same_load_test_is_started_once_and_more_than_the_limit_is_refused() {
    let tester = Tester::new("", 2);
    let load = |seconds: u32| task(&[("cmd", &format!("sleep {seconds}"))]);
    for _ in 0..3 {
        tester.check("/", &load(1000), 202, "").await;
    }
    tester.check("/", &load(1001), 202, "").await;
    tester.check("/", &load(1001), 202, "").await;
    let full = "too many tasks: 2 are running (-max-tasks)";
    tester.check("/", &load(1002), 429, full).await;
    tester.check("/", &task(&[("type", "bash"), ("cmd", "true")]), 429, full).await;
    assert!(tester.metric(r#"tasks_refused_total{reason="already_running"} 3"#));
    assert!(tester.metric(r#"tasks_refused_total{reason="too_many"} 2"#));
    tester.check("/healthz", "", 200, "OK").await;
    tester.check("/gate/open", PODINFO, 202, "").await;
}

#[tokio::test]
async fn a_load_test_can_be_started_again_when_it_has_ended() {
    let tester = Tester::new("", 1);
    for _ in 0..2 {
        tester.check("/", &task(&[("cmd", "true")]), 202, "").await;
        tester.rest().await;
    }
    assert!(tester.metric(r#"tasks_ended_total{task_type="cmd",result="succeeded"} 2"#));
}

#[tokio::test]
async fn a_caller_that_hangs_up_ends_its_task() {
    let tester = Tester::new("", 8);
    let body = task(&[("type", "bash"), ("cmd", "sleep 1000")]);
    tokio::select! {
        biased;
        answer = tester.call("/", body) => panic!("{answer:?}"),
        () = async {
            while !tester.metric(r#"tasks_running{task_type="bash"} 1"#) {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    tester.rest().await;
    assert!(tester.metric(r#"tasks_ended_total{task_type="bash",result="cancelled"} 1"#));
}

#[tokio::test]
async fn a_stop_ends_what_runs_answers_who_waits_and_starts_nothing() {
    let tester = Tester::new("", 8);
    tester.check("/", &task(&[("cmd", "sleep 1000")]), 202, "").await;
    let body = task(&[("type", "bash"), ("cmd", "sleep 1000")]);
    let stopping = async {
        while !tester.metric(r#"tasks_started_total{task_type="bash"} 1"#) {
            tokio::task::yield_now().await;
        }
        tester.handlers.stop.cancel();
    };
    let (answer, ()) = tokio::join!(tester.call("/", body), stopping);
    let expect = "command sleep 1000 failed: : it was ended before it was done";
    assert_eq!(answer, (500, expect.to_owned()));
    tester.check("/", &task(&[("cmd", "true")]), 503, "the load tester is stopping").await;
    tester.working.await.unwrap();
    assert!(tester.handlers.metrics.text().contains(r#"tasks_running{task_type="cmd"} 0"#));
}
