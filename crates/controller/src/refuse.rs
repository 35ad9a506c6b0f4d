//! A Canary that cannot be processed as it is written: it says so in its status, and what is in force stays safe.

use std::sync::Arc;

use serde_json::Value;
use vexil_api::{CanaryStatus, Defect};
use vexil_kube::WriteError;
use vexil_object::{ObjectKey, Precondition, meta};

use crate::{
    Context,
    after::After,
    case::Case,
    complain,
    conditions::{self, conditions},
    local::Local,
    status,
};

/// What is done about a Canary with defects.
pub(crate) enum Refused {
    /// It is safeguarded: decided on with the binding and the limits that are in force.
    Halted(Box<Case>),
    /// Nothing of it is in force, or too little is left of it to go by.
    Left,
}

/// Reports the defects once, and finds what is in force.
pub(crate) fn refuse(
    context: &Context,
    live: &Arc<Value>,
    key: &ObjectKey,
    local: &mut Local,
    defects: &[Defect],
) -> (After, Refused) {
    let after = complain::invalid(context, key, local, defects);
    context.telemetry.accepted(key, false);
    match Case::in_force(live, context, defects) {
        Some(case) => (after, Refused::Halted(Box::new(case))),
        None => (after, Refused::Left),
    }
}

/// Writes the conditions of a Canary that nothing is decided on. One write for each distinct text and generation.
pub(crate) async fn mark(
    context: &Context,
    live: &Value,
    key: &ObjectKey,
    text: &str,
) -> Result<(), WriteError> {
    let before: CanaryStatus =
        live.get("status").and_then(|status| serde_json::from_value(status.clone()).ok()).unwrap_or_default();
    let memory = status::load(&before);
    let kind = meta::text(live, "/spec/targetRef/kind");
    let wanted = conditions::Context {
        kind,
        generation: generation(live),
        refused: Some(text),
        now: context.clock.now(),
    };
    let after = CanaryStatus {
        conditions: conditions(&memory, &wanted, &before),
        observed_generation: wanted.generation,
        ..before.clone()
    };
    if after == before {
        return Ok(());
    }
    let status = live.get("status").cloned().unwrap_or_default();
    let after = serde_json::to_value(&after).unwrap_or_default();
    context.cluster.write_status(key, &Precondition::of(live), &status, &after).await.map(drop)
}

/// `metadata.generation`.
pub(crate) fn generation(live: &Value) -> Option<i64> {
    live.pointer("/metadata/generation").and_then(Value::as_i64)
}

/// A decision or an effect that breaks a law is not carried out: it is counted and reported. It takes a defect of ours
/// to come here.
pub(crate) fn unlawful(context: &Context, case: &Case, law: &'static str) -> String {
    context.telemetry.broke(law);
    tracing::error!(canary = %case.name(), law, "invariant violated; nothing is written");
    format!("internal error, nothing was written: {law}; please report it with the status of this Canary")
}
