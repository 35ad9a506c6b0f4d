//! Trouble that the engine cannot tell, because there is no plan to decide on or no status to remember it in: one Event
//! for each distinct text, named after it, so that neither a tick nor a crash repeats it.

use serde_json::Value;
use vexil_api::{Defect, Remark};
use vexil_object::{ObjectKey, Objects, meta};

use crate::{Context, after::After, case::Case, deliver::Delivery, local::Local};

/// A Canary that cannot be understood. Its traffic stays as it is.
pub(crate) fn invalid(context: &Context, key: &ObjectKey, local: &mut Local, defects: &[Defect]) -> After {
    let list: Vec<String> =
        defects.iter().map(|defect| format!("{}: {}", defect.path, defect.message)).collect();
    let text = format!("invalid canary spec: {}", list.join("; "));
    match context.cluster.look(key).object() {
        Some(live) => once(context, live, key, local, &text),
        None => After::default(),
    }
}

/// What the user should know of a Canary that is processed all the same.
pub(crate) fn remarks(context: &Context, case: &Case, local: &mut Local) -> Vec<Delivery> {
    let told = case
        .remarks
        .iter()
        .flat_map(|remark| once(context, &case.live, &case.key, local, &remark.to_string()).deliveries);
    told.collect()
}

/// Autoscalers beside the one that the Canary names.
pub(crate) fn rivals(context: &Context, case: &Case, have: &Objects, local: &mut Local) -> Vec<Delivery> {
    let texts = case.scalers(&context.settings).rivals(have);
    let remark = |text| Remark { path: "spec.autoscalerRef".to_owned(), message: text };
    let told = texts
        .into_iter()
        .map(remark)
        .flat_map(|remark| once(context, &case.live, &case.key, local, &remark.to_string()).deliveries);
    told.collect()
}

/// Tells a text once, as a warning.
pub(crate) fn once(context: &Context, live: &Value, key: &ObjectKey, local: &mut Local, text: &str) -> After {
    let delivery = Delivery::complaint(key, meta::uid(live), text, context.clock.now());
    if !local.first_time(&delivery.event_name()) {
        return After::default();
    }
    tracing::error!(canary = %format!("{}.{}", key.name(), key.namespace()), "{text}");
    After { deliveries: vec![delivery], ..After::default() }
}
