//! Finds the name that was probably meant.

/// Whether two names differ by at most two letters: a changed, missing, added or swapped one each.
pub(super) fn is_near(known: &str, name: &str) -> bool {
    let (known, name): (Vec<char>, Vec<char>) = (known.chars().collect(), name.chars().take(80).collect());
    if known.len().abs_diff(name.len()) > 2 {
        return false;
    }
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (i, left) in known.iter().enumerate() {
        let mut next = vec![i + 1];
        for ((right, diagonal), above) in name.iter().zip(&row).zip(row.iter().skip(1)) {
            let before = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(left != right)).min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().is_some_and(|distance| *distance <= 2.min(known.len() / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near_and_other_words_are_not() {
        for (known, name) in [("name", "nmae"), ("name", "naem"), ("address", "adress"), ("email", "e_mail")]
        {
            assert!(is_near(known, name), "{known} {name}");
        }
        for (known, name) in [("name", "email"), ("id", "at"), ("quantity", "currency"), ("name", "")] {
            assert!(!is_near(known, name), "{known} {name}");
        }
    }
}
