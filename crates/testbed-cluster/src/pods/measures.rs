//! What the application measures of itself, in the names and labels of the guides' podinfo.
//!
//! `http_request_duration_seconds`, a histogram in **seconds** with `method`, `path` and `status`, and
//! `http_requests_total` with `status`. A `path` is the template of an endpoint with `_` for what is no letter or
//! digit (`/` is `root`), so that numbers in paths make no series of their own. Requests to `/metrics` are not counted.

use std::sync::Mutex;
use std::time::Duration;

use http::{Method, StatusCode};

use crate::network::lock;
use vexil_testbed_promql::{Counter, Histogram, Labels};

/// The buckets of Prometheus' clients, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The series of one process.
#[derive(Debug)]
pub(super) struct Measures(Mutex<(Counter, Histogram)>);

impl Default for Measures {
    fn default() -> Self {
        Measures(Mutex::new(none()))
    }
}

fn none() -> (Counter, Histogram) {
    let requests = Counter::new("http_requests_total", "The total number of HTTP requests.");
    let durations =
        Histogram::new("http_request_duration_seconds", "Seconds spent serving HTTP requests.", &BUCKETS);
    (requests, durations)
}

impl Measures {
    /// Forgets everything, as a process that is started again.
    pub fn clear(&self) {
        *lock(&self.0) = none();
    }

    /// Counts one request.
    pub fn record(&self, method: &Method, path: &str, status: StatusCode, took: Duration) {
        let mut measures = lock(&self.0);
        measures.0.add(Labels::new([("status", status.as_str())]), 1.0);
        let labels = [("method", method.as_str()), ("path", template(path)), ("status", status.as_str())];
        measures.1.observe(Labels::new(labels), took.as_secs_f64());
    }

    /// All of them in the text exposition format.
    pub fn text(&self) -> String {
        let (mut text, measures) = (String::new(), lock(&self.0));
        measures.0.render(&mut text);
        measures.1.render(&mut text);
        text
    }
}

fn template(path: &str) -> &'static str {
    match path {
        "" => "root",
        "/api/info" => "api_info",
        "/healthz" => "healthz",
        "/readyz" => "readyz",
        "/token" => "token",
        "/version" => "version",
        _ if path.starts_with("/delay/") => "delay_wait_0_9",
        _ if path.starts_with("/status/") => "status_code_0_9",
        _ => "other",
    }
}
