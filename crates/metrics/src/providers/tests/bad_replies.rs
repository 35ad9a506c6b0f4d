//! Servers that refuse, fail, answer something else, or do not end.

use super::*;

/// The text of an error without what a provider puts before it.
async fn outcome(case: &Case, reply: Result<Reply, CallError>) -> String {
    let error = asked(case, &Script::new([reply])).await.expect_err("no number").to_string();
    assert!(!error.contains("MARKER"), "{error}");
    let before = ["error requesting cloudwatch: ", "error querying external metrics API: "];
    before.iter().fold(error, |error, before| error.replace(before, ""))
}

#[tokio::test]
async fn what_a_server_refuses_is_repeated_without_the_credentials() {
    for case in all() {
        for (status, line) in [
            (401, "401 Unauthorized"),
            (403, "403 Forbidden"),
            (429, "429 Too Many Requests"),
            (500, "500 Internal Server Error"),
            (503, "503 Service Unavailable"),
        ] {
            let got = outcome(&case, Ok(Reply::new(status, "key MARKER\n is wrong"))).await;
            assert_eq!(got, format!("error response: Status {line}: key [hidden]  is wrong"), "{}", case.0);
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_and_short() {
    for case in all() {
        for body in
            ["<html>MARKER</html>".to_owned(), "7".to_owned(), "[".repeat(100_000), "x".repeat(1 << 20)]
        {
            let got = outcome(&case, Ok(Reply::new(200, body))).await;
            let is_csv = case.1["address"] == "http://s.test" && case.0 == "influxdb";
            let expected =
                got.starts_with("error unmarshaling result: ") || is_csv && got == "no values found";
            assert!(expected && got.len() < 1_500, "{} {got}", case.0);
        }
        let gzip = Reply::new(200, vec![0x1f, 0x8b]).with_header("Content-Encoding", "gzip");
        let expect = "error unmarshaling result: reply is encoded as gzip, which was not requested";
        assert_eq!(outcome(&case, Ok(gzip)).await, expect, "{}", case.0);
    }
}

#[tokio::test]
async fn what_the_limits_end_is_an_error() {
    let host = || "s.test".to_owned();
    for case in all() {
        let limit = 1 << 20;
        let huge = CallError::TooLarge { host: host(), limit };
        let expect = "request failed: answer of s.test is larger than 1048576 bytes";
        assert_eq!(outcome(&case, Err(huge)).await, expect, "{}", case.0);
        let elsewhere =
            CallError::Redirected { host: host(), status: 302, to: "http://evil.test/".to_owned() };
        let expect =
            "request failed: s.test redirects to http://evil.test/ (status 302), which is not followed";
        assert_eq!(outcome(&case, Err(elsewhere)).await, expect, "{}", case.0);
        let slow = CallError::TimedOut { host: host(), after_ms: 5_000 };
        let expect = "request failed: no answer from s.test within 5000ms";
        assert_eq!(outcome(&case, Err(slow)).await, expect, "{}", case.0);
        let refused = CallError::Refused { address: host(), rule: "link-local addresses are not called" };
        let expect = "request failed: s.test is not allowed: link-local addresses are not called";
        assert_eq!(outcome(&case, Err(refused)).await, expect, "{}", case.0);
    }
}

#[tokio::test]
async fn of_a_private_reply_no_provider_repeats_a_word() {
    for case in all() {
        for status in [200, 403] {
            let reply = Reply { private: true, ..Reply::new(status, "INSIDE") };
            let got = outcome(&case, Ok(reply)).await;
            assert!(!got.contains("INSIDE"), "{} {got}", case.0);
        }
    }
}

#[tokio::test]
async fn a_probe_shows_whether_the_server_works() {
    let good = [
        r#"{"data":{"result":[{"value":[1,"1"]}]}}"#,
        "{}",
        "{}",
        r#"{"items":[]}"#,
        "[]",
        "",
        r#"{"results":[]}"#,
        r#"{"results":[]}"#,
        r#"{"data":{"actor":{"account":{"nrql":{"results":[]}}}}}"#,
        "{}",
        "{}",
    ];
    for (case, body) in all().iter().zip(good) {
        let provider = build(&block(case), Some(case.2)).expect(case.0);
        let ask = async |status: u16, body: &str| {
            let script = Script::new([Ok(Reply::new(status, body))]);
            provider.online(&environment(&script, &())).await.map_err(|error| error.to_string())
        };
        assert_eq!(ask(200, body).await, Ok(()), "{}", case.0);
        for status in [401, 500] {
            let error = ask(status, "MARKER").await.expect_err(case.0);
            assert!(
                error.contains("error response: Status ") && !error.contains("MARKER"),
                "{} {error}",
                case.0
            );
        }
    }
}
