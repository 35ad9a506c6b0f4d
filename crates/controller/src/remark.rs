//! What the user should know of a Canary that is processed all the same, as far as the cluster shows it: once each, as
//! soon as the world has been looked at, which is before traffic moves.

use vexil_api::Remark;
use vexil_object::{ObjectKey, Objects, Seen, kinds, meta};
use vexil_workload::{Mixed, Selector, mixed};

use crate::{
    Context,
    case::Case,
    look::{View, discovery},
};

/// Everything that is to be reported.
pub(crate) fn remarks(context: &Context, case: &Case, view: &View) -> Vec<Remark> {
    let said = |path: &str| {
        let path = path.to_owned();
        move |message: String| Remark { path: path.clone(), message }
    };
    let subject = case.subject(&context.settings);
    let ports =
        discovery(case, |port| case.workload.unpublished(&subject, port, &view.have)).unwrap_or_default();
    let services = context.registry.services().remarks(&view.target(case), &view.have);
    let mut remarks: Vec<Remark> = Vec::new();
    let rivals = case.scalers(&context.settings).rivals(&view.have);
    remarks.extend(rivals.into_iter().map(said("spec.autoscalerRef")));
    remarks.extend(ports.into_iter().map(said("spec.service.portDiscovery")));
    remarks.extend(services.into_iter().map(said("spec.service.port")));
    remarks.extend(narrow(case, &view.selector).map(said("spec.targetRef")));
    remarks.extend(tracked(case).map(said("status.trackedConfigs")));
    remarks
}

/// A primary whose pods do not have all labels of the target's selector, because it was made for a target with fewer.
fn narrow(case: &Case, selector: &Selector) -> Option<String> {
    if selector.lacks.is_empty() {
        return None;
    }
    let text = |pairs: &std::collections::BTreeMap<String, String>| {
        pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
    };
    Some(format!(
        "the pods of Deployment {}-primary do not have the labels {}, which follow from the target's selector; its \
         Services select by {} until the next promotion has added them",
        case.canary.spec.target_ref.name,
        text(&selector.lacks),
        text(&selector.primary),
    ))
}

/// ConfigMaps and Secrets that another operator has copied for the primary.
fn tracked(case: &Case) -> Option<String> {
    let tracked = case.status().tracked_configs.filter(|tracked| !tracked.is_empty())?;
    Some(format!(
        "this operator does not track ConfigMaps and Secrets; the copies that another operator has made of {} are left \
         alone, and the primary uses them until the next promotion has it use the originals",
        tracked.keys().cloned().collect::<Vec<_>>().join(", ")
    ))
}

/// Other Deployments whose pods the Services of this Canary would select, so that its clients would get another app.
/// They join what is looked at: when one of them changes, this is looked at anew.
pub(crate) fn mix(context: &Context, case: &Case, selector: &Selector, have: &mut Objects) -> Option<String> {
    let listed = context.cluster.list(kinds::DEPLOYMENT, case.key.namespace())?;
    let subject = case.subject(&context.settings);
    let Mixed { names, text } = mixed(&subject, selector, listed.iter().map(AsRef::as_ref))?;
    for live in listed {
        if names.iter().any(|name| name == meta::text(&live, "/metadata/name")) {
            let key =
                ObjectKey::new(kinds::DEPLOYMENT, case.key.namespace(), meta::text(&live, "/metadata/name"));
            have.insert(key, Seen::Present(live));
        }
    }
    Some(text)
}
