//! The series of Kuma's proxies, as the Prometheus of `kumactl install observability` stores them.
//!
//! Each proxy is a target of its own, found by `kuma_sd_configs`, and its discovery labels are kept on every series
//! (Kuma's page "Configure Prometheus"): `mesh`, `dataplane`, and `service`, which is the first in alphabetical order
//! of the tags of the Services that select the pod (`podinfo-canary_test_svc_9898`), beside the proxy's tags. So
//! `service` is the one whose proxy counted, and `envoy_cluster_name` what it counted: `localhost_<port>` is what came
//! in for the pod's own application, any other name is what the pod sent out. The counter is Envoy's
//! `cluster.<name>.upstream_rq_<code>` with the code as the label `envoy_response_code`, the histogram its
//! `upstream_rq_time` in milliseconds, which has no code and holds only requests that the upstream answered.
//!
//! This is how the guide's Kuma labels, and it is done so whatever routes are served. The Prometheus that Kuma has
//! installed since mid-2024 no longer writes `service` (kumahq/kuma#10969; the tag is left in `kuma_io_service`), and
//! Kuma 3 has no tags, but names the pod's workload (kumahq/kuma#15703).
//!
//! A port counts only when it is known to speak HTTP: by an `appProtocol` that Kuma knows, or else by the annotation
//! `<port>.service.kuma.io/protocol` on the Service. For Kuma everything else is TCP, of which there are no requests.

use http::StatusCode;

use super::{DEFAULT_MESH, caller, tag};
use crate::gateway::mesh::{BUCKETS_MS, CALLER, Member, Meters, Pod, Report};
use vexil_testbed_promql::{Counter, Histogram, Labels};

/// The series, without values.
pub(super) fn meters() -> Meters {
    Meters {
        requests: Counter::new("envoy_cluster_upstream_rq", ""),
        durations: Histogram::new("envoy_cluster_upstream_rq_time", "", &BUCKETS_MS),
    }
}

/// Counts a request at the caller's proxy, and at the pod's if it got there.
pub(super) fn record(meters: &mut Meters, report: &Report<'_>) {
    let answered = report.flags == "-";
    let outbound = tag(&report.target.name, &report.target.namespace, report.port);
    let sent = proxy(&format!("{}.{}", CALLER.0, CALLER.1), &caller()).with("envoy_cluster_name", outbound);
    count(meters, sent, report.status, answered.then(|| report.milliseconds()));
    let Some((pod, port)) = report.pod.filter(|(pod, _)| pod.members.iter().any(speaks_http)) else { return };
    let received = inbound(pod).with("envoy_cluster_name", format!("localhost_{port}"));
    count(meters, received, report.status, answered.then(|| report.milliseconds()));
}

fn count(meters: &mut Meters, labels: Labels, status: StatusCode, took_ms: Option<f64>) {
    meters.requests.add(labels.clone().with("envoy_response_code", status.as_str()), 1.0);
    if let Some(took_ms) = took_ms {
        meters.durations.observe(labels, took_ms);
    }
}

fn speaks_http(member: &Member) -> bool {
    matches!(member.protocol.as_str(), "http" | "http2" | "grpc")
}

/// The labels of a pod's proxy.
fn inbound(pod: &Pod) -> Labels {
    let mut tags: Vec<String> =
        pod.members.iter().map(|member| tag(&member.service, &pod.namespace, member.port)).collect();
    tags.sort();
    let first = tags.first().map(String::as_str).unwrap_or_default();
    let own = proxy(&format!("{}.{}", pod.name, pod.namespace), first);
    own.with("kuma_io_services", format!(",{},", tags.join(","))).with("app", pod.app.as_str())
}

fn proxy(dataplane: &str, service: &str) -> Labels {
    Labels::new([
        ("mesh", DEFAULT_MESH),
        ("dataplane", dataplane),
        ("service", service),
        ("kuma_io_service", service),
        ("kuma_io_protocol", "http"),
    ])
}
