//! Watches: a stream of what happens to the selected objects, from a revision on.

use std::{convert::Infallible, fmt::Display, sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    bell::Bell,
    errors::{Cause, Fault, Reply, Status},
    json::put,
    list::invalid_version,
    output::{Form, is_as_asked},
    registry::Resource,
    request::Request,
    select::Selector,
    server::Inner,
    state::{Call, State},
    store::{Event, Happening},
};

/// How long a watch lasts whose client did not say (`--min-request-timeout` of the real server).
const LASTS: Duration = Duration::from_secs(1800);
/// How long a watch is quiet before a bookmark is sent.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// One open watch.
pub(crate) struct Watch {
    server: Arc<Inner>,
    resource: Arc<Resource>,
    selector: Selector,
    form: Form,
    cursor: u64,
    bookmarks: bool,
    /// Lines that have not been sent yet.
    ready: String,
    revision: Bell,
    /// The revision at which it last looked.
    looked: u64,
    /// The epoch in which it was opened.
    epoch: u64,
    until: Instant,
    bookmark_at: Instant,
    ended: bool,
    /// Whether the columns of a table have been sent.
    columns_told: bool,
}

/// Opens a watch.
///
/// # Errors
/// As for a list; a revision that is forgotten is an error in the stream.
pub(crate) fn open(
    server: &Arc<Inner>,
    state: &State,
    call: &Call,
    request: &Request,
    form: Form,
) -> Reply<Body> {
    let (labels, fields) = (request.param("labelSelector"), request.param("fieldSelector"));
    let mut selector = Selector::parse(&call.resource, &call.namespace, labels, fields)?;
    if !call.name.is_empty() {
        selector = selector.and_name(&call.name);
    }
    let from: u64 = match request.param("resourceVersion") {
        "" => 0,
        text => text.parse().map_err(|_| Status::internal(invalid_version(text)))?,
    };
    let initial = request.param("sendInitialEvents");
    refuse_options(initial, request.param("resourceVersionMatch"))?;
    let seconds = request.param("timeoutSeconds").parse().ok().filter(|seconds| *seconds > 0);
    let now = Instant::now();
    let mut watch = Watch {
        server: server.clone(),
        resource: call.resource.clone(),
        selector,
        form,
        cursor: from,
        bookmarks: request.flag("allowWatchBookmarks"),
        ready: String::new(),
        revision: state.store.bell(),
        looked: state.store.revision(),
        epoch: server.epoch.number(),
        until: now + seconds.map_or(LASTS, Duration::from_secs),
        bookmark_at: now + BOOKMARK_EVERY,
        ended: false,
        columns_told: false,
    };
    match (initial, from) {
        ("true", _) => {
            watch.begin(state);
            if watch.bookmarks {
                watch.push_bookmark(true);
            }
        }
        ("", 0) => watch.begin(state),
        (_, 0) => watch.cursor = state.store.revision(),
        _ => watch.catch_up(state),
    }
    let stream = futures::stream::unfold(watch, |mut watch| async move {
        let chunk = watch.next().await?;
        Some((Ok::<_, Infallible>(chunk), watch))
    });
    Ok(Body::from_stream(stream))
}

/// Refuses options that contradict each other.
fn refuse_options(initial: &str, matching: &str) -> Reply<()> {
    let why = match (initial, matching) {
        ("", "") | ("true" | "false", "NotOlderThan") => return Ok(()),
        ("", _) => "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        _ => "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    };
    let cause = Cause::new("resourceVersionMatch", Fault::Forbidden, why);
    Err(Status::invalid_options("ListOptions", &cause))
}

impl Watch {
    /// Everything that is there now, as if it had just been added.
    fn begin(&mut self, state: &State) {
        self.cursor = state.store.revision();
        for (_, object) in state.store.all(&self.resource.bucket()) {
            if self.selector.selects(object) {
                self.push("ADDED", object);
            }
        }
    }

    /// The next line or lines; none at the end of the watch.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(chunk) = self.drain() {
                return Some(chunk);
            }
            if self.ended {
                return None;
            }
            tokio::select! {
                biased;
                () = self.server.epoch.beyond(self.epoch) => return None,
                () = self.revision.beyond(self.looked) => {
                    let server = self.server.clone();
                    let state = server.state();
                    self.looked = state.store.revision();
                    self.catch_up(&state);
                }
                () = tokio::time::sleep_until(self.until) => {
                    self.ended = true;
                }
                () = tokio::time::sleep_until(self.bookmark_at), if self.bookmarks => {
                    self.push_bookmark(false);
                    self.bookmark_at = Instant::now() + BOOKMARK_EVERY;
                }
            }
        }
    }

    fn drain(&mut self) -> Option<Bytes> {
        (!self.ready.is_empty()).then(|| Bytes::from(std::mem::take(&mut self.ready)))
    }

    fn line(&mut self, word: &str, object: impl Display) {
        self.ready.push_str(&format!("{{\"object\":{object},\"type\":\"{word}\"}}\n"));
    }

    fn catch_up(&mut self, state: &State) {
        let revision = state.store.revision();
        let Some(events) = state.store.since(self.cursor) else {
            let compacted = state.store.compacted();
            let status = Status::expired(format!("too old resource version: {} ({compacted})", self.cursor));
            self.line("ERROR", status.json());
            self.ended = true;
            return;
        };
        let bucket = self.resource.bucket();
        for event in events.filter(|event| event.bucket == bucket) {
            self.tell(event);
        }
        self.cursor = self.cursor.max(revision);
    }

    /// A change of labels can bring an object into the selection, or take it out.
    fn tell(&mut self, event: &Event) {
        let was = event.before.as_ref().is_some_and(|before| self.selector.selects(before));
        let is = event.happening != Happening::Deleted && self.selector.selects(&event.object);
        match (was, is) {
            (false, true) => self.push_event("ADDED", event),
            (true, true) => self.push_event("MODIFIED", event),
            (true, false) if event.happening == Happening::Deleted => self.push_event("DELETED", event),
            (true, false) => {
                let mut last = event.before.as_deref().cloned().unwrap_or_default();
                put(&mut last, &["metadata", "resourceVersion"], json!(event.revision.to_string()));
                self.push("DELETED", &last);
            }
            (false, false) => {}
        }
    }

    fn push_event(&mut self, word: &str, event: &Event) {
        if self.form == Form::Whole && is_as_asked(&self.resource, &event.object) {
            self.line(word, event.text());
        } else {
            self.push(word, &event.object);
        }
    }

    fn push(&mut self, word: &str, object: &Value) {
        let mut object = self.form.object(&self.resource, object, &self.server.clock);
        if let (Form::Table(_), true) = (self.form, self.columns_told) {
            put(&mut object, &["columnDefinitions"], Value::Null);
        }
        self.columns_told = true;
        self.line(word, object);
    }

    fn push_bookmark(&mut self, initial: bool) {
        let mut metadata = json!({"resourceVersion": self.cursor.to_string()});
        if initial {
            put(&mut metadata, &["annotations"], json!({"k8s.io/initial-events-end": "true"}));
        }
        let object = self.form.bookmark(&self.resource, metadata, &self.server.clock);
        self.line("BOOKMARK", object);
    }
}
