//! Queries on APISIX's series of the generated route, which carries the traffic of both sides.

use vexil_routing::{DurationUnit, LabelNames, QuerySet};

pub(crate) static QUERIES: QuerySet = QuerySet {
    success_rate: r#"
sum(
  rate(
    apisix_http_status{
      route=~"{{ namespace }}_{{ route }}-{{ service }}-canary_.+",
      code!~"5.."
    }[{{ interval }}]
  )
)
/
sum(
  rate(
    apisix_http_status{
      route=~"{{ namespace }}_{{ route }}-{{ service }}-canary_.+"
    }[{{ interval }}]
  )
)
* 100"#,
    duration: r#"
histogram_quantile(
  0.99,
  sum(
    rate(
      apisix_http_latency_bucket{
        type=~"request",
        route=~"{{ namespace }}_{{ route }}-{{ service }}-canary_.+"
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
            r#"sum( rate( apisix_http_status{ route=~"default_podinfo-podinfo-canary_.+", code!~"5.." }[1m] ) ) / sum( rate( apisix_http_status{ route=~"default_podinfo-podinfo-canary_.+" }[1m] ) ) * 100"#
        );
        assert_eq!(
            example(QUERIES.duration, "podinfo"),
            r#"histogram_quantile( 0.99, sum( rate( apisix_http_latency_bucket{ type=~"request", route=~"default_podinfo-podinfo-canary_.+" }[1m] ) ) by (le) )"#
        );
        for query in [QUERIES.success_rate, QUERIES.duration] {
            let text = example(query, "shop");
            assert!(text.contains(r#"route=~"default_podinfo-shop-canary_.+""#), "{text}");
        }
    }
}
