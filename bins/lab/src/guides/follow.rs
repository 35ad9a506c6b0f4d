//! A page is followed: each of its commands run, and what it shows held against what they write.

use std::{
    os::unix::process::ExitStatusExt as _,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tokio::{
    io::AsyncReadExt as _,
    process::{Child, ChildStdout},
};
use vexil_testbed_rig::operator::{Operator, Recipe};

use super::{
    block::{Placed, Step, Way},
    examples, expect,
    stage::{LOG, Stage},
};

/// How long a command may take, and what is expected of one may take to come.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a command that goes on may take to show what is there already.
const FIRST_LINE: Duration = Duration::from_secs(30);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// How a page was followed.
#[derive(Debug, Default)]
pub struct Tally {
    pub commands: usize,
    pub manifests: usize,
    pub lines: usize,
}

/// A command that goes on, with what it has written.
struct Watching {
    child: Child,
    pipe: ChildStdout,
    output: Vec<u8>,
}

impl Watching {
    /// Waits for more; `false` when none comes within `limit`.
    async fn more(&mut self, limit: Duration) -> bool {
        let mut part = [0; 4096];
        let read = tokio::time::timeout(limit, self.pipe.read(&mut part)).await;
        let count = read.ok().and_then(Result::ok).unwrap_or(0);
        self.output.extend(part.iter().take(count));
        count > 0
    }
}

/// One who follows a page.
pub struct Reader<'a> {
    pub stage: &'a Stage,
    pub tally: Tally,
    binary: &'a Path,
    operator: Option<Operator>,
    /// A command that goes on, started before the one in front of it, which makes what it shows.
    watching: Option<Watching>,
    /// What is said while it goes on.
    say: &'a (dyn Fn(&str) + Sync),
}

impl<'a> Reader<'a> {
    /// One who has not begun. `binary` is the operator's.
    pub fn new(stage: &'a Stage, binary: &'a Path, say: &'a (dyn Fn(&str) + Sync)) -> Self {
        Reader { stage, tally: Tally::default(), binary, operator: None, watching: None, say }
    }

    /// Follows the steps of one way.
    pub async fn follow(&mut self, steps: &[Placed], way: Way) -> anyhow::Result<()> {
        let steps: Vec<&Placed> =
            steps.iter().filter(|placed| placed.way.is_none_or(|of| of == way)).collect();
        for (at, placed) in steps.iter().enumerate() {
            let next = steps.get(at + 1).map(|placed| &placed.step);
            if let Step::Run(_) = &placed.step
                && let Some(Step::Run(following)) = next
                && goes_on(following)
            {
                let mut watching = self.start(following)?;
                watching.more(FIRST_LINE).await;
                self.watching = Some(watching);
            }
            let shown = match next {
                Some(Step::Expect(lines)) => lines.as_slice(),
                _ => &[],
            };
            let done = match &placed.step {
                Step::Save { file, text } => self.save(file, text),
                Step::Run(command) => self.run(command, shown).await,
                Step::Expect(_) => Ok(()),
            };
            done.with_context(|| format!("docs/guides/{}.md, line {}", self.stage.page.name, placed.line))?;
        }
        Ok(())
    }

    fn save(&mut self, file: &str, text: &str) -> anyhow::Result<()> {
        examples::compare(self.stage.page.name, file, text)?;
        self.tally.manifests += 1;
        let said = self.stage.save(file, text)?;
        (self.say)(&format!("{file} is saved{said}"));
        Ok(())
    }

