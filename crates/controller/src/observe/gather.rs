//! Reads objects from the caches, round by round.

use vexil_kube::Cluster;
use vexil_object::{ObjectKey, Objects};

/// Reads objects until no more are needed. Each round reads all that are missing, so this ends.
pub(crate) fn gather(cluster: &Cluster, objects: &mut Objects, needs: impl Fn(&Objects) -> Vec<ObjectKey>) {
    const ROUNDS: usize = 8;
    for _ in 0..ROUNDS {
        let missing: Vec<ObjectKey> = needs(objects).into_iter().filter(|key| !objects.has(key)).collect();
        if missing.is_empty() {
            return;
        }
        for key in missing {
            let seen = cluster.look(&key);
            objects.insert(key, seen);
        }
    }
}
