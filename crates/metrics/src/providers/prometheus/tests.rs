//! The request for a query, and replies of servers in every state.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use vexil_api::metric_template::SecretRef;

use super::*;
use crate::provider::kept;

fn secret(data: &[(&str, &str)]) -> Credentials {
    let data: BTreeMap<_, _> = data.iter().map(|(key, text)| (*key, STANDARD.encode(text))).collect();
    Credentials::of(&json!({"data": data}))
}

fn server(headers: &[(&str, &[&str])], data: Option<&[(&str, &str)]>) -> Result<Prometheus, ProviderError> {
    let headers = headers.iter();
    let spec = MetricProviderSpec {
        type_: NAME.to_owned(),
        address: Some("http://prometheus:9090".to_owned()),
        headers: headers
            .map(|(k, v)| ((*k).to_owned(), v.iter().map(|v| (*v).to_owned()).collect()))
            .collect(),
        secret_ref: data.map(|_| SecretRef { name: "s".to_owned() }),
        ..MetricProviderSpec::default()
    };
    Prometheus::of(&spec, data.map(secret).as_ref())
}

#[test]
fn the_request_has_the_query_and_the_credentials() {
    for (address, query, expect) in [
        ("http://p", "sum(rate(x[1m]))", "http://p/api/v1/query?query=sum%28rate%28x%5B1m%5D%29%29"),
        ("http://p:9090/", "a", "http://p:9090/api/v1/query?query=a"),
        ("http://p/prefix", "a \n\t b\n", "http://p/prefix/api/v1/query?query=a+b+"),
        ("https://p/prefix/?x=y#z", "\n a", "https://p/prefix/api/v1/query?query=+a"),
        ("http://u:pw@p", "é+&=", "http://u:pw@p/api/v1/query?query=%C3%A9%2B%26%3D"),
    ] {
        let request = Prometheus::at(address).expect(address).instant(query);
        assert_eq!(request.url.as_str(), expect);
        assert_eq!(
            (request.deadline_ms, request.max_reply_bytes, request.skip_verify),
            (5_000, 1 << 20, false)
        );
    }
}

#[test]
fn an_address_that_cannot_be_called_is_reported_without_its_password() {
    for (address, shown) in [
        ("", ""),
        (":::", ":::"),
        ("prometheus:9090", "prometheus:9090"),
        ("ftp://p", "ftp://p"),
        ("http://u:MARKER@p:99999", "p:99999"),
    ] {
        let error = Prometheus::at(address).expect_err(address).to_string();
        assert_eq!(error, format!("prometheus address {shown} is not a valid URL"));
    }
}

#[track_caller]
fn check_headers(headers: &[(&str, &[&str])], data: Option<&[(&str, &str)]>, expect: &[(&str, &str)]) {
    let provider = server(headers, data).expect("provider");
    for _ in 0..2 {
        let request = provider.instant("x");
        let sent: Vec<_> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        assert_eq!(sent, expect, "the same in every request");
    }
}

#[test]
fn headers_and_credentials_are_sent() {
    check_headers(&[], None, &[]);
    check_headers(&[("X-Scope-OrgID", &["a", "b"])], None, &[("X-Scope-OrgID", "a"), ("X-Scope-OrgID", "b")]);
    check_headers(&[], Some(&[("token", "t\n"), ("username", "u")]), &[("Authorization", "Bearer t")]);
    check_headers(
        &[],
        Some(&[("username", "user"), ("password", "pw")]),
        &[("Authorization", "Basic dXNlcjpwdw==")],
    );
    check_headers(&[], Some(&[("username", ""), ("password", "pw")]), &[]);
    check_headers(&[("authorization", &["mine"])], Some(&[("token", "t")]), &[("Authorization", "Bearer t")]);
    check_headers(&[("authorization", &["mine"])], None, &[("authorization", "mine")]);
    for (data, key) in [(vec![], "username"), (vec![("username", "u")], "password")] {
        let error = server(&[], Some(&data)).expect_err(key).to_string();
        assert_eq!(error, format!("prometheus credentials does not contain a {key}"));
    }
}

#[track_caller]
fn check(status: u16, body: &str, expect: Result<f64, &str>) {
    let provider = server(&[], Some(&[("token", "MARKER")])).expect("provider");
    let got = provider.parse(&Reply::new(status, body)).map_err(|e| e.to_string());
    assert_eq!(got, expect.map_err(str::to_owned), "{body}");
}

fn vector(samples: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{samples}]}}}}"#)
}

