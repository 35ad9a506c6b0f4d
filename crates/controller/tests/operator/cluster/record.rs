//! Everything that happens to the objects of a test, as the API server tells it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::StreamExt as _;
use kube::{
    Client,
    api::{Api, ApiResource, DynamicObject},
    runtime::{
        WatchStreamExt as _,
        watcher::{self, watcher},
    },
};
use serde_json::Value;
use tokio::{task::JoinSet, time::Instant};
use vexil_testbed_apiserver::ApiServer;

const KINDS: [(&str, &str, &str, &str); 6] = [
    ("flagger.app", "v1beta1", "Canary", "canaries"),
    ("apps", "v1", "Deployment", "deployments"),
    ("", "v1", "Service", "services"),
    ("", "v1", "Event", "events"),
    ("traefik.io", "v1alpha1", "TraefikService", "traefikservices"),
    ("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
];

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Record {
    /// Where it stands among the others.
    pub revision: u64,
    /// Since the recorder began.
    pub at: Duration,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    /// An object is like this now.
    Is(Arc<Value>),
    /// An object is gone.
    Gone(Arc<Value>),
    /// Something else: kind and text of a line.
    Note(&'static str, String),
}

/// All that happened, and each Canary as it was last seen.
#[derive(Default)]
struct Records {
    all: Vec<Record>,
    canaries: BTreeMap<String, Arc<Value>>,
}

/// Watches until it is dropped.
pub struct Recorder {
    server: ApiServer,
    began: Instant,
    records: Arc<Mutex<Records>>,
    _watching: JoinSet<()>,
}

impl Recorder {
    pub fn start(server: &ApiServer) -> Recorder {
        let (began, records) = (Instant::now(), Arc::<Mutex<Records>>::default());
        let mut watching = JoinSet::new();
        for kind in KINDS {
            watching.spawn(watch(server.client_as("recorder"), kind, began, Arc::clone(&records)));
        }
        Recorder { server: server.clone(), began, records, _watching: watching }
    }

    pub fn note(&self, kind: &'static str, text: String) {
        let (revision, at) = (self.server.revision(), self.began.elapsed());
        self.records.lock().unwrap().all.push(Record { revision, at, what: What::Note(kind, text) });
    }

    /// A Canary as it was last seen.
    pub fn canary(&self, name: &str) -> Option<Arc<Value>> {
        self.records.lock().unwrap().canaries.get(name).cloned()
    }

    /// Everything so far, in the order in which it happened.
    pub fn records(&self) -> Vec<Record> {
        let mut records = self.records.lock().unwrap().all.clone();
        records.sort_by_key(|record| record.revision);
        records
    }
}

async fn watch(
    client: Client,
    (group, version, kind, plural): (&str, &str, &str, &str),
    began: Instant,
    records: Arc<Mutex<Records>>,
) {
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let resource = ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version,
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    };
    let api: Api<DynamicObject> = Api::all_with(client, &resource);
    let mut events = std::pin::pin!(watcher(api, watcher::Config::default()).default_backoff());
    while let Some(event) = events.next().await {
        let (object, gone) = match event {
            Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) => (object, false),
            Ok(watcher::Event::Delete(object)) => (object, true),
            Ok(watcher::Event::Init | watcher::Event::InitDone) | Err(_) => continue,
        };
        let mut object = serde_json::to_value(&object).unwrap();
        object["kind"] = kind.into();
        let revision = object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
        let (object, mut records) = (Arc::new(object), records.lock().unwrap());
        if kind == "Canary" && !gone {
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            records.canaries.insert(name, Arc::clone(&object));
        }
        let what = if gone { What::Gone(object) } else { What::Is(object) };
        records.all.push(Record { revision, at: began.elapsed(), what });
    }
}
