//! Every provider against a server that checks the request and answers as the vendor documents it, and with all that
//! can go wrong.

mod bad_replies;
mod requests;
mod values;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use vexil_egress::{CallError, Method, Reply, Request, Transport};

use crate::{
    Credentials, Environment, MetricCatalog, MetricProvider, Platform, ProviderError, Query, QueryError,
};

/// 2023-11-14T22:13:20Z.
pub(super) const NOW_MS: u64 = 1_700_000_000_000;

/// A server that answers with the replies that it was given, one after the other, and keeps what it was asked.
pub(super) struct Script {
    replies: Mutex<VecDeque<Result<Reply, CallError>>>,
    pub(super) seen: Mutex<Vec<Request>>,
}

impl Script {
    pub(super) fn new(replies: impl IntoIterator<Item = Result<Reply, CallError>>) -> Self {
        Script { replies: Mutex::new(replies.into_iter().collect()), seen: Mutex::default() }
    }

    pub(super) fn says(body: &str) -> Self {
        Script::new([Ok(Reply::new(200, body))])
    }
}

#[async_trait]
impl Transport for Script {
    async fn call(&self, request: Request) -> Result<Reply, CallError> {
        self.seen.lock().expect("lock").push(request);
        self.replies.lock().expect("lock").pop_front().expect("a reply for each request")
    }
}

pub(super) fn credentials(data: &[(&str, &str)]) -> Credentials {
    let data: BTreeMap<_, _> = data.iter().map(|(key, text)| (*key, STANDARD.encode(text))).collect();
    Credentials::of(&json!({"data": data}))
}

/// The provider of a block, as an operator builds it.
pub(super) fn build(
    provider: &Value,
    secret: Option<&[(&str, &str)]>,
) -> Result<Box<dyn MetricProvider>, ProviderError> {
    let spec = serde_json::from_value(provider.clone()).expect("provider block");
    MetricCatalog::default().provider(&spec, secret.map(credentials).as_ref())
}

pub(super) fn query(text: &str) -> Query<'_> {
    Query { text, interval_ms: 60_000, now_ms: NOW_MS, check: "test/podinfo/errors" }
}

pub(super) fn environment<'a>(script: &'a Script, platform: &'a dyn Platform) -> Environment<'a> {
    Environment { transport: script, platform, now_ms: NOW_MS }
}

/// A request in one line: method, URL, headers and body.
pub(super) fn line(request: &Request) -> String {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        _ => "another method",
    };
    let headers = request.headers.iter().map(|(name, value)| format!(" | {name}: {}", value.expose()));
    let body = String::from_utf8_lossy(&request.body);
    format!("{method} {}{} | {body}", request.url, headers.collect::<String>())
        .trim_end_matches([' ', '|'])
        .to_owned()
}

/// A provider of each kind that answers HTTP, with the secret that it needs.
pub(super) type Case = (&'static str, Value, &'static [(&'static str, &'static str)], &'static str);

pub(super) fn all() -> Vec<Case> {
    vec![
        ("prometheus", json!({"address": "http://s.test/prefix"}), &[("token", "MARKER")], "up"),
        (
            "datadog",
            json!({}),
            &[("datadog_api_key", "MARKER"), ("datadog_application_key", "app")],
            "avg:errors{service:podinfo}",
        ),
        (
            "dynatrace",
            json!({"address": "https://abc.live.dynatrace.com"}),
            &[("dynatrace_token", "MARKER")],
            "m:avg",
        ),
        (
            "externalmetrics",
            json!({"address": "https://s.test"}),
            &[("token", "MARKER")],
            "test/queue?labelSelector=app%3Dpodinfo",
        ),
        (
            "graphite",
            json!({"address": "http://s.test"}),
            &[("username", "u"), ("password", "MARKER")],
            "target=errors\n&from=-1min",
        ),
        (
            "influxdb",
            json!({"address": "http://s.test"}),
            &[("token", "MARKER"), ("org", "o")],
            "from(bucket: \"b\")",
        ),
        (
            "influxdb",
            json!({"address": "http://s.test?db=telegraf"}),
            &[("username", "u"), ("password", "MARKER")],
            "SELECT mean(x) FROM y",
        ),
        (
            "newrelic",
            json!({}),
            &[("newrelic_account_id", "51312"), ("newrelic_query_key", "MARKER")],
            "SELECT average(duration) FROM Transaction",
        ),
        (
            "newrelic",
            json!({}),
            &[("newrelic_account_id", "51312"), ("newrelic_user_key", "MARKER")],
            "SELECT count(*) FROM Transaction since 1 minute ago",
        ),
        (
            "splunk",
            json!({"address": "https://api.us1.signalfx.com"}),
            &[("sf_token_key", "MARKER")],
            "data('x').publish()",
        ),
        (
            "cloudwatch",
            json!({"region": "eu-west-1"}),
            &[("aws_access_key_id", "AKID"), ("aws_secret_access_key", "MARKER")],
            r#"[{"Id": "e1", "Expression": "m1"}]"#,
        ),
    ]
}

pub(super) fn block(case: &Case) -> Value {
    let mut block = case.1.clone();
    block["type"] = json!(case.0);
    block
}

pub(super) async fn asked(case: &Case, script: &Script) -> Result<f64, QueryError> {
    let provider = build(&block(case), Some(case.2)).expect(case.0);
    provider.query(&environment(script, &()), &query(case.3)).await
}
