//! Alerts of the outbox: to whom they go, what they list, and one attempt to deliver one.

use vexil_analysis::{Entry, Millis};
use vexil_api::{Analysis, CanarySpec};
use vexil_notifier::{
    Alert, Destination, NotifierCatalog, Rejection, Scope, destination, needs, provider_key, send,
};
use vexil_object::{ObjectKey, Objects, Seen};
use vexil_plan::{CanaryContext, GLOBAL_ALERT, alert_entry};

use crate::{Context, answers::read};

/// An alert that is delivered later than this lists when it happened, in milliseconds.
const LATE_MS: u64 = 60_000;

/// How the operator sends alerts.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    /// The kinds of services.
    pub catalog: NotifierCatalog,
    /// The receiver of Canaries without `analysis.alerts` (`-slack-url`, `-msteams-url`).
    pub global: Option<Destination>,
    /// `-cluster-name`: a field of every alert, unless empty.
    pub cluster_name: String,
}

/// A receiver that several Canaries may share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AlertReceiver {
    /// The operator's own.
    Global,
    /// That of an AlertProvider.
    Provider(ObjectKey),
}

impl std::fmt::Display for AlertReceiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AlertReceiver::Global => f.write_str("the operator's notifier"),
            AlertReceiver::Provider(key) => write!(f, "alert provider {}.{}", key.name(), key.namespace()),
        }
    }
}

/// An alert on its way.
#[derive(Clone, Debug)]
pub(crate) struct OutgoingAlert {
    /// The name of its receiver in the outbox.
    name: String,
    /// Whom that named when the alert was handed over.
    pub(crate) to: AlertReceiver,
    alert: Alert,
    at: Millis,
}

/// The alert of a notice for the receiver of this name; `None` if the spec no longer has the receiver.
pub(crate) fn outgoing(
    context: &Context,
    canary: &CanaryContext,
    entry: &Entry,
    name: &str,
) -> Option<OutgoingAlert> {
    let (key, noticed) = (canary.key(), entry.notice.alert.as_ref()?);
    let to = receiver(canary.spec(), key, name)?;
    let mut alert = Alert::new(key.name(), key.namespace(), noticed.severity, &noticed.message);
    alert.key = format!("{}-{}-{name}", canary.owner().uid, entry.seq);
    if !context.alerts.cluster_name.is_empty() {
        alert = alert.with_field("Cluster", &context.alerts.cluster_name);
    }
    if noticed.details {
        alert = detailed(alert, canary.spec());
    }
    Some(OutgoingAlert { name: name.to_owned(), to, alert, at: entry.notice.time })
}

/// The receiver that a spec has under this name; `None` if it has none.
fn receiver(spec: &CanarySpec, canary: &ObjectKey, name: &str) -> Option<AlertReceiver> {
    if name == GLOBAL_ALERT {
        return Some(AlertReceiver::Global);
    }
    let listed = alert_entry(spec.analysis()?, name)?;
    Some(AlertReceiver::Provider(provider_key(&listed.provider_ref, canary.namespace())))
}

/// The receiver of an alert as its Canary names it now, so that one that waits for a mistyped AlertProvider goes to the
/// corrected one; `None` if the Canary no longer has it. A spec that cannot be read names the `last` one.
pub(crate) fn receiver_now(
    context: &Context,
    canary: &ObjectKey,
    outgoing: &OutgoingAlert,
    last: AlertReceiver,
) -> Option<AlertReceiver> {
    let Seen::Present(live) = context.cluster.look(canary) else { return Some(last) };
    match vexil_api::parse(&live) {
        Ok(read) => receiver(&read.spec, canary, &outgoing.name),
        Err(_) => Some(last),
    }
}

/// Adds target, threshold, deadline and how traffic is shifted, as Flagger does.
fn detailed(alert: Alert, spec: &CanarySpec) -> Alert {
    let target = format!("{}/{}.{}", spec.target_ref.kind, spec.target_ref.name, alert.namespace);
    let default = Analysis::default();
    let analysis = spec.analysis().unwrap_or(&default);
    let alert = alert
        .with_field("Target", target)
        .with_field("Failed checks threshold", analysis.threshold().to_string())
        .with_field("Progress deadline", format!("{}s", spec.progress_deadline_ms() / 1_000));
    match traffic_routing(analysis) {
        Some(routing) => alert.with_field("Traffic routing", routing),
        None => alert,
    }
}

fn traffic_routing(analysis: &Analysis) -> Option<String> {
    let max = analysis.max_weight.unwrap_or(0);
    if !analysis.match_.is_empty() {
        return Some("A/B Testing".to_owned());
    }
    if analysis.iterations() > 0 {
        return Some("Blue/Green".to_owned());
    }
    if analysis.step_weight() > 0 {
        return Some(format!("Weight step: {} max: {max}", analysis.step_weight()));
    }
    let steps: Vec<String> = analysis.step_weights.iter().map(ToString::to_string).collect();
    (!steps.is_empty()).then(|| format!("Weight steps: {} max: {max}", steps.join(",")))
}

/// One attempt to deliver an alert about a Canary of the namespace `reader` to `receiver`. The AlertProvider and its
/// Secret are read for each attempt, so a corrected one counts at once, and the Secret is not kept.
///
/// # Errors
/// Why it was not accepted, without a part of the address.
pub(crate) async fn attempt(
    context: &Context,
    outgoing: &OutgoingAlert,
    receiver: &AlertReceiver,
    reader: &str,
) -> Result<(), Rejection> {
    let failed = |status: String| Rejection {
        scope: Scope::Service,
        status,
        said: String::new(),
        retry_after_ms: None,
    };
    let to = match receiver {
        // The flag was removed since the notice: no one is left to send it to.
        AlertReceiver::Global => match &context.alerts.global {
            Some(to) => to.clone(),
            None => return Ok(()),
        },
        AlertReceiver::Provider(provider) => resolved(context, provider, reader).await.map_err(failed)?,
    };
    let notifier = context.alerts.catalog.notifier(to.type_());
    let notifier =
        notifier.ok_or_else(|| failed(format!("type {:?} is not supported by this version", to.type_())))?;
    let mut alert = outgoing.alert.clone();
    if context.clock.now().since(outgoing.at) > LATE_MS {
        alert = alert.with_field("Time", vexil_kube::timestamp(outgoing.at.0));
    }
    send(context.transport.as_ref(), notifier, &to, &alert).await
}

async fn resolved(context: &Context, provider: &ObjectKey, reader: &str) -> Result<Destination, String> {
    let mut have = Objects::default();
    loop {
        let missing = needs(provider, &have);
        if missing.is_empty() {
            return destination(provider, &have, reader).map_err(|error| error.to_string());
        }
        for key in missing {
            let seen = read(context, &key).await?;
            have.insert(key, seen);
        }
    }
}
