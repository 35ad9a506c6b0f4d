//! APISIX: series of the generated route, which carries the traffic of both sides.

use super::{QuerySet, Unit};

pub(super) static QUERIES: QuerySet = QuerySet {
    name: "apisix",
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
    duration_unit: Unit::Milliseconds,
};