#[test]
fn one_series_is_a_number() {
    let one = r#"{"metric":{"a":"b"},"value":[1545905245.458,"100"]}"#;
    check(200, &vector(one), Ok(100.0));
    check(200, &vector(r#"{"value":[1,"1e-3"]}"#), Ok(0.001));
    check(200, r#"{"data":{"result":[{"value":[1,"5"]}]},"warnings":["partial"]}"#, Ok(5.0));
    check(200, &vector(r#"{"value":[1,"1e400"]}"#), Ok(f64::INFINITY));
    assert!(
        server(&[], None)
            .expect("provider")
            .parse(&Reply::new(200, vector(r#"{"value":[1,"NaN"]}"#)))
            .is_ok_and(f64::is_nan)
    );
}

#[test]
fn anything_else_is_an_error_that_says_what_came() {
    let one = r#"{"value":[1,"1"]}"#;
    check(200, &vector(""), Err("no values found"));
    check(
        200,
        &vector(&format!("{one},{one},{one}")),
        Err("query returned 3 series where one is needed, aggregate them"),
    );
    check(200, &vector(r#"{"values":[[1,"1"]]}"#), Err("query returned multiple values"));
    check(500, "", Err("error response: Status 500 Internal Server Error: "));
    check(502, "<html>\n<b>bad</b>", Err("error response: Status 502 Bad Gateway: <html> <b>bad</b>"));
    check(
        401,
        "token MARKER is wrong",
        Err("error response: Status 401 Unauthorized: token [hidden] is wrong"),
    );
    check(
        400,
        r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#,
        Err(
            r#"error response: Status 400 Bad Request: {"status":"error","errorType":"bad_data","error":"parse error"}"#,
        ),
    );
    check(
        200,
        r#"{"status":"error","errorType":"timeout","error":"query MARKER timed out"}"#,
        Err("error response: timeout: query [hidden] timed out"),
    );
    check(200, "<html>", Err("error unmarshaling result: expected value at line 1 column 1, '<html>'"));
    check(200, "", Err("error unmarshaling result: EOF while parsing a value at line 1 column 0, ''"));
    check(200, "{}", Err("error unmarshaling result: reply has no data, '{}'"));
    for (samples, problem) in [
        ("{}", "series has no value"),
        (r#"{"value":[]}"#, "series has no value"),
        (r#"{"value":[1,2]}"#, "series has no value"),
        (r#"{"value":[1,"many"]}"#, r#"value "many" is no number"#),
    ] {
        let body = vector(samples);
        check(200, &body, Err(&format!("error unmarshaling result: {problem}, '{body}'")));
    }
    let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}"#;
    check(200, scalar, Err(&format!("error unmarshaling result: result is no vector, '{scalar}'")));
    let odd = r#"{"data":{"result":7}}"#;
    check(200, odd, Err(&format!("error unmarshaling result: data has no list of results, '{odd}'")));
}

#[test]
fn a_hostile_reply_is_one_short_message() {
    let provider = server(&[], None).expect("provider");
    let error_of = |reply: Reply| provider.parse(&reply).expect_err("no number").to_string();
    let error =
        json!({"status": "error", "errorType": "x\n", "error": "\u{1b}e".repeat(500_000)}).to_string();
    let error = error_of(Reply::new(200, error));
    assert!(error.starts_with("error response: x :  e e") && error.len() < 600, "{error}");
    assert!(error.ends_with(" bytes left out)"), "{error}");
    let value = format!(r#"{{"data":{{"result":[{{"value":[1,"{}"]}}]}}}}"#, "9x".repeat(400_000));
    let value = error_of(Reply::new(200, value));
    assert!(value.len() < 1_200, "{}", value.len());
    let deep = error_of(Reply::new(200, "[".repeat(100_000)));
    assert!(deep.starts_with("error unmarshaling result: ") && deep.len() < 1_024, "{deep}");
    let binary = error_of(Reply::new(200, vec![0xff; 1 << 20]));
    assert!(binary.len() < 2_048, "{}", binary.len());
    let cut = format!("{}MARKER", "x".repeat(crate::providers::server::SAID - 3));
    let provider_with_token = server(&[], Some(&[("token", "MARKER")])).expect("provider");
    let cut = provider_with_token.parse(&Reply::new(500, cut)).expect_err("no number").to_string();
    assert!(!cut.contains("MAR"), "{cut}");
    let gzip = error_of(Reply::new(200, vec![0x1f, 0x8b]).with_header("Content-Encoding", "gzip"));
    assert_eq!(gzip, "error unmarshaling result: reply is encoded as gzip, which was not requested");
    let forged = error_of(Reply::new(500, "a\r\n\u{1b}[2J\u{202e}b"));
    assert_eq!(forged, "error response: Status 500 Internal Server Error: a   [2J b");
}

/// Servers that only the operator can reach are queried like others, but their replies are not repeated in Events.
#[test]
fn of_a_private_reply_no_word_is_repeated() {
    let provider = server(&[], None).expect("provider");
    let kept_back = "its text is not repeated here";
    for (status, body, expect) in [
        (
            200,
            "MARKER".to_owned(),
            format!("error unmarshaling result: it is no answer to a query, and {kept_back}"),
        ),
        (
            200,
            vector(r#"{"value":[1,"MARKER"]}"#),
            format!("error unmarshaling result: it is no answer to a query, and {kept_back}"),
        ),
        (
            200,
            r#"{"status":"MARKER","data":"MARKER"}"#.to_owned(),
            format!("error unmarshaling result: it is no answer to a query, and {kept_back}"),
        ),
        (200, r#"{"status":"error","error":"MARKER"}"#.to_owned(), format!("error response: {kept_back}")),
        (403, "MARKER".to_owned(), format!("error response: Status 403 Forbidden: {kept_back}")),
    ] {
        let reply = Reply { private: true, ..Reply::new(status, body) };
        assert_eq!(kept(&reply, provider.parse(&reply)).expect_err("no number").to_string(), expect);
    }
    let good = Reply { private: true, ..Reply::new(200, vector(r#"{"value":[1,"7"]}"#)) };
    assert_eq!(provider.parse(&good), Ok(7.0));
}

#[test]
fn credentials_appear_in_no_debug_output() {
    for data in [vec![("token", "MARKER")], vec![("username", "MARKER"), ("password", "MARKER")]] {
        let provider = server(&[], Some(&data)).expect("provider");
        let request = provider.instant("x");
        assert!(!format!("{provider:?} {request:?} {:?}", request.headers).contains("MARKER"));
    }
    let provider = Prometheus::at("http://u:MARKER@p/?t=MARKER").expect("provider");
    assert_eq!(format!("{provider:?}"), "Prometheus(prometheus at http://p/)");
}
