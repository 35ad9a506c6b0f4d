//! Leader election on Flagger's Lease, so that only one of Flagger and Vexil is active.
//!
//! Whether another leader is dead is measured on our own clock, from when we last saw its record change: the times in
//! the record are only for people. That is client-go's rule, and it holds however wrong the clocks are.

use std::{pin::Pin, time::Duration};

use futures::FutureExt;
use serde_json::{Value, json};
use tokio::time::{Sleep, sleep, timeout};
use vexil_object::{Kind, ObjectKey, Precondition, meta};

use crate::{Cluster, WriteError, requests};

/// The name of the Lease; it is Flagger's.
pub const LEASE_NAME: &str = "flagger-leader-election";

pub(crate) const LEASE: Kind = Kind::namespaced("coordination.k8s.io", "v1", "Lease", "leases");
const LEASE_DURATION: Duration = Duration::from_secs(60);
const RENEW_DEADLINE: Duration = Duration::from_secs(15);
const RETRY_PERIOD: Duration = Duration::from_secs(5);

/// Whether this process leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaderState {
    /// This process leads, as long as [`Election::next`] is polled.
    Leading,
    /// Another process leads.
    Following {
        /// Its identity.
        leader: String,
    },
    /// This process led and does not any more: it must stop writing at once.
    Lost,
}

/// One candidate. [`Election::next`] does the work; it can be dropped and called again at any time.
pub struct Election {
    cluster: Cluster,
    key: ObjectKey,
    identity: String,
    now_ms: Box<dyn Fn() -> u64 + Send + Sync>,
    state: Option<LeaderState>,
    /// The record as we last saw it, and when the leader that it names is taken for dead.
    observed: Option<Record>,
    expiry: Pin<Box<Sleep>>,
    /// When to try again.
    retry: Pin<Box<Sleep>>,
    /// When we stop leading unless we have renewed.
    deadline: Pin<Box<Sleep>>,
}

/// What the Lease says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    holder: String,
    renewed: String,
    transitions: i64,
    on: Precondition,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeaseAction {
    Create,
    Take,
    Renew,
    Wait,
}

/// The rule: `expired` says that the record has not changed for a lease duration while we watched.
fn decide(identity: &str, lease: Option<&Record>, expired: bool) -> LeaseAction {
    match lease {
        None => LeaseAction::Create,
        Some(record) if record.holder == identity => LeaseAction::Renew,
        Some(record) if record.holder.is_empty() || expired => LeaseAction::Take,
        Some(_) => LeaseAction::Wait,
    }
}

/// Whether it is over. `Sleep::is_elapsed` is only updated by a poll.
fn is_over(sleep: &mut Pin<Box<Sleep>>) -> bool {
    sleep.as_mut().now_or_never().is_some()
}

/// The identity of this process: `<hostname>_<random uuid>`. Linux only, as the operator is.
pub fn identity() -> String {
    let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let host =
        std::env::var("HOSTNAME").ok().or_else(|| read("/proc/sys/kernel/hostname")).unwrap_or_default();
    let uuid = read("/proc/sys/kernel/random/uuid").unwrap_or_else(|| std::process::id().to_string());
    format!("{host}_{uuid}")
}

impl Election {
    /// A candidate for the Lease of this namespace. `now_ms` gives the time that the record shows, in milliseconds
    /// since the Unix epoch.
    pub fn new(
        cluster: Cluster,
        namespace: &str,
        identity: String,
        now_ms: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        Election {
            cluster,
            key: ObjectKey::new(LEASE, namespace, LEASE_NAME),
            identity,
            now_ms: Box::new(now_ms),
            state: None,
            observed: None,
            expiry: Box::pin(sleep(LEASE_DURATION)),
            retry: Box::pin(sleep(Duration::ZERO)),
            deadline: Box::pin(sleep(RENEW_DEADLINE)),
        }
    }

    /// Waits until our state is not what it was at the last call, and keeps the lease meanwhile. After
    /// [`LeaderState::Lost`] it starts over as a candidate.
    pub async fn next(&mut self) -> LeaderState {
        loop {
            let leading = self.state == Some(LeaderState::Leading);
            tokio::select! {
                biased;
                () = &mut self.deadline, if leading => {}
                () = &mut self.retry => {}
            }
            let over = leading && is_over(&mut self.deadline);
            let found = if over { None } else { self.attempt(leading).await };
            let state = match found {
                None if leading && is_over(&mut self.deadline) => LeaderState::Lost,
                Some(LeaderState::Following { .. }) if leading => LeaderState::Lost,
                Some(state) => state,
                None => continue,
            };
            if self.state.as_ref() != Some(&state) {
                self.state = (state != LeaderState::Lost).then(|| state.clone());
                return state;
            }
        }
    }

