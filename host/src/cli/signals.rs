//! Ctrl-C and SIGTERM: the first drains, the second ends at once.

use tokio::sync::watch;

use super::error::CliError;

/// The exit code of a process that Ctrl-C ended: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

/// Turns true at the first signal. The second one ends the process.
pub(super) fn stop_on_signals() -> Result<watch::Receiver<bool>, CliError> {
    let mut signals = Signals::listen()
        .map_err(|error| CliError::environment("cannot listen for signals", error))?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        signals.next().await;
        eprintln!(
            "stopping when the batches at work are committed; press Ctrl-C again to stop at once"
        );
        stop.send_replace(true);
        signals.next().await;
        // Nothing is lost: what is not committed is projected again.
        std::process::exit(INTERRUPTED);
    });
    Ok(stopped)
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Nobody can signal; wait for ever.
            std::future::pending::<()>().await;
        }
    }
}
