//! Creating objects.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    super::{
        errors::{Reply, Status},
        json::{is_deleting, name, put, put_or_take, take, text},
        kinds,
        managed::Managers,
        request::Request,
        state::{Call, State},
    },
    decode, meta,
};

impl State {
    /// Creates the object in the request's body.
    ///
    /// # Errors
    /// 400, 403, 404 (no such namespace), 409 and 422 as the real server gives them.
    pub fn create(&mut self, call: &mut Call, request: &Request) -> Reply<Arc<Value>> {
        let object = decode(call, request)?;
        self.create_object(call, object, None)
    }

    /// Creates `object`; `managers` says who owns what when an apply creates it.
    pub fn create_object(
        &mut self,
        call: &mut Call,
        object: Value,
        managers: Option<Managers>,
    ) -> Reply<Arc<Value>> {
        let mut object = kinds::read(call, &object)?;
        meta::place(call, &mut object)?;
        if call.resource.namespaced && call.namespace.is_empty() {
            return Err(Status::bad_request("an empty namespace may not be set during creation"));
        }
        if managers.is_none() && !text(&object, &["metadata", "resourceVersion"]).is_empty() {
            return Err(Status::internal("resourceVersion should not be set on objects to be created"));
        }
        meta::strip(&mut object);
        self.complete_name(&mut object);
        if call.resource.has_status {
            take(&mut object, &["status"]);
        }
        self.admit(call, &object)?;
        kinds::default(&call.resource, &mut object);
        let managers = managers.unwrap_or_else(|| first_managers(call, &object));
        kinds::begin(&call.resource, &mut object);
        put(&mut object, &["metadata", "uid"], json!(self.ids.uid()));
        put(&mut object, &["metadata", "creationTimestamp"], json!(call.stamp));
        put_or_take(&mut object, &["metadata", "managedFields"], managers.json());
        if call.resource.counts_generations {
            put(&mut object, &["metadata", "generation"], json!(1));
        }
        meta::tidy(&mut object);
        let mut causes = meta::check(call, &object);
        causes.extend(kinds::check(call, &object, None));
        if !causes.is_empty() {
            return Err(Status::invalid(&call.resource, name(&object), &causes));
        }
        if self.store.get(&call.resource.bucket(), &call.namespace, name(&object)).is_some() {
            return Err(Status::already_exists(&call.resource, name(&object)));
        }
        kinds::allocate(self, call, &mut object)?;
        if call.dry_run {
            return Ok(Arc::new(object));
        }
        let object = self.kept(call, object);
        let stored = self.store.put(&call.resource.bucket(), object);
        self.settle(&call.stamp);
        let made = self.store.get(&call.resource.bucket(), &call.namespace, name(&stored));
        Ok(made.cloned().unwrap_or(stored))
    }

    fn complete_name(&mut self, object: &mut Value) {
        let base = text(object, &["metadata", "generateName"]).to_owned();
        if name(object).is_empty() && !base.is_empty() {
            let generated = format!("{base}{}", self.ids.suffix());
            put(object, &["metadata", "name"], json!(generated));
        }
    }

    /// Whether the namespace takes new objects.
    fn admit(&self, call: &Call, object: &Value) -> Reply<()> {
        if !call.resource.namespaced {
            return Ok(());
        }
        let Some(namespaces) = self.registry.find("", "v1", "namespaces") else {
            return Ok(());
        };
        let Some(namespace) = self.store.get("namespaces", "", &call.namespace) else {
            return Err(Status::not_found(&namespaces, &call.namespace));
        };
        if is_deleting(namespace) {
            let why = format!(
                "unable to create new content in namespace {} because it is being terminated",
                call.namespace
            );
            return Err(Status::terminating(&call.resource, name(object), &call.namespace, &why));
        }
        Ok(())
    }
}

/// The client that creates an object owns all its fields.
fn first_managers(call: &Call, object: &Value) -> Managers {
    let mut managers = Managers::default();
    let owner = call.owner();
    let blank = kinds::blank(&call.resource);
    managers.updated(kinds::root(&call.resource), &owner, &blank, object, &call.stamp);
    managers.lose(&owner, &call.foreign_fields());
    managers
}
