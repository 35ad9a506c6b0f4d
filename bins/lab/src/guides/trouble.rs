//! What can go wrong, done on a cluster of its own by one who takes the steps of a page in the wrong order: the table
//! of the page must hold each message that an Event has then, and no other.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use vexil_testbed_cluster::{LOAD_TESTER, objects};
use vexil_testbed_rig::{
    cast::PODINFO,
    guide::{CONTAINER, NAMESPACE},
};

use super::{examples, expect, follow::Reader, stage::quickened};

/// How long a message may take: waits are reported after five seconds, and a crashed pod needs some as well.
const PATIENCE: Duration = Duration::from_secs(40);
/// The heading above the table.
const HEADING: &str = "\n## When something is wrong\n";

/// The file of the Canary.
const CANARY: &str = "podinfo-canary.yaml";

/// Something that a reader does.
enum Act {
    /// The product's definitions go.
    Remove,
    /// They come back.
    Install,
    /// A file of `examples/`, or its objects of one kind.
    Apply(&'static str, Option<&'static str>),
    /// The target.
    ApplyTarget,
    /// Nothing.
    Wait,
    /// Nothing, until the Canary is initialised.
    Begin,
    /// Another tag.
    Push(&'static str),
    /// A tag that cannot be pulled, until that is reported.
    PushMissing,
    /// Nothing answers at the load tester's address.
    LoseLoadTester,
    /// Nothing answers at the metric server's address.
    LoseMetrics,
}

/// An act, the pages on which it is one, and a part of what is reported then.
struct Mishap {
    /// All when empty.
    pages: &'static [&'static str],
    act: Act,
    /// Nothing is waited for where it is empty.
    event: &'static str,
}

const fn on(pages: &'static [&'static str], act: Act, event: &'static str) -> Mishap {
    Mishap { pages, act, event }
}

const NAMES_SCALER: &[&str] =
    &["istio", "gateway-api", "linkerd", "smi-istio", "traefik", "contour", "gloo", "kubernetes"];
const NAMES_NONE: &[&str] = &["kuma", "apisix"];
const ACCEPTS: &[&str] = &[
    "kuma",
    "istio",
    "gateway-api",
    "linkerd",
    "traefik",
    "nginx",
    "contour",
    "gloo",
    "skipper",
    "kubernetes",
];
const LOADS: &[&str] = &["smi-istio", "apisix", "knative"];
const SPLITS: &[&str] = &["kuma", "istio", "gateway-api", "linkerd", "traefik", "apisix", "contour", "gloo"];

/// One after the other.
static MISHAPS: &[Mishap] = &[
    on(SPLITS, Act::Remove, ""),
    on(&[], Act::Apply(CANARY, None), "podinfo.test get query error"),
    on(&[], Act::ApplyTarget, ""),
    on(NAMES_SCALER, Act::Wait, "HorizontalPodAutoscaler podinfo.test"),
    on(&[], Act::Apply("podinfo.yaml", Some("HorizontalPodAutoscaler")), ""),
    on(SPLITS, Act::Wait, "the cluster does not serve"),
    on(SPLITS, Act::Install, ""),
    on(&["gateway-api"], Act::Apply("public-gateway.yaml", None), ""),
    on(&["apisix"], Act::Wait, "APISIX route podinfo.test"),
    on(&["apisix"], Act::Apply("podinfo-apisixroute.yaml", None), ""),
    on(&["contour", "gloo"], Act::Apply("podinfo-ingress.yaml", None), ""),
    on(&["nginx", "skipper"], Act::Wait, "ingress podinfo.test get query error"),
    on(&["nginx", "skipper"], Act::Apply("podinfo-ingress.yaml", None), ""),
    on(&[], Act::Begin, ""),
    on(NAMES_NONE, Act::Wait, "spec.autoscalerRef"),
    on(&[], Act::PushMissing, ""),
    on(&["smi-istio"], Act::Push("6.0.1"), "no values found"),
    on(&["smi-istio"], Act::Remove, "the cluster does not serve"),
    on(&["smi-istio"], Act::Install, ""),
    // Hooks are asked before metrics.
    on(&[], Act::LoseMetrics, ""),
    on(&[], Act::Push("6.0.2"), "Prometheus query failed"),
    on(&[], Act::LoseLoadTester, ""),
    on(LOADS, Act::Wait, "load-test failed"),
    on(ACCEPTS, Act::Push("6.0.3"), "acceptance-test failed"),
];

