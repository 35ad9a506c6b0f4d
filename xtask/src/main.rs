//! The project's chores: CRDs, tidy, demo, end to end, conformance, bench.
fn main() {}
