//! What the compiler says when it refuses a statement's text: it names the table, and whom it does not belong to.
#![expect(
    clippy::indexing_slicing,
    reason = "const fn has no iterators; every index is compared with the length"
)]

/// The most bytes that a message has; names that make it longer give the rule alone.
const ROOM: usize = 512;

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The rule that it breaks.
    pub(crate) rule: &'static str,
    /// Where a table of somebody else stands in it.
    pub(crate) table: Option<(usize, usize)>,
}

impl Refusal {
    /// The words for the author of `text` in `package`. A `const fn`, because only a `panic!` with them at compile time
    /// gets them into the compiler's error.
    pub(crate) const fn message(self, text: &str, package: &str) -> Message {
        let rule = Message { bytes: [0; ROOM], length: 0, overflows: false }.and(self.rule.as_bytes());
        let Some((start, end)) = self.table else { return rule };
        if start >= end || end > text.len() {
            return rule;
        }
        let table = text.as_bytes().split_at(end).0.split_at(start).1;
        let named = Message { bytes: [0; ROOM], length: 0, overflows: false }
            .and(b"sql!: the table ")
            .and(table)
            .and(b" does not belong to ")
            .and(package.as_bytes())
            .and(b", whose tables start with ")
            .and_underscored(package.as_bytes())
            .and(b"_; ask the module that it belongs to through its api");
        if named.overflows { rule } else { named }
    }
}

/// A text that can be put together in a `const`.
#[derive(Debug)]
pub(crate) struct Message {
    bytes: [u8; ROOM],
    length: usize,
    overflows: bool,
}

impl Message {
    pub(crate) const fn as_str(&self) -> &str {
        match str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "sql!: the statement is refused",
        }
    }

    const fn and(self, more: &[u8]) -> Self {
        self.append(more, false)
    }

    /// As a crate's name stands in a table's.
    const fn and_underscored(self, more: &[u8]) -> Self {
        self.append(more, true)
    }

    const fn append(mut self, more: &[u8], underscored: bool) -> Self {
        let mut index = 0;
        while index < more.len() {
            if self.length == ROOM {
                self.overflows = true;
                return self;
            }
            let byte = more[index];
            self.bytes[self.length] = if underscored && byte == b'-' { b'_' } else { byte };
            self.length += 1;
            index += 1;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_table_is_named_with_the_crate_that_asked_for_it() {
        let refusal = Refusal { rule: "a rule", table: Some((5, 15)) };
        assert_eq!(
            refusal.message("from other_item", "my-shop").as_str(),
            "sql!: the table other_item does not belong to my-shop, whose tables start with my_shop_; ask the module \
             that it belongs to through its api"
        );
    }

    #[test]
    fn the_compiler_itself_can_put_the_words_together() {
        const TEXT: &str = "delete from other_item";
        const REFUSED: Message = match crate::statement::check::check(TEXT, 0, "shop") {
            Ok(_) => panic!("it is not refused"),
            Err(refusal) => refusal.message(TEXT, "shop"),
        };
        assert!(REFUSED.as_str().starts_with("sql!: the table other_item does not belong to shop,"));
    }

    #[test]
    fn what_cannot_be_named_gives_the_rule() {
        for (table, package) in [(None, "shop"), (Some((5, 5)), "shop"), (Some((0, 99)), "shop")] {
            assert_eq!(
                Refusal { rule: "a rule", table }.message("from other_item", package).as_str(),
                "a rule"
            );
        }
        let long = "x".repeat(ROOM);
        let refusal = Refusal { rule: "a rule", table: Some((0, 1)) };
        assert_eq!(refusal.message("from other_item", &long).as_str(), "a rule");
    }
}
