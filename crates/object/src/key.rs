//! The names of things: a kind of the API, and one object of it.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, PoisonError, RwLock},
};

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

    /// Whether every API server serves it without a definition. An answer that it is not served is then an error of the
    /// API server or of a proxy. The group of a definition has a point in it.
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

    /// Whether one definition defines both: they are one kind in two versions.
    pub fn is_defined_with(&self, other: &Kind) -> bool {
        (self.plural, self.group) == (other.plural, other.group)
    }

    /// The key of the CustomResourceDefinition that would define this kind. That object is present when the
    /// cluster serves the kind.
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
    /// `apps/v1` DaemonSet.
    pub const DAEMON_SET: Kind = Kind::namespaced("apps", "v1", "DaemonSet", "daemonsets");
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
    /// CustomResourceDefinition: its presence shows what the cluster serves.
    pub const CUSTOM_RESOURCE_DEFINITION: Kind =
        Kind::cluster("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");
    /// Our own Canary.
    pub const CANARY: Kind = Kind::namespaced("flagger.app", "v1beta1", "Canary", "canaries");
    /// Our own MetricTemplate.
    pub const METRIC_TEMPLATE: Kind =
        Kind::namespaced("flagger.app", "v1beta1", "MetricTemplate", "metrictemplates");
    /// Our own AlertProvider.
    pub const ALERT_PROVIDER: Kind =
        Kind::namespaced("flagger.app", "v1beta1", "AlertProvider", "alertproviders");
}

/// One object: its kind, namespace and name. Whether it exists is [`super::Seen`]'s to say.
///
/// Small (32 bytes), and a clone shares the text: indexes and queues hold some keys for every object of a cluster.
#[derive(Clone)]
pub struct ObjectKey {
    kind: &'static Kind,
    /// The namespace, then the name.
    text: Arc<str>,
    /// Bytes of the namespace.
    split: u32,
}

/// Every kind that a key was made of: a few dozen at most, for kinds are known when the program is built.
static KINDS: RwLock<Vec<&'static Kind>> = RwLock::new(Vec::new());

/// The one copy of a kind.
fn shared(kind: Kind) -> &'static Kind {
    let find = |kinds: &[&'static Kind]| kinds.iter().copied().find(|known| **known == kind);
    if let Some(known) = find(&KINDS.read().unwrap_or_else(PoisonError::into_inner)) {
        return known;
    }
    let mut kinds = KINDS.write().unwrap_or_else(PoisonError::into_inner);
    find(&kinds).unwrap_or_else(|| {
        let known: &'static Kind = Box::leak(Box::new(kind));
        kinds.push(known);
        known
    })
}

impl ObjectKey {
    /// An object of a namespaced kind.
    pub fn new(kind: Kind, namespace: impl AsRef<str>, name: impl AsRef<str>) -> Self {
        let (namespace, name) = (namespace.as_ref(), name.as_ref());
        // Kubernetes allows 63 bytes. What does not fit becomes part of the name, which no object has.
        let split = u32::try_from(namespace.len()).unwrap_or_default();
        ObjectKey { kind: shared(kind), text: [namespace, name].concat().into(), split }
    }

    /// An object of a cluster-scoped kind.
    pub fn cluster(kind: Kind, name: impl AsRef<str>) -> Self {
        ObjectKey::new(kind, "", name)
    }

    /// What kind of object it is.
    pub fn kind(&self) -> Kind {
        *self.kind
    }

    /// Its namespace; empty for cluster-scoped kinds.
    pub fn namespace(&self) -> &str {
        self.parts().0
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        let split = usize::try_from(self.split).unwrap_or_default();
        self.text.split_at_checked(split).unwrap_or_default()
    }
}

impl PartialEq for ObjectKey {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.kind, other.kind) && self.split == other.split && self.text == other.text
    }
}

impl Eq for ObjectKey {}

/// By kind, then namespace, then name.
impl Ord for ObjectKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let kinds =
            if std::ptr::eq(self.kind, other.kind) { Ordering::Equal } else { self.kind.cmp(other.kind) };
        kinds.then_with(|| self.parts().cmp(&other.parts()))
    }
}

impl PartialOrd for ObjectKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for ObjectKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        self.parts().hash(state);
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `TraefikService podinfo.test`: how messages name an object.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name())?;
        if self.namespace().is_empty() { Ok(()) } else { write!(f, ".{}", self.namespace()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ordered_by_kind_namespace_and_name() {
        const OTHER: Kind = Kind::namespaced("a.example", "v1", "Other", "others");
        let key = ObjectKey::new;
        let ordered = [
            key(kinds::SERVICE, "a", "bc"),
            key(kinds::SERVICE, "a", "c"),
            key(kinds::SERVICE, "ab", "a"),
            key(kinds::SERVICE, "ab", "c"),
            key(OTHER, "a", "a"),
            ObjectKey::cluster(kinds::CUSTOM_RESOURCE_DEFINITION, "a"),
            key(kinds::DEPLOYMENT, "a", "a"),
        ];
        for (at, one) in ordered.iter().enumerate() {
            for (other_at, other) in ordered.iter().enumerate() {
                assert_eq!(
                    (one.cmp(other), one == other),
                    (at.cmp(&other_at), at == other_at),
                    "{one} {other}"
                );
            }
        }
    }

    #[test]
    fn a_key_is_small_and_its_clones_share_the_text() {
        let key = ObjectKey::new(kinds::SERVICE, "test", "podinfo");
        assert_eq!((key.kind(), key.namespace(), key.name()), (kinds::SERVICE, "test", "podinfo"));
        assert_eq!(key.to_string(), "Service podinfo.test");
        assert_eq!(size_of::<ObjectKey>(), 32);
        assert!(Arc::ptr_eq(&key.text, &key.clone().text));
        assert!(std::ptr::eq(key.kind, ObjectKey::new(kinds::SERVICE, "", "").kind));
    }
}
