//! By which addresses clients come in: what a user tells them when the spec is edited.

use std::sync::PoisonError;

use serde_json::Value;

use super::{
    place::{NAME, NAMESPACE},
    record::{Ms, text},
    world::World,
};

/// Fields of a spec that say where clients go.
const MOVES: [&str; 6] =
    ["service.port", "service.name", "targetRef.name", "provider", "routeRef", "ingressRef"];
/// How long a migration may take before clients ask for the first spec's address alone.
const MIGRATION: Ms = 120_000;

impl World {
    /// Clients come in by what the first spec says, and by nothing else.
    pub fn enter_by_first_spec(&mut self) {
        self.known_specs = vec![self.spec.clone()];
        self.enter();
    }

    /// Where clients go is what such an edit changes: they may find it by any address that was right until now. One
    /// that is invalid names none.
    pub fn enter_besides(&mut self, title: &str, spec: &Value) {
        let moves = MOVES.iter().any(|field| title.starts_with(field)) && !title.contains("becomes invalid");
        if moves && !self.known_specs.contains(spec) {
            self.known_specs.push(spec.clone());
            self.enter();
        }
    }

    /// The first spec is in force again: the addresses of others are forgotten.
    pub async fn forget_addresses(&mut self) {
        if self.known_specs.len() > 1 {
            self.until(MIGRATION, World::has_first_address).await;
        }
        self.enter_by_first_spec();
    }

    /// Whether no migration is under way, and the Canary has the apex of its first spec.
    fn has_first_address(&self) -> bool {
        let canary = self.canary();
        let apex = apex_of(&self.spec);
        let rebinds = text(&canary, "/status/ending/result") == "rebound";
        text(&canary, "/status/binding/apex") == apex && !rebinds && self.phase() != "Initializing"
    }

    fn enter(&self) {
        let mut all: Vec<(String, String)> = Vec::new();
        for spec in &self.known_specs {
            let apex = apex_of(spec);
            let port = spec.pointer("/service/port").and_then(Value::as_u64).unwrap_or(80);
            all.push(self.place.entrance(apex, port));
            if self.known_specs.len() > 1 {
                all.push((format!("http://{apex}.{NAMESPACE}:{port}/"), format!("{apex}.{NAMESPACE}")));
            }
        }
        *self.entrances.lock().unwrap_or_else(PoisonError::into_inner) = all;
    }
}

/// The apex of a spec.
fn apex_of(spec: &Value) -> &str {
    spec.pointer("/service/name").or(spec.pointer("/targetRef/name")).and_then(Value::as_str).unwrap_or(NAME)
}