    /// Gives the lease back, so that the next leader need not wait. Does nothing when we do not lead.
    ///
    /// # Errors
    /// When the API server does not take it; the lease then ends by itself.
    pub async fn release(mut self) -> Result<(), WriteError> {
        match (self.state.take(), self.observed.take()) {
            (Some(LeaderState::Leading), Some(record)) => {
                let now = self.now();
                let spec = json!({
                    "holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": now, "acquireTime": now,
                });
                self.patch(&record.on, spec).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// One read and one write, within the retry period. `None` when neither had an answer.
    async fn attempt(&mut self, leading: bool) -> Option<LeaderState> {
        let tried = match timeout(RETRY_PERIOD, self.step()).await {
            Ok(tried) => tried,
            Err(_) => Err("no answer in time".to_owned()),
        };
        self.retry = Box::pin(sleep(RETRY_PERIOD));
        match tried {
            Ok(state) => {
                if state == LeaderState::Leading {
                    self.deadline = Box::pin(sleep(RENEW_DEADLINE));
                }
                Some(state)
            }
            Err(message) => {
                tracing::warn!(message, leading, "leader election: cannot read or write the lease");
                None
            }
        }
    }

    async fn step(&mut self) -> Result<LeaderState, String> {
        let renews = self.observed.as_ref().filter(|record| record.holder == self.identity).cloned();
        if let Some(record) = renews {
            match self.write(LeaseAction::Renew, Some(&record)).await {
                Ok(()) => return Ok(LeaderState::Leading),
                Err(WriteError::Conflict { .. } | WriteError::NotFound { .. }) => self.observed = None,
                // The outcome is unknown, and so is the version to renew on.
                Err(error) => {
                    self.observed = None;
                    return Err(error.to_string());
                }
            }
        }
        let lease = self.cluster.fetch(&self.key).await.map_err(|error| error.to_string())?;
        self.observe(lease.object().map(Record::of));
        let record = self.observed.clone();
        let action = decide(&self.identity, record.as_ref(), is_over(&mut self.expiry));
        if action == LeaseAction::Wait {
            let leader = record.map(|record| record.holder).unwrap_or_default();
            return Ok(LeaderState::Following { leader });
        }
        self.write(action, record.as_ref()).await.map_err(|error| error.to_string())?;
        Ok(LeaderState::Leading)
    }

    /// Remembers the record; a change of it shows that its holder is alive.
    fn observe(&mut self, record: Option<Record>) {
        let sign = |record: &Option<Record>| record.as_ref().map(|r| (r.holder.clone(), r.renewed.clone()));
        if sign(&self.observed) != sign(&record) {
            self.expiry = Box::pin(sleep(LEASE_DURATION));
        }
        self.observed = record;
    }

    async fn write(&mut self, action: LeaseAction, record: Option<&Record>) -> Result<(), WriteError> {
        let now = self.now();
        let seconds = LEASE_DURATION.as_secs();
        let transitions = record.map_or(0, |record| record.transitions.saturating_add(1));
        let taken = json!({
            "holderIdentity": self.identity, "leaseDurationSeconds": seconds,
            "acquireTime": now, "renewTime": now, "leaseTransitions": transitions,
        });
        let answer = match (action, record) {
            (LeaseAction::Renew, Some(record)) => {
                self.patch(&record.on, json!({ "renewTime": now, "leaseDurationSeconds": seconds })).await?
            }
            (LeaseAction::Take, Some(record)) => self.patch(&record.on, taken).await?,
            _ => {
                let request = requests::create(&self.key, json!({ "spec": taken }))?;
                self.cluster.send(&self.key, None, request).await?
            }
        };
        self.observe(Some(Record::of(&answer)));
        Ok(())
    }

    async fn patch(&self, on: &Precondition, spec: Value) -> Result<Value, WriteError> {
        let request = requests::merge(&self.key, on, json!({ "spec": spec }))?;
        self.cluster.send(&self.key, Some(on), request).await
    }

    /// RFC 3339 with microseconds, as `metav1.MicroTime` is written.
    fn now(&self) -> String {
        let now = i64::try_from((self.now_ms)()).unwrap_or(i64::MAX);
        format!("{:.6}", jiff::Timestamp::from_millisecond(now).unwrap_or(jiff::Timestamp::MAX))
    }
}

impl Record {
    fn of(lease: &Value) -> Self {
        Record {
            holder: meta::text(lease, "/spec/holderIdentity").to_owned(),
            renewed: meta::text(lease, "/spec/renewTime").to_owned(),
            transitions: lease.pointer("/spec/leaseTransitions").and_then(Value::as_i64).unwrap_or_default(),
            on: Precondition::of(lease),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(holder: Option<&str>, expired: bool, action: LeaseAction) {
        let record = holder.map(|holder| Record::of(&json!({"spec": {"holderIdentity": holder}})));
        assert_eq!(decide("me", record.as_ref(), expired), action, "{holder:?} {expired}");
    }

    #[test]
    fn who_may_lead() {
        check(None, false, LeaseAction::Create);
        check(None, true, LeaseAction::Create);
        check(Some("me"), false, LeaseAction::Renew);
        check(Some("me"), true, LeaseAction::Renew);
        check(Some(""), false, LeaseAction::Take);
        check(Some("other"), false, LeaseAction::Wait);
        check(Some("other"), true, LeaseAction::Take);
    }

    #[test]
    fn an_identity_names_the_host_and_is_never_the_same() {
        assert!(identity().contains('_'));
        assert_ne!(identity(), identity());
    }
}
