//! Hooks that misbehave, on virtual time.

use std::sync::Mutex;

use async_trait::async_trait;
use tokio::time::Instant;
use vexil_api::Webhook;

use super::*;

/// What a hook does when it is asked.
#[derive(Clone, Copy)]
enum Does {
    Says(u16, &'static str),
    Asks(u16, &'static str),
    AsksUntil(&'static str),
    Hangs,
    IsDown,
    Redirects,
    IsForbidden,
    SendsTooMuch,
    SaysAtLength(u16),
}
use Does::*;

/// A hook that does one thing after the other, the last one for ever.
struct Script {
    acts: Vec<Does>,
    seen: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Script {
    async fn call(&self, request: Request) -> Result<Reply, CallError> {
        let (nth, deadline_ms) = {
            let mut seen = self.seen.lock().expect("lock");
            let deadline_ms = request.deadline_ms;
            seen.push(request);
            (seen.len() - 1, deadline_ms)
        };
        let host = || "hooks".to_owned();
        match self.acts[nth.min(self.acts.len() - 1)] {
            Says(status, body) => Ok(Reply::new(status, body)),
            Asks(status, after) => Ok(Reply::new(status, "busy").with_header("Retry-After", after)),
            AsksUntil(date) => Ok(Reply::new(503, "busy")
                .with_header("Retry-After", date)
                .with_header("Date", "Wed, 21 Oct 2015 07:28:00 GMT")),
            Hangs => {
                sleep(Duration::from_millis(deadline_ms)).await;
                Err(CallError::TimedOut { host: host(), after_ms: deadline_ms })
            }
            IsDown => Err(CallError::Unreachable { host: host(), cause: "connection refused".to_owned() }),
            Redirects => {
                Err(CallError::Redirected { host: host(), status: 302, to: "http://login/".to_owned() })
            }
            IsForbidden => {
                Err(CallError::Refused { address: "169.254.169.254".to_owned(), rule: "it is link-local" })
            }
            SaysAtLength(status) => Ok(Reply::new(status, vec![b'x'; 65_536])),
            SendsTooMuch => Ok(Reply { truncated: true, ..Reply::new(200, vec![b'x'; 65_536]) }),
        }
    }
}

/// Sends with a timeout of 5 s; returns the outcome, the seconds that passed and the requests that were made.
async fn check(acts: &[Does], retries: i64, expect: &str, seconds: f32, requests: usize) {
    let hook = Hook::of(&Webhook {
        url: "http://u:MARKER@hooks/gate?token=MARKER".to_owned(),
        timeout: Some("5s".to_owned()),
        retries: Some(retries),
        ..Webhook::default()
    })
    .expect("hook");
    let script = Script { acts: acts.to_vec(), seen: Mutex::default() };
    let start = Instant::now();
    let outcome = match send(&script, &hook, &Payload::default()).await {
        Ok(()) => "yes".to_owned(),
        Err(error @ HookError::Refused { .. }) => format!("no: {error}"),
        Err(error) => format!("lost: {error}"),
    };
    assert_eq!(outcome, expect);
    let passed = start.elapsed();
    assert_eq!(passed.as_secs_f32(), seconds, "{expect}");
    assert!(passed <= Duration::from_millis(hook.budget_ms()), "{expect}");
    assert_eq!(script.seen.lock().expect("lock").len(), requests, "{expect}");
}

#[tokio::test(start_paused = true)]
async fn every_2xx_means_yes_and_everything_else_is_reported_with_its_words() {
    check(&[Says(200, "OK")], 0, "yes", 0.0, 1).await;
    check(&[Says(204, "")], 0, "yes", 0.0, 1).await;
    check(&[Says(299, "")], 0, "yes", 0.0, 1).await;
    check(&[SendsTooMuch], 0, "yes", 0.0, 1).await;
    check(&[Says(403, " not \x1b[1m yet\r\n")], 3, "no: not  [1m yet (status 403)", 0.0, 1).await;
    check(&[Says(400, "")], 0, "no: status 400", 0.0, 1).await;
    check(&[Says(304, "")], 0, "no: status 304", 0.0, 1).await;
    check(&[Says(501, "never")], 3, "no: never (status 501)", 0.0, 1).await;
    check(&[Says(500, "broken")], 0, "no: broken (status 500)", 0.0, 1).await;
    check(&[Redirects], 3, "no: redirects to http://login/, which is not followed (status 302)", 0.0, 1)
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_long_refusal_is_cut_and_still_tells_the_status() {
    let expect = format!("no: {}… (64794 bytes left out) (status 403)", "x".repeat(742));
    check(&[SaysAtLength(403)], 0, &expect, 0.0, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_cannot_be_asked_is_lost_and_not_a_no() {
    check(&[Hangs], 0, "lost: no answer from hooks within 5000ms", 5.0, 1).await;
    check(&[Hangs], 2, "lost: no answer from hooks within 5000ms after 3 attempts", 18.0, 3).await;
    check(&[IsDown], 1, "lost: no answer from hooks: connection refused after 2 attempts", 1.0, 2).await;
    check(&[IsForbidden], 5, "lost: 169.254.169.254 is not allowed: it is link-local", 0.0, 1).await;
}

#[tokio::test(start_paused = true)]
async fn retries_wait_longer_each_time_and_end_with_the_first_yes() {
    check(&[IsDown, Says(503, ""), Says(200, "")], 5, "yes", 3.0, 3).await;
    check(&[Says(429, "slow down")], 2, "no: slow down (status 429 after 3 attempts)", 3.0, 3).await;
    check(&[Says(500, "a"), Says(400, "b")], 9, "no: b (status 400 after 2 attempts)", 1.0, 2).await;
    check(&[Says(503, "")], 7, "no: status 503 after 8 attempts", 91.0, 8).await;
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_heeded_as_far_as_the_budget_goes() {
    check(&[Asks(503, "3"), Says(200, "")], 1, "yes", 3.0, 2).await;
    check(&[Asks(429, "0"), Says(200, "")], 1, "yes", 0.0, 2).await;
    check(&[Asks(500, "9"), Says(200, "")], 1, "yes", 1.0, 2).await;
    check(&[Asks(503, "soon"), Says(200, "")], 1, "yes", 1.0, 2).await;
    check(&[AsksUntil("Wed, 21 Oct 2015 07:28:04 GMT"), Says(200, "")], 1, "yes", 4.0, 2).await;
    check(&[AsksUntil("Wed, 21 Oct 2015 07:27:00 GMT"), Says(200, "")], 1, "yes", 0.0, 2).await;
    // One retry of 5 s: a budget of 22 s, of which the two attempts may need 10.
    check(&[Asks(503, "86400")], 1, "no: busy (status 503 after 2 attempts)", 12.0, 2).await;
    check(&[Asks(503, "18446744073709551615")], 1, "no: busy (status 503 after 2 attempts)", 12.0, 2).await;
}

#[tokio::test(start_paused = true)]
async fn the_request_has_the_payload_and_the_key() {
    let hook = Hook::at("http://hooks/gate").expect("hook");
    let script = Script { acts: vec![Says(200, "")], seen: Mutex::default() };
    let payload = Payload { name: "podinfo".to_owned(), key: Some("k-1".to_owned()), ..Payload::default() };
    send(&script, &hook, &payload).await.expect("yes");
    let seen = script.seen.lock().expect("lock");
    let headers: Vec<_> =
        seen[0].headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(headers, [("Content-Type", "application/json"), ("Idempotency-Key", "k-1")]);
    assert_eq!(seen[0].body, br#"{"name":"podinfo","namespace":"","phase":"","checksum":""}"#);
    assert_eq!((seen[0].deadline_ms, seen[0].redirects), (10_000, vexil_egress::Redirects::Refuse));
}
