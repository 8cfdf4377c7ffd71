//! How far something is: a bar on a terminal, a line now and then elsewhere.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::context::Talk;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows on stderr how far something is. What is shown goes away with it.
pub(super) struct Progress {
    shown: Shown,
}

enum Shown {
    Nothing,
    Lines { last: Mutex<Instant> },
    Bar(ProgressBar),
}

impl Progress {
    pub(super) fn new(talk: Talk) -> Self {
        let shown = match talk {
            Talk::Quiet => Shown::Nothing,
            Talk::Lines => Shown::Lines {
                last: Mutex::new(Instant::now()),
            },
            Talk::Bars => Shown::Bar(ProgressBar::new_spinner()),
        };
        Self { shown }
    }

    /// Shows the part that is done of a whole.
    pub(super) fn show(&self, done: u64, total: u64, message: &str) {
        self.line(&format!(
            "{}  {message}",
            super::numbers::percent(done, total)
        ));
        if let Shown::Bar(bar) = &self.shown {
            if bar.length() != Some(total) {
                bar.set_style(style("{bar:30} {percent:>3}%  {msg}"));
                bar.set_length(total);
            }
            bar.set_message(message.to_owned());
            bar.set_position(done);
        }
    }

    /// Shows that something moves, when nobody knows the whole.
    pub(super) fn show_moving(&self, message: &str) {
        self.line(message);
        if let Shown::Bar(bar) = &self.shown {
            bar.set_message(message.to_owned());
            bar.tick();
        }
    }

    fn line(&self, text: &str) {
        let Shown::Lines { last } = &self.shown else {
            return;
        };
        let mut last = last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if last.elapsed() >= LINE_EVERY {
            *last = Instant::now();
            eprintln!("{text}");
        }
    }
}

impl std::ops::Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &'static str) -> ProgressStyle {
    // A template that is wrong is shown as the plain bar.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
