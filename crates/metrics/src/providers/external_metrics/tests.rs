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

#[test]
fn quantities_are_those_of_kubernetes() {
    for (text, expect) in [
        ("0", Some(0.0)),
        ("-1.5", Some(-1.5)),
        ("100m", Some(0.1)),
        ("1111100u", Some(1.1111)),
        ("250n", Some(2.5e-7)),
        ("3k", Some(3_000.0)),
        ("2Mi", Some(2_097_152.0)),
        ("12e6", Some(12e6)),
        ("1E3", Some(1_000.0)),
        ("", None),
        ("m", None),
        ("NaN", None),
        ("inf", None),
    ] {
        assert_eq!(quantity(text), expect, "{text}");
    }
}
