//! What each type runs, and the words of a failure.

use serde::Deserialize;

use super::*;
use crate::{payload::Payload, tasks::Task};

fn work(kind: &str, cmd: &str) -> Work {
    let kind = Kinds::parse("all").unwrap().get(kind).unwrap();
    (kind.read)(&Metadata::from([("cmd".to_owned(), cmd.to_owned())])).unwrap()
}

fn check(kind: &str, cmd: &str, program: &str, args: &[&str], shown: &str) {
    let work = work(kind, cmd);
    assert_eq!(work.shown(), shown);
    let Work::Command { command, .. } = work else { panic!("{kind} runs no command") };
    assert_eq!(
        (command.program, command.args.iter().map(String::as_str).collect::<Vec<_>>()),
        (program, args.to_vec())
    );
}

#[test]
fn a_shell_gets_the_line_as_it_is_and_a_program_gets_words() {
    check("cmd", "hey -z 1m 'a b'", "sh", &["-c", "hey -z 1m 'a b'"], "hey -z 1m 'a b'");
    check("bash", "curl x | grep y", "bash", &["-c", "curl x | grep y"], "curl x | grep y");
    check(
        "helm",
        "test podinfo -n test",
        "helm",
        &["test", "podinfo", "-n", "test"],
        "helm test podinfo -n test",
    );
    check("helmv3", "test podinfo", "helm", &["test", "podinfo"], "helm test podinfo");
    check("kubectl", "get 'a b'; id", "kubectl", &["get", "a b;", "id"], "kubectl get 'a b'; id");
}

#[test]
fn a_failure_has_the_words_of_the_contract() {
    let failure = |output: &str, end: End| work("bash", "false").failure(output, &end, "1h");
    assert_eq!(failure("", End::Failed("exit status 1".to_owned())), "command false failed: : exit status 1");
    assert_eq!(
        failure("out\n", End::TimedOut),
        "command false failed: out\n: it did not end within 1h and was ended"
    );
    assert_eq!(failure("", End::Cancelled), "command false failed: : it was ended before it was done");
}

#[derive(Deserialize)]
struct Example {
    webhooks: Vec<Webhook>,
}

#[derive(Deserialize)]
struct Webhook {
    #[serde(default)]
    metadata: Metadata,
}

#[test]
fn the_examples_of_the_page_are_tasks() {
    let page = include_str!("../../../../docs/loadtester.md");
    let examples = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let webhooks = examples.flat_map(|(yaml, _)| {
        serde_saphyr::from_str::<Example>(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}")).webhooks
    });
    let metadata = webhooks.map(|webhook| webhook.metadata).filter(|metadata| !metadata.is_empty());
    let mut seen = Vec::new();
    for metadata in metadata {
        let payload = Payload { metadata, ..Payload::default() };
        let task = Task::read(&payload, &Kinds::parse("all").unwrap());
        seen.push(task.unwrap_or_else(|reply| panic!("{}\n{payload:?}", reply.text)).kind.name);
    }
    assert_eq!(seen, ["cmd", "bash", "helmv3", "kubectl", "concord", "ngrinder"]);
    for kind in KINDS {
        let row =
            page.lines().find(|line| line.starts_with("| `") && line.contains(&format!("`{}`", kind.name)));
        let row = row.unwrap_or_else(|| panic!("{} has no row", kind.name));
        assert_eq!(row.contains("202 at once"), kind.background, "{row}");
        assert_eq!(row.ends_with("| on |"), matches!(kind.name, "cmd" | "bash"), "{row}");
    }
}
