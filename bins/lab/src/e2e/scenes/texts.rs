//! What rollouts look like and what is reported about them, where several scenes say the same.

/// From a Deployment and a Canary to a primary that serves.
pub const INITIALISED: &str = "
    target 2 of 6.0.0
    status Initializing 0
    service podinfo-canary selects podinfo
    service podinfo-primary selects podinfo-primary
    primary 2 of 6.0.0
    service podinfo selects podinfo-primary
    route primary 100
    target 0 of 6.0.0
    status Initialized 0
";

/// What is reported about it.
pub const TOLD_INITIALISED: &str = "
    Normal all the metrics providers are available!
    Normal Initialization done! {}
";

macro_rules! first_step {
    () => {
        "
    target 0 of 6.0.1
    status Progressing 0
    target 2 of 6.0.1
    status Progressing 25
    route primary 75 canary 25
"
    };
}

/// From a push to the first step.
pub const FIRST_STEP: &str = first_step!();

macro_rules! told_first_step {
    () => {
        "
    Normal New revision detected! Scaling up {}
    Normal Starting canary analysis for {}
    Normal Pre-rollout check acceptance-test passed
    Normal Advance {} canary weight 25
"
    };
}

/// What is reported about it.
pub const TOLD_FIRST_STEP: &str = told_first_step!();

/// A promotion in two steps.
pub const PROMOTED: &str = concat!(
    first_step!(),
    "
    status Progressing 50
    route primary 50 canary 50
    status Promoting 50
    primary 2 of 6.0.1
    status Finalising 0 ending promoted
    route primary 100
    target 0 of 6.0.1
    status Succeeded 0
"
);

/// What is reported about it.
pub const TOLD_PROMOTED: &str = concat!(
    told_first_step!(),
    "
    Normal Advance {} canary weight 50
    Normal Copying {} template spec to {primary}
    Normal Routing all traffic to primary
    Normal Promotion completed! Scaling down {}
"
);

/// A version whose checks fail at the first step.
pub const ROLLED_BACK: &str = concat!(
    first_step!(),
    "
    status Progressing 25 failed 1
    status Progressing 0 failed 2 ending rolled-back
    route primary 100
    target 0 of 6.0.1
    status Failed 0
"
);

/// What is reported about a success rate that is too low.
pub const TOLD_ROLLED_BACK: &str = concat!(
    told_first_step!(),
    "
    Warning Halt {} advancement success rate 53.42% < 99%
    Warning Halt {} advancement success rate 53.42% < 99%
    Warning Rolling back {} failed checks threshold reached 2
    Warning Canary failed! Scaling down {}
"
);

/// A version of which no pod becomes ready until its deadline.
pub const TOLD_DEADLINE: &str = "
    Warning Rolling back {} progress deadline exceeded …
    Warning Canary failed! Scaling down {}
";
