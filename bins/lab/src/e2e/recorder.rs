//! What happened in the cluster, object by object, in the order in which the API server stored it.
//!
//! The kinds are watched side by side; `resourceVersion`, which counts for the whole store, tells their order.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::StreamExt;
use http::Request;
use kube::{Client, core::WatchEvent};
use serde_json::Value;
use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{
    api::{CANARIES, DEPLOYMENTS, EVENTS, Resource, SERVICES},
    cast::Cast,
    systems,
};

pub use super::api::text;

/// One version of one object.
#[derive(Clone, Debug)]
pub struct Moment {
    pub at: Instant,
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
        let mut kinds = vec![CANARIES, DEPLOYMENTS, SERVICES, EVENTS];
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

    /// Waits until `find` finds something in a scene; `None` when it does not within `limit`.
    pub async fn until<T>(
        &self,
        cast: &Cast,
        limit: Duration,
        find: impl Fn(&[Moment]) -> Option<T>,
    ) -> Option<T> {
        let mut news = self.news.subscribe();
        let look = async {
            let mut known = None;
            loop {
                // What happens elsewhere is no reason to look again.
                let moments = self.of(cast);
                if known.replace(moments.len()) != Some(moments.len())
                    && let Some(found) = find(&moments)
                {
                    return found;
                }
                // The sender lives in self.
                let _news = news.changed().await;
            }
        };
        tokio::time::timeout(limit, look).await.ok()
    }

    /// A kind that is not served, or a watch that broke, is tried again in a moment.
    async fn follow(&self, client: &Client, of: Resource) {
        loop {
            if let Err(error) = self.watch(client, of).await
                && !matches!(&error, kube::Error::Api(status) if status.code == 404)
            {
                eprintln!("watching {}: {error}", of.1);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn watch(&self, client: &Client, (group, plural): Resource) -> Result<(), kube::Error> {
        let request = |query: String| {
            Request::get(format!("{group}/{plural}{query}")).body(Vec::new()).map_err(kube::Error::HttpError)
        };
        let list: Value = client.request(request(String::new())?).await?;
        for item in list.pointer("/items").and_then(Value::as_array).into_iter().flatten() {
            self.note((group, plural), item.clone(), false);
        }
        let version = text(&list, "/metadata/resourceVersion");
        let events = client.request_events::<Value>(request(format!(
            "?watch=true&resourceVersion={version}&timeoutSeconds=3600"
        ))?);
        let mut events = std::pin::pin!(events.await?);
        while let Some(event) = events.next().await {
            match event? {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    self.note((group, plural), object, false);
                }
                WatchEvent::Deleted(object) => self.note((group, plural), object, true),
                WatchEvent::Bookmark(_) => {}
                WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
            }
        }
        Ok(())
    }

    fn note(&self, of: Resource, object: Value, gone: bool) {
        let namespace = text(&object, "/metadata/namespace").to_owned();
        let version = text(&object, "/metadata/resourceVersion").parse().unwrap_or(0);
        let moment = Moment { at: Instant::now(), version, of, object: Arc::new(object), gone };
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
