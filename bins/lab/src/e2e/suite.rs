//! The suite: which operators run, and which scenes are played beside each other.

mod definitions;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::bail;
use tokio::{
    sync::{RwLock, Semaphore},
    task::JoinSet,
    time::Instant,
};

use vexil_testbed_cluster::Process;
use vexil_testbed_rig::record::GATEWAY_DELAY;

use super::{
    Args,
    account::{self, Account, Installation},
    api::{Api, NAMESPACES, namespace},
    cast::Cast,
    crds::{self, Source},
    operator::Recipe,
    play::{Ended, play},
    recorder::Recorder,
    scenes::{
        FIRST_FLAGS, REAL_FLAGS, Scene, first, last, on_their_own, real_first, real_last, real_second, second,
    },
    stage::Stage,
    stand_in::StandIn,
    systems::{GATEWAY_API_ALONE, KNATIVE, KUMA_SYSTEM, LINKERD_ROUTES, SMI_ISTIO},
};

/// Scenes that are played at the same time: more of them make the cluster's controllers slow, not the suite fast.
const AT_ONCE: usize = 8;

/// Everything that a run of the suite shares.
pub struct Suite<'a> {
    args: &'a Args,
    api: Api,
    recorder: Recorder,
    stand_in: StandIn,
    binary: PathBuf,
    /// Tells the namespaces of this run from those of another.
    run: u64,
    /// Tells the scenes of this run apart.
    scenes: AtomicUsize,
    logs: PathBuf,
    /// They report on the routes of the Gateway API, and make the Revisions of Knative Services.
    _controllers: [Process; 3],
    /// The namespace of the operators' accounts.
    home: String,
    /// Whether operators have the rights of the kubeconfig's user.
    as_user: bool,
}

impl<'a> Suite<'a> {
    /// Connects, and applies our own CRDs.
    pub async fn open(
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
        let controllers = [&GATEWAY_API_ALONE, &LINKERD_ROUTES, &KNATIVE]
            .map(|system| Process::controller(&api.client, system.cluster, GATEWAY_DELAY));
        Ok(Suite {
            _controllers: controllers,
            recorder: Recorder::start(&api.client, tasks),
            stand_in: StandIn::start(tasks).await?,
            args,
            api,
            binary,
            run,
            scenes: AtomicUsize::new(0),
            logs,
            home: format!("vexil-{run}"),
            as_user: args.as_user || account::no_chart()?,
        })
    }

