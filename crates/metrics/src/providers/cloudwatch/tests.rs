//! The signature, pages, and the keys of the operator's pod.

use std::collections::BTreeMap;

use super::*;
use crate::{
    Platform,
    providers::tests::{NOW_MS, Script, build, environment, query},
};

/// A pod with these variables; each file holds its own name.
struct Pod(BTreeMap<&'static str, &'static str>);

impl Platform for Pod {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| (*value).to_owned())
    }

    fn file(&self, path: &str) -> Option<String> {
        (path != "/absent").then(|| format!("token of {path}\n"))
    }
}

const QUERY: &str = r#"[{"Id":"e1","Expression":"m1"}]"#;
const VALUE: &str = r#"{"MetricDataResults":[{"Id":"e1","Values":[7]}]}"#;

fn header<'r>(request: &'r Request, name: &str) -> &'r str {
    let found = request.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.expose()).unwrap_or_default()
}

async fn asked(pod: &Pod, replies: &[(u16, &str)]) -> (Result<f64, String>, Vec<Request>) {
    let script = Script::new(replies.iter().map(|(status, body)| Ok(Reply::new(*status, *body))));
    let provider = build(&json!({"type": "cloudwatch", "region": "eu-west-1"}), None).expect("provider");
    let result = provider.query(&environment(&script, pod), &query(QUERY)).await;
    (result.map_err(|error| error.to_string()), script.seen.into_inner().expect("lock"))
}

#[tokio::test]
async fn requests_are_signed_with_static_keys() {
    let pod =
        Pod([("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "k"), ("AWS_SESSION_TOKEN", "s")]
            .into());
    let (got, seen) = asked(&pod, &[(200, VALUE)]).await;
    assert_eq!(got, Ok(7.0));
    let authorization = header(&seen[0], "authorization");
    let expect = "AWS4-HMAC-SHA256 Credential=AKID/20231114/eu-west-1/monitoring/aws4_request, SignedHeaders=\
                  content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=";
    assert!(authorization.starts_with(expect), "{authorization}");
    assert_eq!(authorization.len(), expect.len() + 64);
    assert_eq!(
        (header(&seen[0], "x-amz-date"), header(&seen[0], "x-amz-security-token")),
        ("20231114T221320Z", "s")
    );
    let body: Value = serde_json::from_slice(&seen[0].body).expect("json");
    let expect = json!({"MetricDataQueries": [{"Id": "e1", "Expression": "m1"}], "StartTime": NOW_MS / 1_000 - 600,
                        "EndTime": NOW_MS / 1_000, "MaxDatapoints": 20});
    assert_eq!(body, expect);
}

#[tokio::test]
async fn a_role_of_the_service_account_is_assumed_first() {
    let pod =
        Pod([("AWS_ROLE_ARN", "arn:aws:iam::1:role/v"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token")].into());
    let issued = r#"{"AssumeRoleWithWebIdentityResponse":{"AssumeRoleWithWebIdentityResult":{"Credentials":
        {"AccessKeyId":"ASIA","SecretAccessKey":"k","SessionToken":"s","Expiration":1.7E9}}}}"#;
    let (got, seen) = asked(&pod, &[(200, issued), (200, VALUE)]).await;
    assert_eq!(got, Ok(7.0));
    assert_eq!((seen[0].url.as_str(), seen[0].own), ("https://sts.eu-west-1.amazonaws.com/", false));
    assert_eq!(
        String::from_utf8_lossy(&seen[0].body),
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fv\
         &RoleSessionName=vexil&WebIdentityToken=token+of+%2Ftoken"
    );
    assert!(header(&seen[1], "authorization").contains("Credential=ASIA/"));
    let (got, _) = asked(&pod, &[(403, "denied")]).await;
    let text =
        "error requesting cloudwatch: error response: Status 403 Forbidden: its text is not repeated here";
    assert_eq!(got, Err(text.to_owned()));
}

#[tokio::test]
async fn keys_of_the_pod_come_from_an_address_of_the_platform() {
    let pod = Pod([
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/pod"),
    ]
    .into());
    let issued =
        r#"{"AccessKeyId":"ASIA","SecretAccessKey":"k","Token":"s","Expiration":"2026-01-01T00:00:00Z"}"#;
    let (got, seen) = asked(&pod, &[(200, issued), (200, VALUE)]).await;
    assert_eq!(got, Ok(7.0));
    assert_eq!((seen[0].url.as_str(), seen[0].own), ("http://169.254.170.23/v1/credentials", true));
    assert_eq!((header(&seen[0], "authorization"), seen[1].own), ("token of /pod", false));
}

#[tokio::test]
async fn without_keys_the_message_says_where_they_are_looked_for() {
    let (got, _) = asked(&Pod(BTreeMap::new()), &[]).await;
    let text = "error requesting cloudwatch: the template has no secretRef, and the operator has no keys of its own \
                (AWS_ACCESS_KEY_ID, AWS_ROLE_ARN or AWS_CONTAINER_CREDENTIALS_FULL_URI)";
    assert_eq!(got, Err(text.to_owned()));
    let pod = Pod([("AWS_ROLE_ARN", "r"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/absent")].into());
    let (got, _) = asked(&pod, &[]).await;
    let text = "error requesting cloudwatch: the file that AWS_WEB_IDENTITY_TOKEN_FILE names cannot be read";
    assert_eq!(got, Err(text.to_owned()));
}

#[tokio::test]
async fn pages_are_read_until_one_has_a_value() {
    let pod = Pod([("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "k")].into());
    let empty = r#"{"MetricDataResults":[{"Id":"e1","Values":[]}],"NextToken":"n"}"#;
    let (got, seen) = asked(&pod, &[(200, empty), (200, VALUE)]).await;
    assert_eq!((got, seen.len()), (Ok(7.0), 2));
    assert!(String::from_utf8_lossy(&seen[1].body).contains(r#""NextToken":"n""#));
    let (got, seen) = asked(&pod, &[(200, empty); MOST_PAGES]).await;
    assert_eq!((got, seen.len()), (Err("no values found".to_owned()), MOST_PAGES));
}
