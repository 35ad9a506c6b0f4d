//! The operator's own API server, and the paths that a query can lead to.

use super::*;

#[test]
fn a_query_leads_to_one_metric_and_nowhere_else() {
    for (query, expect) in [
        ("queue", "/default/queue"),
        ("/queue\n", "/default/queue"),
        (
            "test/queue?labelSelector=app%3Dpodinfo%2Ctier+in+%28a%2Cb%29",
            "/test/queue?labelSelector=app%3Dpodinfo%2Ctier+in+%28a%2Cb%29",
        ),
        ("test/queue?other=1", "/test/queue"),
        ("test/a%2Fb", "/test/a%252Fb"),
    ] {
        assert_eq!(path(query).ok(), Some(format!("{ROOT}{expect}")), "{query}");
    }
}
