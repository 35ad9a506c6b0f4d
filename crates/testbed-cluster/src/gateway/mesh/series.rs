//! What proxies report of a request, and the two metrics that they keep.

use std::time::Duration;

use http::StatusCode;

use super::{Entrance, Pod, Target};
use vexil_testbed_promql::{Counter, Histogram};

/// The buckets that Envoy counts durations in, in milliseconds (its `ConstSupportedBuckets`, which apply unless
/// `stats_config.histogram_bucket_settings` says otherwise).
pub(crate) const BUCKETS_MS: [f64; 19] = [
    0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 3e4, 6e4, 3e5, 6e5, 1.8e6,
    3.6e6,
];

/// One request.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    /// Where it came from.
    pub entrance: Entrance,
    /// The Service that it was sent to.
    pub target: &'a Target,
    /// The Service's port.
    pub port: u16,
    /// The pod whose sidecar it reached, and the pod's port.
    pub pod: Option<(&'a Pod, u16)>,
    /// How it was answered.
    pub status: StatusCode,
    /// Why a proxy answered it instead of the application (Envoy's response flags); `-` when the application did.
    pub flags: &'static str,
    /// From its arrival to its answer.
    pub took: Duration,
}

impl Report<'_> {
    /// How long it took, in the whole milliseconds that Envoy measures.
    pub fn milliseconds(&self) -> f64 {
        self.took.as_millis() as f64
    }
}

/// How many requests there were, and how long they took.
#[derive(Debug)]
pub(crate) struct Meters {
    /// How many.
    pub requests: Counter,
    /// How long.
    pub durations: Histogram,
}

impl Meters {
    /// Both in the text exposition format.
    pub fn render(&self) -> String {
        let mut text = String::new();
        self.requests.render(&mut text);
        self.durations.render(&mut text);
        text
    }
}
