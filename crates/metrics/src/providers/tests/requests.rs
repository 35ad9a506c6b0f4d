//! What each provider sends, as the vendor documents it.

use super::*;

const EXPECT: [&str; 11] = [
    "GET http://s.test/prefix/api/v1/query?query=up | Authorization: Bearer MARKER",
    "GET https://api.datadoghq.com/api/v1/query?query=avg%3Aerrors%7Bservice%3Apodinfo%7D&from=1699999400&to=1700000000 \
     | DD-API-KEY: MARKER | DD-APPLICATION-KEY: app",
    "GET https://abc.live.dynatrace.com/api/v2/metrics/query?metricSelector=m%3Aavg&resolution=Inf&from=1699999400000\
     &to=1700000000000 | Authorization: Api-Token MARKER",
    "GET https://s.test/apis/external.metrics.k8s.io/v1beta1/namespaces/test/queue?labelSelector=app%3Dpodinfo \
     | Authorization: Bearer MARKER",
    "GET http://s.test/render?format=json&from=-1min&target=errors+ | Authorization: Basic dTpNQVJLRVI=",
    "POST http://s.test/api/v2/query?org=o | Authorization: Token MARKER | Content-Type: application/json \
     | Accept: application/csv | {\"dialect\":{\"annotations\":[\"datatype\",\"group\",\"default\"],\"delimiter\":\",\",\
     \"header\":true},\"query\":\"from(bucket: \\\"b\\\")\",\"type\":\"flux\"}",
    "GET http://s.test/query?db=telegraf&q=SELECT+mean%28x%29+FROM+y&epoch=ms | Authorization: Basic dTpNQVJLRVI=",
    "GET https://insights-api.newrelic.com/v1/accounts/51312/query?nrql=SELECT+average%28duration%29+FROM+Transaction\
     +SINCE+60+seconds+ago | X-Query-Key: MARKER",
    "POST https://api.newrelic.com/graphql | API-Key: MARKER | Content-Type: application/json | {\"query\":\"query($id: \
     Int!, $nrql: Nrql!) { actor { account(id: $id) { nrql(query: $nrql) { results } } } }\",\"variables\":{\"id\":51312,\
     \"nrql\":\"SELECT count(*) FROM Transaction since 1 minute ago\"}}",
    "POST https://stream.us1.signalfx.com/v2/signalflow/execute?start=1699999400000&stop=1700000000000&immediate=true \
     | X-SF-Token: MARKER | Content-Type: text/plain | data('x').publish()",
    // The signature is checked in the tests of CloudWatch.
    "POST https://monitoring.eu-west-1.amazonaws.com/ | Content-Type: application/x-amz-json-1.0 | X-Amz-Target: \
     GraniteServiceVersion20100801.GetMetricData",
];

#[tokio::test]
async fn each_provider_sends_what_its_vendor_documents() {
    for (case, expect) in all().iter().zip(EXPECT) {
        let script = Script::says("");
        let _ = asked(case, &script).await;
        let seen = script.seen.lock().expect("lock");
        let sent = line(&seen[0]);
        assert!(
            if case.0 == "cloudwatch" { sent.starts_with(expect) } else { sent == expect },
            "{sent}\n{expect}"
        );
        assert_eq!(
            (seen[0].max_reply_bytes, seen[0].skip_verify, seen[0].own),
            (1 << 20, false, false),
            "{sent}"
        );
    }
}

#[tokio::test]
async fn headers_and_tls_options_are_those_of_the_template_for_every_provider() {
    let ca = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----";
    for case in all() {
        let mut block = block(&case);
        block["headers"] = json!({"X-Scope-OrgID": ["tenant"], "authorization": ["mine"]});
        block["insecureSkipVerify"] = json!(true);
        let secret: Vec<_> = case.2.iter().copied().chain([("ca.crt", ca)]).collect();
        let provider = build(&block, Some(&secret)).expect(case.0);
        let script = Script::says("");
        let _ = provider.query(&environment(&script, &()), &query(case.3)).await;
        let seen = script.seen.lock().expect("lock");
        let request = &seen[0];
        assert_eq!((request.ca.as_deref(), request.skip_verify), (Some(ca), true), "{}", case.0);
        let values =
            |name: &str| request.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).count();
        assert_eq!((values("x-scope-orgid"), values("authorization")), (1, 1), "{}", case.0);
    }
}

#[track_caller]
fn refused(provider: Value, secret: Option<&[(&str, &str)]>, expect: &str) {
    let error = build(&provider, secret).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some(expect), "{provider}");
}

