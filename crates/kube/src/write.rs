//! Fenced writes: a write changes only the object, in the version, that it was decided on.

use http::{Method, Request};
use serde_json::Value;
use vexil_object::{Action, Change, ObjectKey, Precondition, merge_patch};

use crate::{
    Cluster, EventRecord, WriteError, altered,
    cache::Cache,
    call::{OBJECT_LIMIT, Refusal, call_json},
    lean::Lean,
    lease::LEASE,
    pruned::dropped,
    requests::{self, BadName},
    retry_after::{asked, in_ms},
    shared::Shared,
    stored::{Rules, Sent, differences},
};

impl Cluster {
    /// Makes a change. When it is acknowledged, [`Cluster::look`] finds the answer at once; when its outcome is
    /// unknown, or shows that the cache is behind, the object is not known until the watch reports it or
    /// [`Cluster::fetch`] reads it. The same holds when the returned future is dropped before it is done.
    ///
    /// # Errors
    /// See [`WriteError`]. Only `Unknown` and `Altered` leave open or say that something was written.
    pub async fn apply(&self, change: &Change) -> Result<(), WriteError> {
        let key = &change.key;
        if let Some(altered) = self.shared.repeats(change) {
            return Err(WriteError::Altered(Box::new(altered)));
        }
        let answer = match &change.action {
            Action::Create(object) => self.send(key, None, requests::create(key, object.clone())?).await?,
            Action::Merge { body, on } => {
                self.send(key, Some(on), requests::merge(key, on, body.clone())?).await?
            }
            Action::Json { ops, on } => self.send(key, Some(on), requests::json_patch(key, on, ops)?).await?,
            Action::Delete(on) => {
                self.send(key, Some(on), requests::delete(key, on)?).await?;
                self.shared.altered().forget(key);
                return Ok(());
            }
        };
        self.compared(change, answer).await
    }

    /// Compares the answer to a write with what was sent.
    async fn compared(&self, change: &Change, answer: Value) -> Result<(), WriteError> {
        let (key, kind) = (&change.key, change.key.kind());
        let rules = Rules { built_in: kind.is_built_in(), exact: false };
        let found = Sent::of(&change.action).map(|sent| differences(&sent, &answer, rules));
        let Some(found) = found.filter(|found| !found.is_empty()) else {
            self.shared.altered().forget(key);
            return Ok(());
        };
        let shape = if kind.is_built_in() {
            None
        } else {
            self.shared.shape(&kind.definition()).await.ok().flatten()
        };
        let report = altered::report(key, &found, shape.as_ref());
        let kept = self.shared.kept(kind, answer.clone());
        let definition = self.shared.definition(kind);
        self.shared.altered().remember(key, found, (answer, kept), definition.object(), report.clone());
        Err(WriteError::Altered(Box::new(report)))
    }

    /// Writes what differs between two statuses to the status subresource; nothing is sent when they are equal.
    ///
    /// # Errors
    /// See [`WriteError`]; `Pruned` when the answer lacks fields of `status`: the write has happened without them.
    pub async fn write_status(
        &self,
        key: &ObjectKey,
        on: &Precondition,
        before: &Value,
        status: &Value,
    ) -> Result<(), WriteError> {
        let Some(patch) = merge_patch(before, status) else { return Ok(()) };
        let answer = self.send(key, Some(on), requests::merge_status(key, on, patch)?).await?;
        let fields = dropped(status, answer.get("status").unwrap_or(&Value::Null));
        if fields.is_empty() { Ok(()) } else { Err(WriteError::Pruned { fields }) }
    }

