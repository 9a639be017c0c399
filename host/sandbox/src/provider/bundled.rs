//! The bundled plugins: components that the build script compiles and embeds in the program, and tables.

use crate::provider::table::INTERPRETER;

/// A component that the program brings along.
#[derive(Clone, Copy, Debug)]
pub struct BundledPlugin {
    /// The folder it is from, which is the provider's id.
    pub id: &'static str,
    /// The bytes of the component.
    pub component: &'static [u8],
    /// The table that the component interprets, if that is what it does.
    pub table: Option<&'static str>,
}

/// All of them, in the order of their ids.
pub const BUNDLED: [BundledPlugin; 3] = [
    BundledPlugin {
        id: "baidu",
        component: include_bytes!(concat!(env!("OUT_DIR"), "/plugin-baidu.wasm")),
        table: None,
    },
    BundledPlugin {
        id: "huawei",
        component: include_bytes!(concat!(env!("OUT_DIR"), "/plugin-huawei.wasm")),
        table: None,
    },
    BundledPlugin {
        id: "volcengine",
        component: INTERPRETER,
        table: Some(include_str!("../../../../plugins/declared/tables/volcengine.toml")),
    },
];
