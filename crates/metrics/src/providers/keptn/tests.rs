//! Keptn's resources on an API server that checks what it is asked.

use std::{collections::VecDeque, sync::Mutex};

use super::*;
use crate::{
    Platform,
    providers::tests::{NOW_MS, Script, query},
};
use vexil_egress::CallError;

/// An API server with prepared replies.
#[derive(Default)]
struct Server {
    replies: Mutex<VecDeque<(u16, &'static str)>>,
    seen: Mutex<Vec<String>>,
}

#[async_trait]
impl Platform for Server {
    async fn api_server(&self, request: ApiRequest) -> Result<Reply, CallError> {
        let line =
            format!("{:?} {} {}", request.method, request.path, String::from_utf8_lossy(&request.body));
        self.seen.lock().expect("lock").push(line.trim().to_owned());
        let (status, body) =
            self.replies.lock().expect("lock").pop_front().expect("a reply for each request");
        Ok(Reply::new(status, body))
    }
}

async fn asked(text: &str, replies: &[(u16, &'static str)]) -> (Result<f64, String>, Vec<String>) {
    let server = Server { replies: Mutex::new(replies.iter().copied().collect()), seen: Mutex::default() };
    let transport = Script::new([]);
    let environment = Environment { transport: &transport, platform: &server, now_ms: NOW_MS };
    let result = Keptn.query(&environment, &query(text)).await.map_err(|error| error.to_string());
    (result, server.seen.into_inner().expect("lock"))
}

#[tokio::test]
async fn a_keptn_metric_is_the_number_in_its_status() {
    let asks = "Get /apis/metrics.keptn.sh/v1beta1/namespaces/default/keptnmetrics/my-metric";
    for (status, body, expect) in [
        (200, r#"{"status":{"value":"3.0"}}"#, Ok(3.0)),
        (
            200,
            r#"{"status":{}}"#,
            Err("could not retrieve KeptnMetric - no value found in resource default/my-metric"),
        ),
        (
            200,
            r#"{"status":{"value":"many"}}"#,
            Err(
                "error unmarshaling result: could not parse value of KeptnMetric default/my-metric to float: \"many\" is no number",
            ),
        ),
        (
            404,
            "not found",
            Err("could not retrieve KeptnMetric default/my-metric: Status 404 Not Found: not found"),
        ),
        (
            403,
            "forbidden",
            Err("could not retrieve KeptnMetric default/my-metric: Status 403 Forbidden: forbidden"),
        ),
        (200, "<html>", Err("error unmarshaling result: expected value at line 1 column 1, '<html>'")),
    ] {
        let (got, seen) = asked("KeptnMetric/default/my-metric\n", &[(status, body)]).await;
        assert_eq!((got, seen), (expect.map_err(str::to_owned), vec![asks.to_owned()]));
    }
}

#[tokio::test]
async fn an_analysis_is_created_read_and_deleted() {
    let all = "/apis/metrics.keptn.sh/v1beta1/namespaces/default/analyses";
    let name = analysis_name("my-analysis", "test/podinfo/errors");
    let body = format!(
        "{{\"apiVersion\":\"metrics.keptn.sh/v1beta1\",\"kind\":\"Analysis\",\"metadata\":{{\"name\":\"{name}\",\"namespace\":\"default\"}},\
         \"spec\":{{\"analysisDefinition\":{{\"name\":\"my-analysis\"}},\"args\":{{\"bar\":\"Foo\",\"foo\":\"bar\"}},\"timeframe\":{{\"recent\":\"5m\"}}}}}}"
    );
    let (create, get, delete) =
        (format!("Create {all} {body}"), format!("Get {all}/{name}"), format!("Delete {all}/{name}"));
    let passed = r#"{"status":{"state":"Completed","pass":true}}"#;
    let text = "analysis/default/my-analysis/5m/foo=bar;bar=Foo";

    let (got, seen) = asked(text, &[(201, "{}"), (200, "{}"), (200, passed), (200, "{}")]).await;
    assert_eq!((got, seen), (Ok(1.0), vec![create.clone(), get.clone(), get.clone(), delete.clone()]));

    let left_behind = [
        (409, ""),
        (200, ""),
        (201, "{}"),
        (200, r#"{"status":{"state":"Completed","pass":false}}"#),
        (200, ""),
    ];
    let (got, seen) = asked(text, &left_behind).await;
    assert_eq!(
        (got, seen),
        (Ok(0.0), vec![create.clone(), delete.clone(), create.clone(), get.clone(), delete.clone()])
    );

    let never: Vec<_> = [(201, "{}")].into_iter().chain([(200, "{}"); 11]).collect();
    let (got, seen) = asked(text, &never).await;
    let expect =
        format!("encountered timeout while waiting for Keptn Analysis default/{name} to be finished");
    assert_eq!((got, seen.last()), (Err(expect), Some(&delete)), "it is deleted");

    let (got, seen) = asked(text, &[(403, "forbidden")]).await;
    let expect = format!("could not create Keptn Analysis default/{name}: Status 403 Forbidden: forbidden");
    assert_eq!((got, seen), (Err(expect), vec![create]));
}
