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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_two_lower_case_digits() {
        assert_eq!(hex(&[]).as_str(), "");
        assert_eq!(hex(&[0, 1, 0xab, 0xff]).as_str(), "0001abff");
    }
}
