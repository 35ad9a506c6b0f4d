//! The user's ApisixRoute: it changes while weights are live, and it is missing in every way.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    super::{
        manifests,
        pace::LONG_INTERVAL,
        recorder::text,
        stage::Stage,
        systems::{APISIX_ROUTES, apisix_route},
    },
    texts::{INITIALISED, PROMOTED, TOLD_INITIALISED, TOLD_PROMOTED},
};

/// Another rule, another plugin and another timeout at 25 %: the generated route has them at once, with 75 and 25.
pub async fn followed(stage: Stage) -> anyhow::Result<()> {
    stage.first_step(json!({})).await?;
    let mut theirs = apisix_route(&stage.cast);
    let rules = theirs.pointer_mut("/spec/http").and_then(Value::as_array_mut);
    if let Some(rules) = rules {
        let mut second = rules.first().cloned().unwrap_or_default();
        let insiders =
            json!({"subject": {"scope": "Header", "name": "x-user"}, "op": "Equal", "value": "insider"});
        let limit =
            json!({"name": "limit-count", "enable": false, "secretRef": "theirs", "config": {"count": 2}});
        let other = json!({
            "name": "second",
            "match": {"methods": ["POST"], "exprs": [insiders]},
            "timeout": {"connect": "3s", "read": "4s", "send": "5s"},
            "plugins": [limit],
        });
        manifests::merge(&mut second, &other);
        rules.push(second);
    }
    stage.change(APISIX_ROUTES, "podinfo", &theirs).await?;
    stage.rests_in("Succeeded").await?;
    stage.tells(&[INITIALISED, PROMOTED]).await?;
    stage.events(&[TOLD_INITIALISED, TOLD_PROMOTED]).await?;
    let route = stage.route().await?;
    for at in ["match", "timeout", "plugins", "name"] {
        let (want, have) = (theirs.pointer("/spec/http/1"), route.pointer("/spec/http/1"));
        let (want, have) = (want.and_then(|rule| rule.get(at)), have.and_then(|rule| rule.get(at)));
        ensure!(want == have, "{at} of the second rule is {have:?} instead of {want:?}");
    }
    let with_both = stage.moments().into_iter().find(|moment| {
        stage.cast.is_route(moment.of, moment.name()) && stage.cast.lists(&moment.object).len() == 2
    });
    let first = with_both.map(|moment| stage.cast.weights(&moment.object)).unwrap_or_default();
    ensure!(first == " primary 75 canary 25", "it came with{first}");
    stage.keeps_the_laws(LONG_INTERVAL)
}

pub async fn missing(stage: Stage) -> anyhow::Result<()> {
    let theirs = stage.namespace().to_owned();
    stage.apply(json!({"routeRef": {"name": "nope"}})).await?;
    let clear =
        format!("…spec.routeRef.name names a route that does not exist: APISIX route nope.{theirs} …");
    let edit = "Normal routeRef changed from nope to podinfo: initializing {} anew";
    stage.told_until_edited(&clear, &[edit], stage.canary(json!({}))).await
}

pub async fn not_named(stage: Stage) -> anyhow::Result<()> {
    stage.apply(json!({"routeRef": null})).await?;
    stage.told_until_right("…spec.routeRef.name…is missing…", stage.canary(json!({}))).await
}

pub async fn other_kind(stage: Stage) -> anyhow::Result<()> {
    let refused = stage.apply(json!({"routeRef": {"kind": "HTTPRoute"}})).await.err().context("taken")?;
    ensure!(refused.to_string().contains("spec.routeRef.kind: Unsupported value"), "{refused}");
    // The schema leaves the version open.
    stage.canary(json!({"routeRef": {"apiVersion": "gateway.networking.k8s.io/v1"}})).await?;
    let clear = "…spec.routeRef.apiVersion…gateway.networking.k8s.io/v1…";
    stage.told_until_right(clear, stage.canary(json!({}))).await
}

/// The user's route has no rule for the apex.
pub async fn other_service(stage: Stage) -> anyhow::Result<()> {
    let clear = "…Can not find podinfo backend on apisix route…";
    backend_mended(&stage, &json!({"serviceName": "theirs"}), clear).await
}

/// The user's route names a port that the Services do not have.
pub async fn missing_port(stage: Stage) -> anyhow::Result<()> {
    backend_mended(&stage, &json!({"servicePort": "nope"}), "…nope…").await
}

/// The user's route has a wrong backend, which is reported until it is put right.
async fn backend_mended(stage: &Stage, wrong: &Value, clear: &str) -> anyhow::Result<()> {
    let mut theirs = apisix_route(&stage.cast);
    if let Some(backend) = theirs.pointer_mut("/spec/http/0/backends/0") {
        manifests::merge(backend, wrong);
    }
    stage.api.create(APISIX_ROUTES, stage.namespace(), &theirs).await?;
    stage.target().await?;
    stage.canary(json!({})).await?;
    stage.told_until_right(clear, stage.before()).await?;
    let route = stage.route().await?;
    let name = text(&route, "/spec/http/0/backends/0/serviceName");
    ensure!(name == "podinfo-primary", "the first backend is {name}");
    let port = route.pointer("/spec/http/0/backends/0/servicePort");
    ensure!(port == Some(&json!(80)), "its port is {port:?}");
    Ok(())
}
