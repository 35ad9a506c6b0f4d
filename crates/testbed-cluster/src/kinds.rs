//! The kinds that the world's controllers read and write, and where the API serves them.

/// A kind of the API: its group, version and the names it has in URLs and manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// API group, empty for the core group.
    pub group: &'static str,
    /// Version inside the group.
    pub version: &'static str,
    /// Name in URLs: `deployments`.
    pub plural: &'static str,
    /// Name in manifests: `Deployment`.
    pub kind: &'static str,
}

impl Resource {
    /// A kind of `group`; all kinds of the world are namespaced.
    pub const fn new(
        group: &'static str,
        version: &'static str,
        plural: &'static str,
        kind: &'static str,
    ) -> Self {
        Resource { group, version, plural, kind }
    }

    /// `apiVersion` as manifests write it.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The same for `kube`.
    pub fn api_resource(&self) -> kube::api::ApiResource {
        kube::api::ApiResource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            api_version: self.api_version(),
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
        }
    }

    /// Where the API server serves the objects of one namespace.
    pub fn path_in(&self, namespace: &str) -> String {
        format!("{}/namespaces/{namespace}/{}", self.root(), self.plural)
    }

    fn root(&self) -> String {
        if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        }
    }
}

/// `apps/v1` Deployment.
pub const DEPLOYMENT: Resource = Resource::new("apps", "v1", "deployments", "Deployment");
/// `apps/v1` DaemonSet.
pub const DAEMON_SET: Resource = Resource::new("apps", "v1", "daemonsets", "DaemonSet");
/// `apps/v1` ReplicaSet.
pub const REPLICA_SET: Resource = Resource::new("apps", "v1", "replicasets", "ReplicaSet");
/// Core Pod.
pub const POD: Resource = Resource::new("", "v1", "pods", "Pod");
/// Core Service.
pub const SERVICE: Resource = Resource::new("", "v1", "services", "Service");
/// Core Endpoints, the older form of [`ENDPOINT_SLICE`].
pub const ENDPOINTS: Resource = Resource::new("", "v1", "endpoints", "Endpoints");
/// EndpointSlice.
pub const ENDPOINT_SLICE: Resource =
    Resource::new("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice");
/// HorizontalPodAutoscaler.
pub const AUTOSCALER: Resource =
    Resource::new("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler");
/// Core Event.
pub const EVENT: Resource = Resource::new("", "v1", "events", "Event");
