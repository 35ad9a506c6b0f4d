//! The strategies beside plain weights, where a system has them: blue/green, A/B testing, mirroring, session affinity.

use anyhow::ensure;
use serde_json::{Value, json};

use super::{
    super::{manifests::merge, recorder::text, stage::Stage},
    rollout::INTERVAL,
    texts::{INITIALISED, PROMOTED, TOLD_INITIALISED},
};

const TOLD_STARTED: &str = "
    Normal New revision detected! Scaling up {}
    Normal Starting canary analysis for {}
    Normal Pre-rollout check acceptance-test passed
";

const TOLD_ITERATIONS: &str = "
    Normal Advance {} canary iteration 1/2
    Normal Advance {} canary iteration 2/2
";

const TOLD_WEIGHTS: &str = "
    Normal Advance {} canary weight 25
    Normal Advance {} canary weight 50
";

const TOLD_PROMOTED: &str = "
    Normal Copying {} template spec to {primary}
    Normal Routing all traffic to primary
    Normal Promotion completed! Scaling down {}
";

/// Two iterations instead of weights.
fn iterations(more: Value) -> Value {
    let mut analysis = json!({"iterations": 2, "stepWeight": null, "maxWeight": null});
    merge(&mut analysis, &more);
    json!({ "analysis": analysis })
}

/// Initialises a Canary with these changes of its spec and promotes a version.
async fn promote(stage: &Stage, spec: Value) -> anyhow::Result<()> {
    stage.initialise(spec).await?;
    stage.push("6.0.1").await?;
    stage.rests_in("Succeeded").await
}

/// All traffic goes to the new version for an interval, after it was checked beside the traffic.
pub async fn blue_green(stage: Stage) -> anyhow::Result<()> {
    promote(&stage, iterations(json!({}))).await?;
    let promoted = "
        target 0 of 6.0.1
        status Progressing 0
        target 2 of 6.0.1
        status Progressing 0 iteration 1
        status Progressing 0 iteration 2
        status Progressing 100 iteration 3
        route canary 100
        status Promoting 100 iteration 3
        primary 2 of 6.0.1
        status Finalising 0 ending promoted
        route primary 100
        target 0 of 6.0.1
        status Succeeded 0
    ";
    stage.tells(&[INITIALISED, promoted]).await?;
    let all_to_canary = "Normal Routing all traffic to canary";
    let told = [TOLD_INITIALISED, TOLD_STARTED, TOLD_ITERATIONS, all_to_canary, TOLD_PROMOTED];
    stage.events(&told).await?;
    stage.keeps_the_laws(INTERVAL)
}

/// Requests that meet a condition go to the new version, in both iterations.
async fn ab_testing(stage: &Stage, begins: &str, ends: &str) -> anyhow::Result<()> {
    let insiders = json!([{"headers": {"x-canary": {"exact": "insider"}}}]);
    promote(stage, iterations(json!({ "match": insiders }))).await?;
    let begun = format!(
        "
        target 0 of 6.0.1
        status Progressing 0
        target 2 of 6.0.1
        status Progressing 0 iteration 1
        {begins}
        status Progressing 0 iteration 2
        status Promoting 0 iteration 2
        primary 2 of 6.0.1
        status Finalising 0 ending promoted
        {ends}
        target 0 of 6.0.1
        status Succeeded 0
        "
    );
    stage.tells(&[INITIALISED, &begun]).await?;
    stage.events(&[TOLD_INITIALISED, TOLD_STARTED, TOLD_ITERATIONS, TOLD_PROMOTED]).await?;
    stage.keeps_the_laws(INTERVAL)
}

/// A route for the requests that meet the condition is before that for the others.
pub async fn ab_testing_by_routes(stage: Stage) -> anyhow::Result<()> {
    ab_testing(&stage, "route canary 100 | primary 100", "route primary 100").await?;
    let conditional = |route: &Value| has_text(route, &|text| text == "insider");
    ensure!(saw(&stage, conditional), "no route had the condition");
    ensure!(!conditional(&last(&stage)?), "the condition stayed after the rollout");
    Ok(())
}

