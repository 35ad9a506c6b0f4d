//! The status stays below its limit.

use vexil_analysis::{Alert, AlertSeverity, Entry, EventType, Level, Notice, Outbox, Receiver};

use super::*;

/// Whatever the outbox holds, the status stays below its limit and comes back as it was written.
#[test]
fn the_status_never_outgrows_its_limit() {
    for (entries, length) in [(0, 0), (1, 1 << 20), (40, 1_000), (400, 900), (5_000, 10), (2_000, 0)] {
        let entry = |seq| Entry {
            seq,
            notice: Notice {
                event_type: EventType::Warning,
                level: Level::Error,
                message: "\"<\u{1}é".repeat(length / 4),
                phase: Phase::WaitingPromotion,
                time: Millis(u64::MAX),
                alert: (seq % 2 == 0).then(|| Alert {
                    severity: AlertSeverity::Error,
                    message: "x".repeat(length),
                    details: true,
                }),
            },
            to: vec![Receiver::Events, Receiver::Hook("h".repeat(60)), Receiver::Alert("a".repeat(60))],
        };
        let outbox = Outbox { next: entries, lost: 0, entries: (0..entries).map(entry).collect() };
        let memory = Memory { outbox, ..Memory::default() };
        let tracked = (0..50).map(|n| (format!("configmap/{n}"), "x".repeat(100))).collect();
        let before = CanaryStatus { tracked_configs: Some(tracked), ..CanaryStatus::default() };
        let context = StatusContext::new("Deployment", Millis(0));
        let status = store(&memory, &context, &before);
        let bytes = serde_json::to_vec(&status).unwrap().len();
        assert!(bytes <= STATUS_LIMIT, "{entries} notices of {length} make {bytes} bytes");
        let kept = load(&status).outbox;
        assert_eq!(kept.next, entries);
        let waiting: usize = kept.entries.iter().map(|entry| entry.to.len()).sum();
        assert_eq!(waiting as u64 + kept.lost, entries * 3);
        assert!(entries == 0 || !kept.entries.is_empty(), "{entries} notices of {length}: none is kept");
    }
}

/// What a rollout needs to remember of gates and strategies comes back as it was stored.
#[test]
fn gates_and_exposures_come_back_as_they_were_stored() {
    let context = StatusContext::new("Deployment", Millis(0));
    let approval = Wait {
        kind: WaitKind::Approval,
        since: Millis(5),
        waited_ms: 0,
        at: Millis(5),
        text: "Halt c.n advancement waiting for promotion approval gate".to_owned(),
    };
    let waits = Memory {
        phase: Phase::WaitingPromotion,
        run: 1,
        prepared: true,
        weight: Weight::FULL,
        exposure: Exposure::Matched,
        iterations: 2,
        wait: Some(approval),
        ..Memory::default()
    };
    let ends = Memory {
        phase: Phase::Waiting,
        run: 1,
        ending: Some(Ending {
            result: vexil_analysis::Outcome::RolledBack,
            cause: vexil_analysis::Cause::Manual,
        }),
        ..Memory::default()
    };
    let mirrored =
        Memory { phase: Phase::Progressing, run: 1, exposure: Exposure::Mirrored, ..Memory::default() };
    let rescued = Memory {
        phase: Phase::Progressing,
        run: 1,
        weight: Weight::ZERO,
        withheld: Some(Weight::FULL),
        exposure: Exposure::Matched,
        prepared: true,
        ..Memory::default()
    };
    for (memory, weight) in [(waits, 0), (ends, 0), (mirrored, 0), (rescued, 0)] {
        let status = store(&memory, &context, &CanaryStatus::default());
        assert_eq!((load(&status), status.canary_weight), (memory, weight));
    }
}

/// A memory in which every field has a value.
fn complete() -> Memory {
    let ending = Ending { result: vexil_analysis::Outcome::Rebound, cause: vexil_analysis::Cause::Blocked };
    let route = Route {
        api_version: "traefik.io/v1alpha1".to_owned(),
        kind: "TraefikService".to_owned(),
        namespace: "test".to_owned(),
        name: "podinfo".to_owned(),
    };
    let labels = [("app".to_owned(), "podinfo".to_owned())];
    let binding = Binding {
        kind: "Deployment".to_owned(),
        target: "podinfo".to_owned(),
        apex: "podinfo".to_owned(),
        provider: "traefik".to_owned(),
        references: labels.clone().into(),
        service_port: Some(ServicePort {
            port: Some(80),
            target: Some("http".to_owned()),
            ..ServicePort::default()
        }),
        route: Some(route),
        selector: labels.into(),
    };
    let notice = Notice {
        event_type: EventType::Warning,
        level: Level::Error,
        message: "text".to_owned(),
        phase: Phase::Progressing,
        time: Millis(1),
        alert: Some(Alert { severity: AlertSeverity::Warn, message: "text".to_owned(), details: true }),
    };
    let to = vec![Receiver::Events, Receiver::Hook("hook".to_owned()), Receiver::Alert("alert".to_owned())];
    Memory {
        phase: Phase::WaitingPromotion,
        binding: Some(binding.clone()),
        limits: Some(Limits { interval_ms: 1, deadline_ms: 2, threshold: 3 }),
        previous: vec![binding],
        weight: Weight::FULL,
        exposure: Exposure::Mirrored,
        iterations: 1,
        failed_checks: 2,
        prepared: true,
        applied: Some(Revision::new("v1-a")),
        promoted: Some(Revision::new("v1-b")),
        held: Some(Revision::new("v1-c")),
        from_flagger: true,
        run: 3,
        last_step: Some(Millis(2)),
        withheld: Some(Weight::ZERO),
        ending: Some(ending.clone()),
        drain: Some(Drain { until: Millis(3), restarts: 1 }),
        released: true,
        post_rollout: Some(ending),
        wait: Some(Wait {
            kind: WaitKind::InvalidObject(7),
            since: Millis(4),
            waited_ms: 5,
            at: Millis(6),
            text: "text".to_owned(),
        }),
        waited_ms: 8,
        outbox: Outbox { next: 2, lost: 1, entries: vec![Entry { seq: 1, notice, to }] },
        reported: Reported { spec: vec![1], cluster: vec![2] },
        changed: Some(Millis(9)),
    }
}

#[test]
fn a_memory_survives_as_json() {
    for memory in [Memory::default(), complete()] {
        let json = serde_json::to_value(&memory).unwrap();
        assert_eq!(serde_json::from_value::<Memory>(json.clone()).unwrap(), memory, "{json}");
    }
    let mut json = serde_json::to_value(complete()).unwrap();
    json["weight"] = 101.into();
    let error = serde_json::from_value::<Memory>(json).unwrap_err();
    assert_eq!(error.to_string(), "weight 101 is not between 0 and 100");
}
