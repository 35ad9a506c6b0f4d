//! The project's chores that need no cluster: CRDs, charts, pages, image, tidy.

pub mod charts;
pub mod crds;
pub mod docs;
pub mod image;
mod path;
pub mod tidy;
