//! The gauges that each Canary has all the time. Their labels are written when they are read, not kept: ten thousand
//! idle Canaries would keep eighty thousand texts.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet},
    metrics::MetricType,
};
use vexil_analysis::Routes;
use vexil_object::ObjectKey;

use super::series::{Named, Workload};

/// Name and explanation of each gauge.
const STATUS: (&str, &str) =
    ("flagger_canary_status", "Last known phase: 0 under analysis, 1 at rest, 2 failed");
const WEIGHT: (&str, &str) = ("flagger_canary_weight", "Traffic share in percent");
const READY: (&str, &str) =
    ("vexil_canary_ready", "1 when the Canary is accepted and waits for nothing, else 0");

/// The gauges of all Canaries.
#[derive(Clone, Debug, Default)]
pub(super) struct Gauges(Arc<Mutex<BTreeMap<ObjectKey, OfCanary>>>);

/// The gauges of one Canary, and what else has to be removed with it.
#[derive(Debug, Default)]
pub(super) struct OfCanary {
    /// Name of the target; empty until it is known.
    pub(super) target: Box<str>,
    /// Names of the metrics that were measured.
    pub(super) metrics: Vec<String>,
    /// The phase as a number.
    pub(super) status: Option<u8>,
    /// Percent of the primary and of the canary.
    pub(super) weights: Option<(u8, u8)>,
    /// Whether it is accepted and waits for nothing.
    pub(super) ready: Option<bool>,
}

impl OfCanary {
    /// Sets what the routes say.
    pub(super) fn set_weights(&mut self, routes: &Routes) {
        self.weights = Some((routes.primary().percent(), routes.canary().percent()));
    }
}

impl Gauges {
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, OfCanary>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let all = self.lock();
        // Two Canaries may have had the same target, one after the other: a series is written once.
        let targets: BTreeMap<(&str, &str), &OfCanary> = all
            .iter()
            .filter(|(_, of)| !of.target.is_empty())
            .map(|(key, of)| ((key.namespace(), &*of.target), of))
            .collect();
        let status = targets.iter().filter_map(|((namespace, target), of)| {
            let labels = Named { name: (*target).to_owned(), namespace: (*namespace).to_owned() };
            Some((labels, of.status?))
        });
        write(&mut encoder, STATUS, status)?;
        let weights = targets.iter().filter_map(|((namespace, target), of)| {
            let (primary, canary) = of.weights?;
            let labels = |workload| Workload { workload, namespace: (*namespace).to_owned() };
            Some([(labels(format!("{target}-primary")), primary), (labels((*target).to_owned()), canary)])
        });
        write(&mut encoder, WEIGHT, weights.flatten())?;
        let ready = all.iter().filter_map(|(key, of)| {
            let labels = Named { name: key.name().to_owned(), namespace: key.namespace().to_owned() };
            Some((labels, u8::from(of.ready?)))
        });
        write(&mut encoder, READY, ready)
    }
}

/// Writes one gauge, unless it has no series.
fn write(
    encoder: &mut DescriptorEncoder,
    (name, help): (&str, &str),
    series: impl Iterator<Item = (impl EncodeLabelSet, u8)>,
) -> fmt::Result {
    let mut series = series.peekable();
    if series.peek().is_none() {
        return Ok(());
    }
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in series {
        metric.encode_family(&labels)?.encode_gauge(&i64::from(value))?;
    }
    Ok(())
}
