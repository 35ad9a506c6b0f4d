//! The built-in queries that several providers share: on the series of the pods, of Istio, of Linkerd and of Envoy.

use vexil_api::{DurationUnit, LabelNames, QuerySet};

/// Queries on the series of the pods themselves, by the names of the canary's pods.
pub static OF_PODS: QuerySet = QuerySet {
    success_rate: r#"
sum(
  rate(
    http_request_duration_seconds_count{
      kubernetes_namespace="{{ namespace }}",
      kubernetes_pod_name=~"{{ target }}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)",
      status!~"5.*"
    }[{{ interval }}]
  )
)
/
sum(
  rate(
    http_request_duration_seconds_count{
      kubernetes_namespace="{{ namespace }}",
      kubernetes_pod_name=~"{{ target }}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"
    }[{{ interval }}]
  )
)
* 100"#,
    duration: r#"
histogram_quantile(
  0.99,
  sum(
    rate(
      http_request_duration_seconds_bucket{
        kubernetes_namespace="{{ namespace }}",
        kubernetes_pod_name=~"{{ target }}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"
      }[{{ interval }}]
    )
  ) by (le)
)"#,
    duration_unit: DurationUnit::Seconds,
    names: LabelNames::Unchanged,
};

/// Queries on Istio's series, as the receiving proxies of the target's pods report them.
pub static OF_ISTIO: QuerySet = QuerySet {
    success_rate: r#"
sum(
  rate(
    istio_requests_total{
      reporter="destination",
      destination_workload_namespace="{{ namespace }}",
      destination_workload=~"{{ target }}",
      response_code!~"5.*"
    }[{{ interval }}]
  )
)
/
sum(
  rate(
    istio_requests_total{
      reporter="destination",
      destination_workload_namespace="{{ namespace }}",
      destination_workload=~"{{ target }}"
    }[{{ interval }}]
  )
)
* 100"#,
    duration: r#"
histogram_quantile(
  0.99,
  sum(
    rate(
      istio_request_duration_milliseconds_bucket{
        reporter="destination",
        destination_workload_namespace="{{ namespace }}",
        destination_workload=~"{{ target }}"
      }[{{ interval }}]
    )
  ) by (le)
)"#,
    duration_unit: DurationUnit::Milliseconds,
    names: LabelNames::Unchanged,
};

/// Queries on Linkerd's series, as the proxies of the target's pods count what they receive.
pub static OF_LINKERD: QuerySet = QuerySet {
    success_rate: r#"
sum(
  rate(
    response_total{
      namespace="{{ namespace }}",
      deployment=~"{{ target }}",
      classification!="failure",
      direction="inbound"
    }[{{ interval }}]
  )
)
/
sum(
  rate(
    response_total{
      namespace="{{ namespace }}",
      deployment=~"{{ target }}",
      direction="inbound"
    }[{{ interval }}]
  )
)
* 100"#,
    duration: r#"
histogram_quantile(
  0.99,
  sum(
    rate(
      response_latency_ms_bucket{
        namespace="{{ namespace }}",
        deployment=~"{{ target }}",
        direction="inbound"
      }[{{ interval }}]
    )
  ) by (le)
)"#,
    duration_unit: DurationUnit::Milliseconds,
    names: LabelNames::Unchanged,
};

/// A [`QuerySet`] on Envoy's series of its clusters, for a product that names the canary's clusters after a pattern: a
/// regular expression with the words of [`QuerySet::WORDS`].
#[macro_export]
macro_rules! queries_of_envoy {
    ($clusters:literal) => {
        $crate::QuerySet {
            success_rate: concat!(
                r#"
sum(
  rate(
    envoy_cluster_upstream_rq{
      envoy_cluster_name=~""#,
                $clusters,
                r#"",
      envoy_response_code!~"5.*"
    }[{{ interval }}]
  )
)
/
sum(
  rate(
    envoy_cluster_upstream_rq{
      envoy_cluster_name=~""#,
                $clusters,
                r#""
    }[{{ interval }}]
  )
)
* 100"#
            ),
            duration: concat!(
                r#"
histogram_quantile(
  0.99,
  sum(
    rate(
      envoy_cluster_upstream_rq_time_bucket{
        envoy_cluster_name=~""#,
                $clusters,
                r#""
      }[{{ interval }}]
    )
  ) by (le)
)"#
            ),
            duration_unit: $crate::DurationUnit::Milliseconds,
            names: $crate::LabelNames::Unchanged,
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::laws::example;

    use super::*;

    #[test]
    fn the_queries_are_flaggers() {
        assert_eq!(
            example(OF_PODS.success_rate, "podinfo"),
            r#"sum( rate( http_request_duration_seconds_count{ kubernetes_namespace="default", kubernetes_pod_name=~"podinfo-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)", status!~"5.*" }[1m] ) ) / sum( rate( http_request_duration_seconds_count{ kubernetes_namespace="default", kubernetes_pod_name=~"podinfo-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)" }[1m] ) ) * 100"#
        );
        assert_eq!(
            example(OF_PODS.duration, "podinfo"),
            r#"histogram_quantile( 0.99, sum( rate( http_request_duration_seconds_bucket{ kubernetes_namespace="default", kubernetes_pod_name=~"podinfo-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)" }[1m] ) ) by (le) )"#
        );
        for query in [OF_PODS.success_rate, OF_PODS.duration] {
            let text = example(query, "shop");
            assert!(text.contains(r#"kubernetes_pod_name=~"podinfo-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)""#), "{text}");
        }
    }

    #[test]
    fn the_queries_on_linkerd_are_flaggers() {
        let series = r#"namespace="default", deployment=~"podinfo""#;
        let all = format!(r#"sum( rate( response_total{{ {series}, direction="inbound" }}[1m] ) )"#);
        let good = all.replace(", direction", r#", classification!="failure", direction"#);
        assert_eq!(example(OF_LINKERD.success_rate, "podinfo"), format!("{good} / {all} * 100"));
        let buckets =
            format!(r#"sum( rate( response_latency_ms_bucket{{ {series}, direction="inbound" }}[1m] ) )"#);
        let duration = format!("histogram_quantile( 0.99, {buckets} by (le) )");
        assert_eq!(example(OF_LINKERD.duration, "podinfo"), duration);
    }

    #[test]
    fn the_queries_on_istio_are_flaggers() {
        assert_eq!(
            example(OF_ISTIO.success_rate, "podinfo"),
            r#"sum( rate( istio_requests_total{ reporter="destination", destination_workload_namespace="default", destination_workload=~"podinfo", response_code!~"5.*" }[1m] ) ) / sum( rate( istio_requests_total{ reporter="destination", destination_workload_namespace="default", destination_workload=~"podinfo" }[1m] ) ) * 100"#
        );
        assert_eq!(
            example(OF_ISTIO.duration, "podinfo"),
            r#"histogram_quantile( 0.99, sum( rate( istio_request_duration_milliseconds_bucket{ reporter="destination", destination_workload_namespace="default", destination_workload=~"podinfo" }[1m] ) ) by (le) )"#
        );
        for query in [OF_ISTIO.success_rate, OF_ISTIO.duration] {
            let text = example(query, "shop");
            assert!(text.contains(r#"destination_workload=~"podinfo""#), "{text}");
        }
    }
}
