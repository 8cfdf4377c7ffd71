//! How much waits for whom: `queue_depth`.

use lantern_sdk::prelude::*;
use serde::Deserialize;

/// What waits for a pool of workers.
#[derive(Table, Debug, Clone, PartialEq)]
#[table(name = "queue_depth", tenant_keyed)]
pub struct QueueDepth {
    /// The pool.
    #[key]
    pub pool: String,
    /// Tasks that could run and do not.
    pub runnable_tasks: u32,
    /// Runs of schedules that are due and have not begun.
    pub schedule_backlog: u32,
    /// Calls of tools that wait for a worker.
    pub tool_queue_depth: u32,
    /// When any of these was last measured.
    pub measured_at: Timestamp,
}

/// The payload of `queue.depth_changed`: depths as they are, not by how much
/// they changed, so that one that is told of twice does no harm. What is
/// missing stays.
#[derive(Deserialize)]
pub struct DepthChanged {
    pool: String,
    runnable_tasks: Option<u32>,
    schedule_backlog: Option<u32>,
    tool_queue_depth: Option<u32>,
}

/// A pool's queues were measured.
///
/// # Errors
///
/// Fails on a measurement without any depth: it names its fields wrongly.
pub fn depth_changed(depth: DepthChanged, at: Timestamp, rows: &mut Rows) -> Result<()> {
    let measured = [
        depth.runnable_tasks,
        depth.schedule_backlog,
        depth.tool_queue_depth,
    ];
    if measured.iter().all(Option::is_none) {
        bail!(
            "the depths of pool `{}` are missing: at least one of `runnable_tasks`, \
             `schedule_backlog` and `tool_queue_depth` is needed",
            depth.pool
        );
    }
    let held = rows
        .get(QueueDepth::key(&depth.pool))?
        .unwrap_or(QueueDepth {
            pool: depth.pool,
            runnable_tasks: 0,
            schedule_backlog: 0,
            tool_queue_depth: 0,
            measured_at: at,
        });
    rows.upsert(&QueueDepth {
        runnable_tasks: depth.runnable_tasks.unwrap_or(held.runnable_tasks),
        schedule_backlog: depth.schedule_backlog.unwrap_or(held.schedule_backlog),
        tool_queue_depth: depth.tool_queue_depth.unwrap_or(held.tool_queue_depth),
        measured_at: at,
        ..held
    });
    Ok(())
}
