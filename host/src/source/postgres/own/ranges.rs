//! Filters as ranges of names, which an index finds and a database compares
//! byte by byte just as we do.

use std::iter::repeat_n;

use crate::model::Pattern;

/// Characters in the longest name: 1,024 bytes of the longest ones, and one more.
const MOST_CHARACTERS: usize = 257;

/// Which names are wanted: those in one of the ranges from `lows` up to, not
/// including, `highs`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ranges {
    pub(super) lows: Vec<String>,
    pub(super) highs: Vec<String>,
}

impl Ranges {
    /// The ranges of patterns; none for no pattern, which wants everything.
    pub(super) fn of(patterns: &[Pattern]) -> Self {
        let mut ranges = Self::default();
        // A name in PostgreSQL has no NUL, so neither has a pattern that matches.
        for pattern in patterns.iter().filter(|pattern| !pattern.0.contains('\0')) {
            let (low, high) = match pattern.prefix() {
                Some(prefix) => (prefix, after_all_that_begin_with(prefix)),
                // What comes next after a name is the name and the least character.
                None => (pattern.0.as_str(), format!("{}\u{1}", pattern.0)),
            };
            ranges.lows.push(low.to_owned());
            ranges.highs.push(high);
        }
        ranges
    }
}

/// A text that is greater than all names that begin with `prefix`, and not greater
/// than any other that follows them. The bytes of UTF-8 sort as the characters do.
pub(super) fn after_all_that_begin_with(prefix: &str) -> String {
    let mut rest: Vec<char> = prefix.chars().collect();
    while let Some(last) = rest.pop() {
        // The range skips the surrogates, which are no characters.
        if let Some(next) = (last..=char::MAX).nth(1) {
            rest.push(next);
            return rest.into_iter().collect();
        }
    }
    repeat_n(char::MAX, MOST_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_in_the_ranges_just_when_a_pattern_matches() {
        let names = [
            "",
            "a",
            "a\u{1}",
            "ab",
            "a\u{10ffff}",
            "a\u{10ffff}x",
            "b",
            "\u{d7ff}",
            "\u{d7ff}z",
            "\u{e000}",
            "\u{10ffff}",
            "\u{10ffff}\u{10ffff}",
            "é",
            "éa",
        ];
        let patterns = [
            "a",
            "a*",
            "*",
            "ab",
            "b*",
            "a\u{10ffff}*",
            "\u{d7ff}*",
            "\u{10ffff}*",
            "é*",
            "é",
        ];
        for pattern in patterns {
            let pattern = Pattern(pattern.into());
            let ranges = Ranges::of(std::slice::from_ref(&pattern));
            for name in names {
                let is_in = name >= ranges.lows[0].as_str() && name < ranges.highs[0].as_str();
                assert_eq!(is_in, pattern.matches(name), "{pattern:?} {name:?}");
            }
        }
    }
}
