//! Padding to 64-byte buckets, so that the length of a record says little about what is in it.

/// The size of a bucket in bytes.
pub(crate) const BUCKET: usize = 64;

/// How many bytes a plaintext of this length takes once padded: at least one more, a multiple of [`BUCKET`].
pub(crate) fn padded_len(plain: usize) -> usize {
    (plain / BUCKET + 1) * BUCKET
}

/// Appends the byte 0x80 and zeros up to the next bucket (ISO/IEC 7816-4). `from` is where the plaintext starts.
pub(crate) fn pad(buffer: &mut Vec<u8>, from: usize) {
    let end = from + padded_len(buffer.len() - from);
    buffer.push(0x80);
    buffer.resize(end, 0);
}

/// The length of the plaintext, when the padding is the one [`pad`] makes.
pub(crate) fn unpadded_len(padded: &[u8]) -> Option<usize> {
    let end = padded.iter().rposition(|byte| *byte != 0)?;
    (padded[end] == 0x80 && padded.len() == padded_len(end)).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back_and_fills_whole_buckets() {
        for length in 0..300 {
            for byte in [0, 0x80, 0xFF] {
                let mut buffer = vec![9; 5];
                buffer.extend(std::iter::repeat_n(byte, length));
                pad(&mut buffer, 5);
                assert_eq!((buffer.len() - 5) % BUCKET, 0);
                assert_eq!(buffer.len() - 5, padded_len(length));
                assert_eq!(unpadded_len(&buffer[5..]), Some(length));
            }
        }
    }

    #[test]
    fn padding_we_would_not_make_is_refused() {
        assert_eq!(unpadded_len(&[]), None);
        assert_eq!(unpadded_len(&[0; 64]), None);
        assert_eq!(unpadded_len(&[1; 64]), None);
        let mut two_buckets = vec![0; 128];
        two_buckets[3] = 0x80;
        assert_eq!(unpadded_len(&two_buckets), None);
    }
}
