//! Where a guide is played, and where it is shown: what differs between the demo and `traffic`.

use std::{collections::BTreeMap, time::Duration};

use vexil_testbed_cluster::{Running, Tally};

use crate::{api::Api, checks::Checks, guide::Guide, record::Splitting, scene::Scene, styled_line::Line};

/// Where a guide is played.
pub trait Environment {
    /// How long clients are watched before something is changed, and after all is done.
    const AROUND: Duration;
    /// How many milliseconds a request may take instead of what the guide says; `None` to leave that.
    const SLOWEST_MS: Option<u64> = None;

    /// How its gateway splits.
    fn splitting(&self) -> Splitting {
        Splitting::default()
    }

    /// The API server.
    fn api(&self) -> &Api;

    /// The cluster's time, in milliseconds since 1970.
    fn now_ms(&self) -> u64;

    /// Lets clients come and not cease to; `None` while they do not reach the application.
    fn clients(&self, guide: &Guide) -> impl Future<Output = anyhow::Result<Option<Running>>>;

    /// How many requests the operator has sent to the API server since the last call, without watches.
    ///
    /// # Errors
    /// When the record of requests cannot be read.
    fn operators_requests(&mut self) -> anyhow::Result<usize>;
}

/// Where it is shown.
pub trait View {
    /// Shows lines that stay, and the state of the rollout, which is shown anew each time.
    ///
    /// # Errors
    /// When the output is gone.
    fn show(&mut self, lines: &[Line], state: &State<'_>) -> std::io::Result<()>;

    /// The guide has come to its end: the state is shown no more.
    fn end(&mut self) {}

    /// Whether the state is shown, so that lines need not repeat it.
    fn shows_state(&self) -> bool {
        false
    }
}

/// Lines of text, one per event, for outputs that are no terminal.
#[derive(Debug)]
pub struct Plain;

impl View for Plain {
    fn show(&mut self, lines: &[Line], _: &State<'_>) -> std::io::Result<()> {
        lines.iter().for_each(|line| println!("{}", line.text()));
        Ok(())
    }
}

/// The state of a rollout.
#[derive(Debug)]
pub struct State<'a> {
    /// The act.
    pub title: &'a str,
    /// Since the guide began.
    pub elapsed: Duration,
    /// What the API server says.
    pub scene: &'a Scene,
    /// What the metric checks came to.
    pub checks: &'a Checks,
    /// What clients got since the act began.
    pub tally: &'a Tally,
    /// Answers of each version in the last second.
    pub per_second: BTreeMap<String, u64>,
    /// Whether clients have been there.
    pub has_clients: bool,
    /// How long it is until the next step of an analysis; `None` when it is due.
    pub next_check: Option<Duration>,
}
