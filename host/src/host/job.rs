//! One generation being worked on: a task, and the handle to it.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::wanted::{Task, Wanted};
use crate::model::{Checkpoint, Digest, Failure, FailureClass, GenerationId, ProjectorName};
use crate::rebuild::{self, RebuildEnd};
use crate::sandbox::LoadedProjector;
use crate::worker::{Assignment, End, StatusBoard, WorkerStatus, without_event, work};

/// How a job came to its end.
#[derive(Debug)]
pub(super) enum JobEnd {
    Stopped(Checkpoint),
    /// A rebuilt generation is live now.
    Swapped,
    /// The rows of a part are there, to be taken over.
    Ready,
    /// The live generation has taken over the rows of a part.
    TookOver,
    /// Somebody else has taken the generation over, or it is no more.
    Gone(String),
    /// Another host works on it.
    Held {
        by: String,
    },
    Failed(Failure),
}

/// A running job.
#[derive(Debug)]
pub(super) struct Job {
    projector: Arc<LoadedProjector>,
    /// What had been asked about dead letters when it began.
    asked: u64,
    /// The generation of the part that it takes over.
    part: Option<GenerationId>,
    stop: watch::Sender<bool>,
    status: StatusBoard,
    task: JoinHandle<JobEnd>,
}

impl Job {
    pub(super) fn start(
        task: Task,
        assignment: Assignment,
        part: Option<Assignment>,
        asked: u64,
    ) -> Self {
        let taken = part.as_ref().map(|part| part.generation);
        let projector = assignment.projector.clone();
        let (stop, stopped) = watch::channel(false);
        let status = StatusBoard::new(assignment.update.clone());
        let board = status.clone();
        let task = tokio::spawn(async move {
            match (task, part) {
                (Task::TakeOver, Some(part)) => {
                    match rebuild::take_over(&assignment, &part, &board, stopped).await {
                        RebuildEnd::Live => JobEnd::TookOver,
                        end => of_rebuild(end, &board),
                    }
                }
                (Task::KeepLive | Task::TakeOver, _) => {
                    keep_live(&assignment, &board, stopped).await
                }
                (Task::Build, _) => {
                    of_rebuild(rebuild::run(&assignment, &board, stopped).await, &board)
                }
            }
        });
        Self {
            projector,
            asked,
            part: taken,
            stop,
            status,
            task,
        }
    }

    pub(super) fn name(&self) -> &ProjectorName {
        &self.projector.description().name
    }

    pub(super) fn version(&self) -> &semver::Version {
        &self.projector.description().version
    }

    /// The generation of the part that it takes over, if it does.
    pub(super) fn part(&self) -> Option<GenerationId> {
        self.part
    }

    /// Whether it works as the records want it to: on this component, knowing all
    /// that was asked, and taking over what is ready.
    pub(super) fn is_up_to_date(&self, wanted: &Wanted) -> bool {
        let generation = &wanted.generation;
        *self.digest() == generation.digest
            && self.asked == generation.asked
            && self.part == wanted.part
    }

    /// The component at work.
    pub(super) fn digest(&self) -> &Digest {
        self.projector.digest()
    }

    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub(super) fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    pub(super) fn status(&self) -> WorkerStatus {
        self.status.read()
    }

    pub(super) fn board(&self) -> StatusBoard {
        self.status.clone()
    }

    pub(super) async fn ended(self) -> JobEnd {
        let digest = self.digest().clone();
        self.task.await.unwrap_or_else(|died| {
            let cause = format!("the projector's task died: {died}");
            JobEnd::Failed(without_event(FailureClass::Host, cause, &digest))
        })
    }
}

async fn keep_live(
    assignment: &Assignment,
    status: &StatusBoard,
    stop: watch::Receiver<bool>,
) -> JobEnd {
    if let Err(end) = rebuild::first_fill(assignment, status, stop.clone()).await {
        return of_rebuild(end, status);
    }
    match work(assignment, status, stop).await {
        End::Stopped | End::CaughtUp => JobEnd::Stopped(status.read().checkpoint),
        End::Fenced(how) => JobEnd::Gone(how),
        End::Held { by } => JobEnd::Held { by },
        End::Failed(failure) => JobEnd::Failed(failure),
    }
}

fn of_rebuild(end: RebuildEnd, status: &StatusBoard) -> JobEnd {
    match end {
        RebuildEnd::Live => JobEnd::Swapped,
        RebuildEnd::Ready => JobEnd::Ready,
        RebuildEnd::Stopped => JobEnd::Stopped(status.read().checkpoint),
        RebuildEnd::Gone(how) => JobEnd::Gone(how),
        RebuildEnd::Held { by } => JobEnd::Held { by },
        RebuildEnd::Failed(failure) => JobEnd::Failed(failure),
    }
}
