//! A migration's file as words: comments and the insides of quoted texts are left out.

use super::file::Dialect;

/// A word, a quoted name, or one other character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// In small letters and without quotes; `'` for a quoted text.
    pub(super) text: String,
    /// Its line, from 1.
    pub(super) line: usize,
}

/// Cuts a file into words.
pub(super) fn words(text: &str, dialect: Dialect) -> Vec<Word> {
    let (mut words, mut rest, mut line) = (Vec::new(), text, 1);
    while let Some(first) = rest.chars().next() {
        let (length, word) = token(rest, first, dialect);
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        words.extend(word.map(|text| Word { text, line }));
        line += token.matches('\n').count();
        rest = after;
    }
    words
}

/// The length of what stands at the front, and the word that it is, if it is one.
fn token(rest: &str, first: char, dialect: Dialect) -> (usize, Option<String>) {
    let is_mysql = dialect == Dialect::MySql;
    let until = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
    if rest.starts_with("--") || (is_mysql && first == '#') {
        return (until("\n"), None);
    }
    if is_mysql && (rest.starts_with("/*!") || rest.starts_with("/*M!")) {
        // The server runs what is inside; only the mark and the version are passed over.
        let mark = rest.find('!').map_or(1, |at| at + 1);
        let digits = rest.split_at(mark).1.chars().take_while(char::is_ascii_digit).count();
        return (mark + digits, None);
    }
    if rest.starts_with("*/") {
        return (2, None);
    }
    if rest.starts_with("/*") {
        return (until("*/"), None);
    }
    match first {
        '\'' => (quoted(rest, first, is_mysql), Some("'".to_owned())),
        '"' if is_mysql => (quoted(rest, first, true), Some("'".to_owned())),
        '"' | '`' => {
            let length = quoted(rest, first, false);
            let name = rest.get(1..length.saturating_sub(1)).unwrap_or_default();
            (length, Some(name.to_lowercase()))
        }
        '$' if dialect == Dialect::Postgres => match dollar_quoted(rest) {
            Some(length) => (length, Some("'".to_owned())),
            None => (1, Some("$".to_owned())),
        },
        _ if is_in_word(first) => {
            let length = rest.find(|c| !is_in_word(c)).unwrap_or(rest.len());
            (length, rest.get(..length).map(str::to_lowercase))
        }
        _ if first.is_whitespace() => (first.len_utf8(), None),
        _ => (first.len_utf8(), Some(first.to_string())),
    }
}

fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A doubled quote ends one text and begins another, which comes to the same.
fn quoted(rest: &str, quote: char, escapes: bool) -> usize {
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == '\\' && escapes {
            chars.next();
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    rest.len()
}

fn dollar_quoted(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('$')?;
    let tag =
        inner.find('$').filter(|end| inner.get(..*end).is_some_and(|tag| tag.chars().all(is_in_word)))?;
    let (mark, text) = rest.split_at_checked(tag + 2)?;
    Some(text.find(mark).map_or(rest.len(), |end| mark.len() + end + mark.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, dialect: Dialect) -> Vec<String> {
        words(text, dialect).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn comments_and_insides_of_texts_are_left_out() {
        let text = "-- drop; it\nALTER /* not; this */ table \"A_b\" add x text default 'it''s; drop';";
        let expected = ["alter", "table", "a_b", "add", "x", "text", "default", "'", "'", ";"];
        assert_eq!(texts(text, Dialect::Postgres), expected);
        assert_eq!(
            texts("do $a$ drop; $$ $a$; select $1", Dialect::Postgres),
            ["do", "'", ";", "select", "$", "1"]
        );
        let text =
            "# drop;\ncreate table `a` (b text default 'x\\';') /*M! collate c */ /*!80017 collate d */;";
        let expected = [
            "create", "table", "a", "(", "b", "text", "default", "'", ")", "collate", "c", "collate", "d",
            ";",
        ];
        assert_eq!(texts(text, Dialect::MySql), expected);
    }

    #[test]
    fn lines_are_counted() {
        let found = words("-- é\n\nselect\n 'a\nb' x", Dialect::Postgres);
        assert_eq!(found.iter().map(|word| word.line).collect::<Vec<_>>(), [3, 4, 5]);
    }
}
