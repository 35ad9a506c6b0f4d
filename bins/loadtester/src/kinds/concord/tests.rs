//! The entries, the form, and what becomes of the server's answers.

use std::path::PathBuf;

use tokio::time::Instant;
use vexil_egress::Reply;

use super::*;
use crate::kinds::remote::stand_in::{StandIn, unreachable};

const REQUIRED: [(&str, &str); 7] = [
    ("server", "https://concord.example.com/"),
    ("org", "acme"),
    ("project", "shop"),
    ("repo", "main"),
    ("entrypoint", "check"),
    ("apiKeyPath", "/"),
    ("endpoint", "http://podinfo-canary.test"),
];

fn metadata(more: &[(&str, &str)]) -> Metadata {
    REQUIRED.iter().chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn check_defect(entries: &[(&str, &str)], expect: &str) {
    assert_eq!(Concord::read(&metadata(entries)).unwrap_err(), expect, "{entries:?}");
}

#[test]
fn an_entry_that_is_missing_or_wrong_is_named() {
    for (name, _) in REQUIRED {
        let mut entries = metadata(&[]);
        entries.remove(name);
        assert_eq!(Concord::read(&entries).unwrap_err(), format!("`{name}` is required with type concord"));
    }
    check_defect(&[("pollInterval", "5s")], "unable to convert `pollInterval` to int");
    check_defect(&[("pollTimeout", "-1")], "unable to convert `pollTimeout` to int");
    check_defect(
        &[("arguments.endpoint", "x")],
        "You cannot override Endpoint through arguments. You must override Endpoint directly",
    );
    check_defect(&[("server", "concord")], "address must begin with http:// or https://");
}

#[test]
fn the_form_has_the_fields_of_the_contract_in_its_order() {
    let names = |more: &[(&str, &str)]| -> Vec<String> {
        Concord::read(&metadata(more)).unwrap().fields.into_iter().map(|(name, _)| name).collect()
    };
    let always = ["org", "project", "repo", "entryPoint", "arguments.endpoint"];
    assert_eq!(names(&[("other", "x")]), always);
    assert_eq!(names(&[("arguments.test", "works")]), [&always[..], &["arguments.test"]].concat());
}

/// A file with a key in it.
struct Key(PathBuf);

impl Key {
    fn new(test: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vexil-concord-{}-{test}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Key(path)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

const STARTED: &str = r#"{"instanceId":"0f-1","ok":true}"#;

async fn check(test: &str, more: &[(&str, &str)], server: &StandIn, expect: Result<(), &str>) {
    let key = Key::new(test, "secret-key\n");
    let path = key.0.to_str().unwrap();
    let mut concord = Concord::read(&metadata(&[&[("apiKeyPath", path)], more].concat())).unwrap();
    assert_eq!(concord.run(server).await, expect.map_err(str::to_owned), "{test}");
}

#[tokio::test(start_paused = true)]
async fn a_process_is_started_and_asked_for_until_it_is_done() {
    let server = StandIn::new(vec![
        Ok(Reply::new(200, STARTED)),
        Ok(Reply::new(200, r#"{"status":"RUNNING"}"#)),
        Err(unreachable()),
        Ok(Reply::new(503, "later")),
        Ok(Reply::new(200, r#"{"status":"FINISHED"}"#)),
    ]);
    let begun = Instant::now();
    check("done", &[], &server, Ok(())).await;
    assert_eq!(begun.elapsed().as_secs(), 20, "four polls");
    let status = "Get https://concord.example.com/api/v1/process/0f-1";
    assert_eq!(
        server.calls(),
        ["Post https://concord.example.com/api/v1/process", status, status, status, status]
    );
    for request in server.asked() {
        let key = request.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
        assert_eq!(key.1.expose(), "secret-key", "without the line end");
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_does_not_end_well_is_a_failure() {
    for (status, expect) in [
        (r#"{"status":"FAILED"}"#, "concord instanceID: 0f-1 failed"),
        (r#"{"status":"CANCELLED"}"#, "concord instanceID: 0f-1 was cancelled"),
        (r#"{"status":"TIMED_OUT"}"#, "concord instanceID: 0f-1 timed out"),
        (r#"{"status":7}"#, "concord answered without a status"),
        ("[]", "concord answered without a status"),
    ] {
        check("ends", &[], &StandIn::saying(&[STARTED, status]), Err(expect)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_understood_is_shown() {
    for (reply, expect) in [
        (Reply::new(401, "who are you?"), "concord answered 401 Unauthorized: who are you?"),
        (Reply::new(200, "<html>"), "concord answered no JSON (expected value at line 1 column 1): <html>"),
        (Reply::new(200, r#"{"ok":false}"#), "concord did not start the process"),
        (Reply::new(200, r#"{"instanceId":7}"#), "concord answered without an instanceId"),
        (Reply::new(200, r#"{"instanceId":"../x"}"#), "concord answered without an instanceId"),
    ] {
        check("start", &[], &StandIn::new([Ok(reply)]), Err(expect)).await;
    }
    let expect = "no answer from server: connection refused";
    check("start", &[], &StandIn::new([Err(unreachable())]), Err(expect)).await;
}

#[tokio::test(start_paused = true)]
async fn the_time_for_polling_counts_from_the_start() {
    let running = r#"{"status":"RUNNING"}"#;
    let begun = Instant::now();
    check(
        "slow",
        &[("pollInterval", "1"), ("pollTimeout", "3")],
        &StandIn::saying(&[STARTED, running, running, running]),
        Err("concord process timed out, after 3 seconds"),
    )
    .await;
    assert_eq!(begun.elapsed().as_secs(), 3);
}

#[tokio::test]
async fn a_key_that_is_not_there_is_a_failure() {
    let absent = metadata(&[("apiKeyPath", "/no/such/key")]);
    let result = Concord::read(&absent).unwrap().run(&StandIn::saying(&[])).await;
    assert_eq!(result, Err("`apiKeyPath` file doesn't exist /no/such/key".to_owned()));
    let folder = Concord::read(&metadata(&[])).unwrap().run(&StandIn::saying(&[])).await;
    assert!(folder.unwrap_err().starts_with("`apiKeyPath` file cannot be read: "));
}

#[test]
fn logs_name_the_process_and_no_secret() {
    let server = ("server", "https://user:password@concord.example.com");
    let shown = Concord::read(&metadata(&[server])).unwrap().shown();
    assert_eq!(shown, "concord https://concord.example.com/api/v1/process acme/shop/main/check");
}
