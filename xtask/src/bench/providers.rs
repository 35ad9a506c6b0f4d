//! What rollouts cost with each provider: some at the same time, each in a namespace of its own.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::{
    Bench,
    figures::{Provider, Requests, since},
};
use crate::e2e::systems::{
    APISIX, KUBERNETES, KUMA, SMI_ISTIO, SMI_V1ALPHA1, SMI_V1ALPHA2, SMI_V1ALPHA3, System, TRAEFIK,
};

/// All providers. The one that is measured at the pace of the reference is first.
pub static SYSTEMS: [&System; 8] =
    [&TRAEFIK, &KUMA, &APISIX, &SMI_V1ALPHA1, &SMI_V1ALPHA2, &SMI_V1ALPHA3, &SMI_ISTIO, &KUBERNETES];

/// Rollouts beside each other: so few that pods start as fast as if there were one.
const AT_ONCE: usize = 3;

/// Steps of the longer rollout.
const STEPS: u32 = 6;

/// Measures two steps and six of each, and how many seconds two steps of the first one take at 10 s.
pub async fn measure(bench: &Bench<'_>) -> anyhow::Result<(Vec<Provider>, f64)> {
    let both = stream::iter(SYSTEMS).map(async |system| {
        let first = system.name == TRAEFIK.name;
        let interval = if first { "10s" } else { "2s" };
        let (two, seconds) = rollout(bench, system, 2, interval).await?;
        let (more, _) = rollout(bench, system, STEPS, "2s").await?;
        let count = |requests: &Requests| requests.values().sum::<usize>() as f64;
        let per_step = (count(&more) - count(&two)) / f64::from(STEPS - 2);
        println!("bench: {} is measured", system.name);
        Ok::<_, anyhow::Error>((Provider { name: system.name, requests: two, per_step }, seconds))
    });
    let all: Vec<(Provider, f64)> = both.buffered(AT_ONCE).try_collect().await?;
    let seconds = all.first().map(|(_, seconds)| *seconds).unwrap_or_default();
    Ok((all.into_iter().map(|(provider, _)| provider).collect(), seconds))
}

/// One rollout: its requests, and its seconds from the push to the end.
async fn rollout(
    bench: &Bench<'_>,
    system: &'static System,
    steps: u32,
    interval: &str,
) -> anyhow::Result<(Requests, f64)> {
    let words: String =
        system.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let stage = bench.stage(system, &format!("{words}-{steps}-steps")).await?;
    stage.initialise(paced(system, steps, interval)).await?;
    stage.target_is_empty().await?;
    let before = bench.cluster.requests(Some(&stage.cast))?;
    stage.push("6.0.1").await?;
    stage.rests_in("Succeeded").await?;
    let after = bench.cluster.requests(Some(&stage.cast))?;
    let seconds = stage.seconds("target 0 of 6.0.1", "status Succeeded 0").await?;
    stage.close().await?;
    Ok((since(&before, &after), seconds))
}

/// So many steps, or iterations where there are no weights.
fn paced(system: &System, steps: u32, interval: &str) -> Value {
    let analysis = match system.route {
        Some(_) => json!({"interval": interval, "stepWeight": 10, "maxWeight": 10 * steps}),
        None => json!({"interval": interval, "iterations": steps}),
    };
    json!({"analysis": analysis})
}
