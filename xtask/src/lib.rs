//! The project's chores that need no cluster: CRDs, charts, image, tidy.

pub mod charts;
pub mod crds;
pub mod image;
pub mod tidy;
