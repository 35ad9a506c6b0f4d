//! Payloads to tasks, and places.

use axum::http::StatusCode;

use super::*;

fn payload(name: &str, metadata: &[(&str, &str)]) -> Payload {
    Payload {
        name: name.to_owned(),
        namespace: "test".to_owned(),
        metadata: metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        ..Payload::default()
    }
}

fn task(name: &str, metadata: &[(&str, &str)]) -> Task {
    Task::read(&payload(name, metadata), &Kinds::parse("all").unwrap()).unwrap()
}

fn check_refusal(metadata: &[(&str, &str)], status: StatusCode, text: &str) {
    let refusal = Task::read(&payload("podinfo", metadata), &Kinds::parse("cmd,bash,concord").unwrap());
    assert_eq!(refusal.unwrap_err(), Reply::new(status, text), "{metadata:?}");
}

#[test]
fn what_is_wrong_with_a_task_is_said() {
    let bad = StatusCode::BAD_REQUEST;
    check_refusal(&[], bad, "metadata not found in payload");
    check_refusal(&[("type", "k6")], bad, "unknown task type k6");
    check_refusal(&[("type", "")], bad, "unknown task type ");
    check_refusal(&[("type", "CMD"), ("cmd", "true")], bad, "unknown task type CMD");
    check_refusal(&[("type", "cmd")], bad, "cmd not found in metadata");
    check_refusal(&[("logCmdOutput", "true")], bad, "cmd not found in metadata");
    check_refusal(&[("type", "bash")], bad, "cmd not found in metadata");
    check_refusal(&[("type", "bash"), ("cmd", " \n")], bad, "cmd not found in metadata");
    check_refusal(
        &[("type", "helm"), ("cmd", "test podinfo")],
        bad,
        "task type helm is switched off: start the load tester with it in -task-types",
    );
    check_refusal(
        &[("type", "concord")],
        StatusCode::INTERNAL_SERVER_ERROR,
        "`server` is required with type concord",
    );
}

#[test]
fn switches_are_read_and_blocking_tasks_log_what_they_print() {
    let switches = |metadata: &[(&str, &str)]| {
        let task = task("podinfo", metadata);
        (task.kind.name, task.kind.background, task.returns_output, task.logs_output)
    };
    assert_eq!(switches(&[("cmd", "x")]), ("cmd", true, false, false));
    assert_eq!(switches(&[("cmd", "x"), ("logCmdOutput", "true")]), ("cmd", true, false, true));
    assert_eq!(switches(&[("type", "bash"), ("cmd", "x")]), ("bash", false, false, true));
    assert_eq!(
        switches(&[("type", "bash"), ("cmd", "x"), ("returnCmdOutput", "true")]),
        ("bash", false, true, true)
    );
}

#[test]
fn the_same_task_in_the_background_starts_once_and_again_after_its_end() {
    let places = Places::new(8);
    let take = |name: &str, cmd: &str| places.take(&task(name, &[("cmd", cmd)]));
    let Admission::Granted(first) = take("podinfo", "hey") else { panic!() };
    assert!(matches!(take("podinfo", "hey"), Admission::AlreadyRunning));
    // Flagger's load tester joins these texts without a separator and takes the two tasks for one.
    assert!(matches!(take("podinf", "ohey"), Admission::Granted(_)));
    assert!(matches!(take("podinfo", "hey 2"), Admission::Granted(_)));
    drop(first);
    assert!(matches!(take("podinfo", "hey"), Admission::Granted(_)));
}

#[test]
fn blocking_tasks_are_each_run() {
    let places = Places::new(8);
    let bash = task("podinfo", &[("type", "bash"), ("cmd", "true")]);
    let taken = [places.take(&bash), places.take(&bash)];
    assert!(taken.iter().all(|admission| matches!(admission, Admission::Granted(_))));
}

#[test]
fn there_are_only_so_many_places() {
    let places = Places::new(1);
    let one = places.take(&task("a", &[("cmd", "x")]));
    assert!(matches!(one, Admission::Granted(_)));
    assert!(matches!(places.take(&task("b", &[("cmd", "x")])), Admission::Full));
    assert!(matches!(places.take(&task("a", &[("cmd", "x")])), Admission::AlreadyRunning));
    drop(one);
    assert!(matches!(places.take(&task("b", &[("cmd", "x")])), Admission::Granted(_)));
}
