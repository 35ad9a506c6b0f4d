//! Everything the server remembers, behind one lock: kinds, objects, and the source of identifiers.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{
    crd,
    errors::{Reply, Status},
    ids::Ids,
    managed::Owner,
    registry::{Registry, Resource},
    request::Request,
    store::Store,
    write,
};

/// Everything the server remembers.
#[derive(Debug)]
pub(crate) struct State {
    /// What is served.
    pub registry: Registry,
    /// What is stored.
    pub store: Store,
    /// Where uids and generated names come from.
    pub ids: Ids,
    /// The definitions that are served, as they were when that was last looked at.
    pub definitions: BTreeMap<String, Arc<Value>>,
}

/// One request for one resource, with what the writes need to know of it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The kind in the version that was asked for.
    pub resource: Arc<Resource>,
    /// Namespace; empty for cluster-scoped kinds.
    pub namespace: String,
    /// Name; empty for collections.
    pub name: String,
    /// Which part of the object is meant.
    pub part: Part,
    /// Who owns the fields that are written.
    pub manager: String,
    /// Now, as objects carry it.
    pub stamp: String,
    /// Whether nothing shall be stored.
    pub dry_run: bool,
    /// What happens to fields that the kind does not have.
    pub unknown: Unknown,
    /// Whether the object was patched, not sent whole.
    pub is_patch: bool,
    /// Whether a server-side apply takes fields over.
    pub force: bool,
    /// Sentences for `Warning` headers.
    pub warnings: Vec<String>,
}

/// Which part of an object a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All but the status.
    Whole,
    /// The status.
    Status,
    /// The replicas.
    Scale,
}

/// What happens to fields that the kind does not have (`fieldValidation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// They are dropped silently.
    Ignore,
    /// They are dropped with a warning.
    Warn,
    /// The request is refused.
    Strict,
}

impl Call {
    /// Who owns what this call writes.
    pub fn owner(&self) -> Owner {
        let subresource = match self.part {
            Part::Whole => "",
            Part::Status => "status",
            Part::Scale => "scale",
        };
        Owner {
            manager: self.manager.clone(),
            applies: false,
            api_version: self.resource.api_version(),
            subresource: subresource.to_owned(),
        }
    }

    /// Members of the object that this call cannot own, because they are another part's.
    pub fn foreign_fields(&self) -> Vec<String> {
        match self.part {
            Part::Status => vec!["f:spec".to_owned()],
            _ if self.resource.has_status => vec!["f:status".to_owned()],
            _ => Vec::new(),
        }
    }
}

impl State {
    /// Finds the resource that a request is for.
    ///
    /// # Errors
    /// 404 for a resource or subresource that is not served, 400 for options that cannot be read.
    pub fn call(&self, request: &Request, stamp: String) -> Reply<Call> {
        let address = request.address.clone().unwrap_or_default();
        let resource = self
            .registry
            .find(&address.group, &address.version, &address.plural)
            .ok_or_else(Status::no_such_resource)?;
        let part = match address.subresource.as_str() {
            "" | "finalize" => Part::Whole,
            "status" if resource.has_status => Part::Status,
            "scale" if resource.scale.is_some() => Part::Scale,
            _ if resource.custom.is_some() => return Err(Status::not_found(&resource, &address.name)),
            _ => return Err(Status::no_such_resource()),
        };
        if !resource.namespaced && !address.namespace.is_empty() {
            return Err(Status::no_such_resource());
        }
        write::options::check(request)?;
        let unknown = match request.param("fieldValidation") {
            "Strict" => Unknown::Strict,
            "Ignore" => Unknown::Ignore,
            _ => Unknown::Warn,
        };
        Ok(Call {
            resource,
            namespace: address.namespace,
            name: address.name,
            part,
            manager: request.manager(),
            stamp,
            dry_run: request.param("dryRun") == "All",
            unknown,
            is_patch: request.verb() == "patch",
            force: request.flag("force"),
            warnings: Vec::new(),
        })
    }

    /// The object that a call names, in the version that was asked for.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn found(&self, call: &Call) -> Reply<Arc<Value>> {
        let found = self.store.get(&call.resource.bucket(), &call.namespace, &call.name);
        let mut found = found.cloned().ok_or_else(|| Status::not_found(&call.resource, &call.name))?;
        if call.resource.custom.is_some()
            && found.get("apiVersion") != Some(&json!(call.resource.api_version()))
        {
            crd::convert(&call.resource, Arc::make_mut(&mut found));
        }
        Ok(found)
    }

    /// An object as it is kept.
    pub fn kept(&self, call: &Call, mut object: Value) -> Value {
        if call.resource.custom.is_some() {
            crd::convert(&self.registry.stored(&call.resource), &mut object);
        }
        object
    }
}
