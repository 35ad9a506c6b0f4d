//! Queries on the series of ingress-nginx, which have the user's Ingress and, for requests that the canary took, its
//! Service.

use vexil_routing::{DurationUnit, LabelNames, QuerySet};

pub(crate) static QUERIES: QuerySet = QuerySet {
    success_rate: r#"
sum(
  rate(
    nginx_ingress_controller_requests{
      namespace="{{ namespace }}",
      ingress="{{ ingress }}",
      canary!="",
      status!~"5.*"
    }[{{ interval }}]
  )
)
/
sum(
  rate(
    nginx_ingress_controller_requests{
      namespace="{{ namespace }}",
      ingress="{{ ingress }}",
      canary!=""
    }[{{ interval }}]
  )
)
* 100"#,
    duration: r#"
sum(
  rate(
    nginx_ingress_controller_response_duration_seconds_sum{
      namespace="{{ namespace }}",
      ingress="{{ ingress }}",
      canary!=""
    }[{{ interval }}]
  )
)
/
sum(
  rate(
    nginx_ingress_controller_response_duration_seconds_count{
      namespace="{{ namespace }}",
      ingress="{{ ingress }}",
      canary!=""
    }[{{ interval }}]
  )
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
        let series = r#"namespace="default", ingress="podinfo", canary!="""#;
        let requests = "nginx_ingress_controller_requests";
        let seconds = "nginx_ingress_controller_response_duration_seconds";
        let rate = |series: String| format!("sum( rate( {series}[1m] ) )");
        let good = rate(format!(r#"{requests}{{ {series}, status!~"5.*" }}"#));
        let all = rate(format!("{requests}{{ {series} }}"));
        assert_eq!(example(QUERIES.success_rate, "podinfo"), format!("{good} / {all} * 100"));
        let [sum, count] = ["sum", "count"].map(|of| rate(format!("{seconds}_{of}{{ {series} }}")));
        assert_eq!(example(QUERIES.duration, "podinfo"), format!("{sum} / {count} * 1000"));
    }
}