/// Does all of it, and holds the table of the page against what was reported.
pub async fn provoke(reader: &Reader<'_>, page: &str) -> anyhow::Result<usize> {
    let name = reader.stage.page.name;
    let mut must = Vec::new();
    for mishap in MISHAPS.iter().filter(|mishap| mishap.pages.is_empty() || mishap.pages.contains(&name)) {
        act(reader, &mishap.act).await?;
        let event = match mishap.act {
            Act::PushMissing => reader.stage.page.system.target.unpulled,
            _ => mishap.event,
        };
        if !event.is_empty() {
            must.push(until_reported(reader, event).await?);
        }
    }
    let messages = messages(reader).await?;
    let rows = rows(page)?;
    let unknown = rows.iter().find(|row| !messages.iter().any(|message| expect::fits(row, message)));
    if let Some(row) = unknown {
        bail!("docs/guides/{name}.md: no Event says `{row}`, but:\n{}", messages.join("\n"));
    }
    let missing = must.iter().find(|message| !rows.iter().any(|row| expect::fits(row, message)));
    if let Some(message) = missing {
        bail!("docs/guides/{name}.md: the table does not tell of:\n{message}");
    }
    Ok(rows.len())
}

async fn act(reader: &Reader<'_>, act: &Act) -> anyhow::Result<()> {
    let (stage, cluster) = (reader.stage, &reader.stage.cluster);
    match act {
        Act::Remove => cluster.remove_crds().await,
        Act::Install => cluster.install_crds().await,
        Act::Apply(file, kind) => apply(reader, file, *kind).await,
        Act::Wait => Ok(()),
        Act::Begin => until_reported(reader, "Initialization done!").await.map(drop),
        Act::ApplyTarget => apply(reader, "podinfo.yaml", Some(stage.page.system.target.kind)).await,
        Act::Push(tag) => push(reader, tag).await,
        Act::PushMissing => push(reader, "missing-1").await,
        Act::LoseLoadTester => {
            cluster.network().unregister(LOAD_TESTER);
            // Its Service leads to the pod that was installed, which would answer for it.
            cluster.delete("v1", "Service", "test", "flagger-loadtester").await.map(drop)
        }
        Act::LoseMetrics => {
            let server = stage.page.system.cluster.metric_server();
            let name = server.split(':').next().unwrap_or(server);
            // The operator beside it uses the first word alone.
            for name in [name, name.split('.').next().unwrap_or(name)] {
                cluster.network().unregister(name);
            }
            Ok(())
        }
    }
}

/// Applies the objects of a file in `examples/`, or those of one kind.
async fn apply(reader: &Reader<'_>, file: &str, kind: Option<&str>) -> anyhow::Result<()> {
    let (text, _) = quickened(&examples::text_of(reader.stage.page.name, file)?);
    let objects = examples::objects(&text)?;
    for object in objects.iter().filter(|object| kind.is_none_or(|kind| object["kind"] == kind)) {
        reader.stage.cluster.apply_yaml(&object.to_string()).await?;
    }
    Ok(())
}

async fn push(reader: &Reader<'_>, tag: &str) -> anyhow::Result<()> {
    let target = reader.stage.page.system.target;
    let (client, kind) = (reader.stage.cluster.client(), (target.version, target.kind));
    objects::set_image(&client, kind, (NAMESPACE, PODINFO), CONTAINER, &format!("podinfo:{tag}")).await
}

/// Waits until something is reported; all of its words.
async fn until_reported(reader: &Reader<'_>, part: &str) -> anyhow::Result<String> {
    let begun = Instant::now();
    loop {
        let messages = messages(reader).await?;
        if let Some(message) = messages.iter().find(|message| message.contains(part)) {
            return Ok(message.clone());
        }
        if begun.elapsed() > PATIENCE {
            bail!("{}: no Event says `{part}`, but:\n{}", reader.stage.page.name, messages.join("\n"));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// What was reported of the Canary until now.
async fn messages(reader: &Reader<'_>) -> anyhow::Result<Vec<String>> {
    let command = "kubectl -n test get events --field-selector involvedObject.kind=Canary \
        -o jsonpath='{range .items[*]}{.message}{\"\\n\"}{end}'";
    let ran = reader.stage.shell(command).output().await?;
    Ok(String::from_utf8_lossy(&ran.stdout).lines().map(str::to_owned).collect())
}

/// The messages in the first column of the page's table.
fn rows(page: &str) -> anyhow::Result<Vec<&str>> {
    let (_, section) = page.split_once(HEADING).context("the page has no table of what can go wrong")?;
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    let rest = section.lines().filter_map(|line| line.strip_prefix("| `"));
    Ok(rest.filter_map(|rest| rest.split_once('`').map(|(message, _)| message)).collect())
}
