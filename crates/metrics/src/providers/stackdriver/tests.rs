//! Tokens first, then queries, and values of every type.

use super::*;
use crate::providers::tests::{Script, build, environment, line, query};

const TOKEN: &str = r#"{"access_token":"MARKER","expires_in":3599,"token_type":"Bearer"}"#;

fn series(values: &str) -> String {
    format!(
        r#"{{"timeSeriesDescriptor":{{}},"timeSeriesData":[{{"labelValues":[],"pointData":[{{"values":[{values}]}}]}}]}}"#
    )
}

async fn asked(
    secret: Option<&[(&str, &str)]>,
    replies: &[(u16, &str)],
) -> (Result<f64, String>, Vec<String>) {
    let script = Script::new(replies.iter().map(|(status, body)| Ok(Reply::new(*status, *body))));
    let provider = build(&json!({"type": "stackdriver"}), secret).expect("provider");
    let result = provider.query(&environment(&script, &()), &query("fetch x")).await;
    let seen = script.seen.into_inner().expect("lock");
    (result.map_err(|error| error.to_string()), seen.iter().map(line).collect())
}

#[tokio::test]
async fn the_operators_own_token_is_for_a_project_of_the_secret_or_its_own() {
    let of_metadata = "GET http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token \
                       | Metadata-Flavor: Google";
    let asks = |project: &str| {
        format!(
            "POST https://monitoring.googleapis.com/v3/projects/{project}/timeSeries:query | Authorization: Bearer \
             MARKER | Content-Type: application/json | {{\"query\":\"fetch x\"}}"
        )
    };
    let double = series(r#"{"doubleValue":100}"#);
    let (got, seen) = asked(Some(&[("project", "p")]), &[(200, TOKEN), (200, &double)]).await;
    assert_eq!((got, seen), (Ok(100.0), vec![of_metadata.to_owned(), asks("p")]));
    let (got, seen) = asked(None, &[(200, TOKEN), (200, "mine\n"), (200, &double)]).await;
    let project =
        "GET http://169.254.169.254/computeMetadata/v1/project/project-id | Metadata-Flavor: Google";
    assert_eq!((got, seen), (Ok(100.0), vec![of_metadata.to_owned(), project.to_owned(), asks("mine")]));
}

#[tokio::test]
async fn values_of_numbers_are_read_and_others_are_errors() {
    let two = r#"{"timeSeriesData":[{"pointData":[{"values":[{"doubleValue":1}]}]},{"pointData":[{"values":[{"doubleValue":2}]}]}]}"#;
    for (body, expect) in [
        (series(r#"{"int64Value":"12"}"#), Ok(12.0)),
        (r#"{"timeSeriesData":[]}"#.to_owned(), Err("no values found")),
        ("{}".to_owned(), Err("no values found")),
        (two.to_owned(), Err("query returned 2 series where one is needed, aggregate them")),
    ] {
        let (got, _) = asked(Some(&[("project", "p")]), &[(200, TOKEN), (200, &body)]).await;
        assert_eq!(got, expect.map_err(str::to_owned), "{body}");
    }
    let odd = series(r#"{"distributionValue":{}}"#);
    let (got, _) = asked(Some(&[("project", "p")]), &[(200, TOKEN), (200, &odd)]).await;
    let error = got.expect_err("no number");
    assert!(
        error.starts_with("error unmarshaling result: value is neither a double nor an int64, "),
        "{error}"
    );
    let (got, _) =
        asked(Some(&[("project", "p")]), &[(200, TOKEN), (200, &series(r#"{"doubleValue":"NaN"}"#))]).await;
    assert!(got.is_ok_and(f64::is_nan), "counted as no value by the check");
}

#[tokio::test]
async fn refusals_of_both_steps_are_told_apart() {
    let project: Option<&[(&str, &str)]> = Some(&[("project", "p")]);
    for (replies, expect) in [
        (
            vec![(404, "x")],
            "error requesting stackdriver: error response: Status 404 Not Found: from the metadata server",
        ),
        (
            vec![(200, "MARKER")],
            "error requesting stackdriver: the metadata server has no token for the operator",
        ),
        (
            vec![(200, TOKEN), (403, "no")],
            "error requesting stackdriver: error response: Status 403 Forbidden: no",
        ),
        (
            vec![(200, TOKEN), (429, "no")],
            "error requesting stackdriver: error response: Status 429 Too Many Requests: no",
        ),
        (
            vec![(200, TOKEN), (500, "no")],
            "error requesting stackdriver: error response: Status 500 Internal Server Error: no",
        ),
    ] {
        let (got, _) = asked(project, &replies).await;
        assert_eq!(got, Err(expect.to_owned()));
    }
}

#[tokio::test]
async fn an_empty_query_that_is_refused_shows_a_service_that_works() {
    for (status, works) in [(200, true), (400, true), (401, false), (403, false), (500, false)] {
        let script = Script::new([Ok(Reply::new(200, TOKEN)), Ok(Reply::new(status, "{}"))]);
        let provider = build(&json!({"type": "stackdriver"}), Some(&[("project", "p")])).expect("provider");
        assert_eq!(provider.online(&environment(&script, &())).await.is_ok(), works, "{status}");
    }
}
