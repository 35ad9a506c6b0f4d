//! The one client of API servers, in raw paths: what is sent is written as a user writes it.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use http::Method;
use kube::{Client, Config, api::ApiResource, config::KubeConfigOptions, config::Kubeconfig};
use serde_json::{Value, json};
use vexil_testbed_cluster::send;

/// A resource: the path before its namespace, and its plural.
pub type Resource = (&'static str, &'static str);

const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";

/// Namespaces.
pub const NAMESPACES: Resource = ("/api/v1", "namespaces");
/// Services.
pub const SERVICES: Resource = ("/api/v1", "services");
/// Pods.
pub const PODS: Resource = ("/api/v1", "pods");
/// ConfigMaps.
pub const CONFIG_MAPS: Resource = ("/api/v1", "configmaps");
/// ValidatingAdmissionPolicies.
pub const POLICIES: Resource = (ADMISSION, "validatingadmissionpolicies");
/// ValidatingAdmissionPolicyBindings.
pub const BINDINGS: Resource = (ADMISSION, "validatingadmissionpolicybindings");
/// Events.
pub const EVENTS: Resource = ("/api/v1", "events");
/// Deployments.
pub const DEPLOYMENTS: Resource = ("/apis/apps/v1", "deployments");
/// DaemonSets.
pub const DAEMON_SETS: Resource = ("/apis/apps/v1", "daemonsets");
/// Canaries.
pub const CANARIES: Resource = ("/apis/flagger.app/v1beta1", "canaries");
/// CustomResourceDefinitions.
pub const DEFINITIONS: Resource = ("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions");

/// A string in an object; empty when it is not there.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A client of the API server, as the user that the kubeconfig names.
#[derive(Clone)]
pub struct Api {
    /// What sends the requests.
    pub client: Client,
    /// Where the server is, and who is asking.
    pub kubeconfig: PathBuf,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("kubeconfig", &self.kubeconfig).finish_non_exhaustive()
    }
}

impl Api {
    /// Connects as a kubeconfig says.
    pub async fn connect(kubeconfig: PathBuf) -> anyhow::Result<Self> {
        let read = Kubeconfig::read_from(&kubeconfig)
            .with_context(|| format!("cannot use the kubeconfig {}", kubeconfig.display()))?;
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
        Ok(Api { client: Client::try_from(config)?, kubeconfig })
    }

    /// One object; `None` when there is none, or no such resource.
    pub async fn get(&self, of: Resource, namespace: &str, name: &str) -> anyhow::Result<Option<Value>> {
        self.answer(Method::GET, &path(of, namespace, name), None).await
    }

    /// The objects of a namespace that carry a label.
    pub async fn list(&self, of: Resource, namespace: &str, label: &str) -> anyhow::Result<Vec<Value>> {
        let path = format!("{}?labelSelector={label}", path(of, namespace, ""));
        let mut list = self.answer(Method::GET, &path, None).await?.unwrap_or_default();
        let items = list.pointer_mut("/items").and_then(Value::as_array_mut);
        Ok(items.map(std::mem::take).unwrap_or_default())
    }

    /// Creates an object.
    pub async fn create(&self, of: Resource, namespace: &str, object: &Value) -> anyhow::Result<()> {
        self.post(of, (namespace, ""), object).await.map(drop)
    }

    /// Posts to a collection, or to what is behind an object: `name/token`.
    pub async fn post(&self, of: Resource, to: (&str, &str), object: &Value) -> anyhow::Result<Value> {
        self.answer(Method::POST, &path(of, to.0, to.1), Some(object)).await?.context("no such resource")
    }

    /// Merge-patches an object.
    pub async fn merge(&self, of: Resource, object: (&str, &str), body: &Value) -> anyhow::Result<()> {
        let done = self.answer(Method::PATCH, &path(of, object.0, object.1), Some(body)).await?;
        done.with_context(|| format!("no {} {}", of.1, object.1)).map(drop)
    }

    /// Creates an object or brings the one there is to this.
    pub async fn apply(&self, of: Resource, namespace: &str, object: &Value) -> anyhow::Result<()> {
        let name =
            object.pointer("/metadata/name").and_then(Value::as_str).context("an object without name")?;
        match self.get(of, namespace, name).await? {
            Some(_) => self.merge(of, (namespace, name), object).await,
            None => self.create(of, namespace, object).await,
        }
    }

    /// Deletes an object, if it is there.
    pub async fn delete(&self, of: Resource, namespace: &str, name: &str) -> anyhow::Result<()> {
        self.answer(Method::DELETE, &path(of, namespace, name), None).await.map(drop)
    }

    /// Waits until a definition is served.
    pub async fn served(&self, definition: &str) -> anyhow::Result<()> {
        loop {
            let live = self.get(DEFINITIONS, "", definition).await?.unwrap_or_default();
            let conditions = live.pointer("/status/conditions").and_then(Value::as_array);
            let established = |c: &Value| text(c, "/type") == "Established" && text(c, "/status") == "True";
            if conditions.into_iter().flatten().any(established) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// One object of the cluster, when it is there to stay; `None` when there is none, or none any more.
    pub async fn settled(&self, of: Resource, name: &str) -> anyhow::Result<Option<Value>> {
        loop {
            let live = self.get(of, "", name).await?;
            if live.as_ref().is_none_or(|live| live.pointer("/metadata/deletionTimestamp").is_none()) {
                return Ok(live);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until there is no such definition.
    pub async fn gone(&self, definition: &str) -> anyhow::Result<()> {
        while self.get(DEFINITIONS, "", definition).await?.is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn answer(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Option<Value>> {
        let mut answer = send(&self.client, method.clone(), path, body).await;
        if let Err(kube::Error::Service(_)) = answer {
            // A connection that the server was about to close.
            answer = send(&self.client, method.clone(), path, body).await;
        }
        match answer {
            Ok(value) => Ok(Some(value)),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => bail!("{method} {path}: {error}"),
        }
    }
}

/// The path of an object, or of the collection when `name` is empty; without a namespace the cluster's.
fn path((group, plural): Resource, namespace: &str, name: &str) -> String {
    let scope = if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
    let name = if name.is_empty() { String::new() } else { format!("/{name}") };
    format!("{group}{scope}/{plural}{name}")
}

/// A resource for `kube`, which needs its kind for nothing.
pub fn api_resource((group, plural): Resource) -> ApiResource {
    let api_version = group.trim_start_matches("/apis/").trim_start_matches("/api/");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: api_version.to_owned(),
        kind: plural.to_owned(),
        plural: plural.to_owned(),
    }
}

/// A namespace of this name.
pub fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}
