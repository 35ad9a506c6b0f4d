//! The `flagger.app` custom resources as Rust types, with validation that names every defect.

pub mod canary;
