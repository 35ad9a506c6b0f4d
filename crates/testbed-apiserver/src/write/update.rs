//! Replacing objects, whole or in part.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    super::{
        errors::{Cause, Fault, Reply, Status},
        json::{at, has_finalizers, is_deleting, list, name, number, put, put_or_take, text},
        kinds,
        managed::Managers,
        request::Request,
        state::{Call, Part, State},
    },
    decode, meta,
};

impl State {
    /// Replaces the object that the URL names with the one in the body.
    ///
    /// # Errors
    /// 400, 404, 409 and 422 as the real server gives them.
    pub fn update(&mut self, call: &mut Call, request: &Request) -> Reply<(u16, Arc<Value>)> {
        let object = decode(call, request)?;
        let sent = name(&object);
        if sent != call.name {
            return Err(Status::wrong_name(sent, &call.name));
        }
        let old = self.found(call)?;
        self.replace(call, &old, object, None).map(|object| (200, object))
    }

    /// Replaces `old` with `new` after everything that the server does to a write; `managers` says who owns what
    /// when an apply does it.
    pub fn replace(
        &mut self,
        call: &mut Call,
        old: &Arc<Value>,
        new: Value,
        managers: Option<Managers>,
    ) -> Reply<Arc<Value>> {
        let mut new = kinds::read(call, &new)?;
        meta::place(call, &mut new)?;
        fence(call, old, &new)?;
        meta::keep(old, &mut new);
        keep_other_part(call, old, &mut new);
        kinds::carry(&call.resource, old, &mut new);
        kinds::default(&call.resource, &mut new);
        let managers = managers.unwrap_or_else(|| next_managers(call, old, &new));
        put_or_take(&mut new, &["metadata", "managedFields"], managers.json());
        meta::tidy(&mut new);
        let changed = meta::specification(call, old).ne(meta::specification(call, &new));
        if call.resource.counts_generations && changed {
            let generation = number(old, &["metadata", "generation"]) + 1;
            put(&mut new, &["metadata", "generation"], json!(generation));
        }
        // The real server looks at metadata several times in an update, and says so.
        let mut causes = vec![meta::check(call, &new); 3].concat();
        causes.extend(vec![meta::check_update(old, &new); 2].concat());
        causes.extend(kinds::check(call, &new, Some(old)));
        if !causes.is_empty() {
            return Err(Status::invalid(&call.resource, &call.name, &causes));
        }
        let bucket = call.resource.bucket();
        let new = self.kept(call, new);
        if let Some(kept) = self.store.get(&bucket, &call.namespace, &call.name).filter(|kept| ***kept == new)
        {
            return Ok(kept.clone());
        }
        if call.dry_run {
            return Ok(Arc::new(new));
        }
        let stored = if is_deleting(&new) && !has_finalizers(&new) && number(&new, &GRACE) == 0 {
            self.store.remove(&bucket, &call.namespace, &call.name);
            Arc::new(new)
        } else {
            self.store.put(&bucket, new)
        };
        self.settle(&call.stamp);
        Ok(stored)
    }
}

/// The client that changes a field owns it. Objects without managers stay that way until they are applied.
fn next_managers(call: &Call, old: &Value, new: &Value) -> Managers {
    let sent = list(new, &["metadata", "managedFields"]);
    let reset =
        matches!(sent, [only] if only.as_object().is_some_and(|entry| !entry.contains_key("manager")));
    let mut managers = match sent.is_empty() {
        true => Managers::read(old),
        false if reset => return Managers::default(),
        false => Managers::read(new),
    };
    if !managers.is_empty() {
        let stamp = if call.part == Part::Scale { "" } else { &call.stamp };
        managers.updated(kinds::root(&call.resource), &call.owner(), old, new, stamp);
    }
    managers
}

const GRACE: [&str; 2] = ["metadata", "deletionGracePeriodSeconds"];

/// Refuses a write that was computed from another version, or another object, than the stored one.
fn fence(call: &Call, old: &Value, new: &Value) -> Reply<()> {
    let request_is_patch = call.is_patch;
    let version = text(new, &["metadata", "resourceVersion"]);
    if !version.chars().all(|c| c.is_ascii_digit()) {
        let shown = json!(version);
        return Err(Status::internal(format!("strconv.ParseUint: parsing {shown}: invalid syntax")));
    }
    let stale = !version.is_empty() && version != text(old, &["metadata", "resourceVersion"]);
    if stale && request_is_patch {
        return Err(Status::modified(&call.resource, &call.name));
    }
    // A write of a custom object's status takes all metadata from the stored object before anything is compared.
    let blind = request_is_patch && call.part == Part::Status && call.resource.custom.is_some();
    let (sent, have) = (text(new, &["metadata", "uid"]), text(old, &["metadata", "uid"]));
    let other = !sent.is_empty() && sent != have && !blind;
    if other && request_is_patch {
        let cause = Cause::new("metadata.uid", Fault::Invalid(json!(sent)), "field is immutable");
        return Err(Status::invalid(&call.resource, &call.name, &[cause.clone(), cause]));
    }
    if other {
        let group =
            if call.resource.group.is_empty() { String::new() } else { format!("{}/", call.resource.group) };
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{group}{}/{}/{}, ResourceVersion: 0, \
                AdditionalErrorMsg: Precondition failed: UID in precondition: {sent}, UID in object meta: \
                {have}",
            call.resource.plural, call.namespace, call.name
        );
        return Err(Status::conflict(&call.resource, &call.name, &why));
    }
    if version.is_empty() && kinds::needs_version(&call.resource) {
        let cause = Cause::new(
            "metadata.resourceVersion",
            Fault::Invalid(json!(0)),
            "must be specified for an update",
        );
        return Err(Status::invalid_resource(&call.resource, &call.name, &cause));
    }
    if stale {
        return Err(Status::modified(&call.resource, &call.name));
    }
    Ok(())
}

/// A write of the status leaves everything else as it is, and the other way round.
fn keep_other_part(call: &Call, old: &Value, new: &mut Value) {
    if !call.resource.has_status {
        return;
    }
    if call.part != Part::Status {
        put_or_take(new, &["status"], at(old, &["status"]).cloned());
        return;
    }
    let status = at(new, &["status"]).cloned();
    let metadata = at(new, &["metadata"]).cloned().unwrap_or_default();
    let managed = at(&metadata, &["managedFields"]).cloned();
    *new = old.clone();
    put_or_take(new, &["status"], status);
    if call.resource.custom.is_none() {
        put(new, &["metadata"], metadata);
        put_or_take(new, &["metadata", "labels"], at(old, &["metadata", "labels"]).cloned());
    } else {
        put_or_take(new, &["metadata", "managedFields"], managed);
    }
}
