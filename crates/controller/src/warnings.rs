//! Warnings about the cluster around a Canary that is processed all the same. They are reported before traffic moves.

use vexil_analysis::{SyncState, limits::REPORT_WAIT_AFTER_MS};
use vexil_api::Remark;
use vexil_kube::Listed;
use vexil_plan::CanaryContext;
use vexil_workload::{Selector, mixed};

use crate::{
    Context,
    autoscalers::Autoscalers,
    config_copies,
    observe::{Observation, discovery, label_lists, slices},
    runtime::CanaryRuntime,
};

/// All warnings.
pub(crate) fn of_cluster(
    context: &Context,
    canary: &CanaryContext,
    observation: &Observation,
) -> Vec<Remark> {
    let said = |path: &str| {
        let path = path.to_owned();
        move |message: String| Remark { path: path.clone(), message }
    };
    let subject = canary.subject(&context.settings);
    let ports = discovery(canary, |port| canary.workload().unpublished(&subject, port, &observation.objects))
        .unwrap_or_default();
    let services = context.registry.services().remarks(&observation.target(canary), &observation.objects);
    let mut remarks: Vec<Remark> = Vec::new();
    let rivals = Autoscalers::of(canary.subject(&context.settings)).rivals(&observation.objects);
    remarks.extend(rivals.into_iter().map(said("spec.autoscalerRef")));
    remarks.extend(ports.into_iter().map(said("spec.service.portDiscovery")));
    remarks.extend(services.into_iter().map(said("spec.service.port")));
    remarks.extend(missing_labels(canary, &observation.selector).map(said("spec.targetRef")));
    let copies = config_copies::missing_copies(context, canary, observation);
    remarks.extend(copies.map(said("status.trackedConfigs")));
    remarks
}

/// Pods of workloads that are not Deployments behind one of the Services: requests reach them. Pods of Deployments make
/// the Services invalid and are reported there.
pub(crate) fn foreign_pods(
    context: &Context,
    canary: &CanaryContext,
    observation: &Observation,
    runtime: &mut CanaryRuntime,
) -> Option<Remark> {
    let strange = foreign_pods_text(context, canary, observation)
        .filter(|_| observation.observed.backends == SyncState::InSync);
    let Some(message) = strange else {
        runtime.foreign_pods_since = None;
        return None;
    };
    let now = context.clock.now();
    let lasts = now.since(*runtime.foreign_pods_since.get_or_insert(now));
    (lasts >= REPORT_WAIT_AFTER_MS).then(|| Remark { path: "spec.targetRef".to_owned(), message })
}

fn foreign_pods_text(context: &Context, canary: &CanaryContext, observation: &Observation) -> Option<String> {
    let target = observation.target(canary);
    let own = &canary.spec().target_ref.name;
    let sides = [(target.canary(), own.clone()), (target.primary(), format!("{own}-primary"))];
    sides.into_iter().find_map(|(service, deployment)| {
        let slices = slices(&context.cluster, canary.key().namespace(), &service)?;
        let pods = vexil_workload::strangers(&deployment, slices.iter().map(AsRef::as_ref));
        let [first, ..] = pods.as_slice() else { return None };
        Some(format!(
            "Service {service} selects pods that are not of Deployment {deployment}, such as those of {first}, and \
             sends them its requests: give them other labels"
        ))
    })
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
