//! Two candidates and Flagger's Lease, in virtual time.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use vexil_kube::{Cluster, Election, LEASE_NAME, LeaderState, Scope};
use vexil_object::{Kind, ObjectKey, meta};
use vexil_testbed_apiserver::{ApiServer, Clock, Fault, FaultAction, Matcher};

fn candidate(server: &ApiServer, name: &str) -> Election {
    let (cluster, _) = Cluster::new(server.client(), Scope::All, vec![]);
    Election::new(cluster, "kube-system", name.to_owned(), || 1_767_225_600_123)
}

fn following(leader: &str) -> LeaderState {
    LeaderState::Following { leader: leader.to_owned() }
}

/// Keeps a leader leading for a time.
async fn lead(leader: &mut Election, seconds: u64) {
    let changed = timeout(Duration::from_secs(seconds), leader.next()).await;
    assert!(changed.is_err(), "{changed:?}");
}

#[tokio::test(start_paused = true)]
async fn one_leads_and_its_release_lets_the_next_one_lead() {
    let server = ApiServer::new(Clock::default());
    let (mut a, mut b) = (candidate(&server, "a"), candidate(&server, "b"));
    assert_eq!(a.next().await, LeaderState::Leading);
    assert_eq!(b.next().await, following("a"));
    lead(&mut a, 300).await;
    a.release().await.unwrap();
    let start = Instant::now();
    assert_eq!(b.next().await, LeaderState::Leading);
    assert!(start.elapsed() <= Duration::from_secs(6));

    let (cluster, _) = Cluster::new(server.client(), Scope::All, vec![]);
    let lease = Kind::namespaced("coordination.k8s.io", "v1", "Lease", "leases");
    let lease = cluster.fetch(&ObjectKey::new(lease, "kube-system", LEASE_NAME)).await.unwrap();
    let lease = lease.object().unwrap();
    assert_eq!(meta::text(lease, "/spec/holderIdentity"), "b");
    assert_eq!(meta::text(lease, "/spec/renewTime"), "2026-01-01T00:00:00.123000Z");
    assert_eq!(lease["spec"]["leaseDurationSeconds"], 60);
    assert_eq!(lease["spec"]["leaseTransitions"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_died_is_followed_after_a_lease_duration_on_our_own_clock() {
    let server = ApiServer::new(Clock::default());
    let (mut a, mut b) = (candidate(&server, "a"), candidate(&server, "b"));
    assert_eq!(a.next().await, LeaderState::Leading);
    assert_eq!(b.next().await, following("a"));
    let start = Instant::now();
    assert_eq!(b.next().await, LeaderState::Leading);
    assert!((60..=66).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert_eq!(a.next().await, LeaderState::Lost, "woken up too late");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_stops_within_its_deadline() {
    for action in [FaultAction::Hang, FaultAction::Answer { code: 503, retry_after: None }] {
        let server = ApiServer::new(Clock::default());
        let mut a = candidate(&server, "a");
        assert_eq!(a.next().await, LeaderState::Leading);
        lead(&mut a, 60).await;
        let all = Matcher { user_agent: Some("vexil/".into()), ..Matcher::default() };
        server.faults().push(Fault::once(all, action).times(1000));
        let start = Instant::now();
        assert_eq!(a.next().await, LeaderState::Lost);
        assert!(start.elapsed() <= Duration::from_secs(15), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_costs_no_leadership() {
    let server = ApiServer::new(Clock::default());
    let mut a = candidate(&server, "a");
    assert_eq!(a.next().await, LeaderState::Leading);
    let unavailable = FaultAction::Answer { code: 503, retry_after: None };
    server.faults().push(Fault::once(Matcher::new("patch", "leases"), unavailable).times(1));
    lead(&mut a, 120).await;
}

#[tokio::test(start_paused = true)]
async fn somebody_who_takes_the_lease_by_force_has_it() {
    let server = ApiServer::new(Clock::default());
    let mut a = candidate(&server, "a");
    assert_eq!(a.next().await, LeaderState::Leading);
    let request = http::Request::patch(format!(
        "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{LEASE_NAME}"
    ))
    .header("Content-Type", "application/merge-patch+json")
    .body(br#"{"spec":{"holderIdentity":"b"}}"#.to_vec())
    .unwrap();
    let _: serde_json::Value = server.client().request(request).await.unwrap();
    assert_eq!(a.next().await, LeaderState::Lost);
    assert_eq!(a.next().await, following("b"));
}
