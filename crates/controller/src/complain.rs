//! Trouble that the engine cannot tell, because there is no plan to decide on or no status to remember it in: one Event
//! for each distinct text, named after it, so that neither a tick nor a crash repeats it.

use serde_json::Value;
use vexil_analysis::{Known, bounded};
use vexil_api::{Defect, summary};
use vexil_object::{Kind, ObjectKey, kinds, meta};

use crate::{Context, after::After, case::Case, deliver::Delivery, local::Local, look::View, remark};

/// A Canary that cannot be understood. Its traffic stays as it is.
pub(crate) fn invalid(context: &Context, key: &ObjectKey, local: &mut Local, defects: &[Defect]) -> After {
    let text = format!("invalid canary spec: {}", summary(defects));
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

/// What the cluster shows beside: autoscalers that the Canary does not name, ports that are not published.
pub(crate) fn rivals(context: &Context, case: &Case, view: &View, local: &mut Local) -> Vec<Delivery> {
    let strangers = remark::strangers(context, case, view, local);
    let told = remark::remarks(context, case, view)
        .into_iter()
        .chain(strangers)
        .flat_map(|remark| once(context, &case.live, &case.key, local, &remark.to_string()).deliveries);
    told.collect()
}

/// Writes that the API server made something else of, though it holds nothing up. Told once.
pub(crate) fn altered(context: &Context, case: &Case, local: &mut Local) -> Vec<Delivery> {
    let texts = std::mem::take(&mut local.altered);
    texts.iter().flat_map(|text| once(context, &case.live, &case.key, local, text).deliveries).collect()
}

/// How long something may not be seen before it is told, in milliseconds.
const PATIENCE_MS: u64 = 5_000;

/// What cannot be looked at, so that nothing is decided on it: rights that are missing, or another namespace than the
/// one that is watched. Told when it lasts.
pub(crate) fn unseen(context: &Context, case: &Case, view: &View, local: &mut Local) -> After {
    let unknown = view.have.iter().filter(|(_, seen)| !seen.is_known()).map(|(key, _)| key);
    let addresses = view.seen.primary_addresses == Known::NotKnown;
    let why = unknown.filter_map(|key| why_unseen(context, key)).next();
    let why = why.or_else(|| trouble(context, kinds::ENDPOINT_SLICE).filter(|_| addresses));
    let Some(text) = why else {
        local.unseen_since = None;
        return After::default();
    };
    let now = context.clock.now();
    let lasts = now.since(*local.unseen_since.get_or_insert(now));
    if lasts < PATIENCE_MS {
        return After { wake_ms: Some(PATIENCE_MS - lasts), ..After::default() };
    }
    once(context, &case.live, &case.key, local, &text)
}

fn why_unseen(context: &Context, key: &ObjectKey) -> Option<String> {
    if !context.cluster.watches(key) {
        return Some(format!(
            "{key} is outside of the namespace that this operator watches; run one that watches all of them"
        ));
    }
    trouble(context, key.kind())
}

fn trouble(context: &Context, kind: Kind) -> Option<String> {
    let trouble = context.cluster.trouble(kind)?;
    Some(format!("{} of {} cannot be watched: {trouble}", kind.plural, kind.api_version()))
}

/// Tells a text once, as a warning.
pub(crate) fn once(context: &Context, live: &Value, key: &ObjectKey, local: &mut Local, text: &str) -> After {
    let text = bounded(text.to_owned());
    let delivery = Delivery::complaint(key, meta::uid(live), &text, context.clock.now());
    if !local.first_time(&delivery.event_name()) {
        return After::default();
    }
    tracing::error!(canary = %format!("{}.{}", key.name(), key.namespace()), "{text}");
    After { deliveries: vec![delivery], ..After::default() }
}
