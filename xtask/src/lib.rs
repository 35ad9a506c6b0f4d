//! The project's chores that need no cluster: CRDs, charts, tidy.

pub mod charts;
pub mod crds;
pub mod tidy;
