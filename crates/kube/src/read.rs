//! Reading the cluster itself, for what caches do not hold and for writes whose outcome is unknown.

use std::sync::Arc;

use http::Method;
use serde_json::Value;
use vexil_object::{Kind, ObjectKey, Seen, meta};

use crate::{
    Cluster, ReadError,
    call::{LIST_LIMIT, OBJECT_LIMIT, Refusal, call, call_json},
    page,
    paths::{self, BadName, Body},
};

impl Cluster {
    /// Reads one object as it is now, whole but for `managedFields`. Settles what was not known of it. Never
    /// `Seen::NotKnown`; an object of a kind that is not served is absent.
    ///
    /// # Errors
    /// When there is no answer, or one that says no; nothing is settled then.
    pub async fn fetch(&self, key: &ObjectKey) -> Result<Seen, ReadError> {
        let kind = key.kind();
        let request = paths::request(Method::GET, &paths::object(key)?, Body::None)?;
        let question = self.shared.with(kind, |cache| cache.ask(key));
        let answer = call_json::<Value>(&self.shared.client, request, OBJECT_LIMIT).await;
        let object = match answer {
            Ok(object) => Some(typed(kind, object)),
            Err(Refusal::Status { code: 404, .. }) => None,
            Err(refusal) => return Err(refusal.into()),
        };
        if let Some(question) = question {
            let kept = object.clone().map(|object| self.shared.kept(kind, object));
            self.shared.note(kind, |cache| cache.answered(key, &question, kept.as_ref()));
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
        let mut objects = Vec::new();
        let mut next = String::new();
        loop {
            let query = [("limit", "500"), ("labelSelector", label_selector), ("continue", next.as_str())];
            let query: Vec<_> = query.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            let request = paths::request(Method::GET, &paths::with_query(&path, &query), Body::None)?;
            let body = call(&self.shared.client, request, LIST_LIMIT).await?;
            let page = page::decode(&body, &|object| typed(kind, object))
                .map_err(|error| ReadError::Unavailable { message: format!("list is no JSON: {error}") })?;
            objects.extend(page.items);
            if page.next.is_empty() {
                return Ok(objects);
            }
            next = page.next;
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
        match refusal {
            Refusal::Lost { message } => ReadError::Unavailable { message },
            Refusal::Status { code, message, retry_after_ms, .. } => match code {
                401 | 403 => ReadError::Forbidden { message },
                429 => ReadError::Throttled { retry_after_ms: retry_after_ms.unwrap_or(1000) },
                400..=407 | 409 | 411..=499 => ReadError::Invalid { message },
                code => ReadError::Unavailable { message: format!("{code}: {message}") },
            },
        }
    }
}
