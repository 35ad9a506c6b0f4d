//! Keeps the cache of one kind up to date: `kube::runtime::watcher` lists and watches, this file gives its events to
//! the cache and decides how long to wait after an error.
//!
//! Lists are read in small pages, and each object is reduced and packed before the next one is taken: ten thousand JSON
//! trees at once take a hundred times the memory of what is kept.

use std::{borrow::Cow, pin::pin, sync::Arc, time::Duration};

use futures::{Stream, StreamExt, future::Either};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{
    Api,
    core::DynamicResourceScope,
    runtime::watcher::{self, Event, watcher},
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokio::time::{sleep, timeout};
use vexil_object::{Kind, Seen, kinds::CUSTOM_RESOURCE_DEFINITION, meta};

use crate::{
    cache::Packing, call::LIST_LIMIT, definition_fields::complete, lean::Lean, retry_after, shared::Shared,
    watch_client::WatchState, watch_error::WatchError, watch_pauses,
};

/// Objects per page of a list. `watcher` decodes a page as a whole.
const PAGE: u32 = 100;

/// Keeps the cache of one kind up to date. Never returns.
pub(crate) async fn keep(shared: Arc<Shared>, kind: Kind) {
    let state = WatchState::new(&shared, kind);
    loop {
        let definition = shared.definition(kind);
        let error = if shared.projection(kind).metadata_only() {
            follow(&shared, kind, &state, events::<true>(&shared, kind, &state)).await
        } else {
            follow(&shared, kind, &state, events::<false>(&shared, kind, &state)).await
        };
        rest(&shared, kind, error, &state, definition).await;
    }
}

/// An object as `watcher` passes it on: any JSON, whole or only its metadata.
#[derive(Clone, Debug)]
struct Item<const METADATA: bool> {
    object: Value,
    /// The resourceVersion alone: `watcher` reads nothing else of it.
    metadata: Box<ObjectMeta>,
}

impl<'de, const METADATA: bool> Deserialize<'de> for Item<METADATA> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Lean(object) = Lean::deserialize(deserializer)?;
        let version = meta::resource_version(&object);
        // An object without a name has no place in the cache; `watcher` refuses one without a version.
        let version = (!meta::text(&object, "/metadata/name").is_empty()).then(|| version.to_owned());
        let metadata = Box::new(ObjectMeta { resource_version: version, ..ObjectMeta::default() });
        Ok(Item { object, metadata })
    }
}

impl<const METADATA: bool> kube::Resource for Item<METADATA> {
    type DynamicType = Kind;
    type Scope = DynamicResourceScope;