    /// Records a Kubernetes Event. The caller makes its name from its content: an Event of that name was recorded
    /// before, which is success.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn record(&self, event: &EventRecord) -> Result<(), WriteError> {
        let key = event.key();
        match self.send(&key, None, requests::create(&key, event.object())?).await {
            Ok(_) | Err(WriteError::AlreadyExists) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Sends a write; its outcome becomes the pending state of the object.
    pub(crate) async fn send(
        &self,
        key: &ObjectKey,
        on: Option<&Precondition>,
        request: Request<Vec<u8>>,
    ) -> Result<Value, WriteError> {
        let deletes = request.method() == Method::DELETE;
        // Leadership depends on the clock: the election has its own interval.
        if let Some(retry_after_ms) = self.shared.pauses().remaining_ms(key).filter(|_| key.kind() != LEASE) {
            return Err(WriteError::Throttled { retry_after_ms });
        }
        let guard = WriteGuard::new(&self.shared, key, on);
        match call_json::<Lean>(&self.shared.client, request, OBJECT_LIMIT).await {
            Ok(Lean(answer)) => {
                guard.acknowledged(&answer, deletes);
                Ok(answer)
            }
            Err(refusal) => {
                self.shared.pauses().remember(key, &refusal);
                let error = meaning(refusal, key, on.is_none());
                match error {
                    WriteError::Unknown { .. } | WriteError::Conflict { .. } | WriteError::AlreadyExists => {}
                    _ => guard.nothing_happened(),
                }
                Err(error)
            }
        }
    }
}

/// A write that has no answer yet. If the guard is dropped without one, the object is not known: also when the caller
/// stops waiting.
struct WriteGuard<'a> {
    shared: &'a Shared,
    key: &'a ObjectKey,
    on: Option<&'a Precondition>,
    /// The epoch of the cache when the write was sent.
    epoch: u64,
    open: bool,
}

impl<'a> WriteGuard<'a> {
    fn new(shared: &'a Shared, key: &'a ObjectKey, on: Option<&'a Precondition>) -> Self {
        // A cache that is not there yet has the epoch with which it will start.
        let epoch = shared.with(key.kind(), Cache::epoch).unwrap_or_default();
        WriteGuard { shared, key, on, epoch, open: true }
    }

    fn nothing_happened(mut self) {
        self.open = false;
    }

    fn acknowledged(mut self, answer: &Value, deleted: bool) {
        self.open = false;
        let kind = self.key.kind();
        match self.on.filter(|_| deleted && !lives_on(answer)) {
            Some(on) => self.shared.note(kind, |cache| cache.delete_acknowledged(self.key, on)),
            None if self.shared.with(kind, |_| ()).is_some() => {
                let kept = self.shared.kept(kind, answer.clone());
                self.shared.note(kind, |cache| cache.write_acknowledged(kept, self.epoch));
            }
            None => {}
        }
    }
}

impl Drop for WriteGuard<'_> {
    fn drop(&mut self) {
        if self.open {
            self.shared.note(self.key.kind(), |cache| cache.write_unknown(self.key, self.on));
        }
    }
}

/// Whether the answer to a delete is an object that still exists, waiting for finalizers or its grace period.
fn lives_on(answer: &Value) -> bool {
    let finalizers = answer.pointer("/metadata/finalizers").and_then(Value::as_array);
    let grace = answer.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_u64);
    finalizers.is_some_and(|finalizers| !finalizers.is_empty()) || grace.is_some_and(|seconds| seconds > 0)
}

fn meaning(refusal: Refusal, key: &ObjectKey, creates: bool) -> WriteError {
    let pause = asked(&refusal);
    let (code, reason, message, names_object) = match refusal {
        Refusal::Lost { message } => return WriteError::Unknown { message },
        Refusal::Status { code, reason, message, names_object, .. } => (code, reason, message, names_object),
    };
    match code {
        401 | 403 => WriteError::Forbidden { message },
        404 if names_object => WriteError::NotFound { message },
        404 => {
            WriteError::NotServed { resource: format!("{}/{}", key.kind().api_version(), key.kind().plural) }
        }
        409 if creates && reason == "AlreadyExists" => WriteError::AlreadyExists,
        409 => WriteError::Conflict { message },
        // Another life of the object at the very version of the first, as after a restore of etcd: a patch is then
        // refused for changing the uid.
        422 if message.contains("metadata.uid: Invalid value") => WriteError::Conflict { message },
        429 => WriteError::Throttled { retry_after_ms: in_ms(pause) },
        400..=407 | 410..=499 => WriteError::Invalid { message },
        code => WriteError::Unknown { message: format!("{code}: {message}") },
    }
}

impl From<BadName> for WriteError {
    fn from(bad: BadName) -> Self {
        WriteError::Invalid { message: bad.0 }
    }
}
