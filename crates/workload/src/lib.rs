//! Workloads behind a Canary: the primary copy, readiness, revisions. Pure: objects in, changes out.
