//! The plan of a story before its settings.

use vexil_analysis::{Binding, Names, Plan, Receiver, Steps, Strategy, Weight};

pub fn plan() -> Plan {
    Plan {
        names: Names {
            canary: "podinfo".to_owned(),
            namespace: "test".to_owned(),
            target: "podinfo".to_owned(),
            kind: "Deployment".to_owned(),
        },
        binding: binding("podinfo", "podinfo", "traefik"),
        spec_error: None,
        suspended: false,
        skip_analysis: false,
        interval_ms: 10_000,
        threshold: 3,
        deadline_ms: 60_000,
        strategy: Strategy::Progressive(Steps { list: Vec::new(), by: Weight::ZERO, max: Weight::FULL }),
        mirror: None,
        sticky: false,
        promotion_step: Weight::ZERO,
        routed: true,
        warnings: Vec::new(),
        remarks: Vec::new(),
        checks: Vec::new(),
        hooks: Vec::new(),
        receivers: vec![Receiver::Events],
        alerts: Vec::new(),
    }
}

fn binding(target: &str, apex: &str, provider: &str) -> Binding {
    Binding {
        kind: "Deployment".to_owned(),
        target: target.to_owned(),
        apex: apex.to_owned(),
        provider: provider.to_owned(),
        ..Binding::default()
    }
}
