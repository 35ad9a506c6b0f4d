//! What rollouts cost with each provider: some at the same time, each in a namespace of its own.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::{
    Bench,
    figures::{Provider, Requests, since},
    table,
};
use crate::e2e::stage::Stage;
use crate::e2e::systems::{
    APISIX, CONTOUR, GATEWAY_API_ALONE, GLOO, ISTIO, KUBERNETES, KUMA, LINKERD, LINKERD_ROUTES, NGINX,
    SKIPPER, SMI_ISTIO, SMI_V1ALPHA1, SMI_V1ALPHA2, SMI_V1ALPHA3, System, TRAEFIK,
};

/// All providers. The one that is measured at the pace of Flagger is first.
pub static SYSTEMS: [&System; 16] = [
    &TRAEFIK,
    &KUMA,
    &ISTIO,
    &GATEWAY_API_ALONE,
    &LINKERD,
    &LINKERD_ROUTES,
    &NGINX,
    &CONTOUR,
    &GLOO,
    &SKIPPER,
    &APISIX,
    &SMI_V1ALPHA1,
    &SMI_V1ALPHA2,
    &SMI_V1ALPHA3,
    &SMI_ISTIO,
    &KUBERNETES,
];

/// Rollouts beside each other: so few that pods start about as fast as if there were one.
const AT_ONCE: usize = 3;

/// Steps of the longer rollout, and those between which its requests are counted.
const STEPS: u32 = 6;
const BETWEEN: (u32, u32) = (2, STEPS);

/// A write meets a conflict when another client writes in the same moment. That is chance; what always happens is not.
const TRIES: usize = 3;

/// Measures two steps of each, the price of further ones, and how many seconds two steps of the first one take at 10 s.
pub async fn measure(bench: &Bench<'_>) -> anyhow::Result<(Vec<Provider>, f64)> {
    let both = stream::iter(SYSTEMS).map(async |system| {
        let mut interval = if system.name == TRAEFIK.name { "10s" } else { "2s" };
        let (mut requests, seconds) = two_steps(bench, system, interval, 0).await?;
        for again in 1..TRIES {
            if !table::too_many(&requests) {
                break;
            }
            interval = "2s";
            requests = two_steps(bench, system, interval, again).await?.0;
        }
        let per_step = further_steps(bench, system).await?;
        println!("bench: {} is measured", system.name);
        Ok::<_, anyhow::Error>((Provider { name: system.name, requests, per_step }, seconds))
    });
    let all: Vec<(Provider, f64)> = both.buffered(AT_ONCE).try_collect().await?;
    let seconds = all.first().map(|(_, seconds)| *seconds).unwrap_or_default();
    Ok((all.into_iter().map(|(provider, _)| provider).collect(), seconds))
}

/// A rollout of two steps: its requests, and its seconds from the push to the end.
async fn two_steps(
    bench: &Bench<'_>,
    system: &'static System,
    interval: &str,
    again: usize,
) -> anyhow::Result<(Requests, f64)> {
    let stage = stage(bench, system, &format!("two-steps-{again}")).await?;
    stage.initialise(paced(system, 2, interval)).await?;
    stage.target_is_empty().await?;
    let before = bench.cluster.requests(Some(&stage.cast))?;
    stage.push("6.0.1").await?;
    stage.rests_in("Succeeded").await?;
    let after = bench.cluster.requests(Some(&stage.cast))?;
    let seconds = stage.seconds("target 0 of 6.0.1", "status Succeeded 0").await?;
    stage.close().await?;
    Ok((since(&before, &after), seconds))
}

/// Requests of each further step: from the moment that one is remembered to the moment that a later one is.
async fn further_steps(bench: &Bench<'_>, system: &'static System) -> anyhow::Result<f64> {
    let stage = stage(bench, system, "further-steps").await?;
    stage.initialise(paced(system, STEPS, "2s")).await?;
    stage.push("6.0.1").await?;
    let step = |number: u32| match system.route {
        Some(_) => format!("status Progressing {}", 10 * number),
        None => format!("status Progressing 0 iteration {number}"),
    };
    stage.line(&step(BETWEEN.0)).await?;
    let before = bench.cluster.requests(Some(&stage.cast))?;
    stage.line(&step(BETWEEN.1)).await?;
    let after = bench.cluster.requests(Some(&stage.cast))?;
    stage.rests_in("Succeeded").await?;
    stage.close().await?;
    let count = since(&before, &after).values().sum::<usize>();
    Ok(count as f64 / f64::from(BETWEEN.1 - BETWEEN.0))
}

async fn stage(bench: &Bench<'_>, system: &'static System, what: &str) -> anyhow::Result<Stage> {
    let words = system.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    bench.stage(system, &format!("{}-{what}", words.collect::<String>())).await
}

/// So many steps, or iterations where there are no weights.
fn paced(system: &System, steps: u32, interval: &str) -> Value {
    let analysis = match system.route {
        Some(_) => json!({"interval": interval, "stepWeight": 10, "maxWeight": 10 * steps}),
        None => json!({"interval": interval, "iterations": steps}),
    };
    json!({"analysis": analysis})
}
