//! What is known of a call after one more event.
//!
//! Each rule gives the same result however often and in whatever order the
//! events come: of several events about one thing, their own times choose the
//! one that counts, and where these are equal their contents, never their order
//! in the log; and the status is not set by
//! events but read off what is known.

use lantern_sdk::prelude::*;
use serde::Serialize;

use crate::ServiceCallDetail;
use crate::events::{ErrorMeta, ResponseMeta, Scheduled, ServiceCallEvent, Submitted};

/// Contents as JSON, members by name: a text by which two that differ have an order
/// of their own, which has nothing to do with when they came.
fn as_text(contents: &impl Serialize) -> String {
    serde_json::json!(contents).to_string()
}

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

    /// The first submission counts; of two at the same time, that of lesser contents.
    fn submitted(&mut self, submitted: Submitted) {
        let at = Some(submitted.submitted_at);
        let name = Some(submitted.name);
        let tags = submitted.tags.map(Json);
        let request = Some(Json(submitted.request));
        let is_first = match self.submitted_at {
            known if known == at => {
                let known = as_text(&(&self.name, &self.request, &self.tags));
                as_text(&(&name, &request, &tags)) < known
            }
            known => known.is_none() || at < known,
        };
        if is_first {
            (self.submitted_at, self.name) = (at, name);
            (self.tags, self.request) = (tags, request);
        }
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
    /// at the same time the success counts, and of two successes or failures that
    /// of lesser contents, so that it is always the same one.
    fn finished(&mut self, at: Timestamp, outcome: Outcome) {
        let (response, error) = match outcome {
            Outcome::Succeeded(response) => (Some(Json(response)), None),
            Outcome::Failed(error) => (None, Some(Json(error))),
        };
        let end = (at, error.is_some());
        let known_end = self.finished_at.map(|at| (at, self.error_meta.is_some()));
        let is_first = match known_end {
            None => true,
            Some(known) if known == end => {
                let known = as_text(&(&self.response_meta, &self.error_meta));
                as_text(&(&response, &error)) < known
            }
            Some(known) => end < known,
        };
        if is_first {
            self.finished_at = Some(at);
            (self.response_meta, self.error_meta) = (response, error);
        }
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
