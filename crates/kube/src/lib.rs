//! The only crate that talks to the Kubernetes API: caches, reads, fenced writes, events, the lease.