/// The condition is an annotation beside a weight of 0.
pub async fn ab_testing_by_annotations(stage: Stage) -> anyhow::Result<()> {
    ab_testing(&stage, "", "").await?;
    let says = |route: &Value, key: &str, value: &str| {
        let annotations = route.pointer("/metadata/annotations").and_then(Value::as_object);
        let found = annotations.and_then(|all| all.get(&format!("nginx.ingress.kubernetes.io/{key}")));
        found.and_then(Value::as_str) == Some(value)
    };
    let conditional = |route: &Value| {
        says(route, "canary-by-header", "x-canary")
            && says(route, "canary-by-header-value", "insider")
            && says(route, "canary-weight", "0")
    };
    ensure!(saw(&stage, conditional), "no Ingress had the condition");
    ensure!(!conditional(&last(&stage)?), "the condition stayed after the rollout");
    Ok(())
}

/// Requests are copied to the new version for an interval before it gets any of its own.
async fn mirrored(stage: &Stage, host: &str) -> anyhow::Result<()> {
    promote(stage, json!({"analysis": {"mirror": true}})).await?;
    // The copies are no part of the split.
    stage.tells(&[INITIALISED, PROMOTED]).await?;
    let copies = "Normal Advance {} canary weight 0";
    stage.events(&[TOLD_INITIALISED, TOLD_STARTED, copies, TOLD_WEIGHTS, TOLD_PROMOTED]).await?;
    let canary = stage.cast.canary();
    let copied = |route: &Value| text(route, host) == canary;
    ensure!(saw(stage, copied), "no route copied requests");
    ensure!(!copied(&last(stage)?), "requests are still copied after the rollout");
    stage.keeps_the_laws(INTERVAL)
}

/// Istio has a field of the route for it.
pub async fn mirrored_by_field(stage: Stage) -> anyhow::Result<()> {
    mirrored(&stage, "/spec/http/0/mirror/host").await
}

/// The Gateway API has a filter for it.
pub async fn mirrored_by_filter(stage: Stage) -> anyhow::Result<()> {
    mirrored(&stage, "/spec/rules/0/filters/0/requestMirror/backendRef/name").await
}

/// Clients that reached the new version stay with it, by a cookie.
async fn sticky(stage: &Stage) -> anyhow::Result<()> {
    promote(stage, json!({"analysis": {"sessionAffinity": {"cookieName": "side"}}})).await?;
    let promoted = PROMOTED
        .replace("route primary 75 canary 25", "route canary 100 | primary 75 canary 25")
        .replace("route primary 50 canary 50", "route canary 100 | primary 50 canary 50");
    stage.tells(&[INITIALISED, &promoted]).await?;
    stage.events(&[TOLD_INITIALISED, TOLD_STARTED, TOLD_WEIGHTS, TOLD_PROMOTED]).await?;
    // The pattern of the route for those that have it, and the header for those that do not.
    let cookie = |route: &Value| has_text(route, &|text| text.contains("side="));
    ensure!(saw(stage, cookie), "no route had the cookie");
    stage.keeps_the_laws(INTERVAL)
}

/// The route for those that have the cookie is gone with the canary.
pub async fn sticky_by_routes(stage: Stage) -> anyhow::Result<()> {
    sticky(&stage).await?;
    let cookie = |text: &str| text.contains("side=");
    ensure!(!has_text(&last(&stage)?, &cookie), "the cookie is still routed after the rollout");
    Ok(())
}

/// In the end a rule has the clients delete the cookie.
pub async fn sticky_by_rules(stage: Stage) -> anyhow::Result<()> {
    sticky(&stage).await?;
    let deletes = |text: &str| text.contains("Max-Age=-1");
    ensure!(has_text(&last(&stage)?, &deletes), "no rule deletes the cookie after the rollout");
    Ok(())
}

/// Whether any text in an object is so.
fn has_text(within: &Value, is: &dyn Fn(&str) -> bool) -> bool {
    match within {
        Value::String(text) => is(text),
        Value::Array(items) => items.iter().any(|item| has_text(item, is)),
        Value::Object(fields) => fields.values().any(|field| has_text(field, is)),
        _ => false,
    }
}

/// Whether any version of the route was so.
fn saw(stage: &Stage, is: impl Fn(&Value) -> bool) -> bool {
    stage.moments().iter().any(|moment| stage.cast.is_route(moment.of, moment.name()) && is(&moment.object))
}

/// The route as it is now.
fn last(stage: &Stage) -> anyhow::Result<Value> {
    let moments = stage.moments();
    let route = moments.iter().rev().find(|moment| stage.cast.is_route(moment.of, moment.name()));
    route.map(|moment| moment.object.as_ref().clone()).ok_or_else(|| anyhow::anyhow!("there is no route"))
}
