//! The Canary.

/// The spec of a Canary.
#[derive(Clone, Debug, Default)]
pub struct CanarySpec {}