    fn kind(kind: &Kind) -> Cow<'_, str> {
        kind.kind.into()
    }

    fn group(kind: &Kind) -> Cow<'_, str> {
        kind.group.into()
    }

    fn version(kind: &Kind) -> Cow<'_, str> {
        kind.version.into()
    }

    fn plural(kind: &Kind) -> Cow<'_, str> {
        kind.plural.into()
    }

    fn metadata_api() -> bool {
        METADATA
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// The path of the objects of a kind.
pub(crate) fn url_path(kind: Kind, namespace: Option<&str>) -> String {
    <Item<false> as kube::Resource>::url_path(&kind, namespace)
}

/// The events of a kind from now on: a list, then what happens after it.
fn events<const METADATA: bool>(
    shared: &Shared,
    kind: Kind,
    state: &Arc<WatchState>,
) -> impl Stream<Item = watcher::Result<Event<Value>>> + Send + use<METADATA> {
    let client = state.client();
    let api: Api<Item<METADATA>> = match shared.scope.namespace() {
        namespace if kind.namespaced && !namespace.is_empty() => {
            Api::namespaced_with(client, namespace, &kind)
        }
        _ => Api::all_with(client, &kind),
    };
    // The list is the most recent state, not what the API server has at hand: the cache relies on it.
    let config = watcher::Config::default().page_size(PAGE).timeout(state.watch_s());
    watcher(api, config).map(|event| {
        event.map(|event| match event {
            Event::Apply(item) => Event::Apply(item.object),
            Event::Delete(item) => Event::Delete(item.object),
            Event::Init => Event::Init,
            Event::InitApply(item) => Event::InitApply(item.object),
            Event::InitDone => Event::InitDone,
        })
    })
}

/// Gives the events of one stream to the cache, until a new stream is needed.
async fn follow(
    shared: &Shared,
    kind: Kind,
    state: &WatchState,
    events: impl Stream<Item = watcher::Result<Event<Value>>>,
) -> WatchError {
    let mut events = pin!(events);
    let mut redefined = pin!(redefined(shared, kind));
    let mut listed = Some(packing(shared, kind));
    loop {
        let next = match &listed {
            Some(_) => Either::Left(timeout(LIST_LIMIT, events.next())),
            None => Either::Right(async { Ok(events.next().await) }),
        };
        let event = tokio::select! {
            biased;
            () = &mut redefined => return WatchError::Restart("its definition changed".to_owned()),
            event = next => event,
        };
        match event {
            Ok(Some(Ok(event))) => {
                if let Err(error) = take(shared, kind, event, &mut listed).await {
                    return error;
                }
            }
            // The stream continues where it was.
            Ok(Some(Err(error))) => match WatchError::of(&error, state.take_failed().as_ref()) {
                WatchError::Outage { message, retry_after } => {
                    outage(shared, kind, state, message, retry_after).await;
                }
                error => return error,
            },
            Ok(None) => return WatchError::outage("the stream of events ended"),
            Err(_) => return WatchError::outage(format!("no answer within {} s", LIST_LIMIT.as_secs())),
        }
    }
}

/// Gives one event to the cache. `listed` has the objects of a list until it is complete.
async fn take(
    shared: &Shared,
    kind: Kind,
    event: Event<Value>,
    listed: &mut Option<Packing>,
) -> Result<(), WatchError> {
    match event {
        Event::Init => {
            *listed = Some(packing(shared, kind));
            shared.note(kind, |cache| {
                cache.list_started();
                Vec::new()
            });
        }
        Event::InitApply(object) => {
            let object = kept(shared, kind, object).await?;
            listed.get_or_insert_with(|| packing(shared, kind)).add(&object);
            shared.count_listed();
        }
        Event::InitDone => {
            let objects = listed.take().unwrap_or_else(|| packing(shared, kind));
            shared.update(kind, |cache| cache.list_finished(objects)).map_err(|stale| {
                WatchError::outage(format!(
                    "stale list: {} has resourceVersion {} in it, after {}; restart the operator if etcd was restored",
                    stale.key, stale.listed, stale.known
                ))
            })?;
            shared.set_trouble(kind, None);
        }
        Event::Apply(object) => {
            let object = kept(shared, kind, object).await?;
            shared.note(kind, |cache| cache.object_applied(object));
        }
        Event::Delete(object) => shared.note(kind, |cache| cache.object_deleted(&object)),
    }
    Ok(())
}

/// What the objects of a list are added to.
fn packing(shared: &Shared, kind: Kind) -> Packing {
    Packing::indexed(shared.projection(kind))
}

/// The part of an object that is kept, with the fields of a definition where they are wanted.
async fn kept(shared: &Shared, kind: Kind, object: Value) -> Result<Value, WatchError> {
    let mut object = shared.kept(kind, object);
    complete(shared, kind, &mut object).await?;
    Ok(object)
}

/// Reports why a stream ended and waits before the next one.
async fn rest(shared: &Shared, kind: Kind, error: WatchError, state: &WatchState, definition: Seen) {
    match error {
        WatchError::Restart(message) => {
            tracing::debug!(kind = kind.kind, message, "list again");
            sleep(state.pause(watch_pauses::OUTAGE)).await;
        }
        WatchError::Outage { message, retry_after } => {
            outage(shared, kind, state, message, retry_after).await
        }
        WatchError::Refused(message) => {
            shared.set_trouble(kind, Some(message));
            sleep(state.pause(watch_pauses::REFUSED)).await;
        }
        // A built-in kind cannot have been removed: what was known stays, and it is asked for again soon.
        WatchError::NotServed(message) if kind.is_built_in() => {
            let resource = format!("{} {}", kind.api_version(), kind.plural);
            let message = format!("the API server does not serve {resource}: {message}");
            outage(shared, kind, state, message, None).await;
        }
        WatchError::NotServed(message) => {
            shared.note(kind, crate::cache::Cache::not_served);
            tracing::debug!(kind = kind.kind, message, "not served");
            let resource = format!("{} {}", kind.api_version(), kind.plural);
            shared.set_trouble(kind, Some(format!("the API server does not serve {resource}")));
            shared.start(CUSTOM_RESOURCE_DEFINITION);
            until_defined(shared, kind, state, &definition).await;
        }
    }
}

/// Reports an outage and waits, at least as long as the API server asks for.
async fn outage(
    shared: &Shared,
    kind: Kind,
    state: &WatchState,
    message: String,
    retry_after: Option<Duration>,
) {
    shared.set_trouble(kind, Some(message));
    sleep(state.pause(watch_pauses::OUTAGE).max(retry_after.unwrap_or_default().min(retry_after::LONGEST)))
        .await;
}

/// Waits until the definition of the kind is created or changed; `before` is how it was when the request was sent.
async fn until_defined(shared: &Shared, kind: Kind, state: &WatchState, before: &Seen) {
    let pause = match before {
        Seen::Absent => watch_pauses::ABSENT,
        Seen::Present(_) | Seen::NotKnown => state.pause(watch_pauses::REFUSED),
    };
    tokio::select! {
        biased;
        () = shared.definition_differs(kind, before) => {}
        () = sleep(pause) => {}
    }
}

/// Waits until the definition of the kind, which existed, is deleted or has another generation. API servers end the
/// watches of such a kind sooner or later, and until then their events have the fields of the former definition.
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
