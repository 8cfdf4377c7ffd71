//! Decimal numbers in the server's binary form.
//!
//! Groups of four digits, the place of the first group, a sign, and how many
//! digits stand behind the point: what is written comes back to the last zero.

const NEGATIVE: u16 = 0x4000;

/// Appends a number such as `-12.50`; false when the text is not one.
pub(super) fn encode(text: &str, out: &mut Vec<u8>) -> bool {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = whole.bytes().chain(fraction.bytes());
    if whole.is_empty() || !digits.clone().all(|digit| digit.is_ascii_digit()) {
        return false;
    }
    // Zeros before and behind fill the outer groups.
    let before = (4 - whole.len() % 4) % 4;
    let behind = (4 - fraction.len() % 4) % 4;
    let zeros = |count| std::iter::repeat_n(b'0', count);
    let mut groups = Vec::with_capacity(16);
    for (i, digit) in zeros(before).chain(digits).chain(zeros(behind)).enumerate() {
        let digit = u16::from(digit - b'0');
        match groups.last_mut() {
            Some(group) if i % 4 != 0 => *group = *group * 10 + digit,
            _ => groups.push(digit),
        }
    }
    let first = groups.iter().position(|group| *group != 0);
    let last = groups.iter().rposition(|group| *group != 0);
    let groups = match (first, last) {
        (Some(first), Some(last)) => &groups[first..=last],
        _ => &[],
    };
    let weight = (whole.len().div_ceil(4) as i16) - 1 - first.unwrap_or_default() as i16;
    let weight = if groups.is_empty() { 0 } else { weight };
    let sign = if negative && !groups.is_empty() {
        NEGATIVE
    } else {
        0
    };
    out.extend((groups.len() as u16).to_be_bytes());
    out.extend(weight.to_be_bytes());
    out.extend(sign.to_be_bytes());
    out.extend((fraction.len() as u16).to_be_bytes());
    out.extend(groups.iter().flat_map(|group| group.to_be_bytes()));
    true
}

/// The text of a number; `None` when it is none that we can have written.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let mut words = bytes
        .chunks_exact(2)
        .map(|word| u16::from_be_bytes([word[0], word[1]]));
    let count = usize::from(words.next()?);
    let weight = words.next()? as i16;
    let sign = words.next()?;
    let scale = usize::from(words.next()?);
    let groups: Vec<u16> = words.collect();
    if groups.len() != count || !matches!(sign, 0 | NEGATIVE) {
        return None;
    }
    // The group that counts ten thousands to the power of `place`.
    let group = |place: i16| {
        let at = usize::try_from(i32::from(weight) - i32::from(place)).ok();
        at.and_then(|at| groups.get(at)).copied().unwrap_or(0)
    };
    let mut text = String::with_capacity(bytes.len() * 2 + 2);
    if sign == NEGATIVE {
        text.push('-');
    }
    let whole: String = (0..=weight.max(0))
        .rev()
        .map(|place| format!("{:04}", group(place)))
        .collect();
    let whole = whole.trim_start_matches('0');
    text.push_str(if whole.is_empty() { "0" } else { whole });
    if scale > 0 {
        text.push('.');
        let end = text.len() + scale;
        for place in 1..=scale.div_ceil(4) as i16 {
            text.push_str(&format!("{:04}", group(-place)));
        }
        text.truncate(end);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_with_every_zero() {
        for text in [
            "0",
            "0.00",
            "1",
            "-1",
            "10000",
            "100000000",
            "1.50",
            "-0.5",
            "0.00001",
            "0.0000000000000000000000000001",
            "-0.00012300",
            "12345.6789",
            "9999.9999",
            "10000.0001",
            "79228162514264337593543950335",
            "-79228162514264337593543950335",
            "7.9228162514264337593543950335",
        ] {
            let mut bytes = Vec::new();
            assert!(encode(text, &mut bytes), "{text}");
            assert_eq!(decode(&bytes).as_deref(), Some(text));
        }
    }

    #[test]
    fn zero_has_no_sign() {
        let mut bytes = Vec::new();
        assert!(encode("-0.0", &mut bytes));
        assert_eq!(decode(&bytes).as_deref(), Some("0.0"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".5", "1e5", "1.2.3", "NaN", "+1", " 1", "é"] {
            assert!(!encode(text, &mut Vec::new()), "{text}");
        }
        // NaN, and a number cut short.
        assert_eq!(decode(&[0, 0, 0, 0, 0xc0, 0, 0, 0]), None);
        assert_eq!(decode(&[0, 1, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(decode(&[0]), None);
    }
}
