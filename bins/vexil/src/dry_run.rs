//! `-dry-run`: prints for each Canary of the cluster what this operator would do, without a write.

use std::{fmt::Write as _, time::Duration};

use anyhow::{Context as _, Result, bail};
use vexil_analysis::Phase;
use vexil_controller::{Context, Next, Preview, preview};
use vexil_egress::Egress;
use vexil_kube::{Access, Cluster, DryRun, DryWrite, Scope, connect};
use vexil_object::{ObjectKey, kinds};

use crate::{
    Background,
    args::Args,
    serve::{given, rules, settings},
    wiring,
};

/// How long the list of Canaries is awaited.
const LIST: Duration = Duration::from_secs(30);

/// Prints the report.
///
/// # Errors
/// If the cluster cannot be read.
pub async fn run(args: &Args) -> Result<()> {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        bail!("another TLS implementation is installed");
    }
    let registry = wiring::registry(args)?;
    let access = Access { kubeconfig: given(&args.kubeconfig).map(Into::into), master: given(&args.master) };
    let (client, dry_run) = DryRun::over(connect(&access).await?);
    let scope = given(&args.namespace).map_or(Scope::All, Scope::Namespace);
    let settings = settings(args)?;
    let (cluster, watches) = Cluster::new(client, scope, vexil_controller::projections(&registry, &settings));
    let context = Context::new(cluster.clone(), registry, settings, Egress::with(rules(args)?)?);
    let _watching = Background::start(watches.run());
    if let Some(text) = missing_fields(&cluster).await? {
        println!("{text}\n");
    }
    let canaries = canaries(&cluster).await?;
    let mut summary = Summary::default();
    for key in &canaries {
        let found = preview(&context, key).await;
        let heading = Heading::of(&found);
        summary.add(&heading);
        print!("{}", report(key, &found, &heading, &dry_run.take_writes()));
    }
    println!("{}", summary.text(canaries.len()));
    Ok(())
}

/// The Canaries, once their list has arrived.
async fn canaries(cluster: &Cluster) -> Result<Vec<ObjectKey>> {
    let mut changes = cluster.changes();
    let listed = async {
        loop {
            if let Some(keys) = cluster.list_keys(kinds::CANARY, "") {
                return keys;
            }
            let _changed = futures::StreamExt::next(&mut changes).await;
        }
    };
    let listed = tokio::time::timeout(LIST, listed).await.ok();
    listed.with_context(|| {
        let why = cluster.trouble(kinds::CANARY);
        format!("Canaries cannot be listed: {}", why.unwrap_or_else(|| "no answer".to_owned()))
    })
}

/// What the CustomResourceDefinition of Canaries lacks to hold the memory of a rollout.
async fn missing_fields(cluster: &Cluster) -> Result<Option<String>> {
    let key = ObjectKey::cluster(kinds::CUSTOM_RESOURCE_DEFINITION, "canaries.flagger.app");
    let seen = cluster.fetch(&key).await.context("the CRD of Canaries cannot be read")?;
    let Some(live) = seen.object() else { bail!("the cluster has no CRD canaries.flagger.app") };
    let ours = vexil_api::crds()?.into_iter().find(|crd| crd.plural == "canaries");
    let ours = ours.context("no CRD of Canaries")?;
    let lacking = lacking(live, &ours.manifest);
    Ok((!lacking.is_empty()).then(|| {
        format!(
            "CRD canaries.flagger.app has no {}: apply the CRDs of this version before the operator is started, or it \
             changes nothing",
            lacking.join(", ")
        )
    }))
}

/// Fields of the status that the definition `ours` has and `live` lacks.
fn lacking(live: &serde_json::Value, ours: &serde_json::Value) -> Vec<String> {
    let fields = |crd: &serde_json::Value| -> Vec<String> {
        let versions = crd.pointer("/spec/versions").and_then(serde_json::Value::as_array);
        let version = versions.into_iter().flatten().find(|version| version["name"] == "v1beta1");
        let status = "/schema/openAPIV3Schema/properties/status/properties";
        let fields =
            version.and_then(|version| version.pointer(status)).and_then(|fields| fields.as_object());
        fields.into_iter().flat_map(|fields| fields.keys().cloned()).collect()
    };
    let live = fields(live);
    fields(ours)
        .into_iter()
        .filter(|field| !live.contains(field))
        .map(|name| format!("status.{name}"))
        .collect()
}

