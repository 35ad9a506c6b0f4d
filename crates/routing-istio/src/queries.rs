//! Queries on Istio's series, as reported by the receiving proxies of the target's pods.

use vexil_routing::{DurationUnit, QuerySet};

pub(crate) static QUERIES: QuerySet = QuerySet {
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
};

#[cfg(test)]
mod tests {
    use vexil_routing::laws::example;

    use super::*;

    #[test]
    fn the_queries_are_flaggers() {
        assert_eq!(
            example(QUERIES.success_rate, "podinfo"),
            r#"sum( rate( istio_requests_total{ reporter="destination", destination_workload_namespace="default", destination_workload=~"podinfo", response_code!~"5.*" }[1m] ) ) / sum( rate( istio_requests_total{ reporter="destination", destination_workload_namespace="default", destination_workload=~"podinfo" }[1m] ) ) * 100"#
        );
        assert_eq!(
            example(QUERIES.duration, "podinfo"),
            r#"histogram_quantile( 0.99, sum( rate( istio_request_duration_milliseconds_bucket{ reporter="destination", destination_workload_namespace="default", destination_workload=~"podinfo" }[1m] ) ) by (le) )"#
        );
        for query in [QUERIES.success_rate, QUERIES.duration] {
            let text = example(query, "shop");
            assert!(text.contains(r#"destination_workload=~"podinfo""#), "{text}");
        }
    }
}
