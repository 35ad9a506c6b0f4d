//! Warnings about the cluster around a Canary that is processed all the same. They are reported before traffic moves.

use vexil_analysis::{Known, Memory, Message, Phase, SyncState, limits::REPORT_WAIT_AFTER_MS};
use vexil_api::Remark;
use vexil_kube::Listed;
use vexil_object::{Kind, ObjectKey, kinds};
use vexil_plan::CanaryContext;
use vexil_workload::{Selector, mixed};

use crate::{
    Context,
    autoscalers::Autoscalers,
    config_copies,
    observe::{Observation, slices, with_port},
    projections::with_pod_label,
    runtime::CanaryRuntime,
};

/// What the user should know of the cluster, although no decision waits for it.
pub(crate) struct Warnings {
    /// The warnings. Each is reported once.
    pub(crate) texts: Vec<String>,
    /// When to look again for one that has not lasted long enough yet, in milliseconds.
    pub(crate) requeue_ms: Option<u64>,
}

/// All warnings about the cluster. Those that may be about to end are reported if they last.
pub(crate) fn of_cluster(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    observation: &Observation,
    runtime: &mut CanaryRuntime,
) -> Warnings {
    let mut texts: Vec<String> =
        remarks(context, canary, memory, observation).iter().map(ToString::to_string).collect();
    texts.extend(runtime.altered.iter().cloned());
    texts.extend(runtime.undelivered.values().cloned());
    let now = context.clock.now();
    let lasting = [
        (foreign_pods(context, canary, observation), &mut runtime.foreign_pods_since),
        (unobserved(context, observation), &mut runtime.unobserved_since),
    ];
    let mut requeue_ms = None;
    for (text, since) in lasting {
        let Some(text) = text else {
            *since = None;
            continue;
        };
        let lasted_ms = now.since(*since.get_or_insert(now));
        if lasted_ms >= REPORT_WAIT_AFTER_MS || memory.reported.has(&text) {
            texts.push(text);
        } else {
            let rest_ms = REPORT_WAIT_AFTER_MS - lasted_ms;
            requeue_ms = Some(requeue_ms.map_or(rest_ms, |earlier: u64| earlier.min(rest_ms)));
        }
    }
    Warnings { texts, requeue_ms }
}

fn remarks(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    observation: &Observation,
) -> Vec<Remark> {
    let said = |path: &str| {
        let path = path.to_owned();
        move |message: String| Remark { path: path.clone(), message }
    };
    let subject = canary.subject(&context.settings);
    let ports = with_port(canary, |port| canary.workload().unpublished(&subject, port, &observation.objects));
    let services = context.registry.services().remarks(&observation.target(canary), &observation.objects);
    let mut remarks: Vec<Remark> = Vec::new();
    let rivals = Autoscalers::of(canary.subject(&context.settings)).rivals(&observation.objects);
    remarks.extend(rivals.into_iter().map(said("spec.autoscalerRef")));
    remarks.extend(ports.into_iter().map(said("spec.service.portDiscovery")));
    remarks.extend(services.into_iter().map(said("spec.service.port")));
    remarks.extend(missing_labels(canary, &observation.selector).map(said("spec.targetRef")));
    let copies = config_copies::missing_copies(context, canary, observation);
    remarks.extend(copies.map(said("status.trackedConfigs")));
    // During the migration the Services of the Canary itself still select it.
    if let SyncState::Invalid(kept) = &observation.observed.leftovers
        && memory.phase != Phase::Initializing
    {
        remarks.push(said("status.previousBindings")(kept.clone()));
    }
    remarks
}

/// Pods of workloads that are not Deployments behind one of the Services: requests reach them. Pods of Deployments make
/// the Services invalid and are reported there.
fn foreign_pods(context: &Context, canary: &CanaryContext, observation: &Observation) -> Option<String> {
    if observation.observed.backends != SyncState::InSync {
        return None;
    }
    if canary.workload().kind() != kinds::DEPLOYMENT {
        return None;
    }
    let target = observation.target(canary);
    let own = &canary.spec().target_ref.name;
    let sides = [(target.canary(), own.clone()), (target.primary(), format!("{own}-primary"))];
    sides.into_iter().find_map(|(service, deployment)| {
        let slices = slices(&context.cluster, canary.key().namespace(), &service)?;
        let pods = vexil_workload::strangers(&deployment, slices.iter().map(AsRef::as_ref));
        let [first, ..] = pods.as_slice() else { return None };
        let message = format!(
            "Service {service} selects pods that are not of Deployment {deployment}, such as those of {first}, and \
             sends them its requests: give them other labels"
        );
        Some(Remark { path: "spec.targetRef".to_owned(), message }.to_string())
    })
}

/// Objects that cannot be observed, so that nothing is decided: rights are missing, or they are outside of the watched
/// namespace.
pub(crate) fn unobserved(context: &Context, observation: &Observation) -> Option<String> {
    let unknown = observation.objects.iter().filter(|(_, seen)| !seen.is_known()).map(|(key, _)| key);
    let addresses = observation.observed.primary_addresses == Known::NotKnown;
    unknown
        .filter_map(|key| why_unobserved(context, key))
        .next()
        .or_else(|| watch_error(context, kinds::ENDPOINT_SLICE).filter(|_| addresses))
}

fn why_unobserved(context: &Context, key: &ObjectKey) -> Option<String> {
    if !context.cluster.watches(key) {
        return Some(Message::OutsideNamespace { object: key.to_string() }.to_string());
    }
    watch_error(context, key.kind())
}

fn watch_error(context: &Context, kind: Kind) -> Option<String> {
    let error = context.cluster.trouble(kind)?;
    let kind = format!("{} of {}", kind.plural, kind.api_version());
    Some(Message::NotWatched { kind, error }.to_string())
}

/// A primary whose pods lack labels of the target's selector, because it was made for a target with fewer.
fn missing_labels(canary: &CanaryContext, selector: &Selector) -> Option<String> {
    if selector.lacks.is_empty() {
        return None;
    }
    let text = |pairs: &std::collections::BTreeMap<String, String>| {
        pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
    };
    Some(format!(
        "the pods of Deployment {}-primary do not have the labels {}, which follow from the target's selector; its \
         Services select by {} until the next promotion has added them",
        canary.spec().target_ref.name,
        text(&selector.lacks),
        text(&selector.primary),
    ))
}

/// Other Deployments whose pods the Services of this Canary select, so that its clients would reach another app.
pub(crate) fn overlapping_deployments(
    context: &Context,
    canary: &CanaryContext,
    selector: &Selector,
) -> Option<String> {
    let mut listed = Vec::new();
    for Listed { kind, namespace, index, value } in label_lists(canary, selector) {
        listed.extend(context.cluster.list_by(kind, &namespace, index, &value)?);
    }
    let subject = canary.subject(&context.settings);
    mixed(&subject, selector, listed.iter().map(AsRef::as_ref)).map(|mixed| mixed.text)
}

/// The Deployments whose pods have the label by which the Services of primary or canary select.
pub(crate) fn label_lists(canary: &CanaryContext, selector: &Selector) -> Vec<Listed> {
    let sides = [&selector.canary, &selector.primary];
    let values = sides.into_iter().filter_map(|labels| labels.get(&selector.key));
    values.map(|value| with_pod_label(canary.key().namespace(), &selector.key, value)).collect()
}
