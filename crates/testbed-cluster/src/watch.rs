//! Follows kinds of the API: a list, then a watch from there, again and again.

use std::time::Duration;

use futures::TryStreamExt as _;
use http::Request;
use kube::Client;
use kube::core::WatchEvent;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::controllers::Snapshot;
use super::kinds::Resource;
use super::view;

/// The wait after a list or watch that failed.
const PAUSE: Duration = Duration::from_millis(200);
/// The wait before a kind that is not served is asked for again.
const UNSERVED_PAUSE: Duration = Duration::from_secs(1);
/// How long one watch lasts, in seconds; the API server ends it then.
const WATCH_SECONDS: u32 = 290;

/// What is new of one kind.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// All objects there are.
    Listed(Resource, Vec<Value>),
    /// An object that was created or changed.
    Put(Resource, Value),
    /// An object that was deleted.
    Gone(Resource, Value),
}

impl News {
    /// Brings a snapshot up to date.
    pub fn apply(self, snapshot: &mut Snapshot) {
        match self {
            News::Listed(resource, objects) => snapshot.replace(resource, objects),
            News::Put(resource, object) => snapshot.put(resource, object),
            News::Gone(resource, object) => snapshot.remove(resource, &object),
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
        let (tell, news) = unbounded_channel();
        let mut tasks = JoinSet::new();
        for resource in resources {
            tasks.spawn(follow(client.clone(), *resource, tell.clone()));
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

async fn follow(client: Client, resource: Resource, tell: UnboundedSender<News>) {
    while !tell.is_closed() {
        match list(&client, resource).await {
            Ok((objects, version)) => {
                let _ = tell.send(News::Listed(resource, objects));
                watch(&client, resource, version, &tell).await;
            }
            Err(kube::Error::Api(status)) if status.code == 404 => {
                let _ = tell.send(News::Listed(resource, Vec::new()));
                tokio::time::sleep(UNSERVED_PAUSE).await;
            }
            Err(error) => {
                tracing::debug!(kind = resource.kind, %error, "list failed");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn list(client: &Client, resource: Resource) -> kube::Result<(Vec<Value>, String)> {
    let mut list: Value = client.request(get(resource.path())?).await?;
    let version = view::text(&list, "/metadata/resourceVersion").to_owned();
    let objects = match list.get_mut("items").map(Value::take) {
        Some(Value::Array(objects)) => objects,
        _ => Vec::new(),
    };
    Ok((objects, version))
}

/// Watches from a version until something fails; a watch that ends in peace is renewed.
async fn watch(client: &Client, resource: Resource, mut version: String, tell: &UnboundedSender<News>) {
    loop {
        if let Err(error) = watch_once(client, resource, &mut version, tell).await {
            tracing::debug!(kind = resource.kind, %error, "watch ended");
            return tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn watch_once(
    client: &Client,
    resource: Resource,
    version: &mut String,
    tell: &UnboundedSender<News>,
) -> kube::Result<()> {
    let path = format!(
        "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={version}",
        resource.path()
    );
    let stream = client.request_events::<Value>(get(path)?).await?;
    let mut stream = std::pin::pin!(stream);
    while let Some(event) = stream.try_next().await? {
        let news = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => News::Put(resource, object),
            WatchEvent::Deleted(object) => News::Gone(resource, object),
            WatchEvent::Bookmark(bookmark) => {
                *version = bookmark.metadata.resource_version;
                continue;
            }
            WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
        };
        if let News::Put(_, object) | News::Gone(_, object) = &news {
            *version = view::text(object, "/metadata/resourceVersion").to_owned();
        }
        let _ = tell.send(news);
    }
    Ok(())
}

fn get(path: String) -> kube::Result<Request<Vec<u8>>> {
    Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)
}
