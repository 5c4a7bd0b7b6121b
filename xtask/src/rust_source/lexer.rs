//! Cuts Rust source into tokens.

/// One token and the line it starts on (counted from 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) line: usize,
}

/// What a token is; comments and white space are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Word(String),
    Sign(char),
    /// A string, character, number or lifetime: its content never matters to a check.
    Literal,
}

impl Token {
    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, TokenKind::Word(found) if found == word)
    }

    pub(crate) fn is_sign(&self, sign: char) -> bool {
        self.kind == TokenKind::Sign(sign)
    }

    pub(crate) fn word(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Word(word) => Some(word),
            TokenKind::Sign(_) | TokenKind::Literal => None,
        }
    }
}

/// Cuts a source text into tokens. Broken source gives tokens too: rustc reports it better.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut cursor = Cursor { rest: source.chars().collect(), at: 0, line: 1 };
    let mut tokens = Vec::new();
    while let Some(next) = cursor.peek(0) {
        let line = cursor.line;
        if let Some(kind) = cursor.token(next) {
            tokens.push(Token { kind, line });
        }
    }
    tokens
}

struct Cursor {
    rest: Vec<char>,
    at: usize,
    line: usize,
}

impl Cursor {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at + ahead).copied()
    }

    fn advance(&mut self) -> Option<char> {
        let next = self.peek(0)?;
        self.at += 1;
        if next == '\n' {
            self.line += 1;
        }
        Some(next)
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut skipped = String::new();
        while let Some(next) = self.peek(0).filter(|next| wanted(*next)) {
            skipped.push(next);
            self.advance();
        }
        skipped
    }

    /// Reads one token, or passes over what is none.
    fn token(&mut self, next: char) -> Option<TokenKind> {
        match (next, self.peek(1)) {
            ('/', Some('/')) => {
                self.skip_while(|c| c != '\n');
                None
            }
            ('/', Some('*')) => {
                self.skip_block_comment();
                None
            }
            ('"', _) => Some(self.quoted('"')),
            ('\'', _) => Some(self.character_or_lifetime()),
            (c, _) if c.is_whitespace() => {
                self.advance();
                None
            }
            (c, _) if c.is_alphabetic() || c == '_' => Some(self.word_or_prefixed_string()),
            (c, _) if c.is_ascii_digit() => {
                self.skip_while(|c| c.is_alphanumeric() || c == '_');
                Some(TokenKind::Literal)
            }
            (c, _) => {
                self.advance();
                Some(TokenKind::Sign(c))
            }
        }
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0_usize;
        while let Some(next) = self.peek(0) {
            match (next, self.peek(1)) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => {
                    self.advance();
                    continue;
                }
            }
            self.advance();
            self.advance();
            if depth == 0 {
                return;
            }
        }
    }

    fn quoted(&mut self, quote: char) -> TokenKind {
        self.advance();
        while let Some(next) = self.advance() {
            if next == '\\' {
                self.advance();
            } else if next == quote {
                break;
            }
        }
        TokenKind::Literal
    }

    fn character_or_lifetime(&mut self) -> TokenKind {
        let is_character = self.peek(1) == Some('\\') || self.peek(2) == Some('\'');
        if is_character {
            return self.quoted('\'');
        }
        self.advance();
        self.skip_while(|c| c.is_alphanumeric() || c == '_');
        TokenKind::Literal
    }

    fn word_or_prefixed_string(&mut self) -> TokenKind {
        let word = self.skip_while(|c| c.is_alphanumeric() || c == '_');
        match (word.as_str(), self.peek(0)) {
            ("b" | "c", Some('"')) => self.quoted('"'),
            ("b", Some('\'')) => self.quoted('\''),
            ("r" | "br" | "cr", Some('"' | '#')) if self.starts_raw_string() => self.raw_string(),
            ("r", Some('#')) => {
                self.advance();
                TokenKind::Word(self.skip_while(|c| c.is_alphanumeric() || c == '_'))
            }
            _ => TokenKind::Word(word),
        }
    }

    fn starts_raw_string(&self) -> bool {
        let hashes = self.hashes();
        self.peek(hashes) == Some('"')
    }

    fn hashes(&self) -> usize {
        self.rest.iter().skip(self.at).take_while(|next| **next == '#').count()
    }

    fn raw_string(&mut self) -> TokenKind {
        let fence = self.hashes();
        self.skip_while(|c| c == '#');
        self.advance();
        while let Some(next) = self.advance() {
            if next == '"' && self.hashes() >= fence {
                self.at += fence;
                break;
            }
        }
        TokenKind::Literal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        tokens(source).iter().filter_map(|token| token.word().map(str::to_owned)).collect()
    }

    #[test]
    fn comments_and_strings_hide_what_looks_like_code() {
        let source = r###"
            // crate::line
            /* crate::block /* nested */ crate::still */
            let a = "crate::text \" crate::more";
            let b = r#"crate::raw " crate::more"#;
            let c = b"bytes"; let d = br##"raw "# bytes"##;
            let e = 'x'; let f = '\''; let g: &'static str = "";
            end
        "###;
        assert_eq!(
            words(source),
            [
                "let", "a", "let", "b", "let", "c", "let", "d", "let", "e", "let", "f", "let", "g", "str",
                "end"
            ]
        );
    }

    #[test]
    fn a_raw_word_is_a_word() {
        assert_eq!(words("r#type r2"), ["type", "r2"]);
    }

    #[test]
    fn lines_are_counted_inside_strings_and_comments() {
        let found = tokens("/* 1\n2 */ \"3\n4\"\nfive");
        assert_eq!(found.last().map(|token| token.line), Some(4));
    }
}
