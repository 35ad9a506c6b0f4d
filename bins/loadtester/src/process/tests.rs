//! Real processes. Where a test has to wait for one, the process says when it is ready.

use std::path::PathBuf;

use rustix::{
    io::Errno,
    process::{Pid, test_kill_process, test_kill_process_group},
};
use tokio::sync::oneshot;

use super::*;

fn limits() -> Limits {
    Limits { timeout: Duration::from_secs(60), grace: Duration::from_millis(200), output_bytes: 1000 }
}

fn sh(script: &str) -> Command {
    Command { program: "sh", args: vec!["-c".to_owned(), script.to_owned()] }
}

/// Runs to the end and gives what was reported.
async fn run_all(command: &Command, limits: &Limits, cancelled: &CancellationToken) -> Outcome {
    adopt_orphans().unwrap();
    let mut outcome = None;
    run(command, limits, cancelled, |reported| outcome = Some(reported)).await;
    outcome.expect("a report")
}

async fn check(script: &str, output: &str, end: End) {
    let outcome = run_all(&sh(script), &limits(), &CancellationToken::new()).await;
    assert_eq!(outcome, Outcome { output: output.to_owned(), end }, "{script}");
}

/// A pipe with a name, through which a script tells that it got somewhere.
struct Mark(PathBuf);

impl Mark {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vexil-loadtester-{}-{test}", std::process::id()));
        let _old = std::fs::remove_file(&path);
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        Mark(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// What the script wrote: the id of the group.
    async fn group_id(&self) -> Pid {
        let text = tokio::fs::read_to_string(&self.0).await.unwrap();
        Pid::from_raw(text.trim().parse().unwrap()).unwrap()
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

fn is_gone(group: Pid) -> bool {
    test_kill_process_group(group) == Err(Errno::SRCH)
}

#[tokio::test]
async fn both_outputs_come_in_their_order_with_the_exit_in_words() {
    check("echo a; echo b >&2; echo c", "a\nb\nc\n", End::Succeeded).await;
    check("true", "", End::Succeeded).await;
    check("cat", "", End::Succeeded).await;
    check("echo out; exit 3", "out\n", End::Failed("exit status 3".to_owned())).await;
    check("kill -KILL $$", "", End::Failed("signal: killed".to_owned())).await;
    check("kill -TERM $$", "", End::Failed("signal: terminated".to_owned())).await;
    check(
        "exit 'a",
        "sh: 1: Syntax error: Unterminated quoted string\n",
        End::Failed("exit status 2".to_owned()),
    )
    .await;
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_named() {
    for (command, expect) in [
        (Command { program: "no-such-program", args: vec![] }, "no-such-program is not installed here"),
        (sh("echo \0"), "sh cannot be started: nul byte found in provided data"),
        (sh(&"x".repeat(1 << 20)), "sh cannot be started: Argument list too long (os error 7)"),
    ] {
        let outcome = run_all(&command, &limits(), &CancellationToken::new()).await;
        assert_eq!(outcome.end, End::Failed(expect.to_owned()));
    }
}

#[tokio::test]
async fn at_its_deadline_a_command_is_asked_to_end_with_all_that_it_started() {
    let mark = Mark::new("deadline");
    let script =
        format!("trap 'echo bye; exit 0' TERM; sleep 1000 & echo $$ > {}; wait; sleep 1000", mark.path());
    let limits = Limits { timeout: Duration::from_secs(5), grace: Duration::from_secs(20), ..limits() };
    let (script, never) = (sh(&script), CancellationToken::new());
    let (outcome, group) = tokio::join!(run_all(&script, &limits, &never), mark.group_id());
    assert_eq!(outcome, Outcome { output: "bye\n".to_owned(), end: End::TimedOut });
    assert!(is_gone(group));
}

#[tokio::test]
async fn children_and_grandchildren_that_do_not_listen_are_killed() {
    let mark = Mark::new("deaf");
    let script = format!(
        "trap '' TERM; (trap '' TERM; sleep 1000 & sleep 1000) & echo $$ > {}; sleep 1000; sleep 1000",
        mark.path()
    );
    let (script, limits, cancelled) = (sh(&script), limits(), CancellationToken::new());
    let cancelling = async {
        let group = mark.group_id().await;
        cancelled.cancel();
        group
    };
    let (outcome, group) = tokio::join!(run_all(&script, &limits, &cancelled), cancelling);
    assert_eq!(outcome.end, End::Cancelled);
    assert!(is_gone(group));
}

#[tokio::test]
async fn a_flood_is_read_to_the_deadline_and_only_its_end_is_kept() {
    let limits = Limits { timeout: Duration::from_secs(3), ..limits() };
    let outcome = run_all(&sh("yes flood"), &limits, &CancellationToken::new()).await;
    assert_eq!(outcome.end, End::TimedOut);
    let (first, rest) = outcome.output.split_once('\n').unwrap();
    assert!(first.starts_with("[... ") && first.ends_with(" bytes left out ...]"), "{first}");
    assert_eq!(rest.len(), 1000);
    assert!(rest.ends_with("flood\n") || rest.contains("flood\n"));
}

#[tokio::test]
async fn what_stays_behind_delays_no_answer_and_is_ended_with_the_task() {
    for (test, redirect) in [("holds-the-output", ""), ("lets-go-of-it", ">/dev/null 2>&1")] {
        let mark = Mark::new(test);
        let script = sh(&format!("echo started; sleep 1000 {redirect} & echo $$ > {}", mark.path()));
        let cancelled = CancellationToken::new();
        let (report, reported) = oneshot::channel();
        let limits = limits();
        let running = run(&script, &limits, &cancelled, |outcome| report.send(outcome).unwrap());
        let looking = async {
            let group = mark.group_id().await;
            let outcome = reported.await.unwrap();
            assert_eq!(outcome, Outcome { output: "started\n".to_owned(), end: End::Succeeded });
            assert!(!is_gone(group), "{test}");
            cancelled.cancel();
            group
        };
        adopt_orphans().unwrap();
        let ((), group) = tokio::join!(running, looking);
        assert!(is_gone(group), "{test}");
    }
}

#[tokio::test]
async fn nothing_is_left_when_the_caller_of_a_command_hangs_up() {
    let mark = Mark::new("dropped");
    let script = sh(&format!("sleep 1000 & echo $$ > {}; wait", mark.path()));
    let (limits, never) = (limits(), CancellationToken::new());
    let group = tokio::select! {
        biased;
        () = run(&script, &limits, &never, drop) => panic!("it ended"),
        group = mark.group_id() => group,
    };
    // Killed members are reaped by tokio or by init; until then they are zombies and no longer running.
    while !is_gone(group) {
        let _buried = rustix::process::waitpgid(group, rustix::process::WaitOptions::empty());
        tokio::task::yield_now().await;
    }
    assert_eq!(test_kill_process(group), Err(Errno::SRCH));
}
