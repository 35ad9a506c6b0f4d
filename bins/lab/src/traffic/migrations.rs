//! Edits of what traffic depends on, each in the middle of a rollout: another target, another name of the Service,
//! another provider. Clients come through the gateway and through the Service all the time, and no request may fail.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use vexil_testbed_cluster::{Load, Network, Running, Tally, objects};

use vexil_testbed_rig::{
    api::{CANARIES, DEPLOYMENTS, Resource, SERVICES, text},
    cast::PODINFO as APP,
    guide::{CONTAINER, NAMESPACE, tag},
    report::{Expect, Report},
    styled_line::{Line, Tone},
};

use super::plane::Play;

/// The guide whose objects are edited.
pub const GUIDE: &str = "traefik";
/// Where clients come in.
const INGRESS_ROUTES: Resource = ("/apis/traefik.containo.us/v1alpha1", "ingressroutes");
/// The Deployment that becomes the target.
const OTHER: &str = "other";
/// How long a migration may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Requests per second of those that come through the Service.
const RATE: u32 = 100;

/// One edit.
struct Edit {
    /// The Deployment whose new version is being tried.
    target: &'static str,
    /// The version that is tried.
    image: &'static str,
    /// What is merged into the Canary's spec.
    spec: Value,
    /// Part of an Event that says what was edited.
    event: &'static str,
    /// Fields of the status' `binding` in the end.
    binding: [(&'static str, &'static str); 3],
    /// The phase in the end: a new target is taken as it is, a version that was being tried is tried again.
    phase: &'static str,
}

fn edits() -> [Edit; 3] {
    let autoscaler =
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": OTHER});
    let binding = |apex, provider| [("/primary", "other-primary"), ("/apex", apex), ("/provider", provider)];
    [
        Edit {
            target: APP,
            image: "stefanprodan/podinfo:6.0.1",
            spec: json!({"targetRef": {"name": OTHER}, "autoscalerRef": autoscaler}),
            event: "target changed from Deployment podinfo to Deployment other",
            binding: binding("podinfo", "traefik"),
            phase: "Initialized",
        },
        Edit {
            target: OTHER,
            image: "stefanprodan/podinfo:6.0.2",
            spec: json!({"service": {"name": "shop"}}),
            event: "service name changed from podinfo to shop",
            binding: binding("shop", "traefik"),
            phase: "Succeeded",
        },
        Edit {
            target: OTHER,
            image: "stefanprodan/podinfo:6.0.3",
            // Without a split the gateway counts nothing for the canary.
            spec: json!({"provider": "kubernetes", "analysis": {
                "iterations": 2, "stepWeight": null, "maxWeight": null, "metrics": null,
            }}),
            event: "provider changed from traefik to kubernetes",
            binding: binding("shop", "kubernetes"),
            phase: "Succeeded",
        },
    ]
}

/// All acts: the guide's manifests, then every edit during a rollout of its own.
pub async fn all(play: &mut Play) -> anyhow::Result<Vec<Report>> {
    // The name stays when the target does not; two steps are enough to be in the middle of.
    let spec = json!({"service": {"name": APP}, "analysis": {"stepWeight": 25}});
    let mut reports = vec![play.opening(Some(&spec)).await?];
    let guide = play.guide;
    for (name, manifest) in guide.manifests.iter().filter(|(name, _)| *name == "podinfo.yaml") {
        play.tell(
            "apply",
            Line::of(Tone::Plain, format!("examples/{}/{name} with {OTHER} for {APP}", play.guide.name)),
        );
        objects::apply_yaml(&play.environment.api.client, &second(manifest)).await?;
    }
    ready(play, OTHER).await?;
    let inside = clients().await?;
    for edit in edits() {
        reports.push(migration(play, &edit, &inside).await?);
    }
    if play.environment.api.get(DEPLOYMENTS, NAMESPACE, "podinfo-primary").await?.is_some() {
        bail!("podinfo-primary is still there, which no Service selects any more");
    }
    serves(play, "shop").await?;
    let tally = inside.tally();
    play.tell(
        "inside",
        Line::of(
            Tone::Plain,
            format!("{} requests to the Service, {} errors", tally.requests, tally.errors()),
        ),
    );
    Ok(reports)
}

/// The same application and autoscaler by another name.
fn second(manifest: &str) -> String {
    manifest
        .replace(&format!("name: {APP}\n"), &format!("name: {OTHER}\n"))
        .replace(&format!("app: {APP}\n"), &format!("app: {OTHER}\n"))
}

/// Clients of the Service, at the address that it has.
async fn clients() -> anyhow::Result<Running> {
    let mut found = tokio::net::lookup_host((format!("{APP}.{NAMESPACE}"), 80)).await?;
    let address = found.next().context("the Service has no address")?;
    let load = Load::new(&format!("http://{address}/")).per_second(RATE);
    Ok(Network::of_machine().load(load.lasting(Duration::from_secs(24 * 3600))))
}

