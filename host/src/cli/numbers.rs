//! Numbers as people read them.

/// `1234567` as `1,234,567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `2 events`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// Events per second: `12.3k/s`.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        r if r < 10.0 => format!("{r:.1}/s"),
        r if r < 1_000.0 => format!("{r:.0}/s"),
        r if r < 1_000_000.0 => format!("{:.1}k/s", r / 1_000.0),
        r => format!("{:.1}M/s", r / 1_000_000.0),
    }
}

/// A time to wait: `45s`, `2m 05s`, `3h 10m`.
pub(super) fn duration(seconds: f64) -> String {
    // The cast saturates, so an endless estimate is a very long one.
    let seconds = seconds.ceil() as u64;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..360_000 => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => "days".into(),
    }
}

/// A size: `41.2 MiB`.
pub(super) fn bytes(size: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    match units.into_iter().find(|(_, shift)| size >> shift > 0) {
        Some((unit, shift)) => format!("{:.1} {unit}", size as f64 / (1_u64 << shift) as f64),
        None => format!("{size} B"),
    }
}

/// A part of a whole: `45%`. It is 100 % only when nothing is left.
pub(super) fn percent(done: u64, total: u64) -> String {
    let percent = if total == 0 {
        100
    } else {
        u128::from(done.min(total)) * 100 / u128::from(total)
    };
    format!("{percent}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_grouped() {
        assert_eq!(
            [count(0), count(999), count(1_234_567)],
            ["0", "999", "1,234,567"]
        );
        assert_eq!(
            [rate(0.0), rate(640.2), rate(12_345.0)],
            ["0.0/s", "640/s", "12.3k/s"]
        );
        assert_eq!(
            [duration(44.2), duration(125.0), duration(11_400.0)],
            ["45s", "2m 05s", "3h 10m"]
        );
        assert_eq!([bytes(512), bytes(43_200_000)], ["512 B", "41.2 MiB"]);
        assert_eq!([percent(999, 1_000), percent(0, 0)], ["99%", "100%"]);
        assert_eq!(duration(f64::INFINITY), "days");
    }
}
