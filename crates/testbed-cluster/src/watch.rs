//! Follows kinds of the API: a list, then a watch from there, again and again.

use std::time::Duration;

use futures::StreamExt as _;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject},
    runtime::watcher::{self, Event, watcher},
};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use super::controllers::Snapshot;
use super::kinds::Resource;

/// The wait after a list or watch that failed.
const PAUSE: Duration = Duration::from_millis(200);
/// The wait before a kind that is not served is asked for again.
const UNSERVED_PAUSE: Duration = Duration::from_secs(1);

/// What is new of one kind.
#[derive(Clone, Debug)]
pub enum Change {
    /// All objects there are; none while the kind is not served.
    Listed(Vec<Value>),
    /// An object that was created or changed.
    Put(Value),
    /// An object that was deleted.
    Gone(Value),
}

/// Follows one kind until `tell` returns `false`; the name of the kind need not be known.
pub async fn follow(client: Client, of: &ApiResource, mut tell: impl FnMut(Change) -> bool) {
    let api: Api<DynamicObject> = Api::all_with(client, of);
    loop {
        // A new stream after each error: one whose history is gone would ask for it for ever.
        let mut events = std::pin::pin!(watcher(api.clone(), watcher::Config::default()));
        let mut listed = Vec::new();
        let pause = loop {
            let Some(event) = events.next().await else { break PAUSE };
            let change = match event {
                Ok(Event::Init) => continue,
                Ok(Event::InitApply(object)) => {
                    listed.push(value(object));
                    continue;
                }
                Ok(Event::InitDone) => Change::Listed(std::mem::take(&mut listed)),
                Ok(Event::Apply(object)) => Change::Put(value(object)),
                Ok(Event::Delete(object)) => Change::Gone(value(object)),
                Err(error) if is_unserved(&error) => {
                    if !tell(Change::Listed(Vec::new())) {
                        return;
                    }
                    break UNSERVED_PAUSE;
                }
                Err(error) => {
                    tracing::debug!(kind = of.kind, %error, "a list or watch failed");
                    break PAUSE;
                }
            };
            if !tell(change) {
                return;
            }
        };
        tokio::time::sleep(pause).await;
    }
}

fn value(object: DynamicObject) -> Value {
    // An object that was JSON a moment ago is JSON again.
    serde_json::to_value(object).unwrap_or_default()
}

fn is_unserved(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.code == 404,
        _ => false,
    }
}

/// A change of a kind.
#[derive(Clone, Debug)]
pub(crate) struct News(pub Resource, pub Change);

impl News {
    /// Brings a snapshot up to date.
    pub fn apply(self, snapshot: &mut Snapshot) {
        match self.1 {
            Change::Listed(objects) => snapshot.replace(self.0, objects),
            Change::Put(object) => snapshot.put(self.0, object),
            Change::Gone(object) => snapshot.remove(self.0, &object),
        }
    }
}

/// Follows some kinds; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    news: UnboundedReceiver<News>,
    _tasks: JoinSet<()>,
}

impl Watch {
    /// Begins to follow.
    pub fn start(client: &Client, resources: &[Resource]) -> Self {
        let (sender, news) = unbounded_channel();
        let mut tasks = JoinSet::new();
        for resource in resources.iter().copied() {
            let (client, sender) = (client.clone(), sender.clone());
            tasks.spawn(async move {
                let tell = |change| sender.send(News(resource, change)).is_ok();
                follow(client, &resource.api_resource(), tell).await;
            });
        }
        Watch { news, _tasks: tasks }
    }

    /// Waits for the next news.
    pub async fn next(&mut self) -> Option<News> {
        self.news.recv().await
    }

    /// Takes over all news that have come already; whether there were any.
    pub fn drain(&mut self, snapshot: &mut Snapshot) -> bool {
        let mut any = false;
        while let Ok(news) = self.news.try_recv() {
            news.apply(snapshot);
            any = true;
        }
        any
    }
}
