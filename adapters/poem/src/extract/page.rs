//! Lists, a page at a time.

use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchemaRef};
use poem_openapi::types::{ParseFromJSON, ToJSON, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, Object};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Cursor, Marker};
use crate::problem::{Fault, Problem};

pub(crate) const DEFAULT_LIMIT: u32 = 50;
pub(crate) const MAX_LIMIT: u32 = 200;

/// Which page of a list the caller wants: `limit` (1 to 200, else 422; 50 without it) and `cursor` (400 when it is none of
/// ours).
///
/// Read one row more than [`Page::limit`], in a stable order, after the key in the cursor; [`PageOf::new`] does the rest.
///
/// # Examples
/// ```
/// use dolmen_poem::{Page, PageOf, Problem};
/// use poem_openapi::{Object, OpenApi, payload::Json};
///
/// #[derive(Object)]
/// struct Line { number: i64 }
///
/// struct Api;
///
/// #[OpenApi]
/// impl Api {
///     /// Numbers from 1 to 1,000.
///     #[oai(path = "/v1/lines", method = "get")]
///     async fn lines(&self, page: Page) -> Result<Json<PageOf<Line>>, Problem> {
///         let after: i64 = page.after()?.unwrap_or(0);
///         let rows = (after + 1..=1_000).take(page.rows() as usize).map(|number| Line { number }).collect();
///         Ok(Json(PageOf::new(rows, &page, |last| last.number)?))
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    limit: u32,
    cursor: Option<Cursor>,
}

impl Page {
    /// How many items the page holds at most.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// How many rows to read: one more than the page holds, which tells whether there is a next page.
    pub fn rows(&self) -> u32 {
        self.limit.saturating_add(1)
    }

    /// The key of the last item of the page before; `None` on the first page.
    ///
    /// # Errors
    /// 400 `request/invalid-cursor`, for a cursor of another list.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Problem> {
        self.cursor.as_ref().map(Cursor::key).transpose()
    }

    fn parse(query: &[(String, String)]) -> Result<Self, Problem> {
        // `?cursor=&limit=` is what a form sends that nobody filled in.
        let given = |name: &str| query.iter().find(|(key, value)| key == name && !value.is_empty());
        let value = |name: &str| given(name).map(|(_, value)| value.as_str());
        let limit = match value("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => {
                text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or_else(|| {
                    Problem::invalid([Fault::new("/limit", format!("must be 1 to {MAX_LIMIT}"))])
                })?
            }
        };
        Ok(Self { limit, cursor: value("cursor").map(Cursor::parse).transpose()? })
    }
}

impl<'a> ApiExtractor<'a> for Page {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(Marker::Page.schema())
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let query: Vec<(String, String)> = request.params().unwrap_or_default();
        Ok(Self::parse(&query)?)
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[expect(clippy::exhaustive_structs, reason = "what clients get")]
pub struct PageOf<T: Type + ParseFromJSON + ToJSON> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Send it as `cursor` to get the next page; null on the last page.
    pub next_cursor: Option<Cursor>,
}

impl<T: Type + ParseFromJSON + ToJSON> PageOf<T> {
    /// The page made of the rows that were read, at most [`Page::rows`]; `key` tells what the cursor remembers of the last
    /// item.
    ///
    /// # Errors
    /// 500, when the key cannot be written as JSON.
    pub fn new<K: Serialize>(mut rows: Vec<T>, page: &Page, key: impl Fn(&T) -> K) -> Result<Self, Problem> {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = match rows.last() {
            Some(last) if more => Some(Cursor::of(&key(last))?),
            _ => None,
        };
        Ok(Self { items: rows, next_cursor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &[(&str, &str)]) -> Result<Page, Problem> {
        let query: Vec<_> =
            query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Page::parse(&query)
    }

    #[test]
    fn limits_are_1_to_200() {
        for text in ["0", "-1", "201", "1000000000", "ten"] {
            assert_eq!(page(&[("limit", text)]).unwrap_err().status(), 422, "{text}");
        }
        assert_eq!(page(&[("limit", "200")]).unwrap().limit(), 200);
        assert_eq!(page(&[]).unwrap().limit(), DEFAULT_LIMIT);
        assert_eq!(page(&[("limit", ""), ("cursor", "")]).unwrap(), page(&[]).unwrap());
    }

    #[test]
    fn pages_add_up_to_the_whole_list() {
        let all: Vec<i64> = (1..=7).collect();
        let (mut seen, mut cursor) = (Vec::new(), None::<Cursor>);
        loop {
            let mut query = vec![("limit", "3")];
            query.extend(cursor.as_ref().map(|cursor| ("cursor", cursor.as_str())));
            let page = page(&query).unwrap();
            let after: i64 = page.after().unwrap().unwrap_or(0);
            let rows = all.iter().copied().filter(|n| *n > after).take(page.rows() as usize).collect();
            let result = PageOf::new(rows, &page, |last| *last).unwrap();
            assert!(result.items.len() <= 3);
            seen.extend(result.items);
            cursor = result.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
    }
}
