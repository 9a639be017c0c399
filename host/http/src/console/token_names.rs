//! The names of tokens, for what the API says by their IDs. Who may not list tokens sees the IDs.

use std::collections::BTreeMap;

use crate::console::failure::Failure;
use crate::console::parts::items;
use crate::console::parts::plain;
use crate::console::visit::Visit;

/// The names of the tokens that the reader may see, by their IDs.
pub(super) struct TokenNames(BTreeMap<String, String>);

impl TokenNames {
    /// Reads them; none where the reader may not.
    pub(super) async fn read(visit: &Visit) -> Result<TokenNames, Failure> {
        let tokens = visit.try_get("/v1/tokens").await?.unwrap_or_default();
        let names = items(&tokens, "items").iter();
        Ok(TokenNames(
            names.map(|token| (plain(token, "id").to_owned(), plain(token, "name").to_owned())).collect(),
        ))
    }

    /// The name of the token with this ID; else the ID, such as `cli`.
    pub(super) fn of<'n>(&'n self, id: &'n str) -> &'n str {
        self.0.get(id).map_or(id, String::as_str)
    }
}
