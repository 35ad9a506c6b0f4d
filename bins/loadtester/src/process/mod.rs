//! Runs one command with everything that it starts: one output, one deadline, one end.
//!
//! A command leads a process group of its own. Its answer is there when it has exited and its output is complete; what
//! it left running in the background may go on, watched, until the deadline. At the deadline, or when it is cancelled,
//! the whole group is asked to end and then made to.

mod group;
mod orphans;
mod output;

#[cfg(test)]
mod tests;

use std::{
    io,
    os::unix::process::ExitStatusExt as _,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::Signal;
use tokio::{
    io::AsyncReadExt as _,
    net::unix::pipe,
    process::Child,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use group::Group;
pub use orphans::{adopt_orphans, bury_orphans, end_orphans};

use output::Tail;

/// How long the output of a command that has exited is waited for: a child in the background may hold it open.
const DRAIN: Duration = Duration::from_secs(2);
/// How long it may take what is left of a killed group to be gone, and its last words to be read.
const AFTERMATH: Duration = Duration::from_millis(500);
/// How often processes left in the background are checked: while no caller waits, and while one does.
const WATCH: Duration = Duration::from_secs(1);
const WATCH_CLOSELY: Duration = Duration::from_millis(10);

/// A program and its arguments. Its environment and folder are those of this process, its input is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What is run; looked up in `PATH`.
    pub program: &'static str,
    /// What it is given.
    pub args: Vec<String>,
}

/// What a command may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// From its start to its end, with all that it started.
    pub timeout: Duration,
    /// Between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// How many bytes of its output are kept, the last ones.
    pub output_bytes: usize,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With status 0.
    Succeeded,
    /// Otherwise, or it did not even start: how, in words.
    Failed(String),
    /// At its deadline.
    TimedOut,
    /// Its caller hung up, or this process stops.
    Cancelled,
}

impl End {
    /// In words; `timeout` as the flag has it.
    pub fn reason(&self, timeout: &str) -> String {
        match self {
            End::Succeeded => "it succeeded".to_owned(),
            End::Failed(how) => how.clone(),
            End::TimedOut => format!("it did not end within {timeout} and was ended"),
            End::Cancelled => "it was ended before it was done".to_owned(),
        }
    }
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The end of what it printed, standard output and standard error in the order in which they came.
    pub output: String,
    /// How it ended.
    pub end: End,
}

/// Runs a command until nothing of it is left. `report` is called once, as soon as the outcome is known.
pub async fn run(
    command: &Command,
    limits: &Limits,
    cancelled: &CancellationToken,
    report: impl FnOnce(Outcome),
) {
    let mut running = match start(command, limits.output_bytes) {
        Ok(running) => running,
        Err(error) => {
            let end = End::Failed(not_started(command.program, &error));
            return report(Outcome { output: String::new(), end });
        }
    };
    let deadline = sleep(limits.timeout);
    tokio::pin!(deadline);
    let cut = tokio::select! {
        biased;
        () = cancelled.cancelled() => Some(End::Cancelled),
        () = &mut deadline => Some(End::TimedOut),
        () = running.exited() => None,
    };
    if let Some(end) = cut {
        running.end(limits.grace).await;
        return report(Outcome { output: running.tail.text(), end });
    }
    tokio::select! {
        biased;
        () = cancelled.cancelled() => {}
        () = &mut deadline => {}
        _complete = timeout(DRAIN, running.drain()) => {}
    }
    report(Outcome { output: running.tail.text(), end: running.verdict() });
    let gone = tokio::select! {
        biased;
        () = cancelled.cancelled() => false,
        () = &mut deadline => false,
        () = running.gone(WATCH) => true,
    };
    if !gone {
        running.end(limits.grace).await;
    }
}

/// A command that was started.
struct Running {
    child: Child,
    group: Group,
    status: Option<io::Result<ExitStatus>>,
    /// The pipe of its output, until all writers have closed it.
    pipe: Option<pipe::Receiver>,
    buffer: Vec<u8>,
    tail: Tail,
}

