//! What the operator costs, with every provider: requests, time, memory, beside Flagger's figures and the goals.
//! A goal that is missed fails the chore; a busy machine shows other times.

mod cluster;
mod figures;
mod load;
mod process;
mod providers;
mod table;

use std::{path::PathBuf, time::Duration};

use anyhow::bail;
use serde_json::json;
use tokio::{task::JoinSet, time::Instant};
use vexil_testbed_cluster::Process as Controller;
use vexil_testbed_rig::record::GATEWAY_DELAY;

use self::{cluster::Cluster, figures::Figures, process::Process, providers::SYSTEMS};
use crate::e2e::{
    self,
    account::Account,
    api::Api,
    cast::Cast,
    crds,
    operator::Recipe,
    recorder::Recorder,
    stage::Stage,
    stand_in::StandIn,
    systems::{GATEWAY_API_ALONE, LINKERD_ROUTES, SMI_ISTIO, System},
};

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
pub struct Args {
    /// The operator's binary, instead of building it
    #[arg(long)]
    operator: Option<PathBuf>,
    /// How long to look at idle Canaries, in seconds
    #[arg(long, default_value_t = 60)]
    idle: u64,
    /// What so many Canaries cost, instead of what one does: on an API server in the process, on which they are
    /// initialised already, or on the one of --kubeconfig, on which they are made
    #[arg(long)]
    canaries: Option<usize>,
    /// A real API server for --canaries
    #[arg(long, requires = "canaries")]
    kubeconfig: Option<PathBuf>,
}

/// Idle Canaries beside each other.
const CROWD: usize = 20;

/// Measures and prints.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let binary = match &args.operator {
        Some(binary) => binary.clone(),
        None => e2e::build()?,
    };
    tokio::runtime::Runtime::new()?.block_on(async {
        if let Some(canaries) = args.canaries {
            return load::run(&binary, canaries, args.kubeconfig.as_deref(), Duration::from_secs(args.idle))
                .await;
        }
        let cluster = Cluster::start().await?;
        println!("bench: on {}", cluster.name());
        let mut tasks = JoinSet::new();
        let mut bench = Bench::open(&cluster, &binary, &mut tasks).await?;
        bench.measure(Duration::from_secs(args.idle)).await?;
        println!("{}", table::text(&bench.figures));
        let missed = table::missed(&bench.figures);
        if !missed.is_empty() {
            bail!("{}", missed.join("; "));
        }
        Ok(())
    })
}

struct Bench<'a> {
    cluster: &'a Cluster,
    api: Api,
    recorder: Recorder,
    stand_in: StandIn,
    recipe: Recipe,
    figures: Figures,
    /// They report on the routes of the Gateway API.
    _controllers: [Controller; 2],
}

impl<'a> Bench<'a> {
    async fn open(
        cluster: &'a Cluster,
        binary: &std::path::Path,
        tasks: &mut JoinSet<()>,
    ) -> anyhow::Result<Self> {
        let api = Api::connect(cluster.kubeconfig()).await?;
        crds::install(&api, &crds::ours()?).await?;
        crds::install(&api, &crds::routers()?).await?;
        let stand_in = StandIn::start(tasks).await?;
        let recipe =
            Recipe::new(binary, Account::of_user(&api), SMI_ISTIO.provider, &stand_in, cluster.log());
        let figures = Figures { binary: std::fs::metadata(binary)?.len(), ..Figures::default() };
        let controllers = [&GATEWAY_API_ALONE, &LINKERD_ROUTES]
            .map(|system| Controller::controller(&api.client, system.cluster, GATEWAY_DELAY));
        Ok(Bench {
            cluster,
            recorder: Recorder::start(&api.client, tasks),
            api,
            stand_in,
            recipe,
            figures,
            _controllers: controllers,
        })
    }

    async fn measure(&mut self, idle: Duration) -> anyhow::Result<()> {
        let operator = self.recipe.start()?;
        let process = Process(operator.id().unwrap_or_default());
        self.rollouts().await?;
        let crowd = self.crowd().await?;
        self.idle(&process, idle).await?;
        self.pushes(&crowd).await?;
        operator.kill().await
    }

    async fn rollouts(&mut self) -> anyhow::Result<()> {
        println!("bench: rollouts of two steps and of six with each provider");
        let (providers, seconds) = providers::measure(self).await?;
        self.figures.rollout_s = seconds;
        self.figures.providers = providers;
        Ok(())
    }

    /// Canaries that have nothing to do, of all providers.
    async fn crowd(&self) -> anyhow::Result<Vec<Stage>> {
        println!("bench: {CROWD} Canaries are initialised");
        let mut crowd = Vec::new();
        for (number, system) in SYSTEMS.iter().cycle().take(CROWD).enumerate() {
            let stage = self.stage(system, &format!("idle-{number:02}")).await?;
            stage.apply(json!({"analysis": {"interval": "10s"}})).await?;
            crowd.push(stage);
        }
        for stage in &crowd {
            stage.rests_in("Initialized").await?;
        }
        Ok(crowd)
    }

    async fn idle(&mut self, process: &Process, idle: Duration) -> anyhow::Result<()> {
        println!("bench: they idle for {idle:?}");
        let (requests, cpu) = (self.cluster.requests(None)?, process.cpu_s()?);
        tokio::time::sleep(idle).await;
        let asked = figures::since(&requests, &self.cluster.requests(None)?);
        for (request, times) in &asked {
            println!("bench: while idle, {times} {request}");
        }
        let intervals = idle.as_secs_f64() / 10.0 * CROWD as f64;
        self.figures.idle = asked.values().sum::<usize>() as f64 / intervals;
        self.figures.cpu = (process.cpu_s()? - cpu) / idle.as_secs_f64();
        self.figures.resident = process.resident()?;
        Ok(())
    }

    /// From a push to the target's scale-up, one Canary after the other. Between the two rounds the push is taken back.
    async fn pushes(&mut self, crowd: &[Stage]) -> anyhow::Result<()> {
        println!("bench: {} pushes", 2 * CROWD);
        self.push_round(crowd, "6.0.1").await?;
        for stage in crowd {
            stage.push("6.0.0").await?;
        }
        for stage in crowd {
            stage.rests_in("Succeeded").await?;
            stage.target_is_empty().await?;
        }
        self.push_round(crowd, "6.0.2").await
    }

    async fn push_round(&mut self, crowd: &[Stage], tag: &str) -> anyhow::Result<()> {
        for stage in crowd {
            let pushed = Instant::now();
            stage.push(tag).await?;
            let scaled = stage.line(&format!("target 2 of {tag}")).await?;
            self.figures.scale_ups.push(scaled.saturating_duration_since(pushed).as_secs_f64() * 1000.0);
        }
        Ok(())
    }

    async fn stage(&self, system: &'static System, namespace: &str) -> anyhow::Result<Stage> {
        let mut cast = Cast::new(system, namespace);
        if cast.place().is_some_and(|place| place.namespace.is_empty()) {
            cast.apex = format!("{}-{namespace}", cast.apex);
        }
        let stage = Stage {
            cast,
            api: self.api.clone(),
            recorder: self.recorder.clone(),
            stand_in: self.stand_in.clone(),
            recipe: self.recipe.clone(),
            start: Instant::now(),
        };
        stage.open().await?;
        Ok(stage)
    }
}
