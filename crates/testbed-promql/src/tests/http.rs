//! The HTTP API: bodies byte for byte as Prometheus writes them, and what it says to nonsense.

use crate::{Labels, MetricStore, handle};

const NOW_MS: i64 = 1_700_000_000_500;

fn store() -> MetricStore {
    let mut store = MetricStore::new(3_600_000);
    let mut put = |name: &str, pairs: &[(&str, &str)], ago_ms: i64, value: f64| {
        store.append(Labels::named(name, pairs.iter().copied()), NOW_MS - ago_ms, value).unwrap();
    };
    put("up", &[("job", "a \"b\"\\\n")], 0, 1.0);
    put("zero", &[], 0, 0.0);
    put("room", &[("name", "attic")], 30_000, 21.5);
    put("room", &[("name", "attic")], 0, 22.0);
    put("room", &[("name", "bath")], 0, 1e21);
    store
}

fn check(request: &str, status: u16, body: &str) {
    let (line, form) = request.split_once("\n").unwrap_or((request, ""));
    let (method, target) = line.split_once(' ').unwrap();
    let answer = handle(&store(), method, target, form.as_bytes(), NOW_MS);
    assert_eq!((answer.status, answer.body.as_str()), (status, body), "{request}");
    let kind = if target.starts_with("/api/v1/") && status != 405 {
        "application/json"
    } else {
        "text/plain; charset=utf-8"
    };
    assert_eq!(answer.content_type, kind, "{request}");
}

fn finds(request: &str, result: &str) {
    check(request, 200, &format!(r#"{{"status":"success","data":{result}}}"#));
}

fn refuses(request: &str, status: u16, kind: &str, reason: &str) {
    check(request, status, &format!(r#"{{"status":"error","errorType":"{kind}","error":"{reason}"}}"#));
}

#[test]
fn every_kind_of_result_is_written_as_prometheus_writes_it() {
    let ask = |query: &str| format!("GET /api/v1/query?query={query}");
    finds(&ask("1%2B1"), r#"{"resultType":"scalar","result":[1700000000.500,"2"]}"#);
    finds(
        &ask("vector(1)"),
        r#"{"resultType":"vector","result":[{"metric":{},"value":[1700000000.500,"1"]}]}"#,
    );
    finds(&ask("nothing"), r#"{"resultType":"vector","result":[]}"#);
    finds(
        &ask("zero/zero"),
        r#"{"resultType":"vector","result":[{"metric":{},"value":[1700000000.500,"NaN"]}]}"#,
    );
    finds(
        &ask("-1/zero"),
        r#"{"resultType":"vector","result":[{"metric":{},"value":[1700000000.500,"-Inf"]}]}"#,
    );
    finds(
        &ask("up"),
        r#"{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a \"b\"\\\n"},"value":[1700000000.500,"1"]}]}"#,
    );
    finds(
        &ask("room%5B1m%5D"),
        r#"{"resultType":"matrix","result":[{"metric":{"__name__":"room","name":"attic"},"values":[[1699999970.500,"21.5"],[1700000000.500,"22"]]},{"metric":{"__name__":"room","name":"bath"},"values":[[1700000000.500,"1e+21"]]}]}"#,
    );
    finds(&ask("%22caf%C3%A9%22"), r#"{"resultType":"string","result":[1700000000.500,"café"]}"#);
}

#[test]
fn parameters_come_from_the_form_then_from_the_address() {
    let one = r#"{"resultType":"scalar","result":[7,"7"]}"#;
    finds("GET /api/v1/query?query=time()&time=7", one);
    finds("POST /api/v1/query\nquery=time()&time=7", one);
    finds("POST /api/v1/query?query=8&time=7\nquery=time()", one);
    finds("GET /api/v1/query?query=time()&time=1970-01-01T01:00:07%2B01:00", one);
    finds("GET /api/v1/query?query=1+%2B%0A6&time=7", one);
    finds(
        "GET /api/v1/query_range?query=time()&start=0&end=60&step=30s",
        r#"{"resultType":"matrix","result":[{"metric":{},"values":[[0,"0"],[30,"30"],[60,"60"]]}]}"#,
    );
    finds("GET /api/v1/labels", r#"["__name__","job","name"]"#);
    finds("GET /api/v1/labels?match[]=room&match[]=zero", r#"["__name__","name"]"#);
    finds("POST /api/v1/labels\nmatch%5B%5D=nothing", "[]");
}

#[test]
fn nonsense_gets_prometheus_status_and_error_form() {
    let bad = |request: &str, reason: &str| refuses(request, 400, "bad_data", reason);
    let query = r#"invalid parameter \"query\": "#;
    bad("GET /api/v1/query", &format!("{query}parse error: no expression found in input"));
    bad("GET /api/v1/query?query=sum(", &format!("{query}parse error: unclosed left parenthesis"));
    bad(
        "GET /api/v1/query?query=1&time=soon",
        r#"invalid parameter \"time\": invalid time value for 'time': cannot parse \"soon\" to a valid timestamp"#,
    );
    bad(
        "GET /api/v1/query?query=1&time=NaN",
        r#"invalid parameter \"time\": invalid time value for 'time': cannot parse \"NaN\" to a valid timestamp"#,
    );
    let range = "GET /api/v1/query_range?query=1&start=0&end=";
    bad(
        "GET /api/v1/query_range?query=1",
        r#"invalid parameter \"start\": cannot parse \"\" to a valid timestamp"#,
    );
    bad(
        &format!("{range}-1&step=1"),
        r#"invalid parameter \"end\": end timestamp must not be before start time"#,
    );
    bad(&format!("{range}1&step=x"), r#"invalid parameter \"step\": cannot parse \"x\" to a valid duration"#);
    for step in ["0", "-1"] {
        let reason = r#"invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer"#;
        bad(&format!("{range}1&step={step}"), reason);
    }
    bad(
        &format!("{range}11001&step=1"),
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    );
    bad(
        "GET /api/v1/query_range?query=room%5B1m%5D&start=0&end=1&step=1",
        &format!(
            r#"{query}invalid expression type \"range vector\" for range query, must be Scalar or instant Vector"#
        ),
    );
    bad("GET /api/v1/labels?match[]=1", "parse error: expected a series selector");
    let failed = |query: &str, reason: &str| {
        refuses(&format!("GET /api/v1/query?query={query}"), 422, "execution", reason);
    };
    failed("hour()", "this store does not evaluate the function hour");
    failed("limitk(1,room)", "this store does not evaluate the aggregation limitk");
    failed("room-on(name)fill(0)room", "this store does not evaluate fill modifiers");
    failed("room%7Ba=%22b%22+or+c=%22d%22%7D", r#"this store does not evaluate \"or\" between matchers"#);
}

#[test]
fn other_paths_and_methods_are_refused_in_plain_text() {
    check("GET /-/healthy", 200, "Prometheus Server is Healthy.\n");
    check("GET /-/ready", 200, "Prometheus Server is Ready.\n");
    check("DELETE /api/v1/query", 405, "Method Not Allowed\n");
    for path in ["/", "/graph", "/-/nope"] {
        check(&format!("GET {path}"), 404, "404 page not found\n");
    }
}
