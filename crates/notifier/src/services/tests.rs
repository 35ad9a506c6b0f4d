//! Each service against a small server that checks the request as the service's documentation has it, and answers as
//! the service does.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use vexil_analysis::AlertSeverity;
use vexil_api::AlertProviderSpec;
use vexil_egress::{Egress, Secret};

use crate::{Alert, Destination, NotifierCatalog, Rejection, Scope, send};

/// One request as the server reads it.
struct Received {
    /// Method and path.
    line: String,
    /// All header lines, in lower case.
    head: String,
    body: Value,
}

/// Answers one request with these bytes, and returns it.
async fn serve(listener: TcpListener, reply: &str) -> Received {
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let mut seen = Vec::new();
    let end = loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.expect("a request");
        seen.extend_from_slice(&buffer[..read]);
        if let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&seen[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.expect("a length").parse().expect("a number");
            if seen.len() >= end + 4 + length {
                break end;
            }
        }
    };
    let text = String::from_utf8_lossy(&seen[..end]).into_owned();
    stream.write_all(reply.as_bytes()).await.expect("sent");
    let line = text.lines().next().expect("a line").trim_end_matches(" HTTP/1.1").to_owned();
    let body = serde_json::from_slice(&seen[end + 4..]).expect("JSON");
    Received { line, head: text.to_lowercase(), body }
}

/// What a service receives, and whether it accepted.
async fn delivered(
    type_: &str,
    path: &str,
    token: Option<&str>,
    alert: &Alert,
    reply: &str,
) -> (Received, Result<(), Rejection>) {
    // Fails only when another test has installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}{path}", listener.local_addr().expect("an address"));
    let spec = AlertProviderSpec {
        type_: type_.to_owned(),
        channel: Some("on-call".to_owned()),
        ..AlertProviderSpec::default()
    };
    let to = Destination::of(&spec, &address, token.map(Secret::new)).expect("a destination");
    let catalog = NotifierCatalog::default();
    let notifier = catalog.notifier(type_).expect("a known type");
    let egress = Egress::new().expect("a client");
    let (received, sent) = tokio::join!(serve(listener, reply), send(&egress, notifier, &to, alert));
    (received, sent)
}

fn alert(severity: AlertSeverity) -> Alert {
    Alert::new("podinfo", "test", severity, "rate 97% < 99% & more")
        .with_field("Target", "Deployment/podinfo.test")
}

/// An alert of this severity reaches the path of a service with this body.
async fn check(
    type_: &str,
    (path, expect_path): (&str, &str),
    severity: AlertSeverity,
    reply: &str,
    expect: Value,
) {
    let (received, sent) = delivered(type_, path, None, &alert(severity), reply).await;
    assert_eq!(received.line, format!("POST {expect_path}"), "{type_}");
    assert!(received.head.contains("\r\ncontent-type: application/json\r\n"), "{}", received.head);
    assert!(!received.head.contains("authorization"), "{}", received.head);
    assert_eq!(received.body, expect, "{type_}");
    assert_eq!(sent, Ok(()), "{type_}");
}

