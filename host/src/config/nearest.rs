//! What a user may have meant.

/// The candidate most like `given`, if any is like it at all.
pub(super) fn nearest<'c>(
    given: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    let close_enough = given.len() / 3 + 1;
    candidates
        .map(|candidate| (distance(given, candidate), candidate))
        .filter(|(distance, _)| *distance <= close_enough)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many characters must be inserted, removed or replaced (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let keys = ["limits.memory_mib", "batch.events", "commit.rows"];
        assert_eq!(
            nearest("limits.memory", keys.into_iter()),
            Some("limits.memory_mib")
        );
        assert_eq!(
            nearest("bacth.events", keys.into_iter()),
            Some("batch.events")
        );
        assert_eq!(nearest("colour", keys.into_iter()), None);
    }
}