fn start(command: &Command, output_bytes: usize) -> io::Result<Running> {
    let (ours, theirs) = io::pipe()?;
    let pipe = pipe::Receiver::from_owned_fd(ours.into())?;
    let child = tokio::process::Command::new(command.program)
        .args(&command.args)
        .stdin(Stdio::null())
        .stdout(theirs.try_clone()?)
        .stderr(theirs)
        .process_group(0)
        .spawn()?;
    let group = child.id().and_then(Group::led_by).ok_or_else(|| io::Error::other("it has no process id"))?;
    let (buffer, tail) = (vec![0; 16 << 10], Tail::new(output_bytes));
    Ok(Running { child, group, status: None, pipe: Some(pipe), buffer, tail })
}

impl Running {
    /// Waits for the exit of the command itself, reading what it prints.
    async fn exited(&mut self) {
        while self.status.is_none() {
            tokio::select! {
                biased;
                status = self.child.wait() => self.status = Some(status),
                () = read(&mut self.pipe, &mut self.buffer, &mut self.tail) => {}
            }
        }
    }

    /// Waits until all writers have closed the output.
    async fn drain(&mut self) {
        while self.pipe.is_some() {
            read(&mut self.pipe, &mut self.buffer, &mut self.tail).await;
        }
    }

    /// Waits until the process group is empty; checks it once in `every`.
    async fn gone(&mut self, every: Duration) {
        self.exited().await;
        let mut looks = interval(every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = looks.tick() => if self.group.is_empty() { return },
                () = read(&mut self.pipe, &mut self.buffer, &mut self.tail) => {}
            }
        }
    }

    /// Stops the group: SIGTERM, then SIGKILL after `grace`.
    async fn end(&mut self, grace: Duration) {
        self.group.signal(Signal::TERM);
        if timeout(grace, self.gone(WATCH_CLOSELY)).await.is_err() {
            self.group.signal(Signal::KILL);
            let _in_time = timeout(AFTERMATH, self.gone(WATCH_CLOSELY)).await;
        }
        let _complete = timeout(AFTERMATH, self.drain()).await;
    }

    fn verdict(&self) -> End {
        match &self.status {
            Some(Ok(status)) if status.success() => End::Succeeded,
            Some(Ok(status)) => End::Failed(described(*status)),
            Some(Err(error)) => End::Failed(error.to_string()),
            None => End::Failed("it has not exited".to_owned()),
        }
    }
}

/// Takes one piece of output; never ready once there is none to come.
async fn read(pipe: &mut Option<pipe::Receiver>, buffer: &mut [u8], tail: &mut Tail) {
    let Some(open) = pipe else { return std::future::pending().await };
    match open.read(buffer).await {
        Ok(0) | Err(_) => *pipe = None,
        Ok(length) => tail.push(buffer.get(..length).unwrap_or_default()),
    }
}

fn not_started(program: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("{program} is not installed here"),
        _ => format!("{program} cannot be started: {error}"),
    }
}

/// An exit in Go's words, which Flagger's load tester returns: `exit status 3`, `signal: killed`.
fn described(status: ExitStatus) -> String {
    let Some(signal) = status.signal() else {
        return format!("exit status {}", status.code().unwrap_or(-1));
    };
    let name = match Signal::from_named_raw(signal) {
        Some(Signal::HUP) => "hangup",
        Some(Signal::INT) => "interrupt",
        Some(Signal::QUIT) => "quit",
        Some(Signal::ILL) => "illegal instruction",
        Some(Signal::ABORT) => "aborted",
        Some(Signal::BUS) => "bus error",
        Some(Signal::FPE) => "floating point exception",
        Some(Signal::KILL) => "killed",
        Some(Signal::SEGV) => "segmentation fault",
        Some(Signal::PIPE) => "broken pipe",
        Some(Signal::ALARM) => "alarm clock",
        Some(Signal::TERM) => "terminated",
        _ => return format!("signal: signal {signal}"),
    };
    let core = if status.core_dumped() { " (core dumped)" } else { "" };
    format!("signal: {name}{core}")
}