fn attachment(colour: &str, text: &str) -> Value {
    json!({
        "channel": "on-call", "username": "flagger", "icon_url": "", "icon_emoji": ":rocket:",
        "attachments": [{
            "color": colour, "author_name": "podinfo.test", "text": text, "mrkdwn_in": ["text"],
            "fields": [{"title": "Target", "value": "Deployment/podinfo.test", "short": false}],
        }],
    })
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const ACCEPTED: &str = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
const ONE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1";
const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[tokio::test]
async fn each_service_gets_the_message_that_it_documents() {
    use AlertSeverity::{Error, Info, Warn};
    let plain = "rate 97% < 99% & more";
    let escaped = "rate 97% &lt; 99% &amp; more";
    let slack = ("/services/T0/B0/x", "/services/T0/B0/x");
    check("slack", slack, Info, OK, attachment("good", escaped)).await;
    check("slack", slack, Warn, OK, attachment("good", escaped)).await;
    check("slack", slack, Error, OK, attachment("danger", escaped)).await;
    let path = ("/api/webhooks/1/x?thread_id=2", "/api/webhooks/1/x/slack?thread_id=2");
    check("discord", path, Info, NO_CONTENT, attachment("good", plain)).await;
    let path = ("/api/webhooks/1/x/slack", "/api/webhooks/1/x/slack");
    check("discord", path, Error, OK, attachment("danger", plain)).await;
    check("rocket", ("/hooks/1/x", "/hooks/1/x"), Warn, OK, attachment("#0076D7", plain)).await;
    check("rocket", ("/hooks/1/x", "/hooks/1/x"), Error, OK, attachment("#FF0000", plain)).await;
    let card = |colour: &str| {
        json!({
            "@type": "MessageCard", "@context": "http://schema.org/extensions", "themeColor": colour,
            "summary": "podinfo.test",
            "sections": [{
                "activityTitle": plain, "activitySubtitle": "podinfo.test",
                "facts": [{"name": "Target", "value": "Deployment/podinfo.test"}],
            }],
        })
    };
    check("msteams", ("/webhookb2/x", "/webhookb2/x"), Info, ONE, card("0076D7")).await;
    check("msteams", ("/webhookb2/x", "/webhookb2/x"), Error, ONE, card("FF0000")).await;
    let text = |text: &str| json!({"widgets": [{"textParagraph": {"text": text}}]});
    let cards = json!({"cards": [{
        "header": {"title": "Flagger", "subtitle": "podinfo.test", "imageUrl": "https://flagger.app/favicon.png"},
        "sections": [
            text(&format!("<font color=#848484><strong>{escaped}</strong></font>")),
            text("Target<br><font color=#848484><strong>Deployment/podinfo.test</strong></font>"),
        ],
    }]});
    check("gchat", ("/v1/spaces/A/messages?key=k", "/v1/spaces/A/messages?key=k"), Error, OK, cards).await;
}

#[tokio::test]
async fn a_workflow_of_teams_gets_an_adaptive_card() {
    let path = "/workflows/0a1b/triggers/manual/paths/invoke?api-version=2016-06-01&sig=x";
    let (received, sent) = delivered("msteams", path, None, &alert(AlertSeverity::Error), ACCEPTED).await;
    assert_eq!((received.line, sent), (format!("POST {path}"), Ok(())));
    let attachment = &received.body["attachments"][0];
    assert_eq!(received.body["type"], "message");
    assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
    let card = &attachment["content"];
    assert_eq!((&card["type"], &card["version"]), (&json!("AdaptiveCard"), &json!("1.4")));
    assert_eq!(
        (&card["body"][0]["text"], &card["body"][0]["color"]),
        (&json!("rate 97% < 99% & more"), &json!("attention"))
    );
    assert_eq!(card["body"][1]["text"], "podinfo.test");
    assert_eq!(card["body"][2]["facts"], json!([{"title": "Target", "value": "Deployment/podinfo.test"}]));
    // A FactSet without facts is not valid.
    let bare = Alert::new("podinfo", "test", AlertSeverity::Info, "text");
    let (received, _) = delivered("msteams", path, None, &bare, ACCEPTED).await;
    assert_eq!(received.body["attachments"][0]["content"]["body"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_bot_token_is_sent_to_slack_and_to_no_other_service() {
    let good = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"ok\":true}";
    let path = "/api/chat.postMessage";
    let (received, sent) = delivered("slack", path, Some("xoxb-1"), &alert(AlertSeverity::Info), good).await;
    assert!(received.head.contains("\r\nauthorization: bearer xoxb-1"), "{}", received.head);
    assert_eq!((sent, &received.body["channel"]), (Ok(()), &json!("on-call")));
    let (received, _) = delivered("discord", "/x", Some("xoxb-1"), &alert(AlertSeverity::Info), OK).await;
    assert!(!received.head.contains("authorization"), "{}", received.head);
}

#[tokio::test]
async fn a_reply_says_whether_the_alert_or_the_service_is_the_problem() {
    use Scope::{Alert as OfAlert, Service};
    type Row = (&'static str, &'static str, &'static str, Option<(Scope, &'static str, Option<u64>)>);
    let rows: [Row; 19] = [
        ("slack", "200 OK", "ok", None),
        (
            "slack",
            "200 OK",
            r#"{"ok":false,"error":"invalid_auth"}"#,
            Some((Service, "200 OK: invalid_auth", None)),
        ),
        (
            "slack",
            "200 OK",
            r#"{"ok":false,"error":"msg_too_long"}"#,
            Some((OfAlert, "200 OK: msg_too_long", None)),
        ),
        ("slack", "200 OK", r#"{"ok":false}"#, Some((Service, "200 OK: not ok", None))),
        (
            "slack",
            "400 Bad Request",
            "invalid_payload",
            Some((OfAlert, "400 Bad Request: invalid_payload", None)),
        ),
        ("slack", "403 Forbidden", "invalid_token", Some((Service, "403 Forbidden: invalid_token", None))),
        ("slack", "410 Gone", "channel_is_archived", Some((Service, "410 Gone: channel_is_archived", None))),
        (
            "slack",
            "429 Too Many Requests\r\nretry-after: 30",
            "",
            Some((Service, "429 Too Many Requests", Some(30_000))),
        ),
        (
            "slack",
            "500 Oh",
            "at /services/T0/MARKER-B0/x",
            Some((Service, "500 Internal Server Error: at [hidden]", None)),
        ),
        (
            "slack",
            "302 Go\r\nlocation: https://h/services/T0/MARKER-B0/x",
            "",
            Some((Service, "HOST redirects (status 302), which is not followed", None)),
        ),
        (
            "discord",
            "429 Slow\r\nretry-after: 64.57",
            "{}",
            Some((Service, "429 Too Many Requests: {}", Some(65_000))),
        ),
        ("discord", "404 No", "", Some((Service, "404 Not Found", None))),
        ("rocket", "200 OK", r#"{"success":true}"#, None),
        ("rocket", "200 OK", r#"{"success":false}"#, Some((OfAlert, r#"200 OK: {"success":false}"#, None))),
        (
            "rocket",
            "400 Bad",
            r#"{"error":"[error-too-many-requests]"}"#,
            Some((Service, r#"400 Bad Request: {"error":"[error-too-many-requests]"}"#, None)),
        ),
        (
            "msteams",
            "200 OK",
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
            Some((
                Service,
                "200 OK: Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
                None,
            )),
        ),
        (
            "msteams",
            "200 OK",
            "Microsoft Teams endpoint returned HTTP error 413",
            Some((OfAlert, "200 OK: Microsoft Teams endpoint returned HTTP error 413", None)),
        ),
        ("gchat", "400 Bad", "", Some((OfAlert, "400 Bad Request", None))),
        (
            "gchat",
            "503 Busy\r\nretry-after: 99999999",
            "",
            Some((Service, "503 Service Unavailable", Some(3_600_000))),
        ),
    ];
    for (type_, status, body, expect) in rows {
        let reply = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let path = "/services/T0/MARKER-B0/x";
        let (received, sent) = delivered(type_, path, None, &alert(AlertSeverity::Info), &reply).await;
        let host =
            received.head.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host").to_owned();
        let seen = sent.err().map(|r| (r.scope, r.to_string().replace(&host, "HOST"), r.retry_after_ms));
        assert_eq!(
            seen,
            expect.map(|(scope, text, after)| (scope, text.to_owned(), after)),
            "{type_} {status}"
        );
    }
}
