//! Two gateways in one cluster, for those that move from one to the other.

use std::sync::Arc;

use serde_json::Value;

use super::Gateway;
use crate::controllers::{Snapshot, Target};
use crate::kinds::Resource;

/// Two gateways, each of which follows its own objects.
pub(crate) struct Pair(pub Arc<dyn Gateway>, pub Arc<dyn Gateway>);

impl Gateway for Pair {
    fn kinds(&self) -> Vec<Resource> {
        let mut kinds = self.0.kinds();
        kinds.extend(self.1.kinds());
        kinds
    }

    fn follow(&self, seen: &Snapshot) {
        self.0.follow(seen);
        self.1.follow(seen);
    }

    fn reports(&self, seen: &Snapshot) -> Vec<(Target, Value)> {
        let mut reports = self.0.reports(seen);
        reports.extend(self.1.reports(seen));
        reports
    }

    fn metrics(&self) -> String {
        self.0.metrics() + &self.1.metrics()
    }
}
