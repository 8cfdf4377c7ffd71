//! What is known of a call after one more event.
//!
//! Each rule gives the same result however often and in whatever order the
//! events come: of several events about one thing, their own times choose the
//! one that counts, never their order in the log; and the status is not set by
//! events but read off what is known.

use lantern_sdk::prelude::*;

use crate::ServiceCallDetail;
use crate::events::{ErrorMeta, ResponseMeta, Scheduled, ServiceCallEvent, Submitted};

/// How an execution ended.
enum Outcome {
    Succeeded(ResponseMeta),
    Failed(ErrorMeta),
}

impl ServiceCallDetail {
    /// A call of which nothing is known yet.
    pub(crate) fn unknown(service_call_id: &str) -> Self {
        Self {
            service_call_id: service_call_id.to_owned(),
            name: None,
            status: "Scheduled".into(),
            scheduled_at: None,
            due_at: None,
            submitted_at: None,
            started_at: None,
            finished_at: None,
            tags: None,
            request: None,
            response_meta: None,
            error_meta: None,
        }
    }

    /// Adds what an event says.
    pub(crate) fn merge(&mut self, event: ServiceCallEvent) {
        match event {
            ServiceCallEvent::Submitted(submitted) => self.submitted(submitted),
            ServiceCallEvent::Scheduled(scheduled) => self.scheduled(&scheduled),
            ServiceCallEvent::Started(started) => self.started(started.started_at),
            ServiceCallEvent::Succeeded(end) => {
                self.finished(end.finished_at, Outcome::Succeeded(end.response_meta));
            }
            ServiceCallEvent::Failed(end) => {
                self.finished(end.finished_at, Outcome::Failed(end.error_meta));
            }
        }
        self.status = self.status_by_what_is_known().into();
    }

    /// The first submission counts.
    fn submitted(&mut self, submitted: Submitted) {
        if self
            .submitted_at
            .is_some_and(|at| at <= submitted.submitted_at)
        {
            return;
        }
        self.submitted_at = Some(submitted.submitted_at);
        self.name = Some(submitted.name);
        self.tags = submitted.tags.map(Json);
        self.request = Some(Json(submitted.request));
    }

    /// The last date that was given counts.
    fn scheduled(&mut self, scheduled: &Scheduled) {
        let given = (Some(scheduled.scheduled_at), Some(scheduled.due_at));
        if given > (self.scheduled_at, self.due_at) {
            (self.scheduled_at, self.due_at) = given;
        }
    }

    /// The first start counts.
    fn started(&mut self, at: Timestamp) {
        self.started_at = Some(self.started_at.map_or(at, |known| known.min(at)));
    }

    /// The first end counts: a worker may report success after a watchdog has
    /// reported a timeout, but a call that has failed stays failed. Of two ends
    /// at the same time the success counts, so that one of them does.
    fn finished(&mut self, at: Timestamp, outcome: Outcome) {
        let failed = matches!(outcome, Outcome::Failed(_));
        let known_end = self.finished_at.map(|at| (at, self.error_meta.is_some()));
        if known_end.is_some_and(|known| known <= (at, failed)) {
            return;
        }
        self.finished_at = Some(at);
        (self.response_meta, self.error_meta) = match outcome {
            Outcome::Succeeded(response) => (Some(Json(response)), None),
            Outcome::Failed(error) => (None, Some(Json(error))),
        };
    }

    /// A call without a date is `Scheduled` as well: it waits for its turn.
    fn status_by_what_is_known(&self) -> &'static str {
        match (self.finished_at, self.started_at) {
            (Some(_), _) if self.error_meta.is_some() => "Failed",
            (Some(_), _) => "Succeeded",
            (None, Some(_)) => "Running",
            (None, None) => "Scheduled",
        }
    }
}
