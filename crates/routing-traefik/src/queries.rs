//! Queries on Traefik's series of its services, which are named after the Kubernetes Services that they send to.

use vexil_routing::{DurationUnit, LabelNames, QuerySet};

pub(crate) static QUERIES: QuerySet = QuerySet {
    success_rate: r#"
sum(
  rate(
    traefik_service_request_duration_seconds_bucket{
      service=~"{{ namespace }}-{{ service }}-canary-[0-9a-zA-Z-]+@kubernetescrd",
      code!~"5..",
      le="+Inf"
    }[{{ interval }}]
  )
)
/
sum(
  rate(
    traefik_service_request_duration_seconds_bucket{
      service=~"{{ namespace }}-{{ service }}-canary-[0-9a-zA-Z-]+@kubernetescrd",
      le="+Inf"
    }[{{ interval }}]
  )
)
* 100"#,
    duration: r#"
histogram_quantile(
  0.99,
  sum(
    rate(
      traefik_service_request_duration_seconds_bucket{
        service=~"{{ namespace }}-{{ service }}-canary-[0-9a-zA-Z-]+@kubernetescrd"
      }[{{ interval }}]
    )
  ) by (le)
)
* 1000"#,
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
            r#"sum( rate( traefik_service_request_duration_seconds_bucket{ service=~"default-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd", code!~"5..", le="+Inf" }[1m] ) ) / sum( rate( traefik_service_request_duration_seconds_bucket{ service=~"default-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd", le="+Inf" }[1m] ) ) * 100"#
        );
        assert_eq!(
            example(QUERIES.duration, "podinfo"),
            r#"histogram_quantile( 0.99, sum( rate( traefik_service_request_duration_seconds_bucket{ service=~"default-podinfo-canary-[0-9a-zA-Z-]+@kubernetescrd" }[1m] ) ) by (le) ) * 1000"#
        );
        for query in [QUERIES.success_rate, QUERIES.duration] {
            let text = example(query, "shop");
            assert!(text.contains(r#"service=~"default-shop-canary-[0-9a-zA-Z-]+@kubernetescrd""#), "{text}");
        }
    }
}
