//! The series of Linkerd's proxies, as the Prometheus of its viz extension stores them.
//!
//! Both sides count each request: the caller's proxy with `direction="outbound"` and the labels `dst_…` of what it
//! asked, the pod's with `direction="inbound"`. The scrape adds `namespace`, `pod` and the workload, here `deployment`.
//! `classification` is `failure` for 5xx. Latencies are in milliseconds, in the proxy's buckets. Not there:
//! `request_total`, labels of TLS, identities and authorities, and the metrics of TCP.

use crate::gateway::mesh::{CALLER, Meters, Report};
use vexil_testbed_promql::{Counter, Histogram, Labels};

const BUCKETS_MS: [f64; 25] = [
    1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 100.0, 200.0, 300.0, 400.0, 500.0, 1e3, 2e3, 3e3,
    4e3, 5e3, 1e4, 2e4, 3e4, 4e4, 5e4,
];

/// The series, without values.
pub(super) fn meters() -> Meters {
    Meters {
        requests: Counter::new("response_total", "Total count of HTTP responses."),
        durations: Histogram::new(
            "response_latency_ms",
            "Elapsed times between a request's headers being received and its response stream completing",
            &BUCKETS_MS,
        ),
    }
}

/// Counts a request at the caller's proxy, and at the pod's if it got there.
pub(super) fn record(meters: &mut Meters, report: &Report<'_>) {
    let class = if report.status.is_server_error() { "failure" } else { "success" };
    let mut count = |labels: Labels| {
        let labels = labels.with("status_code", report.status.as_str());
        meters.durations.observe(labels.clone(), report.milliseconds());
        meters.requests.add(labels.with("classification", class), 1.0);
    };
    let sent = Labels::new([
        ("direction", "outbound"),
        ("deployment", CALLER.0),
        ("namespace", CALLER.1),
        ("dst_service", &report.target.name),
        ("dst_namespace", &report.target.namespace),
    ]);
    count(sent);
    if let Some((pod, _)) = report.pod {
        count(Labels::new([
            ("direction", "inbound"),
            ("deployment", &pod.workload),
            ("namespace", &pod.namespace),
            ("pod", &pod.name),
        ]));
    }
}