    async fn run(&mut self, command: &str, shown: &[String]) -> anyhow::Result<()> {
        (self.say)(&format!("$ {command}"));
        self.tally.commands += 1;
        self.tally.lines += shown.len();
        if let Some((_, inside)) = command.split_once(" exec ").and_then(|(_, rest)| rest.split_once(" -- "))
        {
            if !shown.is_empty() {
                bail!("what a command in a pod writes is not seen here");
            }
            return self.stage.in_load_tester(&inside.replace('\'', "")).await;
        }
        let logs = command.contains(" logs deploy/flagger");
        let command = if logs { format!("cat {LOG}") } else { command.to_owned() };
        let words: Vec<&str> = command.split_whitespace().collect();
        let has = |some: &[&str]| words.iter().any(|word| some.contains(word));
        if goes_on(&command) {
            self.watch(&command, shown).await?;
        } else if logs || has(&["get", "describe", "events"]) {
            self.look(&command, shown, !has(&["describe", "events"])).await?;
        } else {
            let output = self.output(&command).await?;
            if let Some(line) = expect::missing(shown, &output, true) {
                bail!("`{command}` does not show `{line}`, but:\n{output}");
            }
        }
        self.attend().await
    }

    /// Runs a command to its end, which must be a good one.
    async fn output(&self, command: &str) -> anyhow::Result<String> {
        let ran = tokio::time::timeout(PATIENCE, self.stage.shell(command).output()).await;
        let ran = ran.with_context(|| format!("`{command}` does not end"))??;
        let output = String::from_utf8_lossy(&ran.stdout).into_owned();
        if !ran.status.success() {
            bail!("`{command}` fails ({}):\n{output}{}", ran.status, self.state().await);
        }
        Ok(output)
    }

    /// Runs a command that only looks, until it shows what it should.
    async fn look(&mut self, command: &str, shown: &[String], in_order: bool) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let output = self.output(command).await?;
            let Some(line) = expect::missing(shown, &output, in_order) else { return Ok(()) };
            if begun.elapsed() > PATIENCE {
                bail!("`{command}` does not show `{line}`, but:\n{output}");
            }
            self.attend().await?;
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Starts a command that goes on.
    fn start(&self, command: &str) -> anyhow::Result<Watching> {
        let mut child = self.stage.shell(&format!("exec {command}")).kill_on_drop(true).spawn()?;
        let pipe = child.stdout.take().context("the command has no output")?;
        Ok(Watching { child, pipe, output: Vec::new() })
    }

    /// Reads a command that goes on until it has shown what it should.
    async fn watch(&mut self, command: &str, shown: &[String]) -> anyhow::Result<()> {
        let mut watching = match self.watching.take() {
            Some(watching) => watching,
            None => self.start(command)?,
        };
        let begun = Instant::now();
        loop {
            let text = String::from_utf8_lossy(&watching.output).into_owned();
            let Some(line) = expect::missing(shown, &text, true) else { break };
            if !watching.more(PATIENCE.saturating_sub(begun.elapsed())).await {
                bail!("`{command}` does not show `{line}`, but:\n{text}{}", self.state().await);
            }
        }
        watching.child.kill().await?;
        // It was ended by a signal, as Ctrl-C does it.
        watching.child.wait().await?.signal().map(drop).context("the command ended by itself")
    }

    /// Starts the operator when it has been installed, and sees that it lives.
    async fn attend(&mut self) -> anyhow::Result<()> {
        if let Some(operator) = &mut self.operator {
            return operator.must_run();
        }
        if let Some(arguments) = self.stage.operators_arguments().await? {
            (self.say)(&format!("the operator starts with {}", arguments.join(" ")));
            // What a process outside of the cluster needs besides, and a pace that is shorter than users may have.
            let recipe = Recipe::new(self.binary, &self.stage.kubeconfig, self.stage.folder.join(LOG))
                .with_all(arguments)
                .with("-port=0")
                .with("-min-analysis-interval=1s")
                .through(self.stage.cluster.proxy_url());
            self.operator = Some(recipe.start()?);
        }
        Ok(())
    }

    /// What the Canary looks like, for one who must find out why a command failed.
    async fn state(&self) -> String {
        let describe = self.stage.shell("kubectl -n test describe canary/podinfo").output();
        match tokio::time::timeout(Duration::from_secs(5), describe).await {
            Ok(Ok(ran)) => String::from_utf8_lossy(&ran.stdout).into_owned(),
            _ => String::new(),
        }
    }
}

/// Whether a command does not end by itself.
fn goes_on(command: &str) -> bool {
    command.split_whitespace().any(|word| matches!(word, "--watch" | "-w"))
}
