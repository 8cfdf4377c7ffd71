//! Lines for the operator: `log::info!("{count} items")`, and so on.
//!
//! A line goes to the host's log with the projector's name and the event it was
//! working on. In tests it goes to standard output.

use std::cell::Cell;
use std::fmt;

pub use crate::{
    __debug as debug, __error as error, __info as info, __trace as trace, __warn as warn,
};

#[doc(hidden)]
pub use crate::bindings::lantern::projector::log::Level;

thread_local! {
    /// The event at hand, as an index into the batch.
    static EVENT: Cell<u32> = const { Cell::new(0) };
}

#[inline]
pub(crate) fn working_on(event: u32) {
    EVENT.set(event);
}

#[doc(hidden)]
pub fn write(level: Level, message: fmt::Arguments<'_>) {
    match message.as_str() {
        Some(message) => send(level, EVENT.get(), message),
        None => send(level, EVENT.get(), &message.to_string()),
    }
}

/// Lets the operator read a panic's own words, and where it was, instead of
/// only that the sandbox trapped.
#[cfg(target_arch = "wasm32")]
pub(crate) fn report_panics() {
    static INSTALLED: std::sync::Once = std::sync::Once::new();
    INSTALLED.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            crate::bindings::lantern::projector::log::panicking(EVENT.get(), &panic.to_string());
        }));
    });
}

#[cfg(target_arch = "wasm32")]
fn send(level: Level, event: u32, message: &str) {
    crate::bindings::lantern::projector::log::log(level, event, message);
}

#[cfg(not(target_arch = "wasm32"))]
fn send(level: Level, event: u32, message: &str) {
    println!("{level:?}: {message} (event {event} of the batch)");
}

/// Writes a line for whoever follows every step.
#[doc(hidden)]
#[macro_export]
macro_rules! __trace {
    ($($message:tt)*) => {
        $crate::log::write($crate::log::Level::Trace, ::core::format_args!($($message)*))
    };
}

/// Writes a line for whoever looks for a fault.
#[doc(hidden)]
#[macro_export]
macro_rules! __debug {
    ($($message:tt)*) => {
        $crate::log::write($crate::log::Level::Debug, ::core::format_args!($($message)*))
    };
}

/// Writes a line that an operator may want to know.
#[doc(hidden)]
#[macro_export]
macro_rules! __info {
    ($($message:tt)*) => {
        $crate::log::write($crate::log::Level::Info, ::core::format_args!($($message)*))
    };
}

/// Writes a line about something that looks wrong.
#[doc(hidden)]
#[macro_export]
macro_rules! __warn {
    ($($message:tt)*) => {
        $crate::log::write($crate::log::Level::Warn, ::core::format_args!($($message)*))
    };
}

/// Writes a line about something that is wrong.
#[doc(hidden)]
#[macro_export]
macro_rules! __error {
    ($($message:tt)*) => {
        $crate::log::write($crate::log::Level::Error, ::core::format_args!($($message)*))
    };
}
