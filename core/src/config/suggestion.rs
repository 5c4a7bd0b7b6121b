//! "Did you mean": the known word that a mistyped one is closest to.

/// The closest of the known words, when it is close enough to be what was meant.
pub(crate) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    // One slip in three letters, and never more than three.
    let limit = (word.chars().count() / 3).min(3);
    known
        .map(|candidate| (strsim::osa_distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_nonsense_finds_none() {
        let words = ["web", "worker", "scheduler", "POOL_SIZE"];
        for (typed, meant) in [
            ("wroker", Some("worker")),
            ("Web", Some("web")),
            ("wbe", Some("web")),
            ("shceduller", Some("scheduler")),
            ("POOL_SZE", Some("POOL_SIZE")),
            ("x", None),
            ("database", None),
            ("", None),
        ] {
            assert_eq!(closest(typed, words.into_iter()), meant, "{typed}");
        }
    }
}
