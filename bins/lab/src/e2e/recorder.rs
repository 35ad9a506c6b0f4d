//! What happened in the cluster, object by object, in the order in which the API server stored it.
//!
//! The kinds are watched side by side; `resourceVersion`, which counts for the whole store, gives their order.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use kube::Client;
use serde_json::Value;
use tokio::{sync::watch, task::JoinSet, time::Instant};
use vexil_testbed_cluster::{Change, follow};

use super::{
    api::{CANARIES, DAEMON_SETS, DEPLOYMENTS, EVENTS, Resource, SERVICES, api_resource},
    cast::Cast,
    systems,
};

pub use super::api::text;

/// Longest wait in a scene in which something happens all the time.
const LONGEST: Duration = Duration::from_secs(600);

/// One version of one object.
#[derive(Clone, Debug)]
pub struct Moment {
    pub at: Instant,
    /// The same on the clock of the machine, which the operator shares, in milliseconds since 1970.
    pub ms: u64,
    pub version: u64,
    pub of: Resource,
    pub object: Arc<Value>,
    pub gone: bool,
}

impl Moment {
    /// The object's name.
    pub fn name(&self) -> &str {
        text(&self.object, "/metadata/name")
    }
}

/// Everything that was seen. Clones share it.
#[derive(Clone)]
pub struct Recorder {
    seen: Arc<Mutex<BTreeMap<String, Vec<Moment>>>>,
    news: watch::Sender<()>,
}

impl Recorder {
    /// Starts to watch; ends with `tasks`.
    pub fn start(client: &Client, tasks: &mut JoinSet<()>) -> Self {
        let recorder = Recorder { seen: Arc::default(), news: watch::Sender::new(()) };
        let mut kinds = vec![CANARIES, DAEMON_SETS, DEPLOYMENTS, SERVICES, EVENTS];
        kinds.extend(systems::ALL.iter().filter_map(|system| Some(system.route.as_ref()?.of)));
        kinds.sort_unstable();
        kinds.dedup();
        for of in kinds {
            let (recorder, client) = (recorder.clone(), client.clone());
            tasks.spawn(async move { recorder.follow(&client, of).await });
        }
        recorder
    }

    /// Everything in a scene's namespace so far, and of its route wherever that is, in the order of the store.
    pub fn of(&self, cast: &Cast) -> Vec<Moment> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut moments = seen.get(&cast.namespace).cloned().unwrap_or_default();
        if let Some(place) = cast.place().filter(|place| place.namespace != cast.namespace) {
            let there = seen.get(&place.namespace).into_iter().flatten();
            moments.extend(there.filter(|moment| cast.is_route(moment.of, moment.name())).cloned());
        }
        moments.sort_by_key(|moment| moment.version);
        moments
    }

    /// Waits until `find` finds something in a scene; `None` when nothing new has happened there for `quiet`. A slow
    /// machine takes longer for each thing that happens, and for one after the other.
    pub async fn until<T>(
        &self,
        cast: &Cast,
        quiet: Duration,
        find: impl Fn(&[Moment]) -> Option<T>,
    ) -> Option<T> {
        let begun = Instant::now();
        let (mut news, mut known, mut end) = (self.news.subscribe(), None, begun + quiet);
        loop {
            // What happens elsewhere is no reason to look again.
            let moments = self.of(cast);
            if known.replace(moments.len()) != Some(moments.len()) {
                if let Some(found) = find(&moments) {
                    return Some(found);
                }
                end = (Instant::now() + quiet).min(begun + LONGEST);
            }
            // The sender lives in self.
            tokio::time::timeout_at(end, news.changed()).await.ok()?.ok()?;
        }
    }

    async fn follow(&self, client: &Client, of: Resource) {
        let tell = |change| {
            match change {
                Change::Listed(objects) => objects.into_iter().for_each(|one| self.note(of, one, false)),
                Change::Put(object) => self.note(of, object, false),
                Change::Gone(object) => self.note(of, object, true),
            }
            true
        };
        follow(client.clone(), &api_resource(of), tell).await;
    }

    fn note(&self, of: Resource, object: Value, gone: bool) {
        let namespace = text(&object, "/metadata/namespace").to_owned();
        let version = text(&object, "/metadata/resourceVersion").parse().unwrap_or(0);
        let ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let ms = u64::try_from(ms).unwrap_or(u64::MAX);
        let moment = Moment { at: Instant::now(), ms, version, of, object: Arc::new(object), gone };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let moments = seen.entry(namespace).or_default();
        let known = |m: &Moment| m.version == version && m.of == of && m.name() == moment.name();
        if !moments.iter().rev().any(known) {
            moments.push(moment);
        }
        drop(seen);
        self.news.send_replace(());
    }
}
