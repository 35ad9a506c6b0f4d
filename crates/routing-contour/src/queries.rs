//! Queries on Envoy's series of its clusters, which Contour names after namespace and Service.

use vexil_routing::{DurationUnit, LabelNames, QuerySet};

pub(crate) static QUERIES: QuerySet = QuerySet {
    success_rate: r#"
sum(
  rate(
    envoy_cluster_upstream_rq{
      envoy_cluster_name=~"{{ namespace }}_{{ service }}-canary_[0-9a-zA-Z-]+",
      envoy_response_code!~"5.*"
    }[{{ interval }}]
  )
)
/
sum(
  rate(
    envoy_cluster_upstream_rq{
      envoy_cluster_name=~"{{ namespace }}_{{ service }}-canary_[0-9a-zA-Z-]+"
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
        envoy_cluster_name=~"{{ namespace }}_{{ service }}-canary_[0-9a-zA-Z-]+"
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
        let cluster = r#"envoy_cluster_name=~"default_shop-canary_[0-9a-zA-Z-]+""#;
        let all = format!("sum( rate( envoy_cluster_upstream_rq{{ {cluster} }}[1m] ) )");
        let good = all.replace(" }[", r#", envoy_response_code!~"5.*" }["#);
        assert_eq!(example(QUERIES.success_rate, "shop"), format!("{good} / {all} * 100"));
        let buckets = format!("sum( rate( envoy_cluster_upstream_rq_time_bucket{{ {cluster} }}[1m] ) )");
        let duration = format!("histogram_quantile( 0.99, {buckets} by (le) )");
        assert_eq!(example(QUERIES.duration, "shop"), duration);
    }
}
