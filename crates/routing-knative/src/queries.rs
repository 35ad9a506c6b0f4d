//! Queries on the series of Kourier's Envoy, whose clusters are named after namespace and Revision.

use vexil_routing::{QuerySet, queries_of_envoy};

pub(crate) static QUERIES: QuerySet = queries_of_envoy!("{{ namespace }}/{{ route }}");

#[cfg(test)]
mod tests {
    use vexil_routing::laws::example;

    use super::*;

    #[test]
    fn the_queries_are_flaggers() {
        let cluster = r#"envoy_cluster_name=~"default/podinfo""#;
        let all = format!("sum( rate( envoy_cluster_upstream_rq{{ {cluster} }}[1m] ) )");
        let good = all.replace(" }[", r#", envoy_response_code!~"5.*" }["#);
        assert_eq!(example(QUERIES.success_rate, "podinfo"), format!("{good} / {all} * 100"));
        let buckets = format!("sum( rate( envoy_cluster_upstream_rq_time_bucket{{ {cluster} }}[1m] ) )");
        let duration = format!("histogram_quantile( 0.99, {buckets} by (le) )");
        assert_eq!(example(QUERIES.duration, "podinfo"), duration);
    }
}
