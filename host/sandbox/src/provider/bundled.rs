//! The bundled plugins: components that the build script compiles and embeds in the program.

/// A component that the program brings along.
#[derive(Clone, Copy, Debug)]
pub struct BundledPlugin {
    /// The folder it is from, which is the provider's id.
    pub id: &'static str,
    /// The bytes of the component.
    pub component: &'static [u8],
}

/// All of them, in the order of their ids.
pub const BUNDLED: [BundledPlugin; 2] = [
    BundledPlugin { id: "baidu", component: include_bytes!(concat!(env!("OUT_DIR"), "/plugin-baidu.wasm")) },
    BundledPlugin {
        id: "huawei",
        component: include_bytes!(concat!(env!("OUT_DIR"), "/plugin-huawei.wasm")),
    },
];
