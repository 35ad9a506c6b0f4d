//! A TrafficSplit: the weights that it says, and how it shall be.

use serde_json::{Value, json};
use vexil_object::{ObjectKey, meta};
use vexil_routing::{Entries, RouteError, RouteTarget, Routes, Side, put};

use crate::provider::{Mesh, Version};

const SERVICE: &str = "spec.service";
const BACKENDS: &str = "spec.backends";
/// Where Istio's adapter looks for the gateways of the VirtualService that it makes: a JSON list of names.
const GATEWAYS: &str = "VirtualService.v1alpha3.networking.istio.io/spec.gateways";

/// A TrafficSplit of one version, for one mesh.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Split<'a> {
    pub(crate) version: Version,
    pub(crate) mesh: Mesh,
    pub(crate) target: &'a RouteTarget<'a>,
}

impl Split<'_> {
    fn backends<'v>(&self, key: &'v ObjectKey, live: &'v Value) -> Result<Entries<'v>, RouteError> {
        let entries = self.listed(key, live)?;
        Ok(entries.without_nameless(|entry| entry.get("service").is_none_or(Value::is_null)))
    }

    fn listed<'v>(&self, key: &'v ObjectKey, live: &'v Value) -> Result<Entries<'v>, RouteError> {
        let (primary, canary) = (self.target.primary(), self.target.canary());
        Entries::at(key, live, BACKENDS, |entry| match entry.get("service").and_then(Value::as_str) {
            Some(service) if service == primary => Some(Side::Primary),
            Some(service) if service == canary => Some(Side::Canary),
            _ => None,
        })
    }

    /// Whether a user's own has entries that name nothing, which nobody can put right but its user.
    pub(crate) fn all_named(&self, key: &ObjectKey, live: &Value) -> Result<(), RouteError> {
        self.backends(key, live)?.all_named()
    }

    /// The host that the split is for, as clients call it.
    fn service(&self) -> &str {
        let host = self.target.spec.service.hosts.first();
        host.map(String::as_str).filter(|host| !host.is_empty()).unwrap_or(self.target.apex)
    }

    /// The weights.
    pub(crate) fn read(&self, key: &ObjectKey, live: &Value) -> Result<Routes, RouteError> {
        self.backends(key, live)?.routes(|weight| self.version.percent(weight))
    }

    /// A new one, which the Canary owns.
    pub(crate) fn created(&self, key: &ObjectKey, want: &Routes) -> Result<Value, RouteError> {
        let bare = json!({
            "apiVersion": key.kind().api_version(),
            "kind": key.kind().kind,
            "metadata": {
                "name": key.name(),
                "namespace": key.namespace(),
                "ownerReferences": [self.target.owner.reference()],
            },
        });
        self.owned(key, want, &bare)
    }

    /// One that the Canary owns: the host and the gateways are ours too, and follow the spec.
    pub(crate) fn owned(&self, key: &ObjectKey, want: &Routes, live: &Value) -> Result<Value, RouteError> {
        let mut object = self.adopted(key, want, live)?;
        put(&mut object, SERVICE, self.service().into());
        let gateways = &self.target.spec.service.gateways;
        if self.mesh == Mesh::Istio && !gateways.is_empty() {
            let list = json!(gateways).to_string();
            meta::set(&mut object, &["metadata", "annotations", GATEWAYS], list.into());
        } else if meta::annotation(&object, GATEWAYS).is_some() {
            meta::set(&mut object, &["metadata", "annotations", GATEWAYS], Value::Null);
        }
        Ok(object)
    }

    /// A user's own: our two backends and nothing else.
    pub(crate) fn adopted(&self, key: &ObjectKey, want: &Routes, live: &Value) -> Result<Value, RouteError> {
        let list = self.backends(key, live)?.with([Side::Canary, Side::Primary], |side, mut entry| {
            let (service, weight) = match side {
                Side::Primary => (self.target.primary(), want.primary()),
                Side::Canary => (self.target.canary(), want.canary()),
            };
            put(&mut entry, "service", service.into());
            put(&mut entry, "weight", self.version.weight(weight.percent()));
            entry
        });
        let mut object = live.clone();
        put(&mut object, BACKENDS, list.into());
        Ok(object)
    }

    /// One that is given back, without our backends. `None` when they cannot be in it.
    pub(crate) fn released(&self, key: &ObjectKey, live: &Value) -> Option<Value> {
        let entries = self.listed(key, live).ok().filter(Entries::has_ours)?;
        let mut object = live.clone();
        match entries.others() {
            others if !others.is_empty() => put(&mut object, BACKENDS, others.into()),
            _ => drop(object.get_mut("spec")?.as_object_mut()?.remove("backends")),
        }
        Some(object)
    }
}
