//! Metric checks: templates, built-in queries, providers, thresholds.
