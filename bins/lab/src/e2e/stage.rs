//! What a scene plays on: a namespace of its own, and ways to act on it.

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    account::{Account, Installation},
    api::{Api, CANARIES, DEPLOYMENTS, NAMESPACES, PODS, Resource, namespace},
    cast::{Cast, PODINFO, Place},
    manifests,
    operator::Recipe,
    pace::unhurried,
    recorder::{Recorder, text},
    route::spec_of,
    stand_in::{Script, StandIn},
};

/// The stage of one scene.
#[derive(Clone)]
pub struct Stage {
    pub cast: Cast,
    pub api: Api,
    pub recorder: Recorder,
    pub stand_in: StandIn,
    /// Starts an operator of this namespace only.
    pub recipe: Recipe,
    pub start: Instant,
}

impl Stage {
    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.cast.namespace
    }

    /// Makes the namespace.
    pub async fn open(&self) -> anyhow::Result<()> {
        self.stand_in.script(self.namespace(), |_| ());
        self.api.create(NAMESPACES, "", &namespace(self.namespace())).await
    }

    /// Gives the operators of this stage the account and the rights of an installation in `home` that is for this
    /// namespace only.
    pub async fn install(&mut self, home: &str) -> anyhow::Result<()> {
        let providers = [self.cast.system.provider];
        let namespace = self.namespace();
        // Helm wants a release to have a short name. A namespace ends in two numbers that are its own.
        let numbers: Vec<&str> = namespace.rsplitn(3, '-').take(2).collect();
        let release = format!("vexil-{}", numbers.join("-"));
        let of =
            Installation { release: &release, namespace: home, providers: &providers, only: Some(namespace) };
        self.recipe.account = Account::install(&self.api, &of, self.recipe.folder()).await?;
        Ok(())
    }

    /// Removes the namespace and everything in it, and a route that is elsewhere: no operator may be left to sweep it.
    pub async fn close(&self) -> anyhow::Result<()> {
        self.api.delete(NAMESPACES, "", self.namespace()).await?;
        match self.cast.place() {
            Some(place) if place.namespace != self.namespace() => {
                self.api.delete(place.of, &place.namespace, &place.name).await
            }
            _ => Ok(()),
        }
    }

    /// Applies what the system's guide has the user make, the application and its Canary.
    pub async fn apply(&self, changes: Value) -> anyhow::Result<()> {
        self.application().await?;
        self.canary(changes).await
    }

    /// Applies what the system's guide has the user make before.
    pub async fn before(&self) -> anyhow::Result<()> {
        for (of, object) in (self.cast.system.before)(&self.cast) {
            self.api.apply(of, self.namespace(), &object).await?;
        }
        Ok(())
    }

    /// Applies what the system's guide has the user make, and the application, but no Canary.
    pub async fn application(&self) -> anyhow::Result<()> {
        self.before().await?;
        self.target().await
    }

    /// Applies the application alone.
    pub async fn target(&self) -> anyhow::Result<()> {
        self.api.create(DEPLOYMENTS, self.namespace(), &manifests::deployment(&self.cast, "6.0.0")).await
    }

    /// Applies the Canary alone.
    pub async fn canary(&self, changes: Value) -> anyhow::Result<()> {
        self.api.apply(CANARIES, self.namespace(), &self.manifest(&changes)).await
    }

    /// The Canary as its user writes it.
    pub fn manifest(&self, changes: &Value) -> Value {
        manifests::canary(&self.cast, &self.stand_in, changes)
    }

    /// Applies everything, and waits until it is initialised.
    pub async fn initialise(&self, changes: Value) -> anyhow::Result<()> {
        self.apply(changes).await?;
        self.rests_in("Initialized").await
    }

    /// Applies everything, pushes 6.0.1, and waits until its canary has 25 % of the traffic; with time for what is to
    /// be done before the next step.
    pub async fn first_step(&self, changes: Value) -> anyhow::Result<()> {
        self.initialise(unhurried(changes)).await?;
        self.push("6.0.1").await?;
        self.line("route primary 75 canary 25").await.map(drop)
    }

    /// Pushes another image.
    pub async fn push(&self, tag: &str) -> anyhow::Result<()> {
        self.api.merge(DEPLOYMENTS, (self.namespace(), &self.cast.target), &manifests::push(tag)).await
    }

    /// Where the route is.
    pub fn place(&self) -> anyhow::Result<Place> {
        self.cast.place().with_context(|| format!("{} has no route", self.cast.system.name))
    }

    /// The route as it is.
    pub async fn route(&self) -> anyhow::Result<Value> {
        let place = self.place()?;
        self.api.get(place.of, &place.namespace, &place.name).await?.context("no route")
    }

    /// Edits the route by hand.
    pub async fn edit_route(&self, canary: i64) -> anyhow::Result<()> {
        let (place, live) = (self.place()?, self.route().await?);
        let kind = self.cast.system.route.as_ref().context("no route")?;
        let edited = spec_of(&kind.edited(&self.cast, &live, canary));
        self.api.merge(place.of, (&place.namespace, &place.name), &edited).await
    }

    /// Deletes the route by hand.
    pub async fn delete_route(&self) -> anyhow::Result<()> {
        let place = self.place()?;
        self.api.delete(place.of, &place.namespace, &place.name).await
    }

    /// Deletes the Canary.
    pub async fn delete_canary(&self) -> anyhow::Result<()> {
        self.api.delete(CANARIES, self.namespace(), PODINFO).await
    }

    /// Merges into an object of this namespace.
    pub async fn change(&self, of: Resource, name: &str, body: &Value) -> anyhow::Result<()> {
        self.api.merge(of, (self.namespace(), name), body).await
    }

    /// Every pod of the target crashes and does not come back: what a kubelet would write is written in its place.
    pub async fn crash_canary_pods(&self) -> anyhow::Result<()> {
        let waiting =
            json!({"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"});
        let condition = |kind: &str| json!({"type": kind, "status": "False"});
        for pod in self.api.list(PODS, self.namespace(), "app=podinfo").await? {
            let image = text(&pod, "/spec/containers/0/image");
            let crashed = json!({"status": {
                "conditions": [condition("Ready"), condition("ContainersReady")],
                "containerStatuses": [{
                    "name": "podinfod", "image": image, "imageID": "", "ready": false, "restartCount": 3,
                    "state": {"waiting": waiting},
                }],
            }});
            let name = format!("{}/status", text(&pod, "/metadata/name"));
            self.api.merge(PODS, (self.namespace(), &name), &crashed).await?;
        }
        Ok(())
    }

    /// Deletes the pods of the target, so that new ones come.
    pub async fn delete_canary_pods(&self) -> anyhow::Result<()> {
        for pod in self.api.list(PODS, self.namespace(), "app=podinfo").await? {
            self.api.delete(PODS, self.namespace(), text(&pod, "/metadata/name")).await?;
        }
        Ok(())
    }

    /// Reads or changes what metric server and hooks answer.
    pub fn script<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        self.stand_in.script(self.namespace(), change)
    }
}