    /// Plays everything.
    pub async fn play(&self) -> anyhow::Result<()> {
        let start = Instant::now();
        let brought = self.brings().await?;
        self.api.create(NAMESPACES, "", &namespace(&self.home)).await?;
        // That of the last run may still be on its way out.
        let own_namespace = self.api.settled(NAMESPACES, KUMA_SYSTEM).await?.is_none();
        if own_namespace {
            self.api.create(NAMESPACES, "", &namespace(KUMA_SYSTEM)).await?;
        }
        let mut ended = Vec::new();
        let products = Source::products()?;
        if products.is_none() {
            println!(
                "e2e: SKIPPED: the products' own CRDs: VEXIL_PRODUCT_CRDS names no folder that has them"
            );
        }
        let narrow = Source::Narrow;
        let mut stages = vec![(FIRST_FLAGS, first(), &narrow), (&[], second(), &narrow)];
        if let Some(products) = &products {
            stages.extend([(REAL_FLAGS, real_first(), products), (&[], real_second(), products)]);
        }
        for (flags, scenes, source) in stages {
            let scenes = self.playable(scenes, &brought, source)?;
            ended.extend(self.by_one(flags, scenes, source).await?);
            // What the next operator finds is what its scenes bring.
            self.remove(&brought).await?;
        }
        ended.extend(self.together(on_their_own(), &narrow).await?);
        ended.extend(self.together(last(), &narrow).await?);
        if products.is_some() {
            ended.extend(self.together(real_last(), &narrow).await?);
        }
        self.remove(&brought).await?;
        self.api.delete(NAMESPACES, "", &self.home).await?;
        if own_namespace {
            self.api.delete(NAMESPACES, "", KUMA_SYSTEM).await?;
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

    /// Plays scenes that one operator of all namespaces serves.
    async fn by_one(
        &self,
        flags: &[&str],
        scenes: Vec<Scene>,
        source: &Source,
    ) -> anyhow::Result<Vec<Ended>> {
        if !scenes.iter().any(|scene| scene.name.contains(&self.args.only)) {
            return Ok(Vec::new());
        }
        let account = self.shared_account(&scenes).await?;
        // Canaries name their provider, but for those whose name the CRD does not take.
        let mut recipe = self.recipe(SMI_ISTIO.provider, "shared");
        recipe.account = account.clone();
        for flag in flags {
            recipe = recipe.with(*flag);
        }
        let shared = recipe.start()?;
        let ended = self.together(scenes, source).await?;
        shared.kill().await?;
        account.remove(&self.api).await?;
        Ok(ended)
    }

    /// Plays scenes at the same time. Those that take a kind away from everybody come before others that use it.
    async fn together(&self, scenes: Vec<Scene>, source: &Source) -> anyhow::Result<Vec<Ended>> {
        let scenes: Vec<Scene> =
            scenes.into_iter().filter(|scene| scene.name.contains(&self.args.only)).collect();
        self.install_for(&scenes, source).await?;
        let mut playing = JoinSet::new();
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let mut kinds: BTreeMap<&str, Arc<RwLock<()>>> = BTreeMap::new();
        for scene in scenes {
            let mut stage = self.stage(&scene);
            let (keep, room) = (self.args.keep, Arc::clone(&room));
            let installs = (scene.own && !self.as_user).then(|| self.home.clone());
            let kind = Arc::clone(kinds.entry(scene.definition().unwrap_or_default()).or_default());
            let alone = if scene.exclusive { Some(Arc::clone(&kind).write_owned().await) } else { None };
            playing.spawn(async move {
                let _beside_others = if alone.is_none() { Some(kind.read_owned().await) } else { None };
                // Never closed.
                let _place = room.acquire_owned().await;
                stage.start = Instant::now();
                let ended = play(scene, stage, installs.as_deref(), keep).await;
                drop(alone);
                ended
            });
        }
        let (begun, mut ended) = (Instant::now(), Vec::new());
        while let Some(scene) = playing.join_next().await {
            ended.push(scene.inspect(Ended::tell)?);
        }
        println!("  {} scenes in {:.0} s", ended.len(), begun.elapsed().as_secs_f64());
        Ok(ended)
    }

    fn stage(&self, scene: &Scene) -> Stage {
        let words = scene.name.to_lowercase();
        let words: Vec<String> = words
            .split_whitespace()
            .map(|word| word.chars().filter(char::is_ascii_alphanumeric).collect())
            .filter(|word: &String| !word.is_empty())
            .collect();
        let short: String = words.join("-").chars().take(44).collect();
        let number = self.scenes.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("{}-{number}-{}", short.trim_end_matches('-'), self.run);
        let system = scene.system;
        let mut recipe = self.recipe(system.provider, &namespace).with(format!("-namespace={namespace}"));
        for flag in system.flags {
            recipe = recipe.with(*flag);
        }
        let mut cast = Cast::new(system, namespace);
        if cast.place().is_some_and(|place| place.namespace.is_empty()) {
            cast.apex = format!("{}-{number}-{}", cast.apex, self.run);
        }
        Stage {
            recipe,
            cast,
            api: self.api.clone(),
            recorder: self.recorder.clone(),
            stand_in: self.stand_in.clone(),
            start: Instant::now(),
        }
    }

    fn recipe(&self, provider: &str, log: &str) -> Recipe {
        let log = self.logs.join(format!("{log}.log"));
        Recipe::new(&self.binary, Account::of_user(&self.api), provider, &self.stand_in, log)
    }

    /// The account of an operator of all namespaces, with the rights that users of these scenes' systems give it.
    async fn shared_account(&self, scenes: &[Scene]) -> anyhow::Result<Account> {
        if self.as_user {
            return Ok(Account::of_user(&self.api));
        }
        let mut providers: Vec<&str> = scenes.iter().map(|scene| scene.system.provider).collect();
        providers.sort_unstable();
        providers.dedup();
        let of = Installation {
            release: "vexil-shared",
            namespace: &self.home,
            providers: &providers,
            only: None,
        };
        Account::install(&self.api, &of, &self.logs).await
    }
}
