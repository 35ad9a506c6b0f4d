//! The series of APISIX's plugin `prometheus` that concern requests.
//!
//! Shapes as the product's exporter declares them (APISIX 2.15 to 3.x, "prometheus" in its plugin reference):
//!
//! * `apisix_http_status`, a counter: `code`, `route`, `matched_uri`, `matched_host`, `service`, `consumer`, `node`;
//! * `apisix_http_latency`, a histogram in **milliseconds**: `type`, `route`, `service`, `consumer`, `node`. Type
//!   `request` is all of it, `upstream` the part that the pods took, `apisix` the rest.
//!
//! `route` is the route's id, or its name where the plugin is given `prefer_name: true`. Both sides of a split count
//! under the one route; only `node`, the address of the pod, distinguishes them. `service` is empty, since controller
//! 1.x makes no services in APISIX, and so is `consumer` without authentication. A request that no upstream took has an
//! empty `node` and no `upstream` latency. Requests that no route takes, or a route without the plugin, are in no
//! series.
//!
//! Not recorded: `apisix_bandwidth`, `apisix_http_requests_total`, the series of nginx, etcd and the nodes.

use std::sync::Mutex;
use std::time::Duration;

use http::StatusCode;

use crate::network::lock;
use vexil_testbed_promql::{Counter, Histogram, Labels};

/// The exporter's default buckets, in milliseconds.
const BUCKETS: [f64; 15] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0, 30000.0, 60000.0];

/// One request that a route took.
#[derive(Debug)]
pub(super) struct Served<'a> {
    /// What the route is called in series.
    pub route: &'a str,
    /// The path by which the route was found.
    pub uri: &'a str,
    /// The host by which the route was found.
    pub host: &'a str,
    /// The pod that was asked last, empty when none was.
    pub node: &'a str,
    /// What the client was answered.
    pub code: StatusCode,
    /// How long it all took.
    pub took: Duration,
}

/// The series.
#[derive(Debug)]
pub(super) struct Series(Mutex<(Counter, Histogram)>);

impl Series {
    /// Without any request yet.
    pub fn new() -> Self {
        let status = Counter::new("apisix_http_status", "HTTP status codes per service in APISIX");
        let latency = Histogram::new(
            "apisix_http_latency",
            "HTTP request latency in milliseconds per service in APISIX",
            &BUCKETS,
        );
        Series(Mutex::new((status, latency)))
    }

    /// Counts one request.
    pub fn record(&self, served: &Served<'_>) {
        let common = [("route", served.route), ("service", ""), ("consumer", ""), ("node", served.node)];
        let code =
            [("code", served.code.as_str()), ("matched_uri", served.uri), ("matched_host", served.host)];
        // nginx's clock moves in milliseconds.
        let total = served.took.as_millis() as f64;
        let asked = !served.node.is_empty();
        let mut metrics = lock(&self.0);
        metrics.0.add(Labels::new(common.into_iter().chain(code)), 1.0);
        let mut observe = |kind: &str, took: f64| {
            metrics.1.observe(Labels::new(common.into_iter().chain([("type", kind)])), took);
        };
        observe("request", total);
        observe("apisix", if asked { 0.0 } else { total });
        if asked {
            observe("upstream", total);
        }
    }

    /// All of them in the text exposition format.
    pub fn text(&self) -> String {
        let (mut text, metrics) = (String::new(), lock(&self.0));
        metrics.0.render(&mut text);
        metrics.1.render(&mut text);
        text
    }
}