#[test]
fn a_block_that_cannot_be_used_says_what_is_missing() {
    for (kind, first, what) in [
        ("datadog", json!({}), "datadog_api_key"),
        ("newrelic", json!({}), "the key 'newrelic_account_id'"),
        ("dynatrace", json!({"address": "http://s.test"}), "dynatrace_token"),
        ("splunk", json!({"address": "http://s.test"}), "sf_token_key"),
    ] {
        let mut block = first;
        block["type"] = json!(kind);
        let expect = format!("{kind} credentials does not contain {what}");
        refused(block.clone(), None, &expect);
        refused(block, Some(&[]), &expect);
    }
    let of = |kind: &str, more: Value| {
        let mut block = more;
        block["type"] = json!(kind);
        block
    };
    let at = json!({"address": "http://s.test"});
    refused(of("dynatrace", json!({})), None, "dynatrace endpoint is not set");
    refused(of("splunk", json!({})), None, "splunk endpoint is not set");
    refused(of("graphite", json!({})), None, "graphite address  is not a valid URL");
    refused(of("graphite", json!({"address": ":::"})), None, "graphite address ::: is not a valid URL");
    refused(of("influxdb", json!({"address": "x"})), None, "influxdb address x is not a valid URL");
    refused(of("graphite", at.clone()), Some(&[]), "graphite credentials does not contain a username");
    refused(
        of("graphite", at.clone()),
        Some(&[("username", "u")]),
        "graphite credentials does not contain a password",
    );
    refused(
        of("influxdb", at.clone()),
        Some(&[]),
        "influxdb credentials does not contain an authentication token",
    );
    refused(
        of("influxdb", at.clone()),
        Some(&[("token", "t")]),
        "influxdb credentials does not contain an organisation",
    );
    refused(
        of("influxdb", json!({"address": "http://s.test?db=x"})),
        Some(&[]),
        "influxdb credentials does not contain a username",
    );
    refused(
        of("datadog", json!({})),
        Some(&[("datadog_api_key", "k")]),
        "datadog credentials does not contain datadog_application_key",
    );
    refused(
        of("newrelic", json!({})),
        Some(&[("newrelic_account_id", "1")]),
        "newrelic credentials does not contain the key ''newrelic_query_key",
    );
    refused(
        of("newrelic", json!({})),
        Some(&[("newrelic_account_id", "../1"), ("newrelic_query_key", "k")]),
        "newrelic credentials have a newrelic_account_id that is no number",
    );
    refused(of("cloudwatch", json!({})), None, "region not specified");
    refused(
        of("cloudwatch", json!({"region": "eu.evil.test/"})),
        None,
        "cloudwatch region may only hold small letters, digits and hyphens",
    );
    refused(
        of("cloudwatch", json!({"region": "eu-west-1", "address": "http://s.test"})),
        None,
        "cloudwatch address needs a secretRef: the operator's own keys are only sent to AWS",
    );
    refused(
        of("cloudwatch", json!({"region": "eu-west-1"})),
        Some(&[]),
        "cloudwatch credentials does not contain aws_access_key_id",
    );
    refused(of("stackdriver", json!({})), Some(&[]), "stackdriver credentials does not contain a project id");
    refused(
        of("stackdriver", json!({})),
        Some(&[("project", "p"), ("serviceAccountKey", "{}")]),
        "stackdriver credentials have a serviceAccountKey that is no JSON key of a service account",
    );
    refused(
        of("stackdriver", at.clone()),
        Some(&[("project", "p")]),
        "stackdriver address needs a serviceAccountKey in the secret: the operator's own token is only sent to Google",
    );
    refused(
        of("externalmetrics", json!({})),
        Some(&[("token", "t")]),
        "externalmetrics token needs an address: without one the operator's own rights are used",
    );
    refused(
        of("prometheus", at),
        Some(&[("ca.crt", "none")]),
        "prometheus credentials have a ca.crt that is no certificate in PEM form",
    );
    refused(
        of("carbon", json!({})),
        None,
        "metric provider type \"carbon\" is not supported by this version",
    );
}

#[test]
fn a_query_that_cannot_be_sent_is_found_before_the_first_rollout() {
    let many = "unexpected query format. query must be in the format \
                <keptnmetric|analysis>/<namespace>/<resourceName>/<duration>/<arguments>";
    for (provider, query, expect) in [
        (
            json!({"type": "graphite", "address": "http://s.test"}),
            "from=-1min",
            Some("graphite query has no target, as in target=summarize(...)&from=-1min"),
        ),
        (json!({"type": "graphite", "address": "http://s.test"}), "target=a\n", None),
        (
            json!({"type": "cloudwatch", "region": "eu-west-1"}),
            "[]",
            Some("error unmarshaling query: the list of metric data queries is empty"),
        ),
        (
            json!({"type": "cloudwatch", "region": "eu-west-1"}),
            "{}",
            Some("error unmarshaling query: a list of metric data queries is needed"),
        ),
        (json!({"type": "cloudwatch", "region": "eu-west-1"}), "[{\"Id\": \"a\"}]", None),
        (
            json!({"type": "externalmetrics"}),
            "a/b/c",
            Some(
                "error parsing metric query: malformed query string, too many slashes, expected <namespace>/<metric>",
            ),
        ),
        (
            json!({"type": "externalmetrics"}),
            "ns/",
            Some("error parsing metric query: metric name cannot be empty"),
        ),
        (
            json!({"type": "externalmetrics"}),
            "",
            Some("error parsing metric query: metric name cannot be empty"),
        ),
        (json!({"type": "externalmetrics"}), "ns/metric\n", None),
        (json!({"type": "keptn"}), "keptnmetric/ns", Some(many)),
        (json!({"type": "keptn"}), "keptnmetric/ns/../x", Some(many)),
        (
            json!({"type": "keptn"}),
            "slo/ns/x",
            Some(
                "unexpected resource kind provided in the query. must be one of: ['keptnmetric', 'analysis']",
            ),
        ),
        (json!({"type": "keptn"}), "Analysis/ns/x/5m/Foo=Bar", None),
    ] {
        let provider = build(&provider, None).expect("provider");
        let error = provider.check(query).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), expect, "{query}");
    }
}
