//! How several values become one run of bytes that can be read in one way only.

/// Joins the parts, each after its length (32 bit, little endian): no two lists of parts give the same bytes.
pub(crate) fn prefixed(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
    for part in parts {
        out.extend_from_slice(&length(part));
        out.extend_from_slice(part);
    }
    out
}

/// The length as it stands before a part. What is joined here is far below 4 GiB.
pub(crate) fn length(part: &[u8]) -> [u8; 4] {
    (part.len() as u32).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_byte_from_one_part_to_the_next_changes_the_bytes() {
        assert_ne!(prefixed(&[b"ab", b"c"]), prefixed(&[b"a", b"bc"]));
        assert_ne!(prefixed(&[b"ab", b""]), prefixed(&[b"ab"]));
        assert_eq!(prefixed(&[b"ab"]), [2, 0, 0, 0, b'a', b'b']);
    }
}
