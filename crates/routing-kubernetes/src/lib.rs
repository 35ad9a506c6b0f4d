//! The apex, primary and canary Services.