/// A version is pushed; when it has a share of the traffic, the Canary is edited.
async fn migration(play: &mut Play, edit: &Edit, inside: &Running) -> anyhow::Result<Report> {
    play.begin(&format!("{} during a rollout of {}", edit.spec, edit.image));
    let before = inside.tally();
    let (client, kind) = (&play.environment.api.client, ("apps/v1", "Deployment"));
    objects::set_image(client, kind, (NAMESPACE, edit.target), CONTAINER, edit.image).await?;
    play.until("a share of the new version", |scene| scene.weight >= 25).await?;
    play.tell("edit", Line::of(Tone::Plain, edit.spec.to_string()));
    play.environment.api.merge(CANARIES, (NAMESPACE, APP), &json!({"spec": edit.spec})).await?;
    settled(play, edit).await?;
    if !play.scene.events.iter().any(|event| event.message.contains(edit.event)) {
        bail!("no Event says: {}", edit.event);
    }
    let took = play.of_act();
    let report = play.report(tag(edit.image), "migrated", took, Expect::NoErrors).await?;
    spotless(&inside.tally().since(&before))?;
    Ok(report)
}

/// Waits until the binding is the new one, and nothing of an old one is left.
async fn settled(play: &mut Play, edit: &Edit) -> anyhow::Result<()> {
    let (end, mut is_followed) = (Instant::now() + PATIENCE, false);
    loop {
        play.pause(Duration::from_millis(500)).await?;
        let canary = play.environment.api.get(CANARIES, NAMESPACE, APP).await?.unwrap_or_default();
        let status = canary.get("status").cloned().unwrap_or_default();
        let binding = status.get("binding").cloned().unwrap_or_default();
        let is_new = edit.binding.iter().all(|(path, value)| text(&binding, path) == *value);
        let is_there = is_new && text(&status, "/phase") != "Initializing";
        if is_there && !std::mem::replace(&mut is_followed, is_there) {
            lead_to(play, text(&binding, "/apex")).await?;
        }
        let phase = text(&status, "/phase");
        if phase == "Failed" {
            bail!("{}: the version was rolled back: {status}", edit.spec);
        }
        if is_new && phase == edit.phase && status.get("previousBindings").is_none_or(Value::is_null) {
            play.tell("binding", Line::of(Tone::Plain, binding.to_string()));
            return Ok(());
        }
        if Instant::now() > end {
            bail!("{}: not settled within {} s: {status}", edit.spec, PATIENCE.as_secs());
        }
    }
}

/// Points the user's route at the apex, as a user does once the new one is there.
async fn lead_to(play: &mut Play, apex: &str) -> anyhow::Result<()> {
    let live = play.environment.api.get(INGRESS_ROUTES, NAMESPACE, APP).await?.context("no IngressRoute")?;
    let mut routes = live.pointer("/spec/routes").cloned().unwrap_or_default();
    let name = routes.pointer_mut("/0/services/0/name").context("an IngressRoute without services")?;
    if name == apex {
        return Ok(());
    }
    *name = apex.into();
    play.tell("route", Line::of(Tone::Plain, format!("the IngressRoute leads to {apex}")));
    play.environment.api.merge(INGRESS_ROUTES, (NAMESPACE, APP), &json!({"spec": {"routes": routes}})).await
}

/// Fails when a client of the Service saw anything but an answer.
fn spotless(tally: &Tally) -> anyhow::Result<()> {
    if tally.requests == 0 || tally.errors() > 0 {
        bail!("clients of the Service: {tally:?}");
    }
    Ok(())
}

/// Waits for pods of a Deployment.
async fn ready(play: &mut Play, name: &str) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let live = play.environment.api.get(DEPLOYMENTS, NAMESPACE, name).await?.unwrap_or_default();
        if live.pointer("/status/readyReplicas").is_some() {
            return Ok(());
        }
        play.pause(Duration::from_millis(500)).await?;
    }
    bail!("{name} does not get ready")
}

/// Fails unless a Service of that name leads to the new primary.
async fn serves(play: &Play, name: &str) -> anyhow::Result<()> {
    let service = play.environment.api.get(SERVICES, NAMESPACE, name).await?.unwrap_or_default();
    let selector = service.pointer("/spec/selector").cloned().unwrap_or_default();
    if text(&selector, "/app") != "other-primary" {
        bail!("the Service {name} selects {selector}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_application_shares_no_name_and_no_label_with_the_first() {
        let first = "metadata:\n  name: podinfo\n  labels:\n    app: podinfo\nspec:\n  name: podinfod\n";
        let expect = "metadata:\n  name: other\n  labels:\n    app: other\nspec:\n  name: podinfod\n";
        assert_eq!(second(first), expect);
    }

    #[test]
    fn a_single_error_is_one_too_many_and_so_is_silence() {
        let tally = |ok: u64, bad: u64| {
            let mut tally = Tally { requests: ok + bad, ..Tally::default() };
            tally.by_status.extend([(200, ok), (503, bad)]);
            tally
        };
        assert!(spotless(&tally(9, 0)).is_ok());
        assert!(spotless(&tally(9, 1)).is_err());
        assert!(spotless(&tally(0, 0)).is_err());
    }
}
