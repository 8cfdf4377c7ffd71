//! The loop: a batch in, typed events to the author's function, commands out.

use std::fmt;

use crate::bindings::lantern::projector::types::{Batch, Description, Failure, Lookup};
use crate::error::Result;
use crate::event::{Event, Events, Walk};
use crate::log;
use crate::rows::Rows;
use crate::table::Owned;

/// A projector: what `#[projector]` makes of a function.
pub trait Projector {
    /// What the projector is, wants and owns.
    #[doc(hidden)]
    fn describe(&self) -> Description;

    /// Projects the events of a batch in order.
    #[doc(hidden)]
    fn project(&self, batch: &Batch, rows: &mut Rows) -> Result<(), Failure>;
}

/// What `#[projector]` leaves in the place of a function: one that returns the
/// projector.
impl<F, P> Projector for F
where
    F: Fn() -> P,
    P: Projector,
{
    fn describe(&self) -> Description {
        self().describe()
    }

    fn project(&self, batch: &Batch, rows: &mut Rows) -> Result<(), Failure> {
        self().project(batch, rows)
    }
}

/// What a projector's function may return: nothing, or a `Result` of nothing.
pub trait Outcome {
    /// The message of a failure.
    #[doc(hidden)]
    fn into_message(self) -> Option<String>;
}

impl Outcome for () {
    #[inline]
    fn into_message(self) -> Option<String> {
        None
    }
}

impl<E: fmt::Display> Outcome for Result<(), E> {
    #[inline]
    fn into_message(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

/// Hands the events of a batch to a function, typed. Event types for which the
/// function's events have no variant are passed over.
///
/// # Errors
///
/// Fails on the first event whose payload does not fit or whose function does.
#[inline]
pub fn run<'a, D, O, F>(batch: &'a Batch, rows: &mut Rows, project: F) -> Result<(), Failure>
where
    D: Events<'a>,
    O: Outcome,
    F: Fn(Event<'a, D>, &mut Rows) -> O,
{
    let routes: Vec<Option<u32>> = batch.type_names.iter().map(|name| D::route(name)).collect();
    for (index, (event_type, event)) in (0..).zip(Walk::new(batch)) {
        let Some(route) = routes[event_type] else {
            continue;
        };
        log::working_on(index);
        rows.answer(index, event.version);
        let data = D::read(route, event.payload()).map_err(|error| Failure {
            event: index,
            message: format!(
                "the payload of `{}` does not fit: {error}",
                event.event_type
            ),
        })?;
        if let Some(message) = project(event.with_data(data), rows).into_message() {
            return Err(Failure {
                event: index,
                message,
            });
        }
    }
    Ok(())
}

/// The event types that a projector's function knows.
pub fn types_of<'a, D, O, F>(_: F) -> Vec<String>
where
    D: Events<'a>,
    F: Fn(Event<'a, D>, &mut Rows) -> O,
{
    D::TYPES.iter().map(|name| name.to_string()).collect()
}

/// What the projector says of rows that it will look up. The table is its own.
pub fn lookup<T: Owned>(types: &[&str], key: &[&str]) -> Lookup {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    Lookup {
        table: T::declaration().name,
        types: texts(types),
        key: texts(key),
    }
}

#[cfg(target_arch = "wasm32")]
pub use export::answer;

#[cfg(target_arch = "wasm32")]
mod export {
    //! The way from the host's call to a projector, and back.

    use super::Projector;
    use crate::bindings::lantern::projector::rows::{Found, get};
    use crate::bindings::lantern::projector::types::{Batch, Cells, Commands, Failure};
    use crate::log;
    use crate::rows::{Reader, Rows};

    /// Answers the host's call.
    ///
    /// # Errors
    ///
    /// Fails when the projector does.
    #[inline]
    pub fn answer(projector: &impl Projector, batch: Batch) -> Result<Commands, Failure> {
        log::report_panics();
        let mut rows = Rows::new(batch.positions.len(), Box::new(Host));
        projector.project(&batch, &mut rows)?;
        Ok(rows.into_commands())
    }

    #[derive(Debug)]
    struct Host;

    impl Reader for Host {
        fn get(&mut self, pending: &Commands, table: u16, count: u32, keys: &Cells) -> Found {
            get(pending, table, count, keys)
        }
    }
}
