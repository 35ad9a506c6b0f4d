//! The project's chores that need no cluster: CRDs, charts, pages, tidy.

pub mod charts;
pub mod crds;
pub mod docs;
mod path;
pub mod tidy;
