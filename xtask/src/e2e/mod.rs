//! The operator's binary against a real API server, as users see it: phases, routes, replicas, Events; and `kill -9`.
//!
//! Each scene has a namespace of its own. Traffic is not played here: that is the demo's.

pub mod api;
pub mod crds;
mod laws;
mod manifests;
pub mod operator;
mod proxy;
pub mod recorder;
mod scenes;
pub mod stage;
pub mod stand_in;
mod story;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, bail};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

use self::{
    api::{Api, DEFINITIONS},
    operator::Recipe,
    recorder::Recorder,
    scenes::{FIRST, KILLED, LAST, Scene, TOGETHER},
    stage::Stage,
    stand_in::StandIn,
};

/// Arguments of `cargo xtask e2e`.
#[derive(clap::Args)]
pub struct Args {
    /// The operator's binary, instead of building it
    #[arg(long)]
    operator: Option<PathBuf>,
    /// Only scenes whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Leave the namespaces and the operators' logs behind
    #[arg(long)]
    keep: bool,
}

/// Runs the suite.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let kubeconfig = std::env::var_os("KUBECONFIG").filter(|path| !path.is_empty());
    let kubeconfig =
        PathBuf::from(kubeconfig.context("KUBECONFIG is not set: there is no cluster to test on")?);
    let binary = match &args.operator {
        Some(binary) => binary.clone(),
        None => build()?,
    };
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut tasks = JoinSet::new();
        let suite = Suite::open(kubeconfig, binary, args, &mut tasks).await?;
        suite.play().await
    })
}

/// Builds the operator as it is shipped, and answers where it is.
pub fn build() -> anyhow::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let built =
        Command::new(cargo).args(["build", "--release", "-p", "vexil"]).current_dir(&root).status()?;
    if !built.success() {
        bail!("the operator could not be built");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    Ok(target.join("release/vexil"))
}

/// Tells whether the cluster has Traefik's CRDs. Those that the suite installed leave with it.
const ROUTE_DEFINITION: &str = "traefikservices.traefik.io";

/// Scenes that are played at the same time: more of them make the cluster's controllers slow, not the suite fast.
const AT_ONCE: usize = 6;

struct Suite<'a> {
    args: &'a Args,
    api: Api,
    recorder: Recorder,
    stand_in: StandIn,
    binary: PathBuf,
    /// Tells the namespaces of this run from those of another.
    run: u64,
    logs: PathBuf,
}

/// How a scene ended.
struct Ended {
    name: &'static str,
    seconds: f64,
    trouble: Option<String>,
}

impl<'a> Suite<'a> {
    async fn open(
        kubeconfig: PathBuf,
        binary: PathBuf,
        args: &'a Args,
        tasks: &mut JoinSet<()>,
    ) -> anyhow::Result<Self> {
        let api = Api::connect(kubeconfig).await?;
        crds::install(&api, &crds::ours()?).await?;
        let run = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() % 1_000_000;
        let logs = std::env::temp_dir().join(format!("vexil-e2e-{run}"));
        std::fs::create_dir_all(&logs)?;
        Ok(Suite {
            recorder: Recorder::start(&api.client, tasks),
            stand_in: StandIn::start(tasks).await?,
            args,
            api,
            binary,
            run,
            logs,
        })
    }

    async fn play(&self) -> anyhow::Result<()> {
        let start = Instant::now();
        let mut ended = Vec::new();
        let shared = self.recipe("shared").start()?;
        let theirs = self.api.get(DEFINITIONS, "", ROUTE_DEFINITION).await?.is_some();
        if theirs {
            self.skip(FIRST, "the cluster has them already");
        } else {
            ended.extend(self.together(FIRST).await?);
            crds::install(&self.api, &crds::traefik()?).await?;
        }
        ended.extend(self.together(TOGETHER).await?);
        shared.kill().await?;
        ended.extend(self.together(KILLED).await?);
        ended.extend(self.together(LAST).await?);
        if !theirs {
            for definition in crds::traefik()? {
                self.api.delete(DEFINITIONS, "", recorder::text(&definition, "/metadata/name")).await?;
            }
        }
        let failed = ended.iter().filter(|scene| scene.trouble.is_some()).count();
        let seconds = start.elapsed().as_secs_f64();
        println!("e2e: {} passed, {failed} failed in {seconds:.0} s", ended.len() - failed);
        if failed > 0 {
            bail!(
                "{failed} of {} scenes failed; the operators' logs are in {}",
                ended.len(),
                self.logs.display()
            );
        }
        if !self.args.keep {
            std::fs::remove_dir_all(&self.logs)?;
        }
        Ok(())
    }

    fn skip(&self, scenes: &[Scene], why: &str) {
        for scene in scenes {
            println!("  skip          {}: {why}", scene.name);
        }
    }

    /// Plays scenes at the same time.
    async fn together(&self, scenes: &'static [Scene]) -> anyhow::Result<Vec<Ended>> {
        let mut playing = JoinSet::new();
        let room = Arc::new(Semaphore::new(AT_ONCE));
        for scene in scenes.iter().filter(|scene| scene.name.contains(&self.args.only)) {
            let mut stage = self.stage(scene);
            let (keep, room) = (self.args.keep, Arc::clone(&room));
            playing.spawn(async move {
                // Never closed.
                let _place = room.acquire_owned().await;
                stage.start = Instant::now();
                play(scene, stage, keep).await
            });
        }
        let mut ended = Vec::new();
        while let Some(scene) = playing.join_next().await {
            let scene = scene?;
            let word = if scene.trouble.is_some() { "FAIL" } else { "ok" };
            println!("  {word:<4} {:5.1} s  {}", scene.seconds, scene.name);
            if let Some(trouble) = &scene.trouble {
                println!("{trouble}");
            }
            ended.push(scene);
        }
        Ok(ended)
    }

    fn stage(&self, scene: &Scene) -> Stage {
        let words = scene.name.to_lowercase();
        let words: Vec<String> = words
            .split_whitespace()
            .map(|word| word.chars().filter(char::is_ascii_alphanumeric).collect())
            .filter(|word: &String| !word.is_empty())
            .collect();
        let short: String = words.join("-").chars().take(48).collect();
        let namespace = format!("{}-{}", short.trim_end_matches('-'), self.run);
        Stage {
            recipe: self.recipe(&namespace).with(format!("-namespace={namespace}")),
            namespace,
            api: self.api.clone(),
            recorder: self.recorder.clone(),
            stand_in: self.stand_in.clone(),
            start: Instant::now(),
        }
    }

    fn recipe(&self, log: &str) -> Recipe {
        Recipe::new(&self.binary, &self.api, &self.stand_in, self.logs.join(format!("{log}.log")))
    }
}

/// Plays one scene on its stage, and clears the stage.
async fn play(scene: &'static Scene, stage: Stage, keep: bool) -> Ended {
    let played = async {
        stage.open().await?;
        (scene.play)(stage.clone()).await
    }
    .await;
    let trouble = played.err().map(|error| format!("    {error:#}\n{}", stage.timeline()));
    let seconds = stage.start.elapsed().as_secs_f64();
    if !keep && let Err(error) = stage.close().await {
        eprintln!("{}: {error:#}", stage.namespace);
    }
    Ended { name: scene.name, seconds, trouble }
}
