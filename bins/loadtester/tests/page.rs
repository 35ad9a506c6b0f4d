//! The page of the load tester shows no webhook that the operator refuses.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers outside of #[test] functions are not exempt by clippy.toml"
)]

use serde_json::{Value, json};
use vexil_api::{Capabilities, ValidationContext, parse, summary, validate};

/// The blocks of YAML on a page, each with the number of its line.
fn blocks(page: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (number, line) in page.lines().enumerate() {
        match line.trim() {
            "```yaml" => {
                inside = true;
                blocks.push((number + 1, String::new()));
            }
            "```" => inside = false,
            _ if inside => {
                let (_, text) = blocks.last_mut().unwrap();
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

/// The operator's message about a Canary with these webhooks, and no other mistake.
fn message_about(webhooks: &Value) -> String {
    let canary = json!({
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": { "name": "podinfo", "namespace": "test" },
        "spec": {
            "targetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo" },
            "service": { "port": 80 },
            "analysis": { "interval": "10s", "threshold": 2, "stepWeight": 10, "webhooks": webhooks },
        },
    });
    let context = ValidationContext {
        default_provider: "traefik",
        known_providers: &[("traefik", Capabilities::default())],
        router: Some(Capabilities { weights: true, ..Capabilities::default() }),
        ..ValidationContext::default()
    };
    match parse(&canary) {
        Ok(canary) => summary(&validate(&canary, &context).defects),
        Err(defects) => summary(&defects),
    }
}

#[test]
fn every_webhook_of_the_page_is_accepted_by_the_operator() {
    let blocks = blocks(include_str!("../../../docs/loadtester.md"));
    let mut hooks = 0;
    for (line, text) in &blocks {
        let block: Value = serde_saphyr::from_str(text).unwrap();
        let webhooks = &block["webhooks"];
        assert_eq!(message_about(webhooks), "", "docs/loadtester.md, line {line}");
        hooks += webhooks.as_array().unwrap().len();
    }
    assert!(blocks.len() >= 6 && hooks >= 7, "{} blocks with {hooks} webhooks", blocks.len());
}

/// The check would notice.
#[test]
fn a_webhook_that_is_refused_is_noticed() {
    let refused = json!([{ "name": "gate", "type": "confirm", "url": "http://x/" }]);
    assert!(message_about(&refused).contains("unknown type `confirm`"));
}
