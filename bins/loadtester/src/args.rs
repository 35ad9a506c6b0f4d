//! The command-line flags: those of Flagger's load tester, in Go's spelling (`-port=8080`) or with two dashes
//! (`--port 8080`), and the text of `--help`.

use std::time::Duration;

use clap::{ArgAction, Parser};
use vexil_api::parse_duration_ms;
use vexil_program::double_dashed;

use crate::{kinds::Kinds, namespaces::Namespaces};

/// The risks of running commands of callers, shown by `--help`.
const WARNING: &str = "\
What this program does, in plain words:
  It runs commands that others send to it: as its own user, in its own container, with
  its own environment, files, network and service account. There is no password. A client
  that reaches its port, and a user who may write the webhooks of a Canary, can do all that
  this program can do. Therefore:
    * let only the operator reach the port (a NetworkPolicy), and do not publish it;
    * give its service account no rights, or mount no token, unless a task needs them;
    * give it no secrets that a command must not see; write $NAME in commands and not the
      secret, for commands are logged;
    * do not rely on -namespace-regexp: it compares what callers say of themselves, which
      prevents mistakes and no attacks.

Off unless switched on:
  The task types helm, helmv3 and kubectl, which use the service account; concord, which
  sends a file of this container to a server that the caller names; and ngrinder, which
  calls a server that the caller names. All of them: -task-types=all. Gates and no tasks:
  -task-types= (empty).

Limits:
  A task and all that it started end at -timeout: SIGTERM to its process group, and
  SIGKILL 5 s later. The same happens when this program ends, and when the caller of a
  blocking task hangs up. Gates are kept in memory: closed after a start.";

/// Makes load, runs tests and keeps gates for the webhooks of Canaries.
#[derive(Clone, Debug, Parser)]
#[command(name = "loadtester", disable_version_flag = true, after_help = WARNING)]
pub struct Args {
    /// Port that is listened on.
    #[arg(long, default_value_t = 9090)]
    pub port: u16,
    /// How long a task may run, with all that it started.
    #[arg(long, default_value = "1h", value_parser = Timeout::parse)]
    pub timeout: Timeout,
    /// Namespaces that may ask for tasks and gates, as a regular expression: write ^ and $. Empty for all.
    #[arg(long, default_value = "", value_parser = Namespaces::parse, hide_default_value = true)]
    pub namespace_regexp: Namespaces,
    /// Types of tasks that are run, separated by commas: cmd, bash, helm, helmv3, kubectl, concord, ngrinder; or all.
    #[arg(long, default_value = "cmd,bash", value_parser = Kinds::parse)]
    pub task_types: Kinds,
    /// How many tasks may run at once; more are refused with status 429.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub max_tasks: u16,
    /// How much of a command's output is kept for the answer and the log, in bytes: its end.
    #[arg(long, default_value_t = 8192, value_parser = clap::value_parser!(u32).range(256..=16_777_216))]
    pub max_output_bytes: u32,
    /// Lowest level that is logged: debug, info, warn or error.
    #[arg(long, default_value = "debug")]
    pub log_level: String,
    /// Form of the log: json or console.
    #[arg(long, default_value = "json")]
    pub zap_encoding: String,
    /// Print the version and exit.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        default_value = "false", action = ArgAction::Set)]
    pub version: bool,
    /// Accepted, because Flagger's manifests pass it. It has no effect.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub zap_replace_globals: Option<String>,
}

/// A duration, as it was written and as it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeout {
    /// For answers.
    pub text: String,
    /// For the clock.
    pub duration: Duration,
}

impl Timeout {
    /// Reads a duration in Go's syntax, above zero.
    fn parse(text: &str) -> Result<Self, String> {
        match parse_duration_ms(text) {
            Ok(0) => Err("no task could run in no time".to_owned()),
            Ok(ms) => Ok(Timeout { text: text.to_owned(), duration: Duration::from_millis(ms) }),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Args {
    /// From the command line; wrong flags end the process with an explanation.
    pub fn from_command_line() -> Self {
        Args::parse_from(std::env::args().map(double_dashed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, String> {
        let words = std::iter::once("loadtester").chain(args.iter().copied());
        Args::try_parse_from(words.map(|word| double_dashed(word.to_owned()))).map_err(|e| e.to_string())
    }

    #[test]
    fn flaggers_manifests_are_accepted() {
        let args = parse(&["-port=8080", "-log-level=info", "-timeout=1h30m", "-namespace-regexp="]).unwrap();
        assert_eq!(
            (args.port, args.log_level.as_str(), args.timeout.duration.as_secs()),
            (8080, "info", 5400)
        );
        assert!(args.namespace_regexp.allow("anything"));
        assert!(parse(&["--port", "1", "-zap-encoding", "console", "-zap-replace-globals=true"]).is_ok());
    }

    #[test]
    fn only_what_the_guides_need_is_on() {
        let names =
            |args: &[&str]| parse(args).unwrap().task_types.iter().map(|k| k.name).collect::<Vec<_>>();
        assert_eq!(names(&[]), ["cmd", "bash"]);
        assert_eq!(names(&["-task-types=helm, bash"]), ["helm", "bash"]);
        assert_eq!(names(&["-task-types=all"]).len(), 7);
        assert_eq!(names(&["-task-types="]), <[&str; 0]>::default());
    }

    #[test]
    fn a_wrong_flag_is_explained() {
        for (flag, expect) in [
            ("-timeout=1 hour", "duration `1 hour`"),
            ("-timeout=0s", "no task could run in no time"),
            ("-timeout=-1s", "is negative"),
            ("-namespace-regexp=(", "unclosed group"),
            ("-task-types=cmd,k6", "unknown task type k6, there are: cmd, bash, helm"),
            ("-max-tasks=0", "0 is not in 1..=65535"),
            ("-max-output-bytes=1", "1 is not in 256..=16777216"),
            ("-port=65536", "65536 is not in 0..=65535"),
            ("-prot=1", "unexpected argument"),
        ] {
            let error = parse(&[flag]).unwrap_err();
            assert!(error.contains(expect), "{flag}: {error}");
        }
    }

    #[test]
    fn the_help_says_what_it_means_and_what_is_off() {
        let help = parse(&["-help"]).unwrap_err();
        for words in ["There is no password", "NetworkPolicy", "Off unless switched on", "-timeout"] {
            assert!(help.contains(words), "{words}\n{help}");
        }
    }

    #[test]
    fn the_page_has_every_flag_with_its_default() {
        let page = include_str!("../../../docs/loadtester.md");
        for flag in
            <Args as clap::CommandFactory>::command().get_arguments().filter(|flag| !flag.is_hide_set())
        {
            let name = flag.get_long().unwrap();
            let default = flag.get_default_values().iter().map(|value| value.to_string_lossy());
            let default =
                default.filter(|text| !text.is_empty() && text != "false").map(|text| format!("`{text}`"));
            let row = format!("| `-{name}` | {}", default.collect::<String>());
            assert!(name == "help" || page.contains(row.trim_end()), "{row}");
        }
    }
}
