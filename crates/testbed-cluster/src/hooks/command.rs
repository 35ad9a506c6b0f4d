//! Command lines of hooks, as far as they are pipelines of `curl`, `hey`, `watch`, `grep`, `echo`, `sleep`, `true` and
//! `false`.
//!
//! Commands are joined by `|`, `&&`, `||` and `;`. Names without a namespace are those of the load tester's own, as in
//! its pod. Not done: variables, substitution, redirection, any other program, and options of `curl` and `hey` beyond
//! those that say which requests are sent (the others are ignored).

use std::sync::Mutex;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::{curl, hey};
use crate::load::run as run_load;
use crate::network::{Network, lock};

/// What a program wrote; with the exit code when it failed.
pub(super) type Outcome = Result<String, (String, u8)>;

/// Runs a command line; the output, or the output and how it failed. It may never end.
pub(super) async fn run(line: &str, network: &Network) -> Result<String, String> {
    let words = split(line).ok_or_else(|| exit("bash: line 1: unexpected end of file\n", 2))?;
    let mut output = String::new();
    let mut code = 0;
    let mut before = &Word::Then;
    for part in words.split_inclusive(Word::ends_pipeline) {
        let (pipeline, after) = match part.split_last() {
            Some((last, pipeline)) if last.ends_pipeline() => (pipeline, last),
            _ => (part, &Word::Then),
        };
        let runs = match before {
            Word::And => code == 0,
            Word::Or => code != 0,
            _ => true,
        };
        if runs && !pipeline.is_empty() {
            code = pipe(pipeline, network, &mut output).await;
        }
        before = after;
    }
    if code == 0 { Ok(output) } else { Err(exit(&output, code)) }
}

/// Runs a pipeline and adds its output; the exit code is that of its last command.
async fn pipe(pipeline: &[Word], network: &Network, output: &mut String) -> u8 {
    let (mut piped, mut code) = (String::new(), 0);
    for command in pipeline.split(|word| *word == Word::Pipe) {
        let arguments: Vec<&str> = command.iter().filter_map(Word::text).collect();
        (piped, code) = match program(&arguments, &piped, network).await {
            Ok(text) => (text, 0),
            Err(failure) => failure,
        };
    }
    output.push_str(&piped);
    code
}

fn exit(output: &str, code: u8) -> String {
    format!("{output}: exit status {code}")
}

async fn program(arguments: &[&str], input: &str, network: &Network) -> Outcome {
    let (name, rest) = arguments.split_first().map_or(("", arguments), |(name, rest)| (*name, rest));
    match name {
        "curl" => curl::run(rest, network).await,
        "hey" => load(rest, network).await,
        "watch" => watch(rest, network).await,
        "sleep" => sleep(rest).await,
        "grep" => grep(rest, input),
        "echo" => Ok(rest.join(" ") + "\n"),
        "true" | "" => Ok(String::new()),
        "false" => Err((String::new(), 1)),
        other => Err((format!("bash: line 1: {other}: command not found\n"), 127)),
    }
}

/// Sends the load, and says how it was answered as `hey` does.
async fn load(arguments: &[&str], network: &Network) -> Outcome {
    let Some(load) = hey::parse(arguments) else {
        return Err(("Usage: hey [options...] <url>\n".to_owned(), 1));
    };
    let tally = Mutex::default();
    run_load(network, &load, &tally).await;
    let tally = lock(&tally).clone();
    let statuses = tally.by_status.iter().map(|(code, count)| format!("  [{code}]\t{count} responses\n"));
    let failures = tally.failed.iter().map(|(reason, count)| format!("  [{count}]\t{reason}\n"));
    let (statuses, failures): (String, String) = (statuses.collect(), failures.collect());
    let errors = if failures.is_empty() { failures } else { format!("\nError distribution:\n{failures}") };
    Ok(format!("Status code distribution:\n{statuses}{errors}"))
}

/// Runs what follows its options again and again, every 2 seconds or every `-n`. It hands the words to a shell of its
/// own, joined by spaces, so that quotes that the first shell leaves alone count there.
fn watch<'a>(arguments: &'a [&'a str], network: &'a Network) -> BoxFuture<'a, Outcome> {
    let (mut every, mut words) = ("2", arguments);
    while let [option, rest @ ..] = words
        && option.starts_with('-')
    {
        words = rest;
        if let ("-n" | "--interval", [seconds, rest @ ..]) = (*option, rest) {
            (every, words) = (*seconds, rest);
        }
    }
    let line = words.join(" ");
    async move {
        let every =
            seconds(every).ok_or_else(|| (format!("watch: failed to parse argument: {every}\n"), 1))?;
        loop {
            // Its screen is for people only.
            let _ = run(&line, network).await;
            tokio::time::sleep(every).await;
        }
    }
    .boxed()
}

async fn sleep(arguments: &[&str]) -> Outcome {
    let time = arguments.first().and_then(|text| seconds(text.trim_end_matches('s')));
    let time = time.ok_or_else(|| ("sleep: invalid time interval\n".to_owned(), 1))?;
    tokio::time::sleep(time).await;
    Ok(String::new())
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

fn grep(arguments: &[&str], input: &str) -> Outcome {
    let (flags, words): (Vec<&str>, Vec<&str>) = arguments.iter().partition(|word| word.starts_with('-'));
    let has = |flag: char| flags.iter().any(|word| word.contains(flag));
    let fold = |text: &str| if has('i') { text.to_lowercase() } else { text.to_owned() };
    let pattern = fold(words.first().copied().unwrap_or_default());
    let lines = input.lines().filter(|line| fold(line).contains(&pattern) != has('v'));
    let found: Vec<&str> = lines.collect();
    let output = match () {
        () if has('q') => String::new(),
        () if has('c') => format!("{}\n", found.len()),
        () if has('o') => {
            found.iter().flat_map(|line| line.matches(&pattern)).map(|one| format!("{one}\n")).collect()
        }
        () => found.iter().map(|line| format!("{line}\n")).collect(),
    };
    if found.is_empty() { Err((output, 1)) } else { Ok(output) }
}

/// A word of a command line, or what is between commands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Text(String),
    Pipe,
    And,
    Or,
    Then,
}

impl Word {
    fn text(&self) -> Option<&str> {
        match self {
            Word::Text(text) => Some(text),
            _ => None,
        }
    }

    fn ends_pipeline(&self) -> bool {
        matches!(self, Word::And | Word::Or | Word::Then)
    }
}

/// Splits a command line as a shell does, with quotes and backslashes; `None` when a quote is not closed.
fn split(line: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars().peekable();
    while let Some(letter) = chars.next() {
        let end = match letter {
            '\'' | '"' => {
                let text = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        close if close == letter => break,
                        '\\' if letter == '"' => text.push(chars.next()?),
                        other => text.push(other),
                    }
                }
                continue;
            }
            '\\' => {
                word.get_or_insert_default().push(chars.next()?);
                continue;
            }
            '|' if chars.peek() == Some(&'|') => {
                chars.next();
                Some(Word::Or)
            }
            '|' => Some(Word::Pipe),
            '&' if chars.peek() == Some(&'&') => {
                chars.next();
                Some(Word::And)
            }
            ';' | '\n' => Some(Word::Then),
            blank if blank.is_whitespace() => None,
            other => {
                word.get_or_insert_default().push(other);
                continue;
            }
        };
        words.extend(word.take().map(Word::Text));
        words.extend(end);
    }
    words.extend(word.map(Word::Text));
    Some(words)
}
