//! Reads from the API server: for objects that no cache holds, and after a write whose outcome is unknown.

use std::sync::Arc;

use kube::{api::ListParams, core::ObjectList};
use serde_json::Value;
use vexil_object::{Kind, ObjectKey, Seen, meta};

use crate::{
    Cluster, ReadError,
    call::{LIST_LIMIT, OBJECT_LIMIT, Refusal, call_json},
    lean::Lean,
    lease::LEASE,
    requests::{self, BadName},
    retry_after::{asked, in_ms},
};

/// Objects per page of a list.
const PAGE: u32 = 500;

impl Cluster {
    /// Reads one object as it is now, whole but for `managedFields`. Settles what was not known of it. Never
    /// `Seen::NotKnown`; an object of a kind that the cluster does not define is absent.
    ///
    /// # Errors
    /// When there is no answer, or a refusal; nothing is settled then.
    pub async fn fetch(&self, key: &ObjectKey) -> Result<Seen, ReadError> {
        let kind = key.kind();
        let request = requests::get(key)?;
        self.may_ask(key)?;
        let start = self.shared.with(kind, |cache| cache.read_started(key));
        let answer = call_json::<Lean>(&self.shared.client, request, OBJECT_LIMIT).await;
        let object = match answer {
            Ok(Lean(object)) => Some(typed(kind, object)),
            Err(Refusal::Status { code: 404, names_object: true, .. }) => None,
            Err(Refusal::Status { code: 404, message, .. }) => {
                self.is_undefined(kind, message).await?;
                None
            }
            Err(refusal) => return Err(self.throttled(key, refusal)),
        };
        if let Some(start) = start {
            let kept = object.clone().map(|object| self.shared.kept(kind, object));
            self.shared.note(kind, |cache| cache.read_finished(key, &start, kept));
        }
        Ok(object.map_or(Seen::Absent, |object| Seen::Present(Arc::new(object))))
    }

    /// Reads the objects of a namespace (empty = all) that carry these labels (a label selector; empty = all), whole
    /// but for `managedFields`. Nothing is kept.
    ///
    /// # Errors
    /// When there is no answer, or a refusal.
    pub async fn list_live(
        &self,
        kind: Kind,
        namespace: &str,
        label_selector: &str,
    ) -> Result<Vec<Value>, ReadError> {
        let list = ObjectKey::new(kind, namespace, "");
        self.may_ask(&list)?;
        let mut params = ListParams::default().labels(label_selector).limit(PAGE);
        let mut objects = Vec::new();
        loop {
            let page: ObjectList<Lean> = self.page(&list, &params).await?;
            objects.extend(page.items.into_iter().map(|Lean(object)| typed(kind, object)));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(objects),
            }
        }
    }

    async fn page(&self, list: &ObjectKey, params: &ListParams) -> Result<ObjectList<Lean>, ReadError> {
        let request = requests::list(list.kind(), list.namespace(), params)?;
        let answer = call_json(&self.shared.client, request, LIST_LIMIT).await;
        answer.map_err(|refusal| self.throttled(list, refusal))
    }

    /// Whether the API server has not asked to be left alone.
    fn may_ask(&self, key: &ObjectKey) -> Result<(), ReadError> {
        match self.shared.pauses().remaining_ms(key).filter(|_| key.kind() != LEASE) {
            Some(retry_after_ms) => Err(ReadError::Throttled { retry_after_ms }),
            None => Ok(()),
        }
    }

    fn throttled(&self, key: &ObjectKey, refusal: Refusal) -> ReadError {
        self.shared.pauses().remember(key, &refusal);
        refusal.into()
    }

    /// A 404 that names no object is about the kind. For a built-in kind it means nothing: a proxy without an API
    /// server answers so. For another kind it means that the object is absent only if there is no definition.
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

/// With its type, which items of lists lack.
fn typed(kind: Kind, mut object: Value) -> Value {
    meta::set(&mut object, &["apiVersion"], Value::String(kind.api_version()));
    meta::set(&mut object, &["kind"], Value::String(kind.kind.to_owned()));
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
