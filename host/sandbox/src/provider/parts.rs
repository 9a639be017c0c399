//! What a plugin is made of, and what names it: enough to load the same plugin again, from wherever it is kept.

use std::borrow::Cow;

use perennial_domain::plugin_limits::PluginLimits;
use sha2::Digest as _;
use sha2::Sha256;

use crate::provider::signature::PublicKey;
use crate::provider::table;

/// The bytes of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginParts {
    /// The bytes of the component.
    pub component: Cow<'static, [u8]>,
    /// The table that the component interprets, in TOML, if that is what it does.
    pub table: Option<Cow<'static, [u8]>>,
    /// The trusted key that signed what its author made, where that was checked.
    pub signed_by: Option<PublicKey>,
    /// What an operator granted it beyond what every plugin has.
    pub granted: PluginLimits,
}

impl PluginParts {
    /// A component that has the rules itself.
    pub fn of_component(bytes: impl Into<Cow<'static, [u8]>>) -> PluginParts {
        PluginParts { component: bytes.into(), table: None, signed_by: None, granted: PluginLimits::NONE }
    }

    /// A table, and this program's interpreter of tables.
    pub fn of_table(bytes: impl Into<Cow<'static, [u8]>>) -> PluginParts {
        let component = Cow::Borrowed(table::INTERPRETER);
        let granted = PluginLimits::NONE;
        PluginParts { component, table: Some(bytes.into()), signed_by: None, granted }
    }

    /// The trusted key that signed it, as the configuration has it; `None` where that was not checked.
    pub fn signer(&self) -> Option<String> {
        self.signed_by.map(|key| key.to_string())
    }

    /// What its author made: the table or, where there is none, the component. It is what is signed.
    pub fn written(&self) -> &[u8] {
        self.table.as_deref().unwrap_or(&self.component)
    }

    /// The size of what its author made, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.written().len()
    }

    /// The SHA-256 of the component, in hexadecimal.
    pub fn component_digest(&self) -> String {
        hex::encode(Sha256::digest(&self.component))
    }

    /// What names the revision, in hexadecimal: the SHA-256 of the component or, of a table, of its interpreter and it.
    pub fn digest(&self) -> String {
        let component = self.component_digest();
        match &self.table {
            Some(table) => table::revision(&component, table),
            None => component,
        }
    }

    /// The text of the table, if it is one and is UTF-8, as every table is that was loaded.
    pub fn table_text(&self) -> Option<&str> {
        self.table.as_deref().and_then(|table| std::str::from_utf8(table).ok())
    }
}
