//! Deleting objects, at once or after their finalizers are gone.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::{
    errors::{Cause, Fault, Reply, Status},
    json::{has_finalizers, is_deleting, list, number, put, text, uid},
    list::Page,
    request::Request,
    state::{Call, State},
};

const UNREADABLE: &str = "couldn't get version/kind; json parse error: unexpected end of JSON input";

/// `DeleteOptions`, from the body or the query.
#[derive(Clone, Debug, Default)]
struct Options {
    uid: String,
    version: String,
    grace: Option<i64>,
    propagation: String,
    dry_run: bool,
}

impl Options {
    fn read(request: &Request) -> Reply<Self> {
        let body: Value = match request.body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&request.body).map_err(|_| Status::bad_request(UNREADABLE))?,
        };
        let or_param = |key: &str| match text(&body, &[key]) {
            "" => request.param(key).to_owned(),
            found => found.to_owned(),
        };
        let mut propagation = or_param("propagationPolicy");
        if propagation.is_empty() && body.get("orphanDependents") == Some(&Value::Bool(true)) {
            propagation = "Orphan".to_owned();
        }
        if !matches!(propagation.as_str(), "" | "Foreground" | "Background" | "Orphan") {
            let detail = "supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"";
            let cause = Cause::new("propagationPolicy", Fault::NotSupported(json!(propagation)), detail);
            return Err(Status::invalid_options("DeleteOptions", &cause));
        }
        if !text(&body, &["propagationPolicy"]).is_empty() && body.get("orphanDependents").is_some() {
            let detail = "orphanDependents and deletionPropagation cannot be both set";
            let cause = Cause::new("propagationPolicy", Fault::Invalid(json!(propagation)), detail);
            return Err(Status::invalid_options("DeleteOptions", &cause));
        }
        let grace = body.get("gracePeriodSeconds").and_then(Value::as_i64);
        Ok(Options {
            uid: text(&body, &["preconditions", "uid"]).to_owned(),
            version: text(&body, &["preconditions", "resourceVersion"]).to_owned(),
            grace: grace.or_else(|| request.param("gracePeriodSeconds").parse().ok()),
            propagation,
            dry_run: request.param("dryRun") == "All" || list(&body, &["dryRun"]).contains(&json!("All")),
        })
    }
}

impl State {
    /// Deletes the object that the URL names.
    ///
    /// # Errors
    /// 404, and 409 when a precondition does not hold.
    pub fn delete(&mut self, call: &Call, request: &Request) -> Reply<(u16, Value)> {
        let options = Options::read(request)?;
        let object = self.found(call)?;
        self.fence_delete(call, &options, &object)?;
        let left = self.delete_object(call, &options, &object);
        let mut last = (*object).clone();
        if left.is_none() && !options.dry_run {
            put(&mut last, &["metadata", "resourceVersion"], json!(self.store.revision().to_string()));
        }
        self.settle(&call.stamp);
        Ok(match left {
            Some(left) => (200, (*left).clone()),
            None if answers_object(call) => (200, last),
            None => (200, deleted(call, &object)),
        })
    }

    /// Deletes all objects that a list would show.
    ///
    /// # Errors
    /// As a list.
    pub fn delete_all(&mut self, call: &Call, request: &Request) -> Reply<Page> {
        let options = Options::read(request)?;
        let page = self.list(call, request)?;
        for object in &page.items {
            let one = Call {
                namespace: super::super::json::namespace(object).to_owned(),
                name: super::super::json::name(object).to_owned(),
                ..call.clone()
            };
            self.delete_object(&one, &options, object);
        }
        self.settle(&call.stamp);
        Ok(page)
    }

    fn fence_delete(&self, call: &Call, options: &Options, object: &Value) -> Reply<()> {
        let version = text(object, &["metadata", "resourceVersion"]);
        if !options.uid.is_empty() && options.uid != uid(object) {
            let why = format!(
                "the UID in the precondition ({}) does not match the UID in record ({}). The object might \
                    have been deleted and then recreated",
                options.uid,
                uid(object)
            );
            return Err(Status::precondition(&call.resource, &call.name, &why));
        }
        if !options.version.is_empty() && options.version != version {
            let why = format!(
                "the ResourceVersion in the precondition ({}) does not match the ResourceVersion in record \
                    ({version}). The object might have been modified",
                options.version
            );
            return Err(Status::precondition(&call.resource, &call.name, &why));
        }
        Ok(())
    }

    /// Deletes an object or, when something holds it, marks it; the answer is the object that is still there.
    fn delete_object(&mut self, call: &Call, options: &Options, object: &Arc<Value>) -> Option<Arc<Value>> {
        let mut marked = (**object).clone();
        let mut finalizers = list(object, &["metadata", "finalizers"]).to_vec();
        finalizers.retain(|finalizer| finalizer != "orphan" && finalizer != "foregroundDeletion");
        match options.propagation.as_str() {
            "Orphan" => finalizers.push(json!("orphan")),
            "Foreground" => finalizers.push(json!("foregroundDeletion")),
            _ => {}
        }
        put(&mut marked, &["metadata", "finalizers"], json!(finalizers));
        let grace = super::super::kinds::grace(&call.resource, object, options.grace);
        let held =
            has_finalizers(&marked) || grace > 0 || super::super::kinds::is_held(&call.resource, object);
        if options.dry_run {
            return held.then(|| object.clone());
        }
        let bucket = call.resource.bucket();
        if !held {
            self.store.remove(&bucket, &call.namespace, &call.name);
            return None;
        }
        if finalizers.is_empty() {
            super::super::json::take(&mut marked, &["metadata", "finalizers"]);
        }
        if !is_deleting(object) {
            put(&mut marked, &["metadata", "deletionTimestamp"], json!(call.stamp));
            if !call.resource.is("", "Namespace") {
                put(&mut marked, &["metadata", "deletionGracePeriodSeconds"], json!(grace));
            }
            let generation = number(object, &["metadata", "generation"]);
            if generation > 0 {
                put(&mut marked, &["metadata", "generation"], json!(generation + 1));
            }
        } else if grace < number(object, &["metadata", "deletionGracePeriodSeconds"]) {
            put(&mut marked, &["metadata", "deletionGracePeriodSeconds"], json!(grace));
        }
        if call.resource.is("", "Namespace") {
            put(&mut marked, &["status", "phase"], json!("Terminating"));
        }
        if marked == **object {
            return Some(object.clone());
        }
        Some(self.store.put(&bucket, marked))
    }
}

/// Whether a delete is answered with the object that was there.
fn answers_object(call: &Call) -> bool {
    let kinds = ["Service", "ServiceAccount", "Namespace", "Pod"];
    call.resource.custom.is_none()
        && call.resource.group.is_empty()
        && kinds.contains(&call.resource.kind.as_str())
}

fn deleted(call: &Call, object: &Value) -> Value {
    let mut details = json!({"name": call.name, "kind": call.resource.plural, "uid": uid(object)});
    if !call.resource.group.is_empty() {
        put(&mut details, &["group"], json!(call.resource.group));
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}
