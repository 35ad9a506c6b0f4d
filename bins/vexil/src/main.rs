//! The operator's process: parses flags, installs the log and runs until it is stopped.

mod alerts;
mod args;
mod dry_run;
mod http;
mod serve;
mod wiring;

use std::process::ExitCode;

use args::Args;

/// Crates whose log has the level of the flag: all of Vexil, for the filter compares the beginnings of names.
const OURS: [&str; 1] = ["vexil"];

/// A task on another thread of the runtime, for what must go on while Canaries are reconciled. It ends when it is
/// dropped.
pub(crate) struct Background<T>(tokio::task::JoinHandle<T>);

impl<T: Send + 'static> Background<T> {
    /// Starts a task.
    pub(crate) fn start(work: impl Future<Output = T> + Send + 'static) -> Self {
        Background(tokio::spawn(work))
    }

    /// The output of the task; `None` if it panicked.
    pub(crate) async fn ended(&mut self) -> Option<T> {
        (&mut self.0).await.ok()
    }
}

impl<T> Drop for Background<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn main() -> ExitCode {
    let args = Args::from_command_line();
    if args.version {
        println!("Vexil version {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    if args.dry_run {
        return finish(dry_run::run(&args), |error| eprintln!("{error:#}"));
    }
    let log = vexil_program::install_log(&args.log_level, &args.zap_encoding, &OURS, vexil_analysis::bounded);
    if let Err(error) = log {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    finish(serve::serve(args), |error| tracing::error!("{error:#}"))
}

/// Runs `work` to its end on a runtime of its own; `report` has its error.
fn finish(work: impl Future<Output = anyhow::Result<()>>, report: impl Fn(anyhow::Error)) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(error);
            ExitCode::FAILURE
        }
    }
}
