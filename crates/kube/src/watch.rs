//! Keeps the cache of one kind fed: list, then watch from there, for ever.
//!
//! Why not `kube::runtime::watcher`: it hides the versions of lists and bookmarks, which tell when a write of ours has
//! been passed; it puts no bound on a list that hangs; and it cannot rest while a kind is not served.

use std::{future::pending, pin::pin, sync::Arc, time::Duration};

use futures::StreamExt;
use http::{HeaderValue, Method, Request, header};
use kube::core::WatchEvent;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use vexil_object::{Kind, Seen, kinds::CUSTOM_RESOURCE_DEFINITION, meta};

use crate::{
    cache::Packing,
    call::{self, LIST_LIMIT},
    fields::{complete, wants_fields},
    hold,
    overlay::number,
    pace::{self, Pace},
    page::{self, Page},
    paths,
    setback::{Setback, broken, unread},
    shared::Shared,
};

/// Longest wait for the head of a watch's answer.
const OPEN_LIMIT: Duration = Duration::from_secs(30);

/// How long after the API server should have ended a watch it is taken for dead. With at most 290 s before it, a
/// silently dead watch is found within 295 s.
const GRACE: Duration = Duration::from_secs(5);

/// A watch that lived this long, or told anything, has worked.
const PROVEN: Duration = Duration::from_secs(5);

/// Objects per page of a list, as client-go asks for.
const PAGE: &str = "500";

/// Feeds the cache of one kind for ever.
pub(crate) async fn keep(shared: Arc<Shared>, kind: Kind) {
    let mut pace = Pace::new(kind);
    let mut from: Option<String> = None;
    loop {
        let definition = shared.definition(kind);
        let setback = match &mut from {
            None => match list(&shared, kind).await {
                Ok(version) => {
                    from = Some(version);
                    continue;
                }
                Err(setback) => setback,
            },
            Some(version) => match watch(&shared, kind, version, &mut pace).await {
                Ok(()) => continue,
                Err(setback) => setback,
            },
        };
        if !matches!(setback, Setback::Outage { .. }) {
            from = None;
        }
        rest(&shared, kind, setback, &mut pace, definition).await;
    }
}

/// Says what is wrong and waits as long as it makes sense.
async fn rest(shared: &Shared, kind: Kind, setback: Setback, pace: &mut Pace, definition: Seen) {
    match setback {
        Setback::Restart(message) => {
            tracing::debug!(kind = kind.kind, message, "list anew");
            sleep(pace.pause(pace::OUTAGE)).await;
        }
        Setback::Outage { message, retry_after } => {
            shared.set_trouble(kind, Some(message));
            sleep(pace.pause(pace::OUTAGE).max(retry_after.unwrap_or_default().min(hold::LONGEST))).await;
        }
        Setback::Refused(message) => {
            shared.set_trouble(kind, Some(message));
            sleep(pace.pause(pace::REFUSED)).await;
        }
        // Nobody can have removed it: what was known stays, and it is asked for again soon.
        Setback::NotServed(message) if kind.is_built_in() => {
            let resource = format!("{} {}", kind.api_version(), kind.plural);
            shared.set_trouble(kind, Some(format!("the API server does not serve {resource}: {message}")));
            sleep(pace.pause(pace::OUTAGE)).await;
        }
        Setback::NotServed(message) => {
            shared.note(kind, crate::cache::Cache::not_served);
            tracing::debug!(kind = kind.kind, message, "not served");
            let resource = format!("{} {}", kind.api_version(), kind.plural);
            shared.set_trouble(kind, Some(format!("the API server does not serve {resource}")));
            shared.start(CUSTOM_RESOURCE_DEFINITION);
            until_defined(shared, kind, pace, &definition).await;
        }
    }
}

/// Waits until the definition of the kind comes or changes; `before` is how it was when the request was sent.
async fn until_defined(shared: &Shared, kind: Kind, pace: &mut Pace, before: &Seen) {
    let longest = |seen: &Seen| if *seen == Seen::Absent { pace::ABSENT } else { pace::REFUSED };
    let pause = match before {
        Seen::Absent => pace::ABSENT,
        Seen::Present(_) | Seen::NotKnown => pace.pause(longest(before)),
    };
    tokio::select! {
        biased;
        () = shared.definition_differs(kind, before) => {}
        () = sleep(pause) => {}
    }
}

/// Reads the whole list into the cache and answers its version. Without a resourceVersion in the request it is the
/// most recent state, not whatever the API server has at hand.
async fn list(shared: &Shared, kind: Kind) -> Result<String, Setback> {
    let path = path(shared, kind)?;
    let accept = accept(shared, kind, "PartialObjectMetadataList");
    // Packed one by one: ten thousand trees at once are a hundred times as much.
    let mut objects = Packing::default();
    let mut shapes = Vec::new();
    let mut next = String::new();
    let version = loop {
        let mut query = vec![("limit", PAGE)];
        if !next.is_empty() {
            query.push(("continue", next.as_str()));
        }
        let request = get(&paths::with_query(&path, &query), &accept)?;
        let body = call::call(&shared.client, request, LIST_LIMIT).await.map_err(Setback::from)?;
        let Page { version, next: more, .. } = page::each(&body, &mut |object| {
            let object = shared.kept(kind, object);
            if wants_fields(shared, kind, &object) { shapes.push(object) } else { objects.add(&object) }
        })
        .map_err(|error| Setback::outage(format!("list is no JSON: {error}")))?;
        if more.is_empty() {
            break version;
        }
        next = more;
    };
    for mut object in shapes {
        complete(shared, kind, &mut object).await.map_err(|error| unread(&error))?;
        objects.add(&object);
    }
    shared.update(kind, |cache| cache.relist(number(&version), objects)).map_err(|past| {
        Setback::outage(format!(
            "the API server answers from the past: version {} after {}; after a restore of etcd, restart",
            past.listed, past.reached
        ))
    })?;
    shared.set_trouble(kind, None);
    Ok(version)
}

