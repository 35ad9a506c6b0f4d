//! Reads from the API server: for objects that no cache holds, and after a write whose outcome is unknown.

use std::sync::Arc;

use http::Method;
use serde_json::Value;
use vexil_object::{Kind, ObjectKey, Seen, meta};

use crate::{
    Cluster, ReadError,
    call::{LIST_LIMIT, OBJECT_LIMIT, Refusal, call, call_json},
    lease::LEASE,
    page,
    paths::{self, BadName, Body},
    retry_after::{asked, in_ms},
};

impl Cluster {
    /// Reads one object as it is now, whole but for `managedFields`. Settles what was not known of it. Never
    /// `Seen::NotKnown`; an object of a kind that the cluster does not define is absent.
    ///
    /// # Errors
    /// When there is no answer, or one that says no; nothing is settled then.
    pub async fn fetch(&self, key: &ObjectKey) -> Result<Seen, ReadError> {
        let kind = key.kind();
        let request = paths::request(Method::GET, &paths::object(key)?, Body::None)?;
        self.may_ask(key)?;
        let start = self.shared.with(kind, |cache| cache.read_started(key));
        let answer = call_json::<Value>(&self.shared.client, request, OBJECT_LIMIT).await;
        let object = match answer {
            Ok(object) => Some(typed(kind, object)),
            Err(Refusal::Status { code: 404, names_object: true, .. }) => None,
            Err(Refusal::Status { code: 404, message, .. }) => {
                self.is_undefined(kind, message).await?;
                None
            }
            Err(refusal) => return Err(self.heeded(key, refusal)),
        };
        if let Some(start) = start {
            let kept = object.clone().map(|object| self.shared.kept(kind, object));
            self.shared.note(kind, |cache| cache.read_finished(key, &start, kept.as_ref()));
        }
        Ok(object.map_or(Seen::Absent, |object| Seen::Present(Arc::new(object))))
    }

    /// Reads the objects of a namespace (empty = all) that carry these labels (a label selector; empty = all), whole
    /// but for `managedFields`. Nothing is kept.
    ///
    /// # Errors
    /// When there is no answer, or one that says no.
    pub async fn list_live(
        &self,
        kind: Kind,
        namespace: &str,
        label_selector: &str,
    ) -> Result<Vec<Value>, ReadError> {
        let path = paths::collection(kind, namespace)?;
        let list = ObjectKey::new(kind, namespace, "");
        self.may_ask(&list)?;
        let mut objects = Vec::new();
        let mut next = String::new();
        loop {
            let query = [("limit", "500"), ("labelSelector", label_selector), ("continue", next.as_str())];
            let query: Vec<_> = query.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            let request = paths::request(Method::GET, &paths::with_query(&path, &query), Body::None)?;
            let body = call(&self.shared.client, request, LIST_LIMIT).await;
            let body = body.map_err(|refusal| self.heeded(&list, refusal))?;
            let page = page::decode(&body, &|object| typed(kind, object))
                .map_err(|error| ReadError::Unavailable { message: format!("list is no JSON: {error}") })?;
            objects.extend(page.items);
            if page.next.is_empty() {
                return Ok(objects);
            }
            next = page.next;
        }
    }

    /// Whether the API server has not asked to be left alone.
    fn may_ask(&self, key: &ObjectKey) -> Result<(), ReadError> {
        match self.shared.pauses().remaining_ms(key).filter(|_| key.kind() != LEASE) {
            Some(retry_after_ms) => Err(ReadError::Throttled { retry_after_ms }),
            None => Ok(()),
        }
    }

    fn heeded(&self, key: &ObjectKey, refusal: Refusal) -> ReadError {
        self.shared.pauses().remember(key, &refusal);
        refusal.into()
    }

    /// A 404 that names no object is about the kind. Of a built-in one it tells nothing, as from a proxy that knows no
    /// API server; of another one it tells that there is no object only where there is no definition.
    async fn is_undefined(&self, kind: Kind, message: String) -> Result<(), ReadError> {
        let missing = ReadError::Unavailable { message: format!("404: {message}") };
        if kind.is_built_in() {
            return Err(missing);
        }
        match self.shared.definition(kind) {
            Seen::Absent => Ok(()),
            Seen::Present(_) => Err(missing),
            Seen::NotKnown => match self.shared.shape(&kind.definition()).await? {
                None => Ok(()),
                Some(_) => Err(missing),
            },
        }
    }
}

/// With its type, which items of lists lack, and without the record of who wrote what.
fn typed(kind: Kind, mut object: Value) -> Value {
    meta::set(&mut object, &["apiVersion"], Value::String(kind.api_version()));
    meta::set(&mut object, &["kind"], Value::String(kind.kind.to_owned()));
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}

impl From<BadName> for ReadError {
    fn from(bad: BadName) -> Self {
        ReadError::Invalid { message: bad.0 }
    }
}

impl From<Refusal> for ReadError {
    fn from(refusal: Refusal) -> Self {
        let pause = asked(&refusal);
        match refusal {
            Refusal::Lost { message } => ReadError::Unavailable { message },
            Refusal::Status { code, message, .. } => match code {
                401 | 403 => ReadError::Forbidden { message },
                404 => ReadError::Unavailable { message: format!("404: {message}") },
                429 => ReadError::Throttled { retry_after_ms: in_ms(pause) },
                400..=407 | 409 | 411..=499 => ReadError::Invalid { message },
                code => ReadError::Unavailable { message: format!("{code}: {message}") },
            },
        }
    }
}