/// What a report begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heading {
    Kept,
    GoesOn,
    Initializes,
    Blocked,
    Starts,
    Refused,
}

impl Heading {
    fn of(found: &Preview) -> Self {
        match found.before.0 {
            _ if !found.defects.is_empty() => Heading::Refused,
            _ if found.starts => Heading::Starts,
            Phase::New | Phase::Initializing if matches!(found.next, Next::Refused(_)) => Heading::Blocked,
            Phase::New | Phase::Initializing => Heading::Initializes,
            _ if found.before == found.after && found.next == Next::Rest => Heading::Kept,
            _ => Heading::GoesOn,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Heading::Kept => "adopted as it is",
            Heading::GoesOn => "adopted, and goes on",
            Heading::Initializes => "will be initialized",
            Heading::Blocked => "cannot be initialized yet",
            Heading::Starts => "a rollout starts",
            Heading::Refused => "refused",
        }
    }
}

/// The paragraph of one Canary.
fn report(key: &ObjectKey, found: &Preview, heading: &Heading, writes: &[DryWrite]) -> String {
    let state = |(phase, weight): (Phase, u32)| match weight {
        _ if phase == Phase::New => "new".to_owned(),
        0 => phase.as_str().to_owned(),
        weight => format!("{} at weight {weight}", phase.as_str()),
    };
    let (before, after) = (state(found.before), state(found.after));
    let states = if before == after { before } else { format!("{before} -> {after}") };
    let mut text = format!("{}/{}: {} ({states})\n", key.namespace(), key.name(), heading.text());
    let mut line = |what: &str, of: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {what} {of}");
    };
    for defect in &found.defects {
        line("defect:", &format!("{}: {}", defect.path, defect.message));
    }
    for write in writes.iter().filter(|write| write.verb != "patch status") {
        line("write: ", &described(write));
    }
    for event in &found.events {
        line("event: ", event);
    }
    match &found.next {
        Next::Rest => {}
        Next::Step => line("next:  ", "a step, at its time"),
        Next::Asks(what) => line("next:  ", what),
        Next::Waits(what) => line("waits: ", what),
        Next::Refused(what) => line("cannot:", what),
    }
    text
}

/// One write in a line; of a patch, the fields that it changes.
fn described(write: &DryWrite) -> String {
    let DryWrite { verb, kind, namespace, name, body } = write;
    let place = if namespace.is_empty() { name.clone() } else { format!("{namespace}/{name}") };
    let mut fields = Vec::new();
    if *verb == "patch" {
        match body.as_array() {
            Some(ops) => fields.extend(ops.iter().filter_map(|op| op["path"].as_str()).map(str::to_owned)),
            None => leaves(body, String::new(), &mut fields),
        }
    }
    let fields = if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
    format!("{verb} {kind} {place}{fields}")
}

/// The paths of the values in a merge patch.
fn leaves(value: &serde_json::Value, path: String, into: &mut Vec<String>) {
    match value.as_object() {
        Some(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(value, path, into);
            }
        }
        _ => into.push(path),
    }
}

/// How many there are of each.
#[derive(Debug, Default)]
struct Summary {
    kept: usize,
    goes_on: usize,
    initializes: usize,
    blocked: usize,
    starts: usize,
    refused: usize,
}

impl Summary {
    fn add(&mut self, heading: &Heading) {
        *match heading {
            Heading::Kept => &mut self.kept,
            Heading::GoesOn => &mut self.goes_on,
            Heading::Initializes => &mut self.initializes,
            Heading::Blocked => &mut self.blocked,
            Heading::Starts => &mut self.starts,
            Heading::Refused => &mut self.refused,
        } += 1;
    }

    fn text(&self, all: usize) -> String {
        let Summary { kept, goes_on, initializes, blocked, starts, refused } = self;
        format!(
            "{all} Canaries: {kept} adopted as they are, {goes_on} go on, {initializes} will be initialized, {blocked} \
             cannot be yet, {starts} start a rollout, {refused} refused; nothing was written"
        )
    }
}

#[cfg(test)]
mod tests;