/// Watches until the API server ends it, moving `version` on.
async fn watch(shared: &Shared, kind: Kind, version: &mut String, pace: &mut Pace) -> Result<(), Setback> {
    let seconds = pace.watch_s();
    let limit = seconds.to_string();
    let query = [
        ("watch", "true"),
        ("allowWatchBookmarks", "true"),
        ("resourceVersion", version),
        ("timeoutSeconds", &limit),
    ];
    let request = get(
        &paths::with_query(&path(shared, kind)?, &query),
        &accept(shared, kind, "PartialObjectMetadata"),
    )?;
    let opening = shared.client.request_events::<Value>(call::signed(request));
    let mut dead = pin!(sleep(Duration::from_secs(seconds) + GRACE));
    let frames = timeout(OPEN_LIMIT, opening)
        .await
        .map_err(|_| Setback::outage("no answer to a watch".to_owned()))?
        .map_err(|error| Setback::from(call::from_client(&error)))?;
    shared.set_trouble(kind, None);
    let mut frames = pin!(frames);
    let mut redefined = pin!(redefined(shared, kind));
    let mut proven = false;
    let mut proof = pin!(sleep(PROVEN));
    loop {
        tokio::select! {
            biased;
            () = &mut dead => return Ok(()),
            () = &mut redefined => return Err(Setback::Restart("its definition is another one".to_owned())),
            () = async { if proven { pending().await } else { (&mut proof).await } } => {}
            frame = frames.next() => match frame {
                None if proven => return Ok(()),
                None => return Err(Setback::outage("the watch ended at once".to_owned())),
                Some(Ok(event)) => take(shared, kind, event, version).await?,
                Some(Err(error)) => return Err(broken(&error)),
            },
        }
        proven = true;
        pace.calm();
    }
}

/// Waits until the definition of the kind, which was there, is gone or says something else. API servers end the watches
/// of such a kind sooner or later, and until then they tell of objects as the former definition had them.
async fn redefined(shared: &Shared, kind: Kind) {
    let generation = |definition: &Seen| {
        definition.object().and_then(|object| object.pointer("/metadata/generation").cloned())
    };
    let mut definition = shared.definition(kind);
    loop {
        shared.definition_differs(kind, &definition).await;
        let now = shared.definition(kind);
        let known = definition != Seen::NotKnown && now != Seen::NotKnown;
        if known && generation(&definition) != generation(&now) {
            return;
        }
        definition = now;
    }
}

/// Takes one event into the cache.
async fn take(
    shared: &Shared,
    kind: Kind,
    event: WatchEvent<Value>,
    version: &mut String,
) -> Result<(), Setback> {
    match event {
        WatchEvent::Added(object) | WatchEvent::Modified(object) => {
            let at = checked(&object)?;
            let mut object = shared.kept(kind, object);
            complete(shared, kind, &mut object).await.map_err(|error| unread(&error))?;
            shared.note(kind, |cache| cache.told(&object));
            *version = at;
        }
        WatchEvent::Deleted(object) => {
            *version = checked(&object)?;
            shared.note(kind, |cache| cache.told_deleted(&object));
        }
        WatchEvent::Bookmark(bookmark) => {
            *version = bookmark.metadata.resource_version;
            let reached = number(version);
            shared.note(kind, |cache| cache.told_nothing_until(reached));
        }
        WatchEvent::Error(status) => return Err(call::from_status(status.code, None, &status).into()),
    }
    Ok(())
}

/// The version of an object in an event; without a version or a name the event cannot be placed.
fn checked(object: &Value) -> Result<String, Setback> {
    match (meta::resource_version(object), meta::text(object, "/metadata/name")) {
        ("", _) | (_, "") => Err(Setback::Restart("an event without name or version".to_owned())),
        (version, _) => Ok(version.to_owned()),
    }
}

fn path(shared: &Shared, kind: Kind) -> Result<String, Setback> {
    paths::collection(kind, shared.scope.namespace()).map_err(|bad| Setback::Refused(bad.0))
}

/// Only metadata is asked for where only metadata is kept; a server that cannot do that sends the whole.
fn accept(shared: &Shared, kind: Kind, form: &str) -> HeaderValue {
    let metadata = format!("application/json;as={form};g=meta.k8s.io;v=v1,application/json");
    match shared.projection(kind).metadata_only() {
        true => HeaderValue::from_str(&metadata).unwrap_or(HeaderValue::from_static("application/json")),
        false => HeaderValue::from_static("application/json"),
    }
}

fn get(path: &str, accept: &HeaderValue) -> Result<Request<Vec<u8>>, Setback> {
    let mut request =
        paths::request(Method::GET, path, paths::Body::None).map_err(|bad| Setback::Refused(bad.0))?;
    request.headers_mut().insert(header::ACCEPT, accept.clone());
    Ok(request)
}
