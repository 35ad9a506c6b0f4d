//! The series of Istio's proxies: its standard metrics, which Envoy itself exports since Istio 1.5.
//!
//! Names, labels and their values are those of Istio's page "Istio Standard Metrics". Both sides report each request:
//! the caller's proxy as `reporter="source"`, the pod's as `reporter="destination"`; one that reaches no pod is
//! reported by the source alone, with a workload that is `unknown`. `destination_service` is the Service that the route
//! chose, `destination_workload` the Deployment of the pod. Durations are in milliseconds (`…_milliseconds`; before 1.5
//! Mixer had `…_seconds`), in Envoy's buckets. Not there: labels of principals, clusters and canonical services, and
//! the metrics of sizes and of TCP.

use super::INGRESS;
use crate::gateway::mesh::{BUCKETS_MS, CALLER, Entrance, Meters, Report};
use vexil_testbed_promql::{Counter, Histogram, Labels};

const UNKNOWN: &str = "unknown";

/// The series, without values.
pub(crate) fn meters() -> Meters {
    Meters {
        requests: Counter::new("istio_requests_total", ""),
        durations: Histogram::new("istio_request_duration_milliseconds", "", &BUCKETS_MS),
    }
}

/// Counts a request on both sides.
pub(crate) fn record(meters: &mut Meters, report: &Report<'_>) {
    let both = labels(report);
    let mut count = |labels: Labels| {
        meters.requests.add(labels.clone(), 1.0);
        meters.durations.observe(labels, report.milliseconds());
    };
    if report.pod.is_none() {
        return count(side(both, "source", report.flags, UNKNOWN));
    }
    // What the pod's proxy answers in the application's place is an ordinary answer for the caller's.
    count(side(both.clone(), "source", "-", UNKNOWN));
    count(side(both, "destination", report.flags, "mutual_tls"));
}

fn side(labels: Labels, reporter: &str, flags: &str, security: &str) -> Labels {
    labels
        .with("reporter", reporter)
        .with("response_flags", flags)
        .with("connection_security_policy", security)
}

fn labels(report: &Report<'_>) -> Labels {
    let (source, source_namespace) = match report.entrance {
        Entrance::Sidecar => CALLER,
        Entrance::Gateway => INGRESS.split_once('.').unwrap_or((INGRESS, "")),
    };
    let target = report.target;
    let pod = report.pod.map(|(pod, _)| pod);
    let of_pod = |value: Option<&str>| value.filter(|value| !value.is_empty()).unwrap_or(UNKNOWN).to_owned();
    Labels::new([
        ("source_workload", source.to_owned()),
        ("source_workload_namespace", source_namespace.to_owned()),
        ("source_app", source.to_owned()),
        ("destination_workload", of_pod(pod.map(|pod| pod.workload.as_str()))),
        ("destination_workload_namespace", of_pod(pod.map(|pod| pod.namespace.as_str()))),
        ("destination_app", of_pod(pod.map(|pod| pod.app.as_str()))),
        ("destination_version", of_pod(pod.map(|pod| pod.version.as_str()))),
        ("destination_service", format!("{}.{}.svc.cluster.local", target.name, target.namespace)),
        ("destination_service_name", target.name.clone()),
        ("destination_service_namespace", target.namespace.clone()),
        ("request_protocol", "http".to_owned()),
        ("response_code", report.status.as_str().to_owned()),
    ])
}
