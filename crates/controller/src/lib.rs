//! Composes engine, routers, workloads, metrics and hooks into an operator.
