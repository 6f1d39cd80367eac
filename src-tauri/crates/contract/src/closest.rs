//! "Did you mean": the known names that are close to an unknown one.

/// No name of ours is longer, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// Up to three of the candidates that differ from `name` in a third of its letters at most.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    if name.len() > MAX_NAME_BYTES {
        return Vec::new();
    }
    let most = (name.chars().count() / 3).max(1);
    let mut close: Vec<(usize, &str)> = candidates
        .into_iter()
        .map(|candidate| (strsim::levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .collect();
    close.sort_unstable();
    close
        .into_iter()
        .take(3)
        .map(|(_, candidate)| candidate)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_name() {
        let names = ["github", "gitlab", "google"];
        assert_eq!(closest("githbu", names), ["github"]);
        assert_eq!(closest("gitlub", names), ["github", "gitlab"]);
        assert!(closest("slack", names).is_empty());
        assert!(closest(&"x".repeat(100_000), names).is_empty());
    }

    #[test]
    fn the_distance_counts_letters_and_not_bytes() {
        assert_eq!(closest("äöx", ["äöü"]), ["äöü"]);
        assert!(closest("äxx", ["äöü"]).is_empty());
        assert!(closest("", ["äöü"]).is_empty());
    }
}
