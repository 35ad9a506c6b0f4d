//! The operator's process: flags in, exit code out.

mod args;
mod http;
mod serve;
mod wiring;

use std::process::ExitCode;

use args::Args;

/// Crates whose log has the level of the flag.
const OURS: [&str; 6] =
    ["vexil", "vexil_controller", "vexil_kube", "vexil_metrics", "vexil_webhook", "vexil_egress"];

/// Runs beside everything else, on a thread of the runtime: what must answer while Canaries are worked on. Dropped, it
/// ends.
pub(crate) struct Beside<T>(tokio::task::JoinHandle<T>);

impl<T: Send + 'static> Beside<T> {
    /// Starts it.
    pub(crate) fn start(work: impl Future<Output = T> + Send + 'static) -> Self {
        Beside(tokio::spawn(work))
    }

    /// What came of it; `None` when it panicked.
    pub(crate) async fn ended(&mut self) -> Option<T> {
        (&mut self.0).await.ok()
    }
}

impl<T> Drop for Beside<T> {
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
    let log = vexil_program::install_log(&args.log_level, &args.zap_encoding, &OURS, vexil_analysis::bounded);
    if let Err(error) = log {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(serve::serve(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
