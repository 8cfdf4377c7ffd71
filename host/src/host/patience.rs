//! Waiting for a store that cannot be used at the moment.

use std::time::Duration;

use crate::read_store::StoreError;
use crate::source::SourceError;
use crate::telemetry::happened;

/// Does something again and again while a store cannot be used, loudly.
pub(super) async fn patiently<T, E, F>(what: &str, attempt: impl Fn() -> F) -> Result<T, E>
where
    E: MayPass,
    F: Future<Output = Result<T, E>>,
{
    let mut pause = Duration::from_millis(200);
    loop {
        match attempt().await {
            Err(error) if error.may_pass() => {
                happened::retrying(what, &error, pause);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(30));
            }
            done => return done,
        }
    }
}

/// An error that may pass by itself.
pub(super) trait MayPass: std::error::Error + 'static {
    fn may_pass(&self) -> bool;
}

impl MayPass for StoreError {
    fn may_pass(&self) -> bool {
        self.is_transient()
    }
}

impl MayPass for SourceError {
    fn may_pass(&self) -> bool {
        self.is_transient()
    }
}
