//! What was recorded of a case: every answer to a client, every change of an object, every impediment.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::time::Instant;
use vexil_testbed_apiserver::{Following, Happened};

use super::place::NAME;

/// Milliseconds since the case began.
pub type Ms = u64;

/// How long the way from an accident to changed routes may take: endpoints are lost, the gateway's delay passes, the
/// operator writes, the gateway's delay passes again.
pub const GRACE: Ms = 4_000;

/// One answer to a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// When the request was sent.
    pub at: Ms,
    /// It had the header of an A/B test.
    pub matched: bool,
    /// Its status; 0 where there was none.
    pub status: u16,
    /// The version that answered; empty where none did.
    pub version: String,
    /// Why there was none, or what a proxy said.
    pub why: String,
    /// The cookie of a client who came back.
    pub cookie: Option<String>,
    /// The header by which it got a cookie.
    pub sets: Option<String>,
}

impl Answer {
    /// Whether routing, not a version, made an error of it.
    pub fn is_lost(&self) -> bool {
        self.version.is_empty()
    }

    /// Whether the client got this cookie with it.
    pub fn gave(&self, cookie: &str) -> bool {
        let name_and_value = |set: &String| set.split(';').next().is_some_and(|one| one.trim() == cookie);
        self.sets.as_ref().is_some_and(name_and_value)
    }
}

/// The answers so far. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Answers(Arc<Mutex<Vec<Answer>>>);

impl Answers {
    /// Adds one.
    pub fn push(&self, answer: Answer) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
    }

    /// All of them, by the time of their requests.
    pub fn all(&self) -> Vec<Answer> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.sort_by_key(|answer| answer.at);
        all
    }
}

/// Something that excuses errors: a user's deed, an accident of the cluster, an operator that cannot act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// From when.
    pub from: Ms,
    /// Until when; the end of the case while it lasts.
    pub to: Ms,
    /// What it was.
    pub what: String,
}

/// Objects as they are, and what happened to them, in order.
#[derive(Debug, Default)]
pub struct Seen {
    /// By resource, namespace and name.
    pub now: BTreeMap<(String, String, String), Arc<Value>>,
    /// Everything that happened.
    pub past: Vec<(Ms, Happened)>,
}

/// Follows the objects. Clones share what was seen.
#[derive(Clone, Debug)]
pub struct Recorder {
    began: Instant,
    following: Arc<Mutex<Following>>,
    seen: Arc<Mutex<Seen>>,
}

impl Recorder {
    /// A recorder of what `following` yields.
    pub fn new(following: Following) -> Self {
        let following = Arc::new(Mutex::new(following));
        Recorder { began: Instant::now(), following, seen: Arc::default() }
    }

    /// Now.
    pub fn ms(&self) -> Ms {
        self.since(Instant::now())
    }

    fn since(&self, at: Instant) -> Ms {
        u64::try_from(at.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }

    /// All that was seen, up to now.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(happened) = following.take() {
            let key = (
                happened.resource.clone(),
                text(&happened.object, "/metadata/namespace").to_owned(),
                text(&happened.object, "/metadata/name").to_owned(),
            );
            match happened.gone {
                true => drop(seen.now.remove(&key)),
                false => drop(seen.now.insert(key, Arc::clone(&happened.object))),
            }
            seen.past.push((self.since(happened.at), happened));
        }
        seen
    }

    /// One object of the namespace.
    pub fn object(&self, resource: &str, name: &str) -> Option<Arc<Value>> {
        let key = (resource.to_owned(), super::place::NAMESPACE.to_owned(), name.to_owned());
        self.seen().now.get(&key).cloned()
    }
}

pub use vexil_testbed_rig::api::text;

/// A number of an object, 0 where there is none.
pub fn number(object: &Value, pointer: &str) -> u64 {
    object.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

/// The messages of Events about the Canary, with the time when each came.
pub fn events(recorder: &Recorder) -> Vec<(Ms, String)> {
    told(recorder).into_iter().map(|(at, event)| (at, message(&event))).collect()
}

/// The type and the message of an Event.
pub fn message(event: &Value) -> String {
    format!("{} {}", text(event, "/type"), text(event, "/message"))
}

/// The Events about the Canary, with the time when each came: some time after what they report, if the API server did
/// not answer.
pub fn told(recorder: &Recorder) -> Vec<(Ms, Arc<Value>)> {
    let seen = recorder.seen();
    let ours = seen.past.iter().filter(|(_, happened)| {
        happened.resource == "events"
            && !happened.gone
            && text(&happened.object, "/involvedObject/kind") == "Canary"
            && text(&happened.object, "/involvedObject/name") == NAME
    });
    ours.map(|(at, happened)| (*at, Arc::clone(&happened.object))).collect()
}
