//! Objects of any kind by what manifests say of them: apply, read, patch.

use std::time::Duration;

use anyhow::{Context as _, bail};
use http::Method;
use kube::Client;
use serde_json::{Value, json};

use crate::{request::send, view};

/// Tries of a request for a kind that is not served yet: its definition may have just been made.
const TRIES: u32 = 20;

/// Applies every object of a YAML text, in order: creates it, or merge-patches the one there is.
///
/// # Errors
/// When the text is no YAML or an object is refused.
pub async fn apply_yaml(client: &Client, text: &str) -> anyhow::Result<()> {
    let objects: Vec<Value> = serde_saphyr::from_multiple(text).context("the manifest is not YAML")?;
    for object in objects.iter().filter(|object| !object.is_null()) {
        apply(client, object).await?;
    }
    Ok(())
}

/// Creates one object, or merge-patches the one there is.
///
/// # Errors
/// When it is refused.
pub async fn apply(client: &Client, object: &Value) -> anyhow::Result<()> {
    let (version, kind) = (view::text(object, "/apiVersion"), view::text(object, "/kind"));
    let (namespace, name) = (view::namespace(object), view::name(object));
    let context = || format!("{kind} {name} cannot be applied");
    let all = path(client, version, kind, namespace, "").await?;
    match send(client, Method::POST, all.trim_end_matches('/'), Some(object)).await {
        Err(kube::Error::Api(status)) if status.code == 409 => {
            merge(client, (version, kind), (namespace, name), object).await.with_context(context)
        }
        answer => answer.map(drop).with_context(context),
    }
}

/// One object, `None` when there is none.
///
/// # Errors
/// When the API server cannot be asked.
pub async fn get(
    client: &Client,
    version: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> anyhow::Result<Option<Value>> {
    let path = path(client, version, kind, namespace, name).await?;
    match send(client, Method::GET, &path, None).await {
        Ok(object) => Ok(Some(object)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Deletes one object; whether there was one.
pub(super) async fn delete(
    client: &Client,
    version: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> anyhow::Result<bool> {
    let path = path(client, version, kind, namespace, name).await?;
    match send(client, Method::DELETE, &path, None).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Changes the named fields of one object (RFC 7386).
///
/// # Errors
/// When it is refused or there is none.
pub async fn merge(
    client: &Client,
    (version, kind): (&str, &str),
    (namespace, name): (&str, &str),
    body: &Value,
) -> anyhow::Result<()> {
    let path = path(client, version, kind, namespace, name).await?;
    send(client, Method::PATCH, &path, Some(body)).await?;
    Ok(())
}

/// Gives a container of a Deployment, or of another kind with its template in the same place, another image, as
/// `kubectl set image` does.
///
/// # Errors
/// When it is refused, or there is no such object or container.
pub async fn set_image(
    client: &Client,
    (version, kind): (&str, &str),
    (namespace, name): (&str, &str),
    container: &str,
    image: &str,
) -> anyhow::Result<()> {
    let live = get(client, version, kind, namespace, name).await?;
    let live = live.with_context(|| format!("there is no {kind} {namespace}/{name}"))?;
    let mut containers = view::list(&live, "/spec/template/spec/containers").to_vec();
    let found = containers.iter_mut().filter(|one| view::text(one, "/name") == container);
    let Some(one) = found.filter_map(Value::as_object_mut).next() else {
        bail!("{kind} {namespace}/{name} has no container {container}")
    };
    one.insert("image".to_owned(), image.into());
    let body = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    merge(client, (version, kind), (namespace, name), &body).await
}

async fn path(
    client: &Client,
    version: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> anyhow::Result<String> {
    let root = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
    for _ in 0..TRIES {
        if let Ok(served) = send(client, Method::GET, &root, None).await
            && let Some(resource) = view::list(&served, "/resources").iter().find(|one| is(one, kind))
        {
            let plural = view::text(resource, "/name");
            let namespaced = resource.get("namespaced").and_then(Value::as_bool) == Some(true);
            let namespace = if namespace.is_empty() { "default" } else { namespace };
            let scope = if namespaced { format!("namespaces/{namespace}/") } else { String::new() };
            return Ok(format!("{root}/{scope}{plural}/{name}"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("the cluster does not serve {kind} of {version}")
}

fn is(resource: &Value, kind: &str) -> bool {
    view::text(resource, "/kind") == kind && !view::text(resource, "/name").contains('/')
}
