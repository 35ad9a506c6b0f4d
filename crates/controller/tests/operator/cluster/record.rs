//! Everything that happens to the objects of a test, as the API server tells it.

use std::{
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
use vexil_testbed::api::ApiServer;

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
    Is(Value),
    /// An object is gone.
    Gone(Value),
    /// Something else: kind and text of a line.
    Note(&'static str, String),
}

/// Watches until it is dropped.
pub struct Recorder {
    server: ApiServer,
    began: Instant,
    records: Arc<Mutex<Vec<Record>>>,
    _watching: JoinSet<()>,
}

impl Recorder {
    pub fn start(server: &ApiServer) -> Recorder {
        let (began, records) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
        let mut watching = JoinSet::new();
        for kind in KINDS {
            watching.spawn(watch(server.client_as("recorder"), kind, began, Arc::clone(&records)));
        }
        Recorder { server: server.clone(), began, records, _watching: watching }
    }

    pub fn note(&self, kind: &'static str, text: String) {
        let (revision, at) = (self.server.revision(), self.began.elapsed());
        self.records.lock().unwrap().push(Record { revision, at, what: What::Note(kind, text) });
    }

    /// A Canary as it was last told.
    pub fn canary(&self, name: &str) -> Option<Value> {
        let records = self.records.lock().unwrap();
        records.iter().rev().find_map(|record| match &record.what {
            What::Is(object) if object["kind"] == "Canary" && object["metadata"]["name"] == name => {
                Some(object.clone())
            }
            _ => None,
        })
    }

    /// Everything so far, in the order in which it happened.
    pub fn records(&self) -> Vec<Record> {
        let mut records = self.records.lock().unwrap().clone();
        records.sort_by_key(|record| record.revision);
        records
    }
}

async fn watch(
    client: Client,
    (group, version, kind, plural): (&str, &str, &str, &str),
    began: Instant,
    records: Arc<Mutex<Vec<Record>>>,
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
        let what = if gone { What::Gone(object) } else { What::Is(object) };
        records.lock().unwrap().push(Record { revision, at: began.elapsed(), what });
    }
}
