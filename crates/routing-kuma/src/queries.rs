//! Queries on Envoy's cluster series, by the Kuma tag of the canary's Service.

use vexil_routing::{DurationUnit, LabelNames, QuerySet};

pub(crate) static QUERIES: QuerySet = QuerySet {
    success_rate: r#"
sum(
  rate(
    envoy_cluster_upstream_rq{
      service=~"{{ service }}-canary_{{ namespace }}_svc_[0-9a-zA-Z-]+",
      envoy_response_code!~"5.*"
    }[{{ interval }}]
  )
)
/
sum(
  rate(
    envoy_cluster_upstream_rq{
      service=~"{{ service }}-canary_{{ namespace }}_svc_[0-9a-zA-Z-]+",
    }[{{ interval }}]
  )
)
* 100"#,
    duration: r#"
histogram_quantile(
  0.99,
  sum(
    rate(
      envoy_cluster_upstream_rq_time_bucket{
        service=~"{{ service }}-canary_{{ namespace }}_svc_[0-9a-zA-Z-]+",
      }[{{ interval }}]
    )
  ) by (le)
)"#,
    duration_unit: DurationUnit::Milliseconds,
    names: LabelNames::Unchanged,
};

#[cfg(test)]
mod tests {
    use vexil_routing::laws::example;

    use super::*;

    #[test]
    fn the_queries_are_flaggers() {
        assert_eq!(
            example(QUERIES.success_rate, "podinfo"),
            r#"sum( rate( envoy_cluster_upstream_rq{ service=~"podinfo-canary_default_svc_[0-9a-zA-Z-]+", envoy_response_code!~"5.*" }[1m] ) ) / sum( rate( envoy_cluster_upstream_rq{ service=~"podinfo-canary_default_svc_[0-9a-zA-Z-]+", }[1m] ) ) * 100"#
        );
        assert_eq!(
            example(QUERIES.duration, "podinfo"),
            r#"histogram_quantile( 0.99, sum( rate( envoy_cluster_upstream_rq_time_bucket{ service=~"podinfo-canary_default_svc_[0-9a-zA-Z-]+", }[1m] ) ) by (le) )"#
        );
        for query in [QUERIES.success_rate, QUERIES.duration] {
            let text = example(query, "shop");
            assert!(text.contains(r#"service=~"shop-canary_default_svc_[0-9a-zA-Z-]+""#), "{text}");
        }
    }
}
