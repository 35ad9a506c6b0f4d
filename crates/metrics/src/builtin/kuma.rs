//! Kuma: Envoy's cluster series under the service tag of the mesh.

use super::{QuerySet, Unit};

pub(super) static QUERIES: QuerySet = QuerySet {
    name: "kuma",
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
    duration_unit: Unit::Milliseconds,
};
