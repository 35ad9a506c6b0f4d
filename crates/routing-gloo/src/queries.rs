//! Queries on Envoy's series of its clusters, which Gloo names after the Upstream and its namespace.

use vexil_routing::{QuerySet, queries_of_envoy};

pub(crate) static QUERIES: QuerySet =
    queries_of_envoy!("{{ namespace }}-{{ service }}-canaryupstream-[0-9a-zA-Z-]+_[0-9a-zA-Z-]+");

#[cfg(test)]
mod tests {
    use vexil_routing::laws::example;

    use super::*;

    #[test]
    fn the_queries_are_flaggers_with_the_apex_for_the_target() {
        let cluster = r#"envoy_cluster_name=~"default-shop-canaryupstream-[0-9a-zA-Z-]+_[0-9a-zA-Z-]+""#;
        let all = format!("sum( rate( envoy_cluster_upstream_rq{{ {cluster} }}[1m] ) )");
        let good = all.replace(" }[", r#", envoy_response_code!~"5.*" }["#);
        assert_eq!(example(QUERIES.success_rate, "shop"), format!("{good} / {all} * 100"));
        let buckets = format!("sum( rate( envoy_cluster_upstream_rq_time_bucket{{ {cluster} }}[1m] ) )");
        let duration = format!("histogram_quantile( 0.99, {buckets} by (le) )");
        assert_eq!(example(QUERIES.duration, "shop"), duration);
    }
}
