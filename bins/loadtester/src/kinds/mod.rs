//! The task types: which metadata a webhook has to set for each, and what is then run. A new one is a file and a line
//! in [`KINDS`].

mod bash;
mod cmd;
mod concord;
mod form;
mod helm;
mod kubectl;
mod ngrinder;
mod remote;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;

use axum::http::StatusCode;

pub use remote::Remote;

use crate::{
    payload::Metadata,
    process::{Command, End},
};

/// A type of task.
pub struct Kind {
    /// As hooks write it.
    pub name: &'static str,
    /// Whether the answer comes before the result: it is then in the log and in the metrics only.
    pub background: bool,
    /// The status of an answer that something is wrong with the entries.
    pub refusal: StatusCode,
    /// Reads the entries of a hook, or says what is wrong with them.
    pub read: fn(&Metadata) -> Result<Work, String>,
}

/// All task types; docs/loadtester.md describes them.
pub static KINDS: [&Kind; 7] =
    [&cmd::KIND, &bash::KIND, &helm::HELM, &helm::HELM_V3, &kubectl::KIND, &concord::KIND, &ngrinder::KIND];

/// The type of a hook that names none.
pub const DEFAULT: &str = cmd::KIND.name;

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// What is to be done.
#[derive(Debug)]
pub enum Work {
    /// Run a command.
    Command {
        /// What is run.
        command: Command,
        /// The command as the hook has it, for answers.
        text: String,
    },
    /// Have another service do it.
    Remote(Box<dyn Remote>),
}

impl Work {
    /// How logs name it.
    pub fn shown(&self) -> String {
        match self {
            Work::Command { command, text } => match command.program {
                "sh" | "bash" => text.clone(),
                program => format!("{program} {text}"),
            },
            Work::Remote(remote) => remote.shown(),
        }
    }

    /// What two tasks of one Canary have in common when they are the same.
    pub fn identity(&self) -> String {
        match self {
            Work::Command { text, .. } => text.clone(),
            Work::Remote(remote) => remote.shown(),
        }
    }

    /// The response to a task that failed, as Flagger's load tester words it.
    pub fn failure(&self, output: &str, end: &End, timeout: &str) -> String {
        let error = end.reason(timeout);
        match self {
            Work::Command { text, .. } => format!("command {text} failed: {output}: {error}"),
            Work::Remote(_) => error,
        }
    }
}

/// The types that are switched on.
#[derive(Clone, Debug, PartialEq)]
pub struct Kinds(Vec<&'static Kind>);

impl Kinds {
    /// Reads a list as the flag has it: `cmd,bash`, `all`, or nothing for gates alone.
    ///
    /// # Errors
    /// When a name is not known.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim() == "all" {
            return Ok(Kinds(KINDS.to_vec()));
        }
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(|name| find(name).ok_or_else(|| unknown(name))).collect::<Result<_, _>>().map(Kinds)
    }

    /// Those that are on.
    pub fn iter(&self) -> impl Iterator<Item = &'static Kind> {
        self.0.iter().copied()
    }

    /// The type of that name.
    ///
    /// # Errors
    /// When there is none, or it is switched off.
    pub fn get(&self, name: &str) -> Result<&'static Kind, String> {
        let kind = find(name).ok_or_else(|| format!("unknown task type {name}"))?;
        if self.0.contains(&kind) {
            return Ok(kind);
        }
        Err(format!("task type {name} is switched off: start the load tester with it in -task-types"))
    }
}

fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

fn unknown(name: &str) -> String {
    let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
    format!("unknown task type {name}, there are: {}", names.join(", "))
}

/// The command of a hook. An empty one is refused: it would succeed and do nothing.
fn command_text(metadata: &Metadata) -> Result<String, String> {
    let text = metadata.get("cmd").filter(|text| !text.trim().is_empty());
    text.cloned().ok_or_else(|| "cmd not found in metadata".to_owned())
}

/// A line for a shell.
fn script(shell: &'static str, metadata: &Metadata) -> Result<Work, String> {
    let text = command_text(metadata)?;
    let command = Command { program: shell, args: vec!["-c".to_owned(), text.clone()] };
    Ok(Work::Command { command, text })
}

/// Arguments for a program, without a shell between.
fn arguments(program: &'static str, metadata: &Metadata) -> Result<Work, String> {
    let text = command_text(metadata)?;
    let args = words::split(&text)?;
    Ok(Work::Command { command: Command { program, args }, text })
}
