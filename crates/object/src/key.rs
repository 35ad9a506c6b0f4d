//! The names of things: a kind of the API, and one object of it.

use std::fmt;

/// A kind that the API server serves. All kinds that Vexil touches are known when it is built, so the parts are static.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// API group, empty for the core group.
    pub group: &'static str,
    /// Version inside the group, such as `v1`.
    pub version: &'static str,
    /// Kind in the singular, as in manifests: `Deployment`.
    pub kind: &'static str,
    /// Resource name in URLs: `deployments`.
    pub plural: &'static str,
    /// Whether objects of this kind live in a namespace.
    pub namespaced: bool,
}

impl Kind {
    /// A namespaced kind.
    pub const fn namespaced(
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        plural: &'static str,
    ) -> Self {
        Kind { group, version, kind, plural, namespaced: true }
    }

    /// A kind whose objects belong to the whole cluster.
    pub const fn cluster(
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        plural: &'static str,
    ) -> Self {
        Kind { group, version, kind, plural, namespaced: false }
    }

    /// The `apiVersion` of manifests: `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether every API server serves it by itself. Then there is no definition that could be missing, and an answer
    /// that says otherwise is trouble. The group of a definition has a point in it.
    pub fn is_built_in(&self) -> bool {
        const GROUPS: [&str; 10] = [
            "admissionregistration.k8s.io",
            "apiextensions.k8s.io",
            "certificates.k8s.io",
            "coordination.k8s.io",
            "discovery.k8s.io",
            "events.k8s.io",
            "networking.k8s.io",
            "rbac.authorization.k8s.io",
            "scheduling.k8s.io",
            "storage.k8s.io",
        ];
        !self.group.contains('.') || GROUPS.contains(&self.group)
    }

    /// The key of the CustomResourceDefinition that would define this kind. Whether that object is present tells
    /// whether the cluster serves the kind.
    pub fn definition(&self) -> ObjectKey {
        ObjectKey::cluster(kinds::CUSTOM_RESOURCE_DEFINITION, format!("{}.{}", self.plural, self.group))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)
    }
}

/// Kinds that more than one crate names.
pub mod kinds {
    use super::Kind;

    /// `apps/v1` Deployment.
    pub const DEPLOYMENT: Kind = Kind::namespaced("apps", "v1", "Deployment", "deployments");
    /// Core Service.
    pub const SERVICE: Kind = Kind::namespaced("", "v1", "Service", "services");
    /// Core ConfigMap.
    pub const CONFIG_MAP: Kind = Kind::namespaced("", "v1", "ConfigMap", "configmaps");
    /// Core Secret.
    pub const SECRET: Kind = Kind::namespaced("", "v1", "Secret", "secrets");
    /// Core Pod.
    pub const POD: Kind = Kind::namespaced("", "v1", "Pod", "pods");
    /// Core Event.
    pub const EVENT: Kind = Kind::namespaced("", "v1", "Event", "events");
    /// EndpointSlice, which is what gateways and proxies follow.
    pub const ENDPOINT_SLICE: Kind =
        Kind::namespaced("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices");
    /// CustomResourceDefinition: its presence tells what the cluster serves.
    pub const CUSTOM_RESOURCE_DEFINITION: Kind =
        Kind::cluster("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");
    /// Our own Canary.
    pub const CANARY: Kind = Kind::namespaced("flagger.app", "v1beta1", "Canary", "canaries");
    /// Our own MetricTemplate.
    pub const METRIC_TEMPLATE: Kind =
        Kind::namespaced("flagger.app", "v1beta1", "MetricTemplate", "metrictemplates");
}

/// One object: its kind, namespace and name. Whether it exists is [`super::Seen`]'s to say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    kind: Kind,
    namespace: String,
    name: String,
}

impl ObjectKey {
    /// An object of a namespaced kind.
    pub fn new(kind: Kind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        ObjectKey { kind, namespace: namespace.into(), name: name.into() }
    }

    /// An object of a cluster-scoped kind.
    pub fn cluster(kind: Kind, name: impl Into<String>) -> Self {
        ObjectKey { kind, namespace: String::new(), name: name.into() }
    }

    /// What kind of object it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its namespace; empty for cluster-scoped kinds.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// `TraefikService podinfo.test`: how messages name an object.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        if self.namespace.is_empty() { Ok(()) } else { write!(f, ".{}", self.namespace) }
    }
}
