//! The texts of an error and its causes.

use std::error::Error;

/// The text of an error and of each cause below it, outermost first. A cause
/// whose text already stands in the one before is left out, so that nothing is
/// said twice.
pub fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !texts.last().is_some_and(|before| before.contains(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    texts
}

/// An error and its causes on one line.
pub fn in_one_line(error: &(dyn Error + 'static)) -> String {
    causes(error).join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        #[source]
        cause: Option<Box<Layer>>,
    }

    #[test]
    fn a_cause_that_was_said_is_not_said_again() {
        let layer = |text, cause| Some(Box::new(Layer { text, cause }));
        let disk = layer("disk full", None);
        let store = layer("the store failed: disk full", disk);
        let top = layer("cannot append", store).unwrap();
        assert_eq!(
            causes(&*top),
            ["cannot append", "the store failed: disk full"]
        );
    }
}
