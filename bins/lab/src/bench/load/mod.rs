//! What many Canaries cost: to adopt, idle, while their autoscalers move, while a hundred of them roll out, and beside
//! one that goes to every limit. The operator is a process of its own.

mod crowd;
mod pods;
mod pushes;
mod real;
mod seeds;
mod table;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use vexil_testbed_apiserver::{ApiServer, Clock};

use self::{
    crowd::{Crowd, PER_NAMESPACE},
    pods::Pods,
    table::Table,
};
use super::process::Process;
use crate::e2e::{account::Account, api::Api, crds, operator::Operator, operator::Recipe, stand_in::StandIn};

/// How often every autoscaler is written.
const SCALERS_EVERY: Duration = Duration::from_secs(15);
/// Rollouts at once.
const ROLLOUTS: usize = 100;

/// Measures and prints.
pub async fn run(
    binary: &Path,
    canaries: usize,
    kubeconfig: Option<&Path>,
    idle: Duration,
) -> anyhow::Result<()> {
    let mut table = Table::default();
    match kubeconfig {
        Some(kubeconfig) => real::measure(binary, canaries, kubeconfig, idle, &mut table).await?,
        None => in_process(binary, canaries, idle, &mut table).await?,
    }
    println!("{}", table.text());
    let missed = table.missed();
    if !missed.is_empty() {
        bail!("{}", missed.join("; "));
    }
    Ok(())
}

async fn in_process(binary: &Path, canaries: usize, idle: Duration, table: &mut Table) -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("vexil-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut tasks = JoinSet::new();
    let stand_in = StandIn::start(&mut tasks).await?;
    println!("bench: {PER_NAMESPACE} Canaries are initialised");
    let objects = seeds::grow(binary, &stand_in, &folder).await?;
    let server = ApiServer::builder(Clock::default()).history(400_000).build();
    let listening = server.listen((std::net::Ipv4Addr::LOCALHOST, 0).into()).await?;
    let file = folder.join("kubeconfig");
    listening.write_kubeconfig(&file)?;
    let api = Api::connect(file).await?;
    crds::install(&api, &crds::ours()?).await?;
    crds::install(&api, &crds::routers()?).await?;
    let crowd = Crowd::copy(&server, &objects, canaries)?;
    println!("bench: copied to {canaries}");
    let mut load = Load::start(binary, server, crowd, &api, &stand_in, folder).await?;
    load.adopt(table).await?;
    load.idle(idle, table).await?;
    load.scalers(table).await?;
    load.rollouts(table, &mut tasks).await?;
    load.operator.kill().await
}

/// An operator on a crowd.
struct Load {
    server: ApiServer,
    crowd: Crowd,
    operator: Operator,
    process: Process,
    port: u16,
    started: Instant,
    folder: PathBuf,
}

impl Load {
    async fn start(
        binary: &Path,
        server: ApiServer,
        crowd: Crowd,
        api: &Api,
        stand_in: &StandIn,
        folder: PathBuf,
    ) -> anyhow::Result<Self> {
        // All is well with all of them.
        crowd.members().for_each(|member| stand_in.script(&member.namespace, |_| ()));
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let recipe =
            Recipe::new(binary, Account::of_user(api), "traefik", stand_in, folder.join("operator.log"));
        let operator = recipe.with(format!("-port={port}")).start()?;
        let process = Process(operator.id().unwrap_or_default());
        Ok(Load { server, crowd, operator, process, port, started: Instant::now(), folder })
    }

    async fn adopt(&mut self, table: &mut Table) -> anyhow::Result<()> {
        let wanted = self.crowd.len();
        while adopted(self.port).await < wanted {
            self.process.cpu_s().with_context(|| format!("see {}", self.folder.display()))?;
            if self.started.elapsed() > Duration::from_secs(600) {
                bail!("{} of {wanted} Canaries are adopted after ten minutes", adopted(self.port).await);
            }
            sleep(Duration::from_millis(500)).await;
        }
        let (seconds, cpu) = (self.started.elapsed().as_secs_f64(), self.process.cpu_s()?);
        table.at_most(&format!("{wanted} adopted after"), seconds, 10.0, "s", 1);
        table.figure("CPU until then", cpu, "s", 2);
        Ok(())
    }

    async fn idle(&self, idle: Duration, table: &mut Table) -> anyhow::Result<()> {
        sleep(Duration::from_secs(10)).await;
        println!("bench: they idle for {idle:?}");
        let (before, cpu) = (self.requests(), self.process.cpu_s()?);
        sleep(idle).await;
        let cores = (self.process.cpu_s()? - cpu) / idle.as_secs_f64();
        table.at_most("idle: requests", (self.requests() - before) as f64, 0.0, "", 0);
        table.at_most("idle: CPU", cores, 0.005, "core", 5);
        table.at_most("idle: resident", self.process.resident()? as f64 / 1_048_576.0, 64.0, "MiB", 1);
        Ok(())
    }

    /// Requests of the operator without watches and the Lease.
    fn requests(&self) -> usize {
        let entries = self.server.audit().of("vexil/");
        entries.iter().filter(|entry| entry.verb != "watch" && entry.resource != "leases").count()
    }

    async fn scalers(&self, table: &mut Table) -> anyhow::Result<()> {
        println!("bench: every autoscaler is written every {SCALERS_EVERY:?}");
        let (cpu, started) = (self.process.cpu_s()?, Instant::now());
        let rounds = 3;
        self.crowd.move_scalers(&self.server, SCALERS_EVERY, rounds).await;
        let cores = (self.process.cpu_s()? - cpu) / started.elapsed().as_secs_f64();
        // The goal is for a thousand.
        let goal = 0.02 * self.crowd.len() as f64 / 1000.0;
        table.at_most("autoscalers moving: CPU", cores, goal, "core", 4);
        Ok(())
    }

    async fn rollouts(&self, table: &mut Table, tasks: &mut JoinSet<()>) -> anyhow::Result<()> {
        Pods::start(&self.server, tasks).await;
        let at_once = ROLLOUTS.min(self.crowd.len() / 4);
        let mut others = self.crowd.members();
        println!("bench: {at_once} rollouts at once");
        others.by_ref().take(at_once).for_each(|member| member.push(&self.server, 1));
        let measured: Vec<_> = others.by_ref().take(at_once).collect();
        let waits = pushes::measure(&self.server, &measured, self.port).await?;
        waits.tell("beside rollouts", 250.0, table);
        println!("bench: one hostile Canary");
        let hole = pushes::black_hole(tasks).await?;
        if let Some(hostile) = others.next() {
            hostile.turn_hostile(&self.server, hole);
        }
        sleep(Duration::from_secs(3)).await;
        let measured: Vec<_> = others.take(at_once).collect();
        let waits = pushes::measure(&self.server, &measured, self.port).await?;
        waits.tell("beside a hostile one", 500.0, table);
        table.figure("resident at the end", self.process.resident()? as f64 / 1_048_576.0, "MiB", 1);
        Ok(())
    }
}

/// How many Canaries the operator shows in its metrics.
async fn adopted(port: u16) -> usize {
    let text = async { reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await?.text().await };
    let text: Result<String, reqwest::Error> = text.await;
    text.map(|text| text.lines().filter(|line| line.starts_with("flagger_canary_status{")).count())
        .unwrap_or_default()
}
