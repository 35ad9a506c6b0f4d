//! How operators of the suite are started: as the account that they are installed with, asking the stand-in.

use std::path::{Path, PathBuf};

pub use vexil_testbed_rig::operator::Operator;

use super::{account::Account, stand_in::StandIn};

/// How to start an operator.
#[derive(Clone)]
pub struct Recipe {
    /// Who it is to the API server.
    pub account: Account,
    operator: vexil_testbed_rig::operator::Recipe,
}

impl Recipe {
    /// An operator of all namespaces that asks the stand-in and logs to `log`; `provider` is that of Canaries that
    /// name none.
    pub fn new(binary: &Path, account: Account, provider: &str, stand_in: &StandIn, log: PathBuf) -> Self {
        let operator = vexil_testbed_rig::operator::Recipe::new(binary, &account.kubeconfig, log)
            .with(format!("-mesh-provider={provider}"))
            .with(format!("-metrics-server={}", stand_in.metrics()))
            .with("-min-analysis-interval=2s");
        Recipe { account, operator }
    }

    /// The same with one more flag, or another value of one.
    #[must_use]
    pub fn with(self, flag: impl Into<String>) -> Self {
        Recipe { operator: self.operator.with(flag), ..self }
    }

    /// The folder of its log.
    pub fn folder(&self) -> &Path {
        self.operator.folder()
    }

    /// Starts one.
    pub fn start(&self) -> anyhow::Result<Operator> {
        self.operator.clone().as_user_of(&self.account.kubeconfig).start()
    }
}
