//! Bytes as hexadecimal digits.

use zeroize::Zeroizing;

/// Two lower case digits a byte, in a text that is wiped when it is dropped and was never copied while it grew.
pub fn hex(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}

/// The bytes that so many pairs of hexadecimal digits stand for.
pub fn from_hex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let digits = digits.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            *byte = *byte << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_back_and_nothing_else_is() {
        assert_eq!(from_hex("0001abFF"), Some([0, 1, 0xab, 0xff]));
        for wrong in ["", "0001abf", "0001abfff", "0001abfg", "+001abff", "0001abf "] {
            assert_eq!(from_hex::<4>(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_byte_is_two_lower_case_digits() {
        assert_eq!(hex(&[]).as_str(), "");
        assert_eq!(hex(&[0, 1, 0xab, 0xff]).as_str(), "0001abff");
    }
}
