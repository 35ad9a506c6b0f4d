//! The program as it is run in a pod: real sockets, signals and processes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers outside of #[test] functions are not exempt by clippy.toml"
)]

mod tester;

use std::collections::BTreeMap;

use rustix::{
    io::Errno,
    process::{Pid, Signal, test_kill_process_group},
};
use tester::{Mark, Tester, task};

fn is_gone(group: Pid) -> bool {
    test_kill_process_group(group) == Err(Errno::SRCH)
}

#[test]
fn it_serves_and_ends_in_order() {
    let mut tester = Tester::start(&["-log-level=info"]);
    for (path, body, status, text) in [
        ("/healthz", "", 200, "OK"),
        ("/gate/approve", "", 200, "OK"),
        ("/gate/halt", "", 403, "Forbidden"),
        ("/gate/check", r#"{"name":"podinfo","namespace":"test"}"#, 403, "Forbidden"),
        ("/gate/open", r#"{"name":"podinfo","namespace":"test"}"#, 202, ""),
        ("/gate/check", r#"{"name":"podinfo","namespace":"test"}"#, 200, "Approved"),
        ("/rollback/check", r#"{"name":"podinfo","namespace":"test"}"#, 403, "Forbidden"),
        ("/", "", 400, "payload: EOF while parsing a value at line 1 column 0"),
    ] {
        assert_eq!(tester.post(path, body), (status, text.to_owned()), "{path}");
    }
    let (status, metrics) = tester.post("/metrics", "");
    assert_eq!(status, 200);
    assert!(metrics.ends_with("# EOF\n") && metrics.contains("vexil_loadtester_gates_open 1\n"), "{metrics}");
    tester.signal(Signal::TERM);
    assert_eq!(tester.exit_code(), Some(0));
    let log = tester.log();
    assert!(log.iter().any(|line| line["msg"] == "podinfo.test gate check: approved true"));
    assert_eq!(log.last().unwrap()["msg"], "stopped");
}

#[test]
fn a_stop_leaves_no_process_behind() {
    let mut tester = Tester::start(&[]);
    let (background, blocking) = (Mark::new("background"), Mark::new("blocking"));
    let script = |mark: &Mark| format!("sleep 1000 & echo $$ > {}; wait; sleep 1000", mark.path());
    assert_eq!(tester.post("/", &task(&[("cmd", &script(&background))])), (202, String::new()));
    let groups = [background.pid(), {
        let body = task(&[("type", "bash"), ("cmd", &script(&blocking))]);
        tester.send("/", &body);
        blocking.pid()
    }];
    assert!(!groups.iter().any(|group| is_gone(*group)));
    tester.signal(Signal::TERM);
    let (status, text) = tester.receive();
    assert_eq!(status, 500);
    assert!(text.ends_with(": it was ended before it was done"), "{text}");
    assert_eq!(tester.exit_code(), Some(0));
    assert!(groups.iter().all(|group| is_gone(*group)));
}

#[test]
fn what_left_its_group_is_buried_when_it_ends_and_ends_with_the_program() {
    let mut tester = Tester::start(&[]);
    let (short, long) = (Mark::new("short"), Mark::new("long"));
    let leaves = |mark: &Mark, then: &str| {
        let script = format!("setsid sh -c 'echo $$ > {}; {then}' >/dev/null 2>&1 &", mark.path());
        task(&[("type", "bash"), ("cmd", &script)])
    };
    assert_eq!(tester.post("/", &leaves(&long, "sleep 1000; true")).0, 200);
    assert_eq!(tester.post("/", &leaves(&short, "true")).0, 200);
    let (long, short) = (long.pid(), short.pid());
    while std::path::Path::new(&format!("/proc/{}", short.as_raw_nonzero())).exists() {
        assert_eq!(tester.post("/", &task(&[("type", "bash"), ("cmd", "true")])).0, 200);
        tester.wait_for_log("command finished true");
    }
    assert!(is_alive(long));
    tester.signal(Signal::TERM);
    assert_eq!(tester.exit_code(), Some(0));
    assert!(!is_alive(long) && is_gone(long));
}

#[test]
fn a_second_signal_ends_it_at_once_and_kills_what_does_not_listen() {
    let mut tester = Tester::start(&[]);
    let mark = Mark::new("deaf");
    let script = format!("trap '' TERM; echo $$ > {}; sleep 1000; sleep 1000", mark.path());
    assert_eq!(tester.post("/", &task(&[("cmd", &script)])), (202, String::new()));
    let group = mark.pid();
    tester.signal(Signal::TERM);
    tester.wait_for_log("stopping");
    tester.signal(Signal::INT);
    assert_eq!(tester.exit_code(), Some(1));
    // The signal was sent before the program ended; dying takes a moment, and the process that adopts it reaps it.
    while is_alive(group) {
        std::thread::yield_now();
    }
}

fn is_alive(process: Pid) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
    state.is_ok_and(|state| !state.contains(") Z "))
}

#[test]
fn a_caller_that_hangs_up_ends_its_task() {
    let mut tester = Tester::start(&[]);
    let mark = Mark::new("hang-up");
    let script = format!("echo $$ > {}; sleep 1000", mark.path());
    tester.send("/", &task(&[("type", "bash"), ("cmd", &script)]));
    let group = mark.pid();
    tester.hang_up();
    tester.wait_for_log(&format!("command failed {script}"));
    assert!(is_gone(group));
    tester.signal(Signal::TERM);
    assert_eq!(tester.exit_code(), Some(0));
    let log = tester.log();
    let failed = log.iter().find(|line| line["msg"] == format!("command failed {script}").as_str()).unwrap();
    assert_eq!(
        (&failed["error"], &failed["canary"]),
        (&"it was ended before it was done".into(), &"podinfo.test".into())
    );
}

#[test]
fn a_deadline_ends_a_task() {
    let mut tester = Tester::start(&["-timeout=500ms"]);
    let (status, text) = tester.post("/", &task(&[("type", "bash"), ("cmd", "sleep 1000 & sleep 1000")]));
    let expect = "command sleep 1000 & sleep 1000 failed: : it did not end within 500ms and was ended";
    assert_eq!((status, text.as_str()), (500, expect));
    tester.signal(Signal::TERM);
    assert_eq!(tester.exit_code(), Some(0));
}

#[test]
fn a_load_test_runs_the_program_of_the_guides_and_logs_what_it_was_asked_to() {
    let bin = std::env::temp_dir().join(format!("vexil-loadtester-{}-bin", std::process::id()));
    std::fs::create_dir_all(&bin).unwrap();
    let hey = bin.join("hey");
    std::fs::write(&hey, "#!/bin/sh\necho \"Requests/sec: 20 for $*\"\n").unwrap();
    std::fs::set_permissions(&hey, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut tester = Tester::start_with(&[], &BTreeMap::from([("PATH", path.as_str()), ("TOKEN", "s3cr3t")]));
    let cmd = |more: &str| format!("hey -z 1m -q 10 -c 2 http://podinfo-canary.test:9898/ {more}");
    for (logs, more) in [("true", "shown"), ("false", "$TOKEN")] {
        let body = task(&[("cmd", &cmd(more)), ("logCmdOutput", logs)]);
        assert_eq!(tester.post("/", &body), (202, String::new()));
        tester.wait_for_log(&format!("command finished {}", cmd(more)));
    }
    tester.signal(Signal::TERM);
    assert_eq!(tester.exit_code(), Some(0));
    let log = tester.log();
    let output = |more: &str| {
        let finished = format!("command finished {}", cmd(more));
        log.iter().find(|line| line["msg"] == finished.as_str()).unwrap()["output"].clone()
    };
    let shown = "Requests/sec: 20 for -z 1m -q 10 -c 2 http://podinfo-canary.test:9898/ shown\n";
    assert_eq!(output("shown"), shown);
    assert_eq!(output("$TOKEN"), serde_json::Value::Null);
    assert!(
        !log.iter().any(|line| line.to_string().contains("s3cr3t")),
        "what the environment holds is not logged"
    );
    std::fs::remove_dir_all(&bin).unwrap();
}
