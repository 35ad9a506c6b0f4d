//! Queries on Skipper's series of its routes, whose names it makes of those of the Ingress and the Service.

use vexil_routing::{DurationUnit, LabelNames, QuerySet};

pub(crate) static QUERIES: QuerySet = QuerySet {
    success_rate: r#"
sum(
  rate(
    skipper_response_duration_seconds_bucket{
      route=~"kube(ew)?_{{ namespace }}__{{ ingress }}_canary__.*__{{ service }}_canary(_[0-9]+)?",
      code!~"5..",
      le="+Inf"
    }[{{ interval }}]
  )
)
/
sum(
  rate(
    skipper_response_duration_seconds_bucket{
      route=~"kube(ew)?_{{ namespace }}__{{ ingress }}_canary__.*__{{ service }}_canary(_[0-9]+)?",
      le="+Inf"
    }[{{ interval }}]
  )
)
* 100"#,
    duration: r#"
sum(
  rate(
    skipper_serve_route_duration_seconds_sum{
      route=~"kube(ew)?_{{ namespace }}__{{ ingress }}_canary__.*__{{ service }}_canary(_[0-9]+)?"
    }[{{ interval }}]
  )
)
/
sum(
  rate(
    skipper_serve_route_duration_seconds_count{
      route=~"kube(ew)?_{{ namespace }}__{{ ingress }}_canary__.*__{{ service }}_canary(_[0-9]+)?"
    }[{{ interval }}]
  )
)
* 1000"#,
    duration_unit: DurationUnit::Milliseconds,
    names: LabelNames::Identifiers,
};

#[cfg(test)]
mod tests {
    use vexil_routing::laws::example;

    use super::*;

    #[test]
    fn the_queries_are_flaggers() {
        let rate = |series: &str, rest: &str| {
            let route = r#"route=~"kube(ew)?_default__podinfo_canary__.*__shop_canary(_[0-9]+)?""#;
            format!("sum( rate( skipper_{series}{{ {route}{rest} }}[1m] ) )")
        };
        let bucket = "response_duration_seconds_bucket";
        let (good, all) = (rate(bucket, r#", code!~"5..", le="+Inf""#), rate(bucket, r#", le="+Inf""#));
        assert_eq!(example(QUERIES.success_rate, "shop"), format!("{good} / {all} * 100"));
        let [sum, count] = ["sum", "count"].map(|of| rate(&format!("serve_route_duration_seconds_{of}"), ""));
        assert_eq!(example(QUERIES.duration, "shop"), format!("{sum} / {count} * 1000"));
    }
}
