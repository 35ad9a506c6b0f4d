//! Meshes: the one that the Canary names, and one that is not there.

use anyhow::ensure;
use serde_json::{Value, json};

use super::super::{
    api::{BINDINGS, CANARIES, NAMESPACES, POLICIES, SERVICES},
    cast::PODINFO,
    manifests,
    recorder::text,
    stage::Stage,
};

/// As Kuma's own webhook says it.
const REFUSAL: &str = "mesh of name nope is not found";

/// The mesh is not there, so Kuma refuses the route. A policy replaces Kuma's webhook.
pub async fn no_mesh(stage: Stage) -> anyhow::Result<()> {
    let policy = refuses_nope(&stage);
    let name = text(&policy, "/metadata/name").to_owned();
    stage.api.create(POLICIES, "", &policy).await?;
    stage.api.create(BINDINGS, "", &binds(&name)).await?;
    let played = named_and_mended(&stage).await;
    stage.api.delete(BINDINGS, "", &name).await?;
    stage.api.delete(POLICIES, "", &name).await?;
    played?;
    let mesh = text(&stage.route().await?, "/mesh").to_owned();
    ensure!(mesh == "default", "the route is of the mesh {mesh:?}");
    let canary = stage.cast.canary();
    let service = stage.api.get(SERVICES, stage.namespace(), &canary).await?.unwrap_or_default();
    let protocol = text(&service, "/metadata/annotations/80.service.kuma.io~1protocol");
    ensure!(protocol == "http", "the protocol of {canary} is {protocol:?}");
    Ok(())
}

async fn named_and_mended(stage: &Stage) -> anyhow::Result<()> {
    let mesh = |mesh: Value| json!({"metadata": {"annotations": {"kuma.io/mesh": mesh}}});
    stage.application().await?;
    let mut canary = stage.manifest(&json!({}));
    manifests::merge(&mut canary, &mesh(json!("nope")));
    stage.api.create(CANARIES, stage.namespace(), &canary).await?;
    let mended = mesh(Value::Null);
    let put_right = stage.change(CANARIES, PODINFO, &mended);
    let edit = "Normal kuma.io/mesh nope was removed: initializing {} anew";
    stage.told_until_edited(&format!("…{REFUSAL}…"), &[edit], put_right).await
}

fn refuses_nope(stage: &Stage) -> Value {
    let kind = json!({
        "apiGroups": ["kuma.io"], "apiVersions": ["v1alpha1"], "resources": ["trafficroutes"],
        "operations": ["CREATE", "UPDATE"],
    });
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": stage.cast.apex},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [kind]},
            "validations": [{"expression": "!has(object.mesh) || object.mesh != 'nope'", "message": REFUSAL}],
        },
    })
}

fn binds(policy: &str) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": policy},
        "spec": {"policyName": policy, "validationActions": ["Deny"]},
    })
}

/// A Canary of another namespace has an apex of the same name, and with it the one route that the cluster can have.
/// When it is deleted, its route is deleted, and ours is made.
pub async fn taken(stage: Stage) -> anyhow::Result<()> {
    let mut other = stage.clone();
    other.cast.namespace = format!("{}-b", stage.namespace());
    other.open().await?;
    other.initialise(json!({})).await?;
    stage.apply(json!({})).await?;
    let clear = format!("…belongs to Canary {}/podinfo…", other.namespace());
    stage.told_until_right(&clear, other.delete_canary()).await?;
    stage.api.delete(NAMESPACES, "", other.namespace()).await
}

/// An operator of one namespace does not see the one where Kuma reads MeshHTTPRoutes, and says so.
pub async fn out_of_sight(stage: Stage) -> anyhow::Result<()> {
    let operator = stage.recipe.start()?;
    stage.apply(json!({})).await?;
    stage.event("…kuma-system…").await?;
    operator.kill().await
}
