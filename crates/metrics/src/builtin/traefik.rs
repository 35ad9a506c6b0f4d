//! Traefik: series of its services, which it names after the Kubernetes Services it sends to.

use super::{QuerySet, Unit};

pub(super) static QUERIES: QuerySet = QuerySet {
    name: "traefik",
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
    duration_unit: Unit::Milliseconds,
};
