//! The entries, the calls in their order, and what becomes of the server's answers.

use tokio::time::Instant;
use vexil_egress::Reply;

use super::*;
use crate::kinds::remote::stand_in::{StandIn, unreachable};

const REQUIRED: [(&str, &str); 4] =
    [("server", "http://ngrinder:8080"), ("clone", "7"), ("username", "admin"), ("passwd", "czNjcmV0")];

fn metadata(more: &[(&str, &str)]) -> Metadata {
    REQUIRED.iter().chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn ngrinder(more: &[(&str, &str)]) -> Ngrinder {
    Ngrinder::read(&metadata(more)).unwrap()
}

#[test]
fn an_entry_that_is_missing_or_wrong_is_named() {
    for (name, _) in REQUIRED {
        let mut entries = metadata(&[]);
        entries.remove(name);
        assert_eq!(
            Ngrinder::read(&entries).unwrap_err(),
            "server, clone, username and passwd are required metadata"
        );
    }
    for (entry, expect) in [
        (("server", "ngrinder"), "invalid url: address must begin with http:// or https://"),
        (("server", "ftp://x"), "invalid url: scheme ftp is not supported, only http and https are"),
        (("clone", "seven"), "metadata clone must be integer: invalid digit found in string"),
        (("passwd", "%"), "metadata password is invalid: Invalid symbol 37, offset 0."),
    ] {
        assert_eq!(Ngrinder::read(&metadata(&[entry])).unwrap_err(), expect);
    }
}

#[test]
fn the_interval_of_the_polls_is_the_one_that_is_written() {
    for (text, ms) in [("1s", 1_000), ("10s", 10_000), ("1m30s", 90_000), ("1ms", 100), ("soon", 1_000)] {
        assert_eq!(ngrinder(&[("pollInterval", text)]).poll_interval, Duration::from_millis(ms), "{text}");
    }
    assert_eq!(ngrinder(&[]).poll_interval, Duration::from_secs(1));
}

fn status(id: &str) -> String {
    format!(r#"{{"status":[{{"status_id":"{id}"}}]}}"#)
}

#[tokio::test(start_paused = true)]
async fn a_test_is_cloned_started_and_asked_for_until_it_is_done() {
    let server = StandIn::new([
        Ok(Reply::new(200, r#"{"id":42}"#)),
        Ok(Reply::new(200, status("TESTING"))),
        Err(unreachable()),
        Ok(Reply::new(200, status("FINISHED"))),
    ]);
    let (begun, mut ngrinder) = (Instant::now(), ngrinder(&[("pollInterval", "10s")]));
    assert_eq!(ngrinder.run(&server).await, Ok(()));
    assert_eq!(begun.elapsed().as_secs(), 30, "three polls");
    ngrinder.stop(&server).await;
    let poll = "Get http://ngrinder:8080/perftest/api/42/status";
    let start = "Post http://ngrinder:8080/perftest/api/7/clone_and_start";
    assert_eq!(server.calls(), [start, poll, poll, poll], "and nothing is left to be stopped");
    for request in server.asked() {
        let key = request.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
        assert_eq!(key.1.expose(), "Basic YWRtaW46czNjcmV0");
    }
}

#[tokio::test(start_paused = true)]
async fn a_test_that_does_not_end_well_is_a_failure() {
    let started = r#"{"id":42}"#;
    for (start, poll, expect) in [
        (started, status("STOP_BY_ERROR"), "ngrinder test 42 ended as STOP_BY_ERROR"),
        (started, status("CANCELED"), "ngrinder test 42 ended as CANCELED"),
        (started, status("UNKNOWN"), "ngrinder test 42 ended as UNKNOWN"),
        (started, r#"{"success":false,"message":"no agents"}"#.to_owned(), "ngrinder refused: no agents"),
        (started, r#"{"status":{}}"#.to_owned(), "ngrinder answered without the status of test 42"),
        (
            started,
            r#"{"status":[{"status_id":3}]}"#.to_owned(),
            "ngrinder answered without the status of test 42",
        ),
        (r#"{"success":false}"#, String::new(), "ngrinder refused: no reason given"),
        (r#"{"id":"42"}"#, String::new(), "ngrinder answered without a numeric id"),
        (r#"{"id":-1}"#, String::new(), "ngrinder answered without a numeric id"),
        ("[]", String::new(), "ngrinder answered without a numeric id"),
    ] {
        let server = StandIn::saying(&[start, &poll]);
        assert_eq!(ngrinder(&[]).run(&server).await, Err(expect.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_test_without_a_waiting_caller_is_stopped() {
    let server = StandIn::saying(&[r#"{"id":42}"#, &status("TESTING")]);
    let mut ngrinder = ngrinder(&[]);
    let ended = tokio::time::timeout(Duration::from_secs(5), ngrinder.run(&server)).await;
    assert!(ended.is_err());
    // The stand-in does not answer, and a stop does not wait for ever: that is for the transport to see to.
    let stopping = tokio::time::timeout(Duration::from_secs(60), ngrinder.stop(&server)).await;
    assert!(stopping.is_err());
    assert_eq!(server.calls().last().unwrap(), "Put http://ngrinder:8080/perftest/api/42?action=stop");
    assert_eq!(server.asked().last().unwrap().deadline_ms, STOP_MS);
}

#[test]
fn logs_name_the_test_and_no_secret() {
    let shown = ngrinder(&[("server", "http://user:password@ngrinder/x/")]).shown();
    assert_eq!(shown, "ngrinder http://ngrinder/x/perftest/api/7");
    assert!(!format!("{:?}", ngrinder(&[])).contains("YWRtaW46"));
}
